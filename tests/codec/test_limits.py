"""Files that ask for more room than they are worth, and how much room reading really takes."""

import json
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from explorer.codec import file
from explorer.codec import header as header_module
from explorer.codec.header import DamagedFile
from explorer.compress.coding.bits import pack
from explorer.compress.coding.positions import write_positions
from tests.codec.corpus import FAMILIES, joined, small_files, split, with_tensor

N = 1 << 11
WEIGHTS = N * N
READ_BYTES, RESTORE_BYTES, CONSTANT = 32, 48, 48 << 20
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
EMPTY = {"kind": "pruned", "kept": 0}
NO_CENTROIDS = {"kind": "quantized", "bits": 1, "ranges": 1, "kept": 0}


def signs(kept):
    return {"kind": "binarized", "scales": 0, "kept": kept}


def stored(record, **how):
    return {"kind": "stored", "record": record} | how


def only(symbol, alphabet, unused=63, used=0):
    """Table of a code that has one symbol."""
    table = np.full(alphabet, unused)
    table[symbol] = used
    return pack(table, 6 if unused == 63 else 5)


def every(step):
    mask = np.zeros(WEIGHTS, bool)
    mask[::step] = True
    return mask


def half():
    data = write_positions(every(2), WEIGHTS // 2)
    return with_tensor([N, N], signs(WEIGHTS // 2), section=data + bytes(WEIGHTS // 16))


def most():
    kept = WEIGHTS - WEIGHTS // 16
    data = write_positions(~every(16), kept)
    return with_tensor([N, N], signs(kept), section=data + bytes(kept // 8))


def bits_and_ranges():
    layout = {"kind": "quantized", "bits": 1, "ranges": N, "kept": WEIGHTS}
    return with_tensor([N, N], layout, section=bytes(WEIGHTS // 8 + 8 * N))


def one_code():
    layout = stored(
        {"kind": "shared", "values": 4, "kept": WEIGHTS}, codes={"coder": "ans", "bytes": 0}
    )
    return with_tensor([N, N], layout, section=only(2, 4) + bytes(16))


def fillers():
    index = {"bits": 1, "fillers": WEIGHTS, "coder": "ans", "bytes": 0}
    return with_tensor([N, N], stored(signs(0), index=index), section=only(1, 2))


def huffman():
    kept = WEIGHTS // 4
    codes = {"coder": "huffman", "bytes": kept // 8}
    layout = stored({"kind": "shared", "values": 2, "kept": kept}, codes=codes)
    section = pack(np.array([1, 1]), 5) + bytes(kept // 8 + 8)
    return with_tensor([N, N // 4], layout, section=section)


def strips():
    layout = {"kind": "product", "subvectors": N, "centroids": 1, "axis": 1}
    return with_tensor([N, N], layout, section=bytes(4 * N))


def stages():
    layout = {"kind": "residual", "stages": 16, "centroids": 1, "codebook": NO_CENTROIDS}
    return with_tensor([N, N // 4], layout, section=bytes(8))


def factors():
    layout = {"kind": "low_rank", "rank": N // 4, "left": EMPTY, "right": EMPTY}
    return with_tensor([N, N], layout, section=bytes(N))


BOMBS = (
    lambda: with_tensor([N, N], EMPTY),
    half, most, bits_and_ranges, one_code, fillers, huffman, strips, stages, factors,
)  # fmt: skip
OF_ANOTHER_FORM = (fillers, huffman)


def numbers(data):
    header, _ = split(data)
    entries = [header_module.read_entry(item) for item in header["tensors"]]
    return sum(entry.n_numbers for entry in entries if entry.n_bytes)


def memory(field):
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(lines[field].split()[0]) * 1024


@pytest.mark.skipif(not RESET.exists(), reason="the system does not tell a peak of memory")
@pytest.mark.parametrize("make", BOMBS)
def test_what_reading_and_restoring_take(make, monkeypatch):
    monkeypatch.setattr(file, "PLAUSIBLE_WEIGHTS", 1 << 40)
    data = make()
    room = 3 * len(data) + CONSTANT
    RESET.write_text("5")
    before = memory("VmRSS")
    model = None
    with suppress(DamagedFile):
        model = file.decode(data)
    assert (model is None) == (make in OF_ANOTHER_FORM)
    assert memory("VmHWM") - before < room + READ_BYTES * numbers(data)
    if model is not None:
        model.state_dict()
    assert memory("VmHWM") - before < room + RESTORE_BYTES * numbers(data)


@pytest.mark.skipif(not RESET.exists(), reason="the system does not tell a peak of memory")
def test_what_a_thousand_damaged_files_take():
    files = small_files()
    others = list(files.values())
    RESET.write_text("5")
    before = memory("VmRSS")
    for seed in range(12):
        for number, data in enumerate(others):
            for family in FAMILIES:
                try:
                    file.decode(family(data, others, np.random.default_rng([number, seed, 1])))
                except DamagedFile:
                    continue
    assert memory("VmHWM") - before < CONSTANT + READ_BYTES * file.PLAUSIBLE_WEIGHTS


@pytest.mark.parametrize("text", [b" " * (200 << 20), b"[]," * (20 << 20), b"[" * (1 << 20)])
def test_a_header_that_unpacks_to_far_more_is_refused(text):
    packed = joined(b"[" + text, b"")
    tracemalloc.start()
    try:
        with pytest.raises(DamagedFile, match=r"header is cut short, or longer than 1048576 bytes"):
            file.decode(packed)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_the_fullest_headers_are_still_small():
    text = b"[[]]," * (1 << 17)
    with pytest.raises(DamagedFile, match="header is not valid JSON"):
        file.decode(joined(b"[" + text + b"]", b""))
    header = {"network": "", "recipe": {"version": 1, "layers": {}}}
    header["tensors"] = [[str(i), [], "bool"] for i in range(50_000)]
    section = with_tensor([], dtype="bool", section=b"\1")[-5:]
    text = json.dumps(header, separators=(",", ":")).encode()
    model = file.decode(joined(text, section * 50_000))
    assert len(model.untouched) == 50_000


def refused(shape, layout):
    with pytest.raises(DamagedFile, match="header promises more than") as caught:
        file.decode(with_tensor(shape, layout))
    return str(caught.value)


def test_centroids_factors_and_codes_count_as_weights_do():
    book = {"codebook": NO_CENTROIDS}
    strip = {"kind": "product", "axis": 1, "subvectors": 1}
    refused([1, 1 << 18], strip | {"centroids": 4096} | book)
    refused([1, 1 << 18], {"kind": "residual", "stages": 64, "centroids": 9} | book)
    refused([1 << 18, 1], {"kind": "residual", "stages": 64, "centroids": 1} | book)
    twice = {"kind": "low_rank", "rank": 2600, "left": EMPTY, "right": EMPTY}
    refused([2600, 2600], {"kind": "low_rank", "rank": 2600, "left": twice, "right": twice})
    shared = {"kind": "shared", "kept": 0, "values": 1 << 15}
    assert numbers(with_tensor([3], shared | book)) == 3 + (1 << 15)
    residual = {"kind": "residual", "stages": 2, "centroids": 1}
    assert numbers(with_tensor([3, 2], residual, section=bytes(16))) == 2 * 6 + 2 * 3 + 2 * 2
    assert numbers(with_tensor([3, 2], strip | {"centroids": 2}, section=bytes(17))) == 6 + 3 + 4
    pair = {"kind": "low_rank", "rank": 1, "left": EMPTY, "right": EMPTY}
    assert numbers(with_tensor([3, 2], stored(pair["left"]))) == 6
    assert numbers(with_tensor([3, 2], pair, section=bytes(4))) == 6 + 3 + 2


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (stored(signs(4), index={"bits": 1, "fillers": 5}), "fillers must be from 0 to 4; got 5"),
        (stored(signs(0), index={"bits": 4, "fillers": 1}), "fillers must be from 0 to 0; got 1"),
        (stored(signs(4), index={"bits": 17, "fillers": 0}), "bits must be from 1 to 16; got 17"),
        (
            stored(signs(4), index={"bits": 1, "fillers": 0, "coder": "ans", "bytes": 25}),
            "bytes must be from 0 to 24; got 25",
        ),
        (
            {"kind": "shared", "kept": 0, "values": 1, "codebook": EMPTY},
            "not a codebook: {'kind': 'pruned', 'kept': 0}",
        ),
    ],
)
def test_counts_out_of_range(layout, words):
    with pytest.raises(DamagedFile, match=words):
        file.decode(with_tensor([2, 4], layout))


@pytest.mark.parametrize(
    ("coder", "table", "payload", "words"),
    [
        ("huffman", [1, 2, 0, 0], b"\0", "the table of an entropy code is not one"),
        ("huffman", [1, 1, 1, 0], b"\0", "the table of an entropy code is not one"),
        ("huffman", [0, 0, 0, 0], b"\0", "the table of an entropy code is not one"),
        ("huffman", [1, 1, 0, 0], b"\0\0", "holds more than its symbols"),
        ("huffman", [1, 1, 0, 0], b"", "too short for its symbols"),
        ("huffman", [0, 9, 0, 0], b"\0", "holds more than its symbols"),
        ("ans", [63] * 4, b"", "the table of an entropy code is not one"),
        ("ans", [0, 63, 63, 63], b"\0\0\0\1", "holds more than its symbols"),
        ("ans", [0, 0, 0, 0], b"\0\0\0\1" * 3, "holds more than its symbols"),
        ("ans", [0, 0, 0, 0], b"\0\0\0\0", "never ends in a zero word"),
        ("ans", [0, 0, 0, 0], b"\0\0\1", "cut within a word"),
    ],
)
def test_entropy_codes_that_are_none(coder, table, payload, words):
    layout = stored(
        {"kind": "shared", "kept": 8, "values": 4}, codes={"coder": coder, "bytes": len(payload)}
    )
    section = pack(np.array(table), 5 if coder == "huffman" else 6) + payload + bytes(16)
    with pytest.raises(DamagedFile, match=f"tensor 'w': .*{words}"):
        file.decode(with_tensor([2, 4], layout, section=section))


def test_the_widest_tables_in_many_tensors():
    index = {"bits": 16, "fillers": 0, "coder": "ans", "bytes": 0}
    item = [[4], "float32", stored(EMPTY, index=index)]
    header = {"network": "", "recipe": {"version": 1, "layers": {}}}
    tensors = [[str(i), *item] for i in range(40)]
    table = bytes(6 * (1 << 16) // 8)
    checked = with_tensor(item[0], item[2], section=table)[-len(table) - 4 :]
    with pytest.raises(DamagedFile, match="not in the one form"):
        file.decode(joined(header | {"tensors": tensors}, checked * 40))
