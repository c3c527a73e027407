"""Binder gets what the package asks for."""

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch-cpu"}


def bounds(requirements):
    """Lowest versions by name."""
    pairs = (re.fullmatch(r"([\w-]+)\s*>=\s*([\d.]+)", text) for text in requirements)
    return {match[1]: match[2] for match in pairs if match}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "binder" / "environment.yml").read_text(encoding="utf-8"))


def listed(environment):
    """Requirements for conda, and those for pip within them."""
    plain = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    return plain + [t for e in environment["dependencies"] if isinstance(e, dict) for t in e["pip"]]


def test_every_dependency_is_there_with_the_same_lower_bound(project, environment):
    wanted = bounds(project["project"]["dependencies"])
    assert len(wanted) == len(project["project"]["dependencies"])
    there = bounds(listed(environment))
    assert {CONDA_NAMES.get(name, name): low for name, low in wanted.items()}.items() <= (
        there.items()
    )


def test_what_builds_the_package_is_there(project, environment):
    there = bounds(listed(environment))
    assert bounds(project["build-system"]["requires"]).items() <= there.items()
    assert "pip" in listed(environment)


def test_python_is_one_that_the_package_takes(project, environment):
    (pin,) = [text for text in listed(environment) if text.startswith("python=")]
    lowest = project["project"]["requires-python"].removeprefix(">=")
    as_numbers = [tuple(map(int, text.split("."))) for text in (pin.split("=")[1], lowest)]
    assert as_numbers[0] >= as_numbers[1]


def test_the_package_is_installed_after_the_environment():
    script = ROOT / "binder" / "postBuild"
    assert os.access(script, os.X_OK)
    assert "pip install --no-deps --no-build-isolation ." in script.read_text(encoding="utf-8")
