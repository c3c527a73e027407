"""When two networks count as the same: their tensors to the last bit, their outputs nearly."""

import torch

# Of the largest output. The order of torch's float sums depends on the processor, the number of
# threads, the batch and where tensors lie in memory: outputs of equal weights differ by some
# float32 roundings (6e-8) a layer.
NEARLY = 1e-5
# Of the largest weight: training hands its roundings on from step to step.
NEARLY_TRAINED = 1e-4


def assert_same_tensors(net, other):
    found, expected = net.state_dict(), other.state_dict()
    assert list(found) == list(expected)
    for name, tensor in found.items():
        assert tensor.dtype == expected[name].dtype, name
        assert torch.equal(tensor, expected[name]), name


def assert_same_outputs(found, expected, nearly=NEARLY):
    largest = float(expected.detach().abs().max())
    torch.testing.assert_close(found, expected, rtol=0, atol=nearly * largest)


def assert_trained_alike(net, other):
    found, expected = net.state_dict(), other.state_dict()
    assert list(found) == list(expected)
    for name, tensor in found.items():
        assert_same_outputs(tensor.double(), expected[name].double(), NEARLY_TRAINED)


def shifted(tensor):
    """Return a copy at an address that is no multiple of the 64 bytes torch allocates by."""
    size = tensor.element_size()
    room = bytearray(tensor.numel() * size + 128)
    start = torch.frombuffer(room, dtype=torch.uint8).data_ptr()
    offset = -start % 64 + size
    flat = torch.frombuffer(room, dtype=tensor.dtype, count=tensor.numel(), offset=offset)
    return flat.view(tensor.shape).copy_(tensor)
