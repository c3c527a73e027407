"""`make test` runs every part, also after one failed, and names those that failed."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def every(*commands):
    command = ["sh", str(ROOT / ".ci" / "every"), *commands]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_all_pass(tmp_path):
    found = every(f"touch '{tmp_path}/one'", f"touch '{tmp_path}/two words'")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.splitlines()[-1] == "All 2 parts passed."
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "two words"]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_one_that_fails_stops_none_and_is_named_last(tmp_path, failing):
    commands = [f"touch '{tmp_path}/{i}'" for i in range(3)]
    commands[failing] += " && exit 3"
    found = every(*commands)
    assert found.returncode == 1
    assert found.stdout.splitlines()[-1] == f"FAILED (3): {commands[failing]}"
    assert len(list(tmp_path.iterdir())) == 3


def test_all_that_fail_are_named():
    found = every("exit 1", "true", "no-such-command-here")
    assert found.returncode == 1
    assert found.stdout.splitlines()[-2:] == [
        "FAILED (1): exit 1",
        "FAILED (127): no-such-command-here",
    ]


def test_the_target_runs_every_part():
    printed = subprocess.run(
        ["make", "-n", "test"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    line = printed[printed.index("sh .ci/every") :]
    parts = ("ruff check", "ruff format --check", "mypy", "-m 'not browser'", "-m browser")
    assert all(part in line for part in parts)
