"""How the explorer's page follows a hand, next to a page with a bare slider and label."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from explorer.bench.browser import chromium, serving, serving_label
from explorer.bench.hand import DIAL, VIEWS, Drag, Presses, measure_drag, measure_presses
from explorer.bench.rows import BenchRow
from explorer.bench.timing import Timing

__all__ = ["measure_pages"]

BUNDLED = ("lenet-300-100", "lenet-5")
LABEL_DIAL, LABEL = ".bench-dial", ".bench-label"


def measure_pages(models: Sequence[str]) -> list[BenchRow]:
    """Open the page in Chromium for each network, press and drag its dial, and print the figures.

    A page with a bare slider and label comes first: it is what the widgets themselves take.

    Parameters
    ----------
    models : sequence of str
        Networks; where none are bundled, with random weights.

    Returns
    -------
    list of BenchRow
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
