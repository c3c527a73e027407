"""Run a network: inputs of any form, scores out of any output, examples of the right shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

Inputs = Any  # a Tensor (n, ...), a tuple of them, or a dict of them by argument name
INPUT_SHAPE_ATTRIBUTE = "input_shape"
N_IDS = 2
OUT_OF_MEMORY = ("memory", "bad_alloc")
NOT_TAKEN = (RuntimeError, ValueError, TypeError, IndexError, AssertionError, AttributeError)


def call(net: Any, inputs: Inputs) -> Any:
    """Call a network with a tensor, with a tuple as its arguments, or a dict as its keywords."""
    if isinstance(inputs, Mapping):
        return net(**inputs)
    return net(*inputs) if isinstance(inputs, tuple) else net(inputs)


def scores(net: Any, inputs: Inputs) -> Tensor:
    """Call a network and return its scores, as `scores_of`.

    Raises ValueError if it fails on the inputs; the message tells their shapes and types.
    """
    with failure_told(inputs):
        output = call(net, inputs)
    return scores_of(output)


@contextmanager
def failure_told(inputs: Inputs) -> Iterator[None]:
    """Raise ValueError, with the inputs' shapes and types, where a network fails on them."""
    try:
        yield
    except (RuntimeError, TypeError, IndexError) as error:
        if any(words in str(error) for words in OUT_OF_MEMORY):
            raise
        forms = ", ".join(map(_form, tensors_of(inputs)))
        raise ValueError(f"data: the network fails on inputs {forms}: {error}") from error


def _form(tensor: Tensor) -> str:
    """Say a tensor's shape and type, and of whole numbers their range."""
    whole = not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)
    told = f" from {int(tensor.min())} to {int(tensor.max())}" if whole and tensor.numel() else ""
    return f"{tuple(tensor.shape)} {tensor.dtype}{told}"


def scores_of(output: Any) -> Tensor:
    """Return the scores in what a network returned.

    A tensor; the first tensor of a tuple or list; the entry ``"logits"``, or else the only
    tensor, of a dict; the attribute ``logits`` of an object.

    Raises TypeError if there is none.
    """
    if isinstance(output, Tensor):
        return output
    found = getattr(output, "logits", None)
    if found is None and isinstance(output, Mapping):
        tensors = [value for value in output.values() if isinstance(value, Tensor)]
        found = output.get("logits", tensors[0] if len(tensors) == 1 else None)
    elif found is None and isinstance(output, (tuple, list)):
        found = next((part for part in output if isinstance(part, Tensor)), None)
    if not isinstance(found, Tensor):
        keys = f" with {', '.join(map(str, output))}" if isinstance(output, Mapping) else ""
        raise TypeError(
            "net: expected scores of shape (n, n_classes), as a tensor, the first of a tuple, or "
            f"under 'logits'; got {type(output).__name__}{keys}. Judge other outputs by metric="
        )
    return found


def device_of(net: nn.Module) -> torch.device:
    """Return where a network is; the CPU where it holds nothing."""
    held = next(chain(net.parameters(), net.buffers()), None)
    return torch.device("cpu") if held is None else held.device


def moved(inputs: Inputs, device: torch.device) -> Inputs:
    """Return inputs on a device."""
    if isinstance(inputs, Mapping):
        return {name: tensor.to(device) for name, tensor in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(tensor.to(device) for tensor in inputs)
    return inputs.to(device)


def tensors_of(inputs: Inputs) -> list[Tensor]:
    """Return the tensors that inputs are made of."""
    if isinstance(inputs, Mapping):
        return list(inputs.values())
    return list(inputs) if isinstance(inputs, tuple) else [inputs]


def rows(inputs: Inputs, chosen: Any) -> Inputs:
    """Return the chosen samples of a batch; of a slice, views."""
    if isinstance(inputs, Mapping):
        return {name: tensor[chosen] for name, tensor in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(tensor[chosen] for tensor in inputs)
    return inputs[chosen]


def first_rows(inputs: Inputs, n: int) -> Inputs:
    """Return views of the first `n` samples of a batch, or fewer."""
    return rows(inputs, slice(n))


def own_copy(inputs: Inputs) -> Inputs:
    """Copy inputs, for a network that may write into them."""
    if isinstance(inputs, Mapping):
        return {name: tensor.clone() for name, tensor in inputs.items()}
    return tuple(t.clone() for t in inputs) if isinstance(inputs, tuple) else inputs.clone()


def check_input_shape(input_shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of one input as a tuple.

    Raises ValueError if it is not a sequence of positive whole numbers.
    """
    sizes = tuple(input_shape) if isinstance(input_shape, Sequence) else ()
    if not sizes or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ValueError(
            "input_shape: expected the positive sizes of one input without the batch, such as "
            f"(3, 224, 224), got {input_shape!r}."
        )
    return sizes


def random_input(net: nn.Module, input_shape: Sequence[int], batch_size: int) -> Tensor:
    """Draw a batch of inputs in the type that the network takes, on the device of its weights.

    Standard normal numbers; for a network that takes class numbers or token ids only, ids that
    its embeddings have. Always the same ones; torch's own random state is left as it is.

    Raises ValueError if `input_shape` is not a sequence of positive whole numbers, or `batch_size`
    is below 1.
    """
    shape = check_input_shape(input_shape)
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size: expected a whole number from 1 up, got {batch_size!r}")
    like = _first_weight(net)
    generator = torch.Generator().manual_seed(0)
    if takes_ids(net, shape):
        return random_ids(net, (batch_size, *shape), generator)
    return torch.randn((batch_size, *shape), generator=generator).to(like.device, like.dtype)


def random_ids(net: nn.Module, shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Draw whole numbers that every embedding of the network has, int64."""
    sizes = [
        module.num_embeddings
        for module in net.modules()
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag))
    ]
    drawn = torch.randint(min(sizes, default=N_IDS), tuple(shape), generator=generator)
    return drawn.to(_first_weight(net).device)


def zero_input(net: nn.Module, input_shape: Sequence[int]) -> Tensor:
    """Return one input of zeros, shape (1, ...), in the type that the network takes."""
    like = _first_weight(net)
    dtype = torch.int64 if takes_ids(net, input_shape) else like.dtype
    return torch.zeros((1, *input_shape), dtype=dtype, device=like.device)


def takes_ids(net: nn.Module, input_shape: Sequence[int]) -> bool:
    """Whether a network fails on numbers with a fraction and takes whole ones (token ids)."""
    if not any(map(_may_embed, net.modules())):
        return False
    like = _first_weight(net)
    floats = torch.zeros((1, *input_shape), dtype=like.dtype, device=like.device)
    return not takes(net, floats) and takes(net, floats.to(torch.int64))


def _may_embed(module: nn.Module) -> bool:
    """Whether a module may look up ids: an embedding, or one of a person's own with parameters."""
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return True
    own = next(module.parameters(recurse=False), None) is not None
    return own and not type(module).__module__.startswith("torch.nn.")


def takes(net: nn.Module, inputs: Tensor) -> bool:
    """Whether a network takes a batch of inputs, which are left unchanged."""
    given = inputs.clone().to(device_of(net))
    with eval_mode(net), torch.inference_mode(), torch.random.fork_rng(devices=[]):
        try:
            net(given)
        except NOT_TAKEN:
            return False
    return True


def _first_weight(net: nn.Module) -> Tensor:
    return next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))


@contextmanager
def eval_mode(net: nn.Module) -> Iterator[None]:
    """Put a network in eval mode, and each of its modules back afterwards."""
    was_training = [module for module in net.modules() if module.training]
    net.eval()
    try:
        yield
    finally:
        for module in was_training:
            module.training = True


def forward(net: nn.Module, inputs: Tensor) -> Any:
    """Return what `net` makes of the inputs. Raises ValueError if it does not take them."""
    try:
        return net(inputs)
    except NOT_TAKEN as error:
        shape = tuple(inputs.shape[1:])
        raise ValueError(
            f"input_shape: the network does not take an input of shape {shape}: {error}. "
            "Give the shape of one input, without the batch."
        ) from error
