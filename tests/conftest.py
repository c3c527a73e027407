"""Settings that every test runs under."""

import os

import hypothesis
import torch

hypothesis.settings.register_profile("explorer", deadline=None, derandomize=True)
hypothesis.settings.load_profile("explorer")
torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)
