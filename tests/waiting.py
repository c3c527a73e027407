"""Waiting in tests for what another thread does."""

import time

PATIENCE_S = 60


def until(condition, pause_s=0.01):
    """Return once `condition` holds; fail where it does not within a minute."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(pause_s)
