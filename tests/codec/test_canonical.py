"""Files that hold a model in other bytes than those that would be written for it are refused."""

import json

import numpy as np
import pytest

from explorer.codec import file
from explorer.codec.header import DamagedFile
from tests.codec.corpus import joined, mended, sections_of, small_files, split

FILES = small_files()
GENERATOR = np.random.default_rng(0)
OTHER = "not in the one form that is written"


@pytest.mark.parametrize("name", FILES)
def test_what_is_read_is_written_again_in_the_same_bytes(name):
    assert file.encode(file.decode(FILES[name])) == FILES[name]


def spaced(header):
    return json.dumps(header).encode()


def other_order(header):
    return json.dumps(dict(reversed(header.items())), separators=(",", ":")).encode()


def more_keys(header):
    return json.dumps(header | {"by": "somebody"}, separators=(",", ":")).encode()


def twice(header):
    text = json.dumps(header, separators=(",", ":"))
    return (text[:-1] + ',"network":""}').encode()


def escaped(header):
    text = json.dumps(header, separators=(",", ":")).replace("recipe", "\\u0072ecipe")
    return text.encode()


@pytest.mark.parametrize("change", [spaced, other_order, more_keys, twice, escaped])
def test_other_headers_are_refused(change):
    data = FILES["shared"]
    header, start = split(data)
    with pytest.raises(DamagedFile):
        file.decode(joined(change(header), data[start:]))


@pytest.mark.parametrize("name", ["shared", "pruned", "huffman", "ans", "indexed"])
def test_set_bits_in_the_padding_are_refused(name):
    """The last byte of each field is padded with zeros; one of them set is another file."""
    header, sections = sections_of(FILES[name])
    refused = 0
    for number, section in enumerate(sections):
        for place in range(len(section)):
            changed = bytearray(section)
            changed[place] ^= 1
            trial = [*sections]
            trial[number] = bytes(changed)
            data = mended(header, trial, GENERATOR)
            try:
                assert file.encode(file.decode(data)) == data
            except DamagedFile:
                refused += 1
    assert refused


def test_an_unknown_key_of_a_layout_is_refused():
    header, sections = sections_of(FILES["shared"])
    layouts = [item for item in header["tensors"] if len(item) == 4]
    layouts[0][3]["remark"] = 1
    with pytest.raises(DamagedFile, match=OTHER):
        file.decode(mended(header, sections, GENERATOR))
