"""A disk that is really full: what is made stays, files are whole or absent, and words say why."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ALONE = ("unshare", "--user", "--map-root-user", "--mount")
SCRIPT = Path(__file__).with_name("full_disk.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What happened in a process of its own on a disk of its own, which is full."""
    place = tmp_path_factory.mktemp("disk")
    mount = f'mount -t tmpfs -o size=400k none "{place}" && exec "$@"'
    command = [*ALONE, "sh", "-c", mount, "sh", sys.executable, str(SCRIPT), str(place)]
    try:
        tried = subprocess.run(
            [*ALONE, "sh", "-c", mount, "sh", "true"], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("no program unshare, which gives a process a disk of its own")
    if tried.returncode:
        pytest.skip(f"no disk of its own for a process here: {tried.stderr.decode()!r:.80}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "what", ["compressed file", "checkpoint", "dense weights", "table of a sweep"]
)
def test_a_file_is_whole_or_as_it_was(what, told):
    assert told[what]["words"] == "the disk is full; make room and try again"
    assert told[what]["kept"]
    assert told[what]["left"] == []


def test_factors_are_made_again_and_the_reason_is_told(told):
    found = told["factors"]
    assert found["words"].startswith("nothing could be kept in ")
    assert "No space left on device" in found["words"] or "the disk is full" in found["words"]
    assert found["kept"]
    assert found["left"] == []


def test_a_new_store_is_refused_in_words_and_works_once_there_is_room(told):
    words = told["new store"]["words"]
    assert "points.sqlite' cannot be used now: database or disk is full" in words
    assert told["new store"]["n_points"] == 3


def test_a_store_that_fills_up_costs_no_point(told):
    found = told["store"]
    assert found["n_points"] == found["n_asked"]
    first, *_, last = found["words"]
    assert "The sweep goes on, and tries again" in first
    assert "point(s) of the sweep are not kept there: all were yielded" in last
    assert found["n_before"] == 3
    assert 1 <= found["n_known"] < found["n_asked"]
