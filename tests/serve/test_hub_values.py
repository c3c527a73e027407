"""The values for JupyterHub are spelled as its chart spells them."""

import re
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "notebooks" / "deploy"
ENABLED = {"enabled"}
KNOWN = {
    "singleuser": {
        "image": {"name", "tag", "pullPolicy"},
        "defaultUrl": None,
        "startTimeout": None,
        "memory": {"guarantee", "limit"},
        "cpu": {"guarantee", "limit"},
        "storage": {"type", "capacity"},
        "extraEnv": ...,
        "networkPolicy": ENABLED,
    },
    "hub": {
        "config": {"JupyterHub": {"authenticator_class"}, "Authenticator": {"allow_all"}},
        "concurrentSpawnLimit": None,
        "consecutiveFailureLimit": None,
    },
    "proxy": {
        "service": {"type"},
        "https": {"enabled": None, "hosts": None, "letsencrypt": {"contactEmail"}},
    },
    "cull": {"enabled", "timeout", "every", "maxAge"},
    "prePuller": {"hook": ENABLED, "continuous": ENABLED},
    "scheduling": {
        "userScheduler": ENABLED,
        "podPriority": ENABLED,
        "userPlaceholder": {"enabled", "replicas"},
    },
}


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load((DEPLOY / "jupyterhub-values.yaml").read_text(encoding="utf-8"))


def unknown(found, known, at=""):
    """Paths of keys that the chart does not have."""
    if known is ... or not isinstance(found, dict):
        return []
    wrong = []
    for key, value in found.items():
        if key not in (known or ()):
            wrong.append(f"{at}{key}")
        elif isinstance(known, dict):
            wrong += unknown(value, known[key], f"{at}{key}.")
    return wrong


def test_every_key_is_one_of_the_chart(values):
    assert unknown(values, KNOWN) == []


def test_a_misspelled_key_is_found():
    assert unknown({"hub": {"config": {"Jupyterhub": {}}}}, KNOWN) == ["hub.config.Jupyterhub"]
    assert unknown({"cull": {"maxage": 1}, "culling": {}}, KNOWN) == ["cull.maxage", "culling"]


def bytes_of(text):
    number, unit = re.fullmatch(r"([\d.]+)([MG])", text).groups()
    return float(number) * 2 ** {"M": 20, "G": 30}[unit]


def test_guarantees_are_below_limits_and_those_of_the_text(values):
    user = values["singleuser"]
    assert bytes_of(user["memory"]["guarantee"]) < bytes_of(user["memory"]["limit"])
    assert user["cpu"]["guarantee"] < user["cpu"]["limit"]
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert f"guaranteed {user['cpu']['guarantee']}" in text
    assert "0.64 GB" in text
    assert user["memory"]["guarantee"] == "640M"
