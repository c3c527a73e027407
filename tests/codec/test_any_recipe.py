"""Any recipe on any small network: the file has the promised size and gives the bits back."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.codec import file
from explorer.codec.model import CompressedModel, compress
from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.registry import STEPS
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.share import Share

sizes, few = st.integers(1, 9), st.integers(1, 6)
fractions = st.sampled_from([0.0, 0.1, 0.5, 0.83, 1.0])
ANY_STEP = {
    "Prune": st.one_of(
        st.builds(
            Prune,
            sparsity=fractions,
            criterion=st.sampled_from(["magnitude", "random"]),
        ),
        st.builds(Prune, threshold=st.floats(0, 2)),
    ),
    "Quantize": st.builds(Quantize, st.integers(1, 8), st.sampled_from(["tensor", "channel"])),
    "Binarize": st.builds(Binarize, st.sampled_from(["none", "tensor", "channel"])),
    "Share": st.builds(Share, st.integers(1, 40), st.sampled_from(["linear", "density", "random"])),
    "Product": st.builds(Product, few, few, st.integers(0, 1)),
    "Residual": st.builds(Residual, few, few),
    "LowRank": st.one_of(st.builds(LowRank, rank=few), st.builds(LowRank, energy=fractions)),
    "RelativeIndex": st.builds(RelativeIndex, st.integers(1, 16)),
    "Entropy": st.builds(Entropy, st.sampled_from(["huffman", "ans"])),
}
recipes = st.lists(st.one_of(*ANY_STEP.values()), max_size=5)
starts = st.sampled_from([[], [], [], [Prune(sparsity=0.5, scope="model")]])
LAYERS = {
    "dense": nn.Linear,
    "conv": lambda a, b: nn.Conv2d(a, b, (2, 3)),
    "grouped": lambda a, b: nn.Conv1d(2 * a, 2, 3, groups=2, bias=False),
    "transposed": lambda a, b: nn.ConvTranspose3d(a, b, 1),
    "norm": lambda a, b: nn.BatchNorm1d(a),
    "table": nn.Embedding,
}
layers = st.lists(st.tuples(st.sampled_from(sorted(LAYERS)), sizes, sizes), max_size=3)
weights = st.sampled_from(["normal", "few values", "many zeros", "tiny", "huge"])
dtypes = st.sampled_from([torch.float32, torch.float32, torch.float16, torch.bfloat16])


def network(listed, kind, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(*(LAYERS[name](a, b) for name, a, b in listed), nn.Linear(5, 3))
    for parameter in net.parameters():
        values = torch.randn(parameter.shape, generator=generator)
        match kind:
            case "few values":
                values = values.round()
            case "many zeros":
                values = values * (values > 0.8)
            case "tiny":
                values = values * 1e-39
            case "huge":
                values = values * 5e3
        parameter.data = values
    return net.to(dtype).eval()


def raw(state):
    whole = {name: t.contiguous().reshape(-1).view(torch.uint8) for name, t in state.items()}
    return {name: t.numpy().tobytes() for name, t in whole.items()}


def test_every_step_but_one_that_needs_a_shape_is_drawn():
    assert {*ANY_STEP, "PruneNeurons"} == {*STEPS}


@settings(max_examples=250)
@given(layers, weights, dtypes, starts, recipes, recipes, st.integers(0, 99))
def test_any_recipe_gives_the_promised_bytes_and_comes_back(
    listed, kind, dtype, start, last, others, seed
):
    net = network(listed, kind, dtype, seed)
    recipe = {str(len(listed)): start + last, "*": start + others}
    model = compress(net, recipe)
    data = file.encode(model)
    assert model.size_bytes == len(data)
    assert file.encode(compress(net, recipe)) == data
    back = CompressedModel.of(file.decode(data))
    assert raw(back.state_dict()) == raw(model.state_dict())
    assert file.encode(back) == data
    assert back.size_bytes == len(data)
    assert back.recipe == model.recipe
