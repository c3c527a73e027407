import os

import pytest

from explorer.zoo.mnist import REFERENCE_VARIABLE


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep the user's files out of the tests, and theirs out of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("explorer.zoo.mnist.cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(
        "explorer.zoo.torchvision_networks.cache_folder", lambda: tmp_path / "cache"
    )
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "cache"


@pytest.fixture
def offline(monkeypatch):
    """Send every request to a port where nobody listens; urllib keeps proxies in its opener."""
    monkeypatch.setattr("urllib.request._opener", None)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")


@pytest.fixture
def reference():
    """Give the folder of reference data, which not every computer has."""
    folder = os.environ.get(REFERENCE_VARIABLE)
    if not folder:
        pytest.skip(f"{REFERENCE_VARIABLE} is not set: no folder of reference data")
    return folder
