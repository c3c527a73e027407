"""A server that is told to end while its first pages are still being made."""

import signal
import subprocess
import sys

import pytest

SERVE = """
from explorer.serve.server import any_free_port
from explorer.serve.server import serve
serve(any_free_port(), False, n_ready=2, max_kernels=2)
"""


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_without_a_word(told):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", SERVE], text=True, **pipes) as server:
        assert "http://" in server.stdout.readline()
        try:
            server.send_signal(told)
            _, said = server.communicate(timeout=120)
        finally:
            server.kill()
    assert (server.returncode, said) == (0, "")
