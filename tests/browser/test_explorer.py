"""The explorer under a hand: what the page shows is what a session computes."""

import pytest

from explorer import Prune, Share
from explorer.bench.browser import measure_drag
from tests.browser.conftest import NETWORK
from tests.browser.expected import assert_shows, expected
from tests.browser.harness import READY_MS, read

pytestmark = pytest.mark.browser

LAYER = "fc1"
HANDLE = ".ex-dial-sparsity .noUi-handle"
SETTLED = """([sparsity, kept]) =>
  document.querySelector(".ex-figure-sparsity .ex-value").textContent === sparsity &&
  document.querySelector(".ex-view-sparsity canvas").dataset.kept === kept &&
  /n = /.test(document.querySelector(".ex-figure-accuracy .ex-detail").textContent)"""


ELEMENTS = "() => document.querySelectorAll('.ex-root *').length"


def dialed(page):
    """Sparsity that the dial's readout shows."""
    readout = page.locator(".ex-dial-sparsity .widget-readout").inner_text()
    return round(float(readout.rstrip("%")) / 100, 4)


def assert_page_follows(page, before):
    sparsity = dialed(page)
    wanted = expected(NETWORK, [Prune(sparsity=sparsity), Share(n_clusters=32)], LAYER)
    page.wait_for_function(SETTLED, arg=[wanted.sparsity, wanted.kept], timeout=READY_MS)
    page.wait_for_timeout(300)
    shown = read(page)
    assert_shows(shown, wanted)
    for name in ("size", "sparsity", "kept", "histogram_caption", "bars"):
        assert getattr(shown, name) != getattr(before, name), name


def test_dragging_the_dial_recompresses(watched):
    page = watched.page
    before = read(page)
    drag = measure_drag(page, to=0.95, duration_s=1.5)
    assert abs(dialed(page) - 0.95) <= 0.02
    assert drag.n_updates >= 3
    assert_page_follows(page, before)
    drawn = page.evaluate(ELEMENTS)
    for to in (0.5, 0.9, 0.5, 0.95):
        measure_drag(page, to=to, duration_s=0.3)
    page.wait_for_timeout(300)
    assert page.evaluate(ELEMENTS) == pytest.approx(drawn, abs=6)
    watched.assert_clean()


def test_arrow_keys_turn_the_dial(watched):
    page = watched.page
    before, started = read(page), dialed(page)
    page.locator(HANDLE).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    assert dialed(page) == pytest.approx(started + 0.015)
    assert_page_follows(page, before)
    watched.assert_clean()


def test_strong_pruning_costs_accuracy(watched):
    page = watched.page
    before = read(page)
    measure_drag(page, to=0.99, duration_s=0.6)
    assert_page_follows(page, before)
    assert float(read(page).accuracy.rstrip("%")) < float(before.accuracy.rstrip("%")) - 5
