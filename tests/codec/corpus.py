"""Small files of every kind, and ways to damage them with their checksums mended."""

import json
import struct
import zlib

import numpy as np
import torch
from torch import nn

from explorer.codec import file
from explorer.codec import header as header_module
from explorer.codec.header import DamagedFile, layout_fields
from explorer.codec.model import compress
from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.share import Share
from tests.codec.conftest import NETWORKS

RECIPES = {
    "dense": [],
    "pruned": [Prune(sparsity=0.9)],
    "shared": [Prune(sparsity=0.7), Share(6), Quantize(4)],
    "quantized": [Prune(sparsity=0.3), Quantize(3, "channel")],
    "binarized": [Prune(sparsity=0.5), Binarize("channel")],
    "indexed": [Prune(sparsity=0.8), RelativeIndex(3)],
    "huffman": [Prune(sparsity=0.7), Share(6), RelativeIndex(2), Entropy("huffman")],
    "ans": [Prune(sparsity=0.6), Quantize(3, "channel"), Entropy("ans")],
    "product": [Product(2, 4, axis=0), Prune(sparsity=0.5), Quantize(4)],
    "residual": [Prune(sparsity=0.5), Residual(2, 3), RelativeIndex(3), Entropy("huffman")],
    "low_rank": [Prune(sparsity=0.2), LowRank(rank=2), Prune(sparsity=0.5), Share(4), Entropy()],
}
WIDE = [Prune(sparsity=0.9), Share(40), Entropy("ans")]
OTHERS = {
    "neurons": ("norm", [PruneNeurons(0.4), Quantize(4)]),
    "bfloat16": ("bfloat16", [Prune(sparsity=0.4), Share(5), Entropy("ans")]),
    "half": ("half", [Prune(sparsity=0.3), Binarize("tensor"), Entropy("huffman")]),
    "tied": ("tied", [Prune(sparsity=0.6), Share(4), RelativeIndex(2)]),
    "conv": ("conv1d", {"0": [Quantize(8, "channel")], "*": [Binarize("none")]}),
    "twice factored": ("conv3d", [LowRank(rank=3), LowRank(rank=2), Quantize(5, "channel")]),
    "buffers": ("buffers", [Prune(sparsity=0.5), RelativeIndex(1), Entropy("huffman")]),
    "half factors": ("half", [LowRank(rank=2), Quantize(6)]),
    "wide huffman": ("wide", [Prune(sparsity=0.9), Share(40), Entropy("huffman")]),
    "wide ans": ("wide", WIDE),
    "wide index": ("wide", [Prune(sparsity=0.97), RelativeIndex(12), Binarize("tensor")]),
    "wide codes": ("wide", [Product(8, 30), Entropy("ans")]),
}


def network(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if name == "wide":
            net = nn.Linear(60, 40, bias=False)
            net.weight.data = torch.randn(40, 60) ** 3
            return net
        return NETWORKS[name]().eval()


def small_files():
    """Return a file of every kind, by name."""
    chosen = {name: ("norm", recipe) for name, recipe in RECIPES.items()} | OTHERS
    return {
        name: file.encode(compress(network(net), recipe, network="toy", input_shape=(2, 4, 4)))
        for name, (net, recipe) in chosen.items()
    }


def split(data):
    """Header, and where the sections start."""
    (length,) = struct.unpack("<I", data[5:9])
    return json.loads(zlib.decompress(data[9 : 9 + length], -15)), 9 + length + 4


def joined(header, sections):
    text = (
        header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    )
    text = header_module.deflated(text)
    checksum = struct.pack("<I", zlib.crc32(text))
    return b"CMPX\x01" + struct.pack("<I", len(text)) + text + checksum + sections


def with_tensor(shape, layout=None, dtype="float32", section=b""):
    item = ["w", shape, dtype] + ([] if layout is None else [layout])
    header = {"network": "", "recipe": {"version": 1, "layers": {}}, "tensors": [item]}
    return joined(header, section + struct.pack("<I", zlib.crc32(section)))


def promised(header):
    """Bytes of each section, checksum included; None where the header says nothing sound."""
    try:
        return [header_module.read_entry(item).n_bytes for item in header["tensors"]]
    except (DamagedFile, TypeError, KeyError):
        return None


def sections_of(data):
    header, start = split(data)
    sections = []
    for size in promised(header):
        sections.append(data[start : start + size - 4])
        start += size
    return header, sections


def mended(header, sections, generator):
    """Join; sections are cut or filled to what the header promises, where that is little."""
    sizes = promised(header)
    if sizes is not None and sum(sizes) < 100_000:
        sections = [*sections, *[b""] * len(sizes)]
        pairs = zip(sections, sizes, strict=False)
        sections = [(part + generator.bytes(size))[: size - 4] for part, size in pairs]
    checked = (part + struct.pack("<I", zlib.crc32(part)) for part in sections)
    return joined(header, b"".join(checked))


def places(node, path=()):
    """Paths to every value of a JSON tree."""
    if path:
        yield path
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


def replaced(tree, path, value):
    copy = json.loads(json.dumps(tree))
    at(copy, path[:-1])[path[-1]] = value
    return copy


def at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


def changed_bytes(data, generator):
    """Flip a bit, write other bytes, level a stretch, or move one."""
    if not data:
        return data
    out = bytearray(data)
    first = int(generator.integers(0, len(out)))
    last = min(len(out), first + int(generator.integers(1, 6)))
    match int(generator.integers(0, 5)):
        case 0:
            out[first] ^= 1 << int(generator.integers(0, 8))
        case 1:
            out[first:last] = generator.bytes(last - first)
        case 2:
            out[first:last] = bytes([generator.choice([0, 255, 0x7F, 0x80])]) * (last - first)
        case 3:
            out = out[first:] + out[:first]
        case 4:
            for place in generator.integers(0, len(out), 4):
                out[place] = generator.integers(0, 256)
    return bytes(out)


def plain_damage(data, others, generator):
    """Damage without a mended checksum: flips, cuts, insertions, splices."""
    place = int(generator.integers(0, len(data)))
    match int(generator.integers(0, 4)):
        case 0:
            return changed_bytes(data, generator)
        case 1:
            return data[:place]
        case 2:
            return data[:place] + generator.bytes(int(generator.integers(1, 9))) + data[place:]
    other = others[int(generator.integers(0, len(others)))]
    return data[:place] + other[int(generator.integers(0, len(other))) :]


def section_damage(data, others, generator):
    """Change one or two tensors' bytes, or put another file's in their place."""
    header, sections = sections_of(data)
    sizes = np.array([len(part) for part in sections], float)
    for _ in range(int(generator.integers(1, 3))):
        index = int(generator.choice(len(sections), p=sizes / sizes.sum()))
        if generator.integers(0, 6):
            sections[index] = changed_bytes(sections[index], generator)
        else:
            sections[index] = others[int(generator.integers(0, len(others)))][400:]
    return mended(header, sections, generator)


def table_damage(data, others, generator):
    """Change one field of one compressed tensor, tables and payloads of entropy codes first."""
    header, sections = sections_of(data)
    index = int(generator.integers(0, sum(len(item) == 4 for item in header["tensors"])))
    entry = header_module.read_entry(header["tensors"][index])
    fields = layout_fields(entry.layout, entry.shape, entry.dtype)
    tables = [i for i, field in enumerate(fields) if field.role == "tables"]
    chosen = generator.choice(tables + [i + 1 for i in tables] if tables else len(fields))
    start = sum(field.n_bytes for field in fields[:chosen])
    stop = start + fields[chosen].n_bytes
    whole = sections[index]
    kind = int(generator.integers(0, 4))
    fill = b"\0" if kind == 1 else b"\xff"
    part = changed_bytes(whole[start:stop], generator) if kind > 1 else fill * (stop - start)
    sections[index] = whole[:start] + part + whole[stop:]
    return mended(header, sections, generator)


KINDS = [
    "dense", "pruned", "shared", "quantized", "binarized", "product", "residual", "low_rank",
    "stored",
]  # fmt: skip
VALUES = [
    -1, 0, 1, 2, 3, 7, 100, 1 << 15, 1 << 31, 1 << 63, 0.5, 1e999, True, None, "dense", "ans",
    "huffman", "bfloat16", "bool", [], [0], [1, 1], {}, {"kind": "shared"},
    {"kind": "pruned", "kept": 0},
]  # fmt: skip


def header_value(data, others, generator):
    """Put another value anywhere in the header, or a count that is a little off."""
    header, sections = sections_of(data)
    paths = list(places(header))
    path = paths[int(generator.integers(0, len(paths)))]
    old = at(header, path)
    value = VALUES[int(generator.integers(0, len(VALUES)))]
    if type(old) is int and generator.integers(0, 3):
        value = max(0, old + int(generator.integers(-3, 4)))
    return mended(replaced(header, path, value), sections, generator)


def header_shape(data, others, generator):
    """Swap, delete or double parts of the header; let a layout lie in another."""
    header, sections = sections_of(data)
    tensors = header["tensors"]
    layouts = [p for p in places(header) if isinstance(at(header, p), dict) and p[0] == "tensors"]
    i, j = (int(k) for k in generator.integers(0, len(tensors), 2))
    path = layouts[int(generator.integers(0, len(layouts)))]
    layout = at(header, path)
    other = at(header, layouts[int(generator.integers(0, len(layouts)))])
    match int(generator.integers(0, 7)):
        case 0:
            tensors[i], tensors[j] = tensors[j], tensors[i]
        case 1:
            tensors[i][1], tensors[j][1] = tensors[j][1], tensors[i][1]
        case 2:
            tensors.append(json.loads(json.dumps(tensors[i])))
            tensors[-1][0] += "x" * int(generator.integers(0, 2))
        case 3:
            header = replaced(header, path, other | {"kind": layout.get("kind")})
        case 4:
            keys = list(layout)
            layout.pop(keys[int(generator.integers(0, len(keys)))])
        case 5:
            wraps = ("record", "codebook", "left", "right")
            key = wraps[int(generator.integers(0, len(wraps)))]
            header = replaced(header, path, other | {key: layout})
        case 6:
            header = replaced(header, path, header_kind(layout, generator))
    return mended(header, sections, generator)


def header_kind(layout, generator):
    """Return a layout with all that any kind asks for, and another kind."""
    inner = {"kind": "pruned", "kept": 0}
    small = {name: int(generator.integers(0, 5)) for name in ("values", "centroids", "rank")}
    more = {name: int(generator.integers(0, 2)) for name in ("axis", "scales")}
    more |= {"bits": 3, "ranges": 1, "stages": 2, "subvectors": 2, "kept": 5}
    factors = {"left": {"kind": "dense"}, "right": inner, "record": inner}
    index = {"bits": int(generator.integers(1, 17)), "fillers": int(generator.integers(0, 3))}
    coded = {"coder": str(generator.choice(["ans", "huffman"]))}
    coded["bytes"] = 4 * int(generator.integers(0, 3))
    whole = small | more | factors | layout | {"index": index | coded, "codes": coded}
    return whole | {"kind": str(generator.choice(KINDS)), "record": layout}


FAMILIES = {
    plain_damage: 80,
    section_damage: 160,
    table_damage: 120,
    header_value: 120,
    header_shape: 80,
}
