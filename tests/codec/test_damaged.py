"""Damaged and hostile files: refused in words, or read as tensors of the promised shapes."""

import struct
import zlib

import numpy as np
import pytest
import torch

from explorer.codec import file
from explorer.codec import header as header_module
from explorer.codec.header import DamagedFile
from explorer.codec.model import compress, read
from tests.codec.corpus import RECIPES, VALUES, joined, places, replaced, split, with_tensor


@pytest.fixture(params=sorted(RECIPES))
def data(request, small_net):
    return file.encode(compress(small_net, RECIPES[request.param], network="toy"))


@pytest.fixture(autouse=True)
def few_weights(monkeypatch):
    """Lower the limit, so that a bomb that gets past it is small."""
    monkeypatch.setattr(file, "MAX_WEIGHTS", 1 << 22)
    monkeypatch.setattr(header_module, "MAX_WEIGHTS", 1 << 22)


def read_or_refuse(data):
    """Decode; every tensor that comes back is whole. None where the file is refused."""
    try:
        model = file.decode(data)
    except DamagedFile as error:
        assert str(error)
        return None
    state = model.state_dict()
    header, _ = split(data)
    assert [list(tensor.shape) for tensor in state.values()] == [
        item[1] for item in header["tensors"]
    ]
    return state


def test_every_flipped_bit_is_noticed(data):
    generator = np.random.default_rng(0)
    for place in generator.integers(0, 8 * len(data), 300):
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << (place % 8)
        with pytest.raises(DamagedFile):
            file.decode(bytes(damaged))


def test_every_cut_and_every_addition_is_noticed(data):
    for end in {*range(0, 40), *range(0, len(data), 97), len(data) - 1}:
        with pytest.raises(DamagedFile):
            file.decode(data[:end])
    for more in (b"\0", data):
        with pytest.raises(DamagedFile, match="the tensors should take"):
            file.decode(data + more)


def test_changed_sections_with_mended_checksums_keep_their_shapes(data):
    header, start = split(data)
    sizes = [header_module.read_entry(item).n_bytes for item in header["tensors"]]
    generator = np.random.default_rng(1)
    refused = 0
    for _ in range(150):
        damaged, index = bytearray(data), int(generator.integers(0, 2))
        begin = start + sum(sizes[:index])
        end = begin + sizes[index] - 4
        for place in generator.integers(begin, end, 3):
            damaged[place] = generator.integers(0, 256)
        damaged[end : end + 4] = struct.pack("<I", zlib.crc32(bytes(damaged[begin:end])))
        refused += read_or_refuse(bytes(damaged)) is None
    assert refused < 150


@pytest.mark.parametrize("kind", ["huffman", "product", "low_rank"])
def test_changed_headers_with_a_mended_checksum_never_do_harm(kind, small_net):
    data = file.encode(compress(small_net, RECIPES[kind], network="toy"))
    header, start = split(data)
    for path in places(header):
        for value in VALUES:
            read_or_refuse(joined(replaced(header, path, value), data[start:]))


def nested(depth, key, inner):
    return f'{{"kind":"shared","kept":0,"values":0,"{key}":' * depth + inner + "}" * depth


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "does not begin with CMPX"),
        (b"PK\x03\x04", "does not begin with CMPX"),
        (b"CMPX", "another version"),
        (b"CMPX\x02\0\0\0\0", "another version"),
        (b"CMPX\x01\xff\xff\xff\xff", "cut short: the header should have 4294967295 bytes"),
        (joined(b"[", b""), "not valid JSON"),
        (joined(b"[" * 50_000, b""), "not valid JSON|too deeply"),
        (joined(b"\xff\xfe", b""), "not valid JSON"),
        (joined([], b""), "lacks its network, recipe or tensors"),
        (joined({"network": "", "recipe": {}, "tensors": [1]}, b""), "not a tensor: 1"),
        (joined({"network": "", "recipe": {}, "tensors": []}, b""), "recipe: expected"),
        (with_tensor([1 << 21, 1 << 21]), "has more than 4194304 entries"),
        (with_tensor([1 << 22, 1 << 22, 1 << 22]), "has more than 4194304 entries"),
        (with_tensor([1 << 21, 1 << 21, 0]), "has more than 4194304 entries"),
        (with_tensor([1 << 30]), "bad shape"),
        (with_tensor([-1]), "bad shape"),
        (with_tensor([True]), "bad shape"),
        (with_tensor([1] * 9), "bad shape"),
        (with_tensor([2.0]), "bad shape"),
        (with_tensor([2], dtype="object"), "unknown type 'object'"),
        (with_tensor([2], dtype=[]), r"unknown type \[\]"),
        (with_tensor([2], {"kind": "dense"}, dtype="int64"), "bad layout"),
        (with_tensor([2], {"kind": "zip"}), "unknown kind of tensor: 'zip'"),
        (with_tensor([2], {"kind": []}), "unknown kind of tensor"),
        (with_tensor([2], {"kind": "pruned", "kept": 3}), "kept must be from 0 to 2; got 3"),
        (with_tensor([2], {"kind": "pruned"}), "kept must be from 0 to 2; got None"),
        (
            with_tensor([2, 3], {"kind": "quantized", "kept": 6, "bits": 0, "ranges": 1}),
            "bits must be from 1 to 8; got 0",
        ),
        (
            with_tensor([3, 3], {"kind": "quantized", "kept": 9, "bits": 2, "ranges": 2}),
            r"ranges must be 1 or one a channel \(3\); got 2",
        ),
        (
            with_tensor([3, 3], {"kind": "quantized", "kept": 9, "bits": 2, "ranges": 0}),
            "ranges must be from 1 to 3; got 0",
        ),
        (
            with_tensor([3, 3], {"kind": "binarized", "kept": 9, "scales": 2}),
            r"scales must be 1 or one a channel \(3\); got 2",
        ),
        (
            with_tensor([3], {"kind": "low_rank", "rank": 1, "left": {}, "right": {}}),
            "two axes and two factors",
        ),
        (
            with_tensor([0, 3], {"kind": "low_rank", "rank": 0, "left": {}, "right": {}}),
            "two axes and two factors",
        ),
        (
            with_tensor([2], {"kind": "shared", "kept": 2, "values": 0}, section=b""),
            "an index points beyond its codebook",
        ),
        (
            with_tensor([8], {"kind": "shared", "kept": 8, "values": 3}, section=b"\xff" * 14),
            "an index points beyond its codebook",
        ),
        (with_tensor([2], dtype="bool", section=b"\1\2"), "not a truth value"),
    ],
    ids=range(35),
)
def test_by_hand(data, words):
    with pytest.raises(DamagedFile, match=words):
        file.decode(data)


@pytest.mark.parametrize("depth", [600, 30_000])
def test_layouts_within_layouts_are_refused(depth):
    layout = nested(depth, "codebook", '{"kind":"dense"}')
    text = '{"network":"","recipe":{"version":1,"layers":{}},"tensors":[["w",[0],"float32",%s]]}'
    with pytest.raises(DamagedFile):
        file.decode(joined((text % layout).encode(), bytes(4)))


@pytest.mark.parametrize("depth", [900, 5_000, 30_000])
def test_a_recipe_within_recipes_is_refused(depth):
    recipe = '{"version":1,"layers":' + "[" * depth + "]" * depth + "}"
    text = f'{{"network":"","recipe":{recipe},"tensors":[]}}'
    with pytest.raises(DamagedFile):
        file.decode(joined(text.encode(), b""))


def test_a_name_twice_is_refused():
    header = {"network": "", "recipe": {"version": 1, "layers": {}}}
    tensors = [["a.weight", [0], "float32"], ["a", [0], "float32", {"kind": "dense"}]]
    with pytest.raises(DamagedFile, match="names a tensor twice"):
        file.decode(joined(header | {"tensors": tensors}, bytes(8)))


def test_many_tensors_together_are_limited():
    header = {"network": "", "recipe": {"version": 1, "layers": {}}}
    layout = {"kind": "pruned", "kept": 0}
    tensors = [[f"{i}", [1 << 22], "float32", layout] for i in range(50)]
    with pytest.raises(DamagedFile, match="header promises more than"):
        file.decode(joined(header | {"tensors": tensors}, bytes(4 * 50)))


def test_the_error_names_the_file_and_the_tensor(small_net, tmp_path):
    path = tmp_path / "half.cmpx"
    compress(small_net, []).save(path)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    words = r"half.cmpx: tensor '1.num_batches_tracked|half.cmpx: tensor '4.bias'"
    with pytest.raises(DamagedFile, match=words):
        read(path)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.cmpx")


def test_nothing_is_run_from_a_file(tmp_path):
    path = tmp_path / "evil.cmpx"
    torch.save({"a": torch.ones(2)}, path)
    with pytest.raises(DamagedFile, match=r"evil.cmpx: not a compressed model"):
        read(path)
