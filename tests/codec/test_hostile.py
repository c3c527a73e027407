"""Thousands of damaged files, most with their checksums mended: refused in words, or sound."""

import signal
import zlib

import numpy as np
import pytest
import torch

from explorer.codec import file
from explorer.codec import header as header_module
from explorer.codec.header import DamagedFile
from tests.codec.corpus import FAMILIES, small_files, split

PATIENCE_S = 120


@pytest.fixture(scope="module")
def files():
    return small_files()


@pytest.fixture(autouse=True)
def few_weights(monkeypatch):
    """Lower the limits, so that a bomb that gets past them is small."""
    monkeypatch.setattr(file, "PLAUSIBLE_WEIGHTS", 1 << 15)
    monkeypatch.setattr(file, "WEIGHTS_A_BYTE", 10)


@pytest.fixture(autouse=True)
def watchdog():
    """End a test that hangs."""

    def give_up(*_):
        raise TimeoutError(f"still busy after {PATIENCE_S} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def raw(state):
    return {
        name: t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
        for name, t in state.items()
    }


def outcome(data):
    """Decode; a sound model has the promised tensors, and stays as it is when written again."""
    try:
        model = file.decode(data)
    except DamagedFile as error:
        assert len(str(error)) > 10
        return "refused"
    state = model.state_dict()
    header, _ = split(data)
    entries = [header_module.read_entry(item) for item in header["tensors"]]
    restored = {(tuple(t.shape), t.dtype) for t in state.values()}
    assert [(e.shape, e.dtype) for e in entries if e.layout is None] == [
        (t.shape, t.dtype) for t in model.untouched.values()
    ]
    assert [(e.shape, e.dtype) for e in entries if e.layout is not None] == [
        (r.shape, r.dtype) for r in model.records.values()
    ]
    assert restored == {(tuple(e.shape), e.dtype) for e in entries}
    if zlib.crc32(data) % 4 == 0:
        again = file.encode(model)
        second = file.decode(again)
        assert raw(second.state_dict()) == raw(state)
        assert file.encode(second) == again
    return "read"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_every_damaged_file_is_refused_in_words_or_sound(files, family):
    others, found = list(files.values()), []
    for number, (name, data) in enumerate(files.items()):
        for seed in range(FAMILIES[family]):
            damaged = family(data, others, np.random.default_rng([number, seed]))
            try:
                found.append(outcome(damaged))
            except BaseException as error:
                pytest.fail(f"{family.__name__} of {name!r}, seed {seed}: {error!r}")
    n_read = found.count("read")
    if family.__name__ == "plain_damage":
        assert n_read <= 2
    else:
        assert len(found) / 20 < n_read < len(found)


def test_the_corpus_is_large(files):
    assert len(files) * sum(FAMILIES.values()) >= 10_000
