"""How a page follows a hand: a dial is dragged, or turned by key, and repaints are counted."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["DIAL", "VIEWS", "Drag", "Presses", "measure_drag", "measure_presses"]

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


def measure_presses(
    page: Page, dial: str = DIAL, views: tuple[str, ...] = VIEWS, n: int = 30
) -> Presses:
    """Press the right arrow key on a dial and time each repaint, until the last view's.

    Parameters
    ----------
    page : playwright.sync_api.Page
        The page, ready, the dial at least `n` steps from its right end.
    dial : str
        Selector of the slider.
    views : tuple of str
        Selectors of all elements that show its effect.
    n : int
        Number of presses.

    Returns
    -------
    Presses
    """
    given = {"dial": dial, "views": list(views), "n": n}
    return Presses(tuple(_run(page, "press", given)))


def _run(page: Page, name: str, given: dict[str, Any]) -> Any:
    script = _SCRIPT.read_text(encoding="utf-8")
    return page.evaluate(f"(given) => {{ {script}\nreturn {name}(given); }}", given)
