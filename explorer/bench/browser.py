"""How the page follows a hand, measured in a real Chromium.

Needs playwright and a Chromium; neither is imported nor looked for before it is used.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.serve.port import ADDRESS, choose_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = [
    "Drag",
    "Presses",
    "chromium",
    "find_chromium",
    "main",
    "measure_drag",
    "measure_presses",
    "serving",
]

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DIAL = ".ex-dial-sparsity"
FIGURE = ".ex-figure-sparsity .ex-value"
_SCRIPT = Path(__file__).with_name("browser.js")


@dataclass(frozen=True)
class Drag:
    """What was seen during one drag of a dial.

    Attributes
    ----------
    n_updates : int
        Repaints of the watched element between the button's press and release.
    duration_s : float
        Time between the button's press and release, in seconds.
    lag_ms : float
        From the button's release to the last repaint, in milliseconds.
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


def find_chromium() -> str:
    """Return the path of a Chromium.

    Raises
    ------
    FileNotFoundError
        If none is on the search path.
    """
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
def serving(model: str | None = None) -> Iterator[str]:
    """Run ``compression-explorer app`` on a free port; give the page's address.

    Parameters
    ----------
    model : str, optional
        Name of the network that the page starts with.

    Raises
    ------
    RuntimeError
        If the server ends before it tells its address.
    """
    command = [sys.executable, "-m", "explorer.cli", "app", "--no-browser"]
    command += ["--port", str(choose_port())]
    environment = dict(os.environ)
    if model is not None:
        environment["EXPLORER_MODEL"] = model
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield _address(server)
        finally:
            server.terminate()


def _address(server: subprocess.Popen[str]) -> str:
    told = server.stdout.readline() if server.stdout else ""
    for word in told.split():
        if word.startswith(f"http://{ADDRESS}"):
            return word
    raise RuntimeError(f"the server was expected to tell its address, it told {told!r} and ended")


def measure_drag(
    page: Page, dial: str = DIAL, figure: str = FIGURE, to: float = 0.9, duration_s: float = 2.0
) -> Drag:
    """Drag a dial's handle from where it is, one move a frame, and count repaints.

    Parameters
    ----------
    page : playwright.sync_api.Page
        The page, ready.
    dial, figure : str
        Selectors of the slider, and of the element whose repaints are counted.
    to : float
        Where the drag ends, as a fraction of the slider's length.
    duration_s : float
        How long it takes, in seconds.

    Returns
    -------
    Drag
    """
    given = {"dial": dial, "figure": figure, "to": to, "duration": 1000 * duration_s}
    return Drag(**_run(page, "drag", given))


def measure_presses(page: Page, dial: str = DIAL, figure: str = FIGURE, n: int = 30) -> Presses:
    """Press the right arrow key on a dial and time each repaint.

    Parameters
    ----------
    page : playwright.sync_api.Page
        The page, ready, the dial at least `n` steps from its right end.
    dial, figure : str
        Selectors of the slider, and of the element that shows its effect.
    n : int
        Number of presses.

    Returns
    -------
    Presses
    """
    given = {"dial": dial, "figure": figure, "n": n}
    return Presses(tuple(_run(page, "press", given)))


def _run(page: Page, name: str, given: dict[str, Any]) -> Any:
    script = _SCRIPT.read_text(encoding="utf-8")
    return page.evaluate(f"(given) => {{ {script}\nreturn {name}(given); }}", given)


def main(model: str | None = None) -> int:
    """Open the page in Chromium, press and drag its sparsity dial, and print the figures.

    Parameters
    ----------
    model : str, optional
        Name of the network that the page starts with.

    Returns
    -------
    int
        Exit status, 0.
    """
    with serving(model) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.wait_for_selector(f"{DIAL} .noUi-handle", timeout=60_000)
        page.wait_for_timeout(1000)
        measure_drag(page, to=0.05, duration_s=0.5)
        drag = measure_drag(page, to=0.95, duration_s=1.5)
        measure_drag(page, to=0.3, duration_s=0.5)
        presses = measure_presses(page)
        page.close(run_before_unload=True)
    sys.stdout.write(
        f"key press to repaint: median {presses.median_ms:.0f} ms, 95th percentile "
        f"{presses.p95_ms:.0f} ms ({len(presses.delays_ms)} presses)\n"
        f"drag: {drag.updates_per_second:.0f} updates a second, "
        f"lag at its end {drag.lag_ms:.0f} ms\n"
    )
    return 0
