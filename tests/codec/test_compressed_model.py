"""The file: its size is known beforehand, and what is read is what was written."""

import json
import struct
import zlib
from itertools import product

import pytest
import torch
from sameness import assert_same_outputs, assert_same_tensors
from torch import nn

from explorer.codec import file
from explorer.codec.file import write_record
from explorer.codec.header import layout_fields
from explorer.codec.model import CompressedModel, compress, read
from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.share import Share

STEPS = [
    Prune(sparsity=0.1),
    Prune(sparsity=0.9),
    Prune(sparsity=1.0),
    Quantize(bits=3),
    Quantize(bits=8, granularity="channel"),
    Binarize("none"),
    Binarize("tensor"),
    Binarize("channel"),
    Share(n_clusters=6),
    Share(n_clusters=1),
    LowRank(rank=2),
    LowRank(energy=0.9),
    Product(n_subvectors=3, n_centroids=4),
    Residual(n_stages=2, n_centroids=3),
]
STORAGE = [RelativeIndex(3), Entropy("huffman"), Entropy("ans")]
PAIRS = [*map(list, product(STEPS, repeat=2)), *map(list, product(STEPS, STORAGE))]
RECIPES = [
    [],
    *([step] for step in STEPS),
    [Prune(sparsity=0.5, scope="model"), Share(5), Quantize(4)],
    [Share(300), Quantize(6), Prune(sparsity=0.4)],
    [LowRank(rank=3), Prune(sparsity=0.5), Share(4), Quantize(8)],
    [LowRank(rank=3), LowRank(rank=2), Quantize(8, "channel")],
    [Prune(sparsity=0.5), LowRank(rank=2), Binarize("channel")],
    [Prune(sparsity=0.9), Share(6), RelativeIndex(5), Entropy("huffman")],
    [Prune(sparsity=0.6), Share(6), Quantize(4), Entropy("ans"), RelativeIndex(1)],
    [LowRank(rank=3), Prune(sparsity=0.5), Share(4), Entropy("ans")],
    [Prune(sparsity=0.5), Product(2, 4, axis=0), Quantize(4), RelativeIndex(3), Entropy("ans")],
    [Prune(sparsity=0.0), Product(2, 4)],
    [Prune(sparsity=0.0), LowRank(rank=2)],
    [Residual(3, 4), Prune(sparsity=0.7), Entropy("huffman")],
    [Entropy("ans"), Prune(sparsity=0.5), LowRank(rank=2), Quantize(3)],
    [LowRank(rank=2)] * 8 + [Share(3)],
]


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        other = second[name]
        assert (tensor.dtype, tensor.shape) == (other.dtype, other.shape), name
        raw = [t.contiguous().reshape(-1).view(torch.uint8) for t in (tensor, other)]
        assert torch.equal(*raw), name


def assert_there_and_back(net, recipes):
    for recipe in recipes:
        model = compress(net, recipe)
        data = file.encode(model)
        assert model.size_bytes == len(data), recipe
        back = CompressedModel.of(file.decode(data))
        assert back.recipe == model.recipe
        assert_same(back.state_dict(), model.state_dict())
        assert back.size_bytes == len(data)
        assert file.encode(back) == data, recipe
        assert file.encode(compress(net, recipe)) == data, recipe


def test_every_recipe_gives_the_promised_bytes_and_comes_back(net):
    assert_there_and_back(net, RECIPES)


def test_so_does_every_pair_of_steps(small_net):
    assert_there_and_back(small_net, PAIRS)


def assert_written_as_promised(net, recipes):
    for recipe in recipes:
        for record in compress(net, recipe).records.values():
            written = list(write_record(record))
            promised = [-(-bits // 8) for bits in record.field_bits]
            assert sum(map(len, written)) == sum(promised), recipe
            layout = json.loads(json.dumps(record.layout))
            fields = layout_fields(layout, record.shape, record.dtype)
            assert tuple(field.bits for field in fields) == record.field_bits
            assert sum(record.field_bits) == record.size_bits


def test_field_bits_are_the_written_bits_rounded_up_to_bytes(net):
    assert_written_as_promised(net, RECIPES)


def test_so_are_those_of_every_pair_of_steps(small_net):
    assert_written_as_promised(small_net, PAIRS)


def test_saved_and_opened(small_net, tmp_path):
    model = compress(small_net, [Prune(sparsity=0.8), Share(16)])
    path = tmp_path / "small.cmpx"
    path.write_bytes(b"an older file")
    assert model.save(path) == model.size_bytes == path.stat().st_size
    assert [p.name for p in tmp_path.iterdir()] == ["small.cmpx"]
    back = read(path)
    assert back["4"].size_bits == model["4"].size_bits
    assert back.compression_ratio == model.compression_ratio > 1
    inputs = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = model.restore()
        for restored in (back.restore(small_net), back.with_template(small_net).restore()):
            assert_same_tensors(restored, expected)
            assert_same_outputs(restored(inputs), expected(inputs))


def test_by_hand_the_bytes_of_a_tiny_file():
    layer = nn.Linear(4, 2, bias=False)
    layer.weight.data = torch.tensor([[1.0, -1, 1, 1], [-1, -1, 1, -1]])
    data = file.encode(compress(layer, [Binarize("none")], network="toy"))
    assert data[:5] == b"CMPX\x01"
    (length,) = struct.unpack("<I", data[5:9])
    header = json.loads(zlib.decompress(data[9 : 9 + length], -15))
    assert header["network"] == "toy"
    assert header["tensors"] == [
        ["", [2, 4], "float32", {"kind": "binarized", "scales": 0, "kept": 8}]
    ]
    # After the header's checksum one byte of signs, then its checksum.
    assert data[9 + length + 4 : -4] == b"\xb2"


def test_the_name_of_the_network_is_kept(tmp_path):
    net = nn.Linear(2, 2)
    net.network_name = "two"
    compress(net, []).save(tmp_path / "a.cmpx")
    assert read(tmp_path / "a.cmpx").network == "two"
    assert compress(net, [], network="three").network == "three"
    assert compress(nn.Linear(2, 2), []).network == ""


def test_what_is_not_told_cannot_be_restored(small_net):
    back = file.decode(file.encode(compress(small_net, [])))
    with pytest.raises(ValueError, match=r"not in the catalog: pass an instance .*restore\(net\)"):
        back.restore()
    with pytest.raises(ValueError, match="net does not fit this file"):
        back.restore(nn.Linear(2, 2))


def test_a_type_that_the_file_cannot_hold_is_refused_before_writing(tmp_path):
    net = nn.Sequential(nn.Linear(2, 2))
    net.register_buffer("odd", torch.zeros(2, dtype=torch.uint16))
    model = compress(net, [])
    with pytest.raises(TypeError, match=r"tensor 'odd' is of type torch.uint16, which the file"):
        model.save(tmp_path / "a.cmpx")
    assert list(tmp_path.iterdir()) == []


def buffer_of_nine_axes():
    net = nn.Linear(2, 2)
    net.register_buffer("deep", torch.zeros([1] * 9))
    return compress(net, [])


def long_name():
    return compress(nn.Linear(2, 2), [], network="".join(map(str, range(250_000))))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (buffer_of_nine_axes, "does not fit into a file: tensor 'deep': bad shape"),
        (long_name, "does not fit into a file: header is cut short, or longer"),
        (
            lambda: compress(nn.Linear(8192, 2060, bias=False), [Prune(sparsity=1.0)]),
            "does not fit into a file: header promises more than",
        ),
        (
            lambda: compress(nn.Linear(2, 2), [Quantize(8)] * 33),
            "does not fit into a file: recipe: steps of .* at most 32",
        ),
    ],
)
def test_what_could_not_be_read_back_is_not_written(make, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        make().save(tmp_path / "a.cmpx")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_leaves_the_old_one(small_net, tmp_path):
    model = compress(small_net, [])
    with pytest.raises(FileNotFoundError, match=r"no folder '.*missing' for 'a.cmpx'; make it"):
        model.save(tmp_path / "missing" / "a.cmpx")
    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
        model.save(tmp_path)
    for write in (model.save, read):
        with pytest.raises(TypeError, match="path must be a str or a Path; got int"):
            write(3)
