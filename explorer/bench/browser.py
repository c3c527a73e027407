"""Benchmarks of a page in Chromium: a hand on its dials, and how its views follow."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from explorer.bench.timing import BenchRow, Timing
from explorer.serve.access import ADDRESS
from explorer.serve.server import any_free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


BUNDLED = ("lenet-300-100", "lenet-5")
LABEL_DIAL, LABEL = ".bench-dial", ".bench-label"


def measure_pages(models: Sequence[str]) -> list[BenchRow]:
    """Open the page in Chromium for each network, press and drag its dial, and print the figures.

    A page with a bare slider and label comes first: it is what the widgets themselves take.

    `models`: networks; where none are bundled, with random weights.
    """
    with serving_label() as address:
        label = _measured(address, "a bare label", LABEL_DIAL, (LABEL,))
    rows = []
    for model in models:
        with serving(model, None if model in BUNDLED else "random") as address:
            seen = _measured(address, model, DIAL, VIEWS)
        rows += [_press_row(model, seen[0], label[0]), _drag_row(model, seen[1], label[1])]
    return rows


def _press_row(model: str, seen: Presses, label: Presses) -> BenchRow:
    return BenchRow.of(
        model,
        "key press",
        "from the press to the repaint of the last view",
        Timing(tuple(delay / 1000 for delay in seen.delays_ms)),
        "a bare label",
        Timing(tuple(delay / 1000 for delay in label.delays_ms)),
    )


def _drag_row(model: str, seen: Drag, label: Drag) -> BenchRow:
    interval, bare = (1000 / drag.updates_per_second for drag in (seen, label))
    return BenchRow(
        model,
        "drag",
        f"time between repaints in a drag of 5 s, {seen.lag_ms:.0f} ms behind at its end",
        interval,
        interval,
        seen.n_updates,
        "a bare label",
        interval / bare,
        interval / bare,
    )


def _measured(address: str, name: str, dial: str, views: tuple[str, ...]) -> tuple[Presses, Drag]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.wait_for_selector(f"{dial} .noUi-handle", timeout=120_000)
        page.wait_for_timeout(3000)
        measure_drag(page, dial, views[0], to=0.05, duration_s=0.5)
        drag = measure_drag(page, dial, views[0], to=0.95, duration_s=5.0)
        measure_drag(page, dial, views[0], to=0.3, duration_s=0.5)
        presses = measure_presses(page, dial, views)
        page.close(run_before_unload=True)
    sys.stdout.write(
        f"{name}: key press to the last view's repaint, median {presses.median_ms:.0f} ms, "
        f"95th percentile {presses.p95_ms:.0f} ms ({len(presses.delays_ms)} presses); "
        f"a drag of 5 s: {drag.updates_per_second:.0f} repaints a second, "
        f"{drag.lag_ms:.0f} ms behind at its end\n"
    )
    return presses, drag


DIAL = ".ex-dial-sparsity"
FIGURE = ".ex-figure-sparsity .ex-value"
VIEWS = (
    FIGURE,
    ".ex-view-histogram .bqplot",
    ".ex-view-sparsity canvas",
    ".ex-view-layers .ex-layer-list",
)
_SCRIPT = Path(__file__).with_name("hand.js")


@dataclass(frozen=True)
class Drag:
    """What was seen during one drag of a dial.

    `n_updates`: repaints of the watched element between the button's press and release.
    `duration_s`: time between the button's press and release, in seconds. `lag_ms`: from the
    button's release to the last repaint, in milliseconds.
    """

    n_updates: int
    duration_s: float
    lag_ms: float

    @property
    def updates_per_second(self) -> float:
        """Repaints a second while the hand moves."""
        return self.n_updates / self.duration_s


@dataclass(frozen=True)
class Presses:
    """Milliseconds from each press of an arrow key to the repaint that it causes."""

    delays_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The middle delay."""
        return statistics.median(self.delays_ms)

    @property
    def p95_ms(self) -> float:
        """The delay that one press in twenty exceeds."""
        return statistics.quantiles(self.delays_ms, n=20, method="inclusive")[-1]


def measure_drag(
    page: Page, dial: str = DIAL, figure: str = FIGURE, to: float = 0.9, duration_s: float = 2.0
) -> Drag:
    """Drag a dial's handle from where it is, one move a frame, and count repaints.

    `page`: the page, ready. `dial`, `figure`: selectors of the slider, and of the element whose
    repaints are counted. `to`: where the drag ends, as a fraction of the slider's length.
    `duration_s`: how long it takes, in seconds.
    """
    given = {"dial": dial, "figure": figure, "to": to, "duration": 1000 * duration_s}
    return Drag(**_run(page, "drag", given))


def measure_presses(
    page: Page, dial: str = DIAL, views: tuple[str, ...] = VIEWS, n: int = 30
) -> Presses:
    """Press the right arrow key on a dial and time each repaint, until the last view's.

    `page`: the page, ready, the dial at least `n` steps from its right end. `dial`: selector of the
    slider. `views`: selectors of all elements that show its effect. `n`: number of presses.
    """
    given = {"dial": dial, "views": list(views), "n": n}
    return Presses(tuple(_run(page, "press", given)))


def _run(page: Page, name: str, given: dict[str, Any]) -> Any:
    script = _SCRIPT.read_text(encoding="utf-8")
    return page.evaluate(f"(given) => {{ {script}\nreturn {name}(given); }}", given)


ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LABEL_SOURCE = """
import ipywidgets as widgets

dial, label = widgets.IntSlider(500, max=1000), widgets.Label("500")
dial.add_class("bench-dial")
label.add_class("bench-label")
dial.observe(lambda change: setattr(label, "value", str(change["new"])), "value")
widgets.VBox([dial, label])
"""
LABEL_PAGE = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "label",
            "metadata": {},
            "outputs": [],
            "source": LABEL_SOURCE,
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def find_chromium() -> str:
    """Return the path of a Chromium. Raises FileNotFoundError if none is on the search path."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    raise FileNotFoundError(
        "a Chromium is needed to drive the page, found none on PATH: "
        "install the system's package `chromium`"
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless Chromium, and end it."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def serving(model: str | None = None, weights: str | None = None) -> Iterator[str]:
    """Run ``compression-explorer app`` on a free port; give the page's address.

    `model`, `weights`: name of the network that the page starts with, and its weights. Raises
    RuntimeError if the server ends before it tells its address.
    """
    options = {"--model": model, "--weights": weights}
    given = [word for name, value in options.items() if value for word in (name, value)]
    command = ["-m", "explorer.cli", "app", "--no-browser", "--port", str(any_free_port()), *given]
    with _server(command) as address:
        yield address


@contextmanager
def serving_label() -> Iterator[str]:
    """Serve a page with nothing but a slider and a label that follows it."""
    with TemporaryDirectory() as folder:
        page = Path(folder) / "label.ipynb"
        page.write_text(json.dumps(LABEL_PAGE), encoding="utf-8")
        call = f"serve({any_free_port()}, False, notebook=Path({str(page)!r}))"
        imports = "from pathlib import Path; from explorer.serve.server import serve; "
        with _server(["-c", imports + call]) as address:
            yield address


@contextmanager
def _server(command: list[str]) -> Iterator[str]:
    given = [sys.executable, *command]
    with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield _address(server)
        finally:
            server.terminate()


def _address(server: subprocess.Popen[str]) -> str:
    line = server.stdout.readline() if server.stdout else ""
    for word in line.split():
        if word.startswith(f"http://{ADDRESS}"):
            return word
    raise RuntimeError(f"the server was expected to tell its address, it told {line!r} and ended")
