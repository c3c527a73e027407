"""Benchmarks of a fresh start and of a page that starts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.bench.browser import chromium
from explorer.bench.hosted import hosted
from explorer.bench.subject import Subject
from explorer.bench.timing import BenchRow, Effort, Job, Timing, alternate

if TYPE_CHECKING:
    from playwright.sync_api import Browser


HANDLE = "#rendered_cells:not([aria-busy]) .ex-dial-sparsity .noUi-handle"
NETWORK = "lenet-300-100"
AIM_S = 2.0
N_VISITS = 5
MAKING_S = 6.0
FIRST_S = 20.0
LONGEST_MS = 120_000


def measure_startup(n_visits: int = N_VISITS) -> list[BenchRow]:
    """Open the page in Chromium several times, made in advance and made when asked for.

    `n_visits`: visits of each kind, one after the other, each with an empty cache. Returns: times
    from asking for the page to the sparsity dial; ratios are to two seconds.
    """
    rows = []
    for n_ready, words in ((1, "made in advance"), (0, "made when asked for")):
        with hosted(model=NETWORK, max_kernels=2 * n_visits, n_ready=n_ready) as server:
            time.sleep(FIRST_S)
            with chromium() as browser:
                seconds = tuple(_visit(browser, server.page) for _ in range(n_visits))
        rows.append(_row(f"a page {words}, until its dial can be dragged", Timing(seconds)))
        line = f"{rows[-1].measures}: median {rows[-1].median_ms:,.0f} ms of {n_visits} visits\n"
        sys.stdout.write(line)
    return rows


def _visit(browser: Browser, address: str) -> float:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(HANDLE, timeout=LONGEST_MS)
    taken = time.perf_counter() - started
    page.close(run_before_unload=True)
    time.sleep(MAKING_S)
    return taken


def _row(measures: str, timing: Timing) -> BenchRow:
    ratio, best = timing.median_ms / (1000 * AIM_S), min(timing.seconds) / AIM_S
    return BenchRow(
        NETWORK,
        "opening the page",
        measures,
        timing.median_ms,
        timing.p95_ms,
        timing.n_runs,
        f"{AIM_S:g} s",
        ratio,
        best,
    )


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
PAGE = "import torch, explorer.page.app"


def fresh(subject: Subject, effort: Effort) -> Iterator[BenchRow]:
    """Time imports, and the first figures, each in a process of its own.

    `effort`: at most seven rounds are run. Yields: its ratio is to a process that imports torch and
    does nothing else.
    """
    jobs = {
        "import torch": (TORCH, BASELINE),
        "import explorer": (PACKAGE, "importing torch and the package"),
        "import explorer.page.app": (PAGE, "importing torch and the page's widgets"),
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
