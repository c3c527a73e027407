"""Other ways to say the same, one by one: spellings, orders, tables, fillers, loose packing."""

import json
import struct
import zlib

import numpy as np
import pytest
import torch

from explorer.codec import file
from explorer.codec.header import OTHER_FORM, DamagedFile, as_text, inflated
from explorer.codec.model import compress
from explorer.compress.coding.bits import pack
from explorer.compress.coding.entropy import SymbolModel
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.share import Share
from tests.codec.corpus import joined, mended, network, sections_of, with_tensor

SIX = {"kind": "shared", "values": 2, "kept": 6}
BOOK = bytes(8)
EITHER = "(tensor 'w?'|header)"


def refused(data, where="header"):
    with pytest.raises(DamagedFile, match=f"{where}: {OTHER_FORM}"):
        file.decode(data)


@pytest.fixture(scope="module")
def whole():
    return file.encode(compress(network("norm"), [Prune(sparsity=0.5), Share(4), Entropy()]))


def rewritten(data, change):
    header, sections = sections_of(data)
    return mended(change(header), sections, np.random.default_rng(0))


@pytest.mark.parametrize(
    "respelled",
    [
        lambda text: text.replace(b'",', b'", ', 1),
        lambda text: text + b"\n",
        lambda text: text.replace(b'{"network"', b'{"network":"","network"', 1),
        lambda text: text.replace(b"Share", b"Sh\\u0061re", 1),
        lambda text: text.replace(b"0.5", b"0.50", 1),
        lambda text: text.replace(b"0.5", b"5e-1", 1),
    ],
)
def test_a_header_spelled_otherwise(whole, respelled):
    header, _ = sections_of(whole)
    text = as_text(header).encode()
    assert respelled(text) != text
    end = 9 + struct.unpack("<I", whole[5:9])[0]
    refused(joined(respelled(text), whole[end + 4 :]))


def reordered(header):
    return dict(sorted(header.items(), reverse=True))


def layout_reordered(header):
    header["tensors"][0][3] = dict(reversed(header["tensors"][0][3].items()))
    return header


def with_more(header):
    return header | {"more": 1}


def without_size(header):
    return header | {"source_bytes": None}


def layout_with_more(header):
    header["tensors"][0][3]["more"] = 1
    return header


def default_told(header):
    header["recipe"]["layers"]["*"][0]["scope"] = "layer"
    return header


def recipe_with_more(header):
    header["recipe"]["more"] = 1
    return header


@pytest.mark.parametrize(
    "change",
    [
        reordered,
        layout_reordered,
        with_more,
        without_size,
        layout_with_more,
        default_told,
        recipe_with_more,
    ],
)
def test_a_header_that_says_the_same_in_another_way(whole, change):
    refused(rewritten(whole, change), "(header|tensor '0')")


def test_compressed_layers_come_first(whole):
    header, sections = sections_of(whole)
    header["tensors"].insert(0, header["tensors"].pop())
    sections.insert(0, sections.pop())
    refused(mended(header, sections, np.random.default_rng(0)))


def test_a_header_packed_loosely(whole):
    end = 9 + struct.unpack("<I", whole[5:9])[0]
    text = inflated(whole[9:end])
    packer = zlib.compressobj(0, zlib.DEFLATED, -15)
    loose = packer.compress(text) + packer.flush()
    start = b"CMPX\1" + struct.pack("<I", len(loose)) + loose
    refused(start + struct.pack("<I", zlib.crc32(loose)) + whole[end + 4 :])


@pytest.mark.parametrize(
    ("shape", "layout", "section"),
    [
        ([6], SIX, bytes([0b10110101]) + BOOK),
        ([7], {"kind": "pruned", "kept": 3}, bytes([0b10101001]) + bytes(12)),
        ([2, 4], {"kind": "binarized", "scales": 0, "kept": 3}, bytes([7, 1])),
        ([1, 500], {"kind": "pruned", "kept": 1}, bytes([200, 0, 0xFF]) + bytes(4)),
    ],
)
def test_bits_that_fill_a_byte_are_zeros(shape, layout, section):
    with pytest.raises(DamagedFile):
        file.decode(with_tensor(shape, layout, section=section))


def coded(symbols, table, coder, values):
    entries = np.array(table, np.uint8)
    payload = SymbolModel(coder, entries).encode(np.array(symbols))
    codes = {"coder": coder, "bytes": len(payload)}
    inner = {"kind": "shared", "values": values, "kept": len(symbols)}
    layout = {"kind": "stored", "record": inner, "codes": codes}
    section = pack(entries, 5 if coder == "huffman" else 6) + payload + bytes(4 * values)
    return with_tensor([len(symbols)], layout, section=section)


OFTEN = [0] * 300 + [1, 2, 3] * 4


def test_tables_are_those_of_the_symbols():
    lengths = SymbolModel.of(np.bincount(OFTEN), "huffman").entries
    good = coded(OFTEN, lengths, "huffman", 4)
    assert file.encode(file.decode(good)) == good
    refused(coded(OFTEN, np.roll(lengths, 1), "huffman", 4), EITHER)
    refused(coded(OFTEN, [1, 2, 3, 4, 4], "huffman", 5), EITHER)
    own = SymbolModel.of(np.bincount(OFTEN), "ans").entries
    assert file.encode(file.decode(coded(OFTEN, own, "ans", 4))) == coded(OFTEN, own, "ans", 4)
    refused(coded(OFTEN, own + np.array([0, 0, 0, 1]), "ans", 4), EITHER)


def test_bits_after_a_huffman_stream_are_zeros():
    data = coded([0] * 301 + [1, 2, 3] * 4, [1, 2, 3, 3], "huffman", 4)
    header, (section,) = sections_of(data)
    n_bytes = header["tensors"][0][3]["codes"]["bytes"]
    last = 3 + n_bytes - 1
    changed = section[:last] + bytes([section[last] | 0x80]) + section[last + 1 :]
    refused(mended(header, [changed], np.random.default_rng(0)), "tensor 'w'")


def test_what_does_not_pay_is_not_coded():
    refused(coded([0, 1, 0, 1], [1, 1], "huffman", 2), EITHER)


def test_a_filler_after_the_last_weight():
    net = torch.nn.Linear(40, 1, bias=False)
    net.weight.data = torch.zeros(1, 40)
    net.weight.data[0, :2] = 1
    header, (section,) = sections_of(
        file.encode(compress(net, [Prune(sparsity=0.95), RelativeIndex(2)]))
    )
    index = header["tensors"][0][3]["index"]
    assert index == {"bits": 2, "fillers": 0}
    index["fillers"] = 1
    changed = bytes([section[0] | 0b00001100]) + section[1:]
    refused(mended(header, [changed], np.random.default_rng(0)), EITHER)


def test_a_size_is_an_integer(whole):
    header, sections = sections_of(whole)
    header = json.loads(json.dumps(header))
    header["tensors"][0][1] = [float(size) for size in header["tensors"][0][1]]
    with pytest.raises(DamagedFile, match="bad shape"):
        file.decode(mended(header, sections, np.random.default_rng(0)))
