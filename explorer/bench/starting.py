"""How long a fresh Python takes to start with the package, beside torch alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

from explorer.bench.rows import BenchRow
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Job, alternate

MOST_RUNS = 7
TORCH = "import torch"
BASELINE = "importing torch"
PACKAGE = "import torch, explorer"
FIRST = """
import explorer as ex

net, _ = ex.load(sys.argv[1], weights=None)
session = ex.Session(net)
session.figures([ex.Prune(sparsity=0.9)])
session.close()
"""
PAGE = "import torch, explorer.app"


def fresh(subject: Subject, effort: Effort) -> Iterator[BenchRow]:
    """Time imports, and the first figures, each in a process of its own.

    Parameters
    ----------
    subject : Subject
    effort : Effort
        At most seven rounds are run.

    Yields
    ------
    BenchRow
        Its ratio is to a process that imports torch and does nothing else.
    """
    jobs = {
        "import torch": (TORCH, BASELINE),
        "import explorer": (PACKAGE, "importing torch and the package"),
        "import explorer.app": (PAGE, "importing torch and the page's widgets"),
        "first figures": (FIRST, "imports, random weights, sorting, and one recipe's figures"),
    }
    few = replace(effort, n_runs=min(effort.n_runs, MOST_RUNS))
    timings = alternate({name: _job(code, subject.name) for name, (code, _) in jobs.items()}, few)
    for name, (_, measures) in jobs.items():
        timing = timings[name]
        yield BenchRow.of(subject.name, name, measures, timing, BASELINE, timings["import torch"])


def _job(code: str, network: str) -> Job:
    command = [sys.executable, "-c", f"import sys\n{code}", network]
    return Job(lambda _number: subprocess.run(command, check=True, capture_output=True))
