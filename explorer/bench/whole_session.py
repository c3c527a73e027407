"""Peak memory of a whole session on a network whose weights are mapped from a file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors.torch import save_file

from explorer.bench.memory import STATUS
from explorer.bench.rows import BenchRow, Finding, Skipped
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort

PROBE = """
import sys, time
import explorer as ex
from explorer.bench.memory import peak_bytes
from explorer.compress import kernels

ex.catalog()
before = peak_bytes()
started = time.perf_counter()
net, _ = ex.load(sys.argv[1], weights=sys.argv[2])
session = ex.Session(net, device="cpu")
session.apply([ex.Prune(sparsity=0.5), ex.Share(n_clusters=32)])
for name in session.layers:
    session.close_up(name)
for i in range(10):
    session.apply([ex.Prune(sparsity=0.05 * i)])
session.close()
print(peak_bytes() - before, time.perf_counter() - started)
"""


def peak(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Measure the peak of resident memory over what the libraries take, in a process of its own.

    Yields
    ------
    BenchRow or Skipped
        Its ratio is the peak as a multiple of the weights' bytes: the mapped file, the
        working copy and the index together.
    """
    if not STATUS.exists():
        yield Skipped(subject.name, "memory", f"needs {STATUS}, which this system does not offer")
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_file(subject.net.state_dict(), path)
        command = [sys.executable, "-c", PROBE, subject.name, str(path)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    grown, seconds = (float(word) for word in told.split()[-2:])
    weights = sum(layer.original_bits for layer in subject.layers.values()) // 8
    yield BenchRow(
        subject.name,
        "memory",
        f"peak of a whole session, {grown / 1e6:.0f} MB",
        1000 * seconds,
        1000 * seconds,
        1,
        "the weights' bytes",
        grown / weights,
        grown / weights,
        int(grown),
    )
