"""A reader written from FORMAT.md alone, in plain Python, reads what the encoder writes."""

import bisect
import heapq
import json
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.codec import file
from explorer.codec.model import compress
from explorer.compress.coding.entropy import SymbolModel
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.share import Share

QUARTERS = (1048576, 881744, 741455, 623487)


def packed(data, count, width):
    bits = "".join(f"{byte:08b}" for byte in data)
    return [int(bits[i * width : (i + 1) * width], 2) for i in range(count)]


def code_words(lengths):
    """Each code word and its symbol, by the merging of the two rarest."""
    used = [symbol for symbol, length in enumerate(lengths) if length]
    heap = [(2.0 ** -lengths[symbol], node) for node, symbol in enumerate(used)]
    words = {node: {"": symbol} for node, symbol in enumerate(used)}
    heapq.heapify(heap)
    for number in range(len(used), 2 * len(used) - 1):
        (p, zero), (q, one) = heapq.heappop(heap), heapq.heappop(heap)
        merged = {"0" + word: symbol for word, symbol in words.pop(zero).items()}
        words[number] = merged | {"1" + word: symbol for word, symbol in words.pop(one).items()}
        heapq.heappush(heap, (p + q, number))
    return words.popitem()[1]


def from_huffman(lengths, data, count):
    words, found, word = code_words(lengths), [], ""
    for bit in (byte >> i & 1 for byte in data for i in range(8)):
        word += str(bit)
        if word in words and len(found) < count:
            found.append(words[word])
            word = ""
    return found


def from_ans(classes, data, count):
    used = [symbol for symbol, entry in enumerate(classes) if entry != 63]
    weights = [max(1, QUARTERS[classes[s] % 4] >> classes[s] // 4) for s in used]
    chances = [weight / sum(weights) for weight in weights]
    scale, below, total = ((1 << 24) - len(used)) / sum(chances), [], 0.0
    for number, chance in enumerate(chances):
        below.append(int(total * scale) + number)
        total += chance
    below.append(1 << 24)
    words, state, found = list(struct.unpack(f"<{len(data) // 4}I", data)), 0, []
    for _ in range(count + 1):
        while state < 1 << 32 and words:
            state = state << 32 | words.pop()
        if len(found) == count:
            assert (state, words) == (0, [])
            return found
        low = state % (1 << 24)
        rank = bisect.bisect_right(below, low) - 1
        found.append(used[rank])
        state = (state >> 24) * (below[rank + 1] - below[rank]) + low - below[rank]
    return found


READERS = {"huffman": from_huffman, "ans": from_ans}


@given(
    st.integers(2, 200),
    st.integers(2, 600),
    st.sampled_from([0.05, 0.3, 2]),
    st.integers(0, 99),
    st.sampled_from(sorted(READERS)),
)
def test_another_decoder_reads_the_entropy_codes(k, n, spread, seed, coder):
    generator = np.random.default_rng(seed)
    symbols = generator.choice(k, n, p=generator.dirichlet(np.full(k, spread)))
    model = SymbolModel.of(np.bincount(symbols, minlength=k), coder)
    if model.used.size < 2:
        assert model.encode(symbols) == b""
        return
    read = READERS[coder](model.entries.tolist(), model.encode(symbols), n)
    assert read == symbols.tolist()


def coded(how, alphabet, count, reader):
    width = 5 if how["coder"] == "huffman" else 6
    table = packed(reader(-(-alphabet * width // 8)), alphabet, width)
    return READERS[how["coder"]](table, reader(how["bytes"]), count)


@pytest.mark.parametrize("coder", sorted(READERS))
def test_another_reader_reads_a_file(coder):
    net = nn.Linear(90, 60)
    generator = torch.Generator().manual_seed(0)
    net.weight.data = torch.randn(60, 90, generator=generator) ** 3
    model = compress(net, [Prune(sparsity=0.8), Share(9), RelativeIndex(3), Entropy(coder)])
    data = file.encode(model)

    assert data[:5] == b"CMPX\x01"
    size = struct.unpack("<I", data[5:9])[0]
    header = json.loads(zlib.decompress(data[9 : 9 + size], -15))
    assert struct.unpack("<I", data[9 + size : 13 + size])[0] == zlib.crc32(data[9 : 9 + size])
    place = 13 + size

    def reader(count):
        nonlocal place
        place += count
        return data[place - count : place]

    (name, shape, dtype, layout), bias = header["tensors"]
    assert (name, shape, dtype, bias[0]) == ("", [60, 90], "float32", "bias")
    index, inner = layout["index"], layout["record"]
    n_symbols = inner["kept"] + index["fillers"]
    steps = coded(index, 1 << index["bits"], n_symbols, reader)
    codes = coded(layout["codes"], inner["values"], inner["kept"], reader)
    codebook = struct.unpack(f"<{inner['values']}f", reader(4 * inner["values"]))
    section = data[13 + size : place]
    assert struct.unpack("<I", reader(4))[0] == zlib.crc32(section)

    weights, at = [0.0] * 5400, 0
    remaining = iter(codes)
    for step in steps:
        if step == (1 << index["bits"]) - 1:
            at += step
        else:
            weights[at + step] = codebook[next(remaining)]
            at += step + 1
    assert weights == model.state_dict()["weight"].flatten().tolist()
    assert len(data) - place == 4 * 60 + 4
