"""Nothing jumps while values change, nothing is wider than the page, numbers keep their width."""

import pytest

from explorer.bench.browser import measure_drag
from tests.browser.harness import until_ready, watch

pytestmark = pytest.mark.browser

SHOWN = ".ex-tab-panel:not(.ex-hidden)"
WATCH = """(shown) => {
  const cards = [...document.querySelectorAll(`${shown} .ex-card, .ex-strip, .ex-recipe`)]
    .filter((card) => card.getClientRects().length);
  const place = (card) => {
    const box = card.getBoundingClientRect();
    return [box.left, box.top + document.scrollingElement.scrollTop, box.width, box.height];
  };
  const first = cards.map(place);
  window.jumps = {};
  window.watching = true;
  (function look() {
    cards.forEach((card, i) => place(card).forEach((value, k) => {
      const jump = Math.abs(value - first[i][k]);
      const name = `${card.className.match(/ex-(view-[\\w-]+|strip|recipe)/)?.[0]} ${"xywh"[k]}`;
      if (jump > 1) window.jumps[name] = Math.max(jump, window.jumps[name] ?? 0);
    }));
    if (window.watching) requestAnimationFrame(look);
  })();
  return cards.length;
}"""
WIDER = """() => {
  const most = document.documentElement.clientWidth + 1;
  const scrolls = (part) => part.closest(
    ".ex-table-scroll, .ex-tab-bar, pre, .ex-formula-lines, .bqplot, .ex-unseen, [popover]");
  return [...document.querySelectorAll(".ex-root *")]
    .filter((part) => part.getClientRects().length && part.getBoundingClientRect().right > most)
    .filter((part) => !scrolls(part)).map((part) => part.outerHTML.slice(0, 100)).slice(0, 5);
}"""
LOOSE = """() => [...document.querySelectorAll(
    ".ex-value, .ex-detail, .widget-readout, .ex-table td, .ex-bars-text, .ex-caption")]
  .filter((part) => part.getClientRects().length)
  .filter((part) => !getComputedStyle(part).fontVariantNumeric.includes("tabular-nums"))
  .map((part) => part.className)"""


@pytest.fixture(scope="module")
def opened(browser, voila):
    """One page for several tests, for a kernel takes its time to start."""
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    found = watch(context.new_page())
    found.page.goto(voila)
    until_ready(found.page)
    yield found
    found.page.close(run_before_unload=True)
    context.close()


def open_tab(page, title):
    page.get_by_role("tab", name=title, exact=True).click()
    page.wait_for_selector(f"{SHOWN} .ex-card")
    page.wait_for_timeout(900)


@pytest.mark.parametrize(
    ("title", "dial"), [("Prune", "sparsity"), ("Share", "n_clusters"), ("Factorize", "rank")]
)
def test_no_card_moves_while_a_dial_is_dragged(opened, title, dial):
    page = opened.page
    open_tab(page, title)
    if title == "Factorize":
        page.locator(f"{SHOWN} .ex-topic-hint").get_by_role("button").click()
        page.wait_for_selector(".ex-dial-rank .noUi-handle")
        page.wait_for_timeout(1500)
    measure_drag(page, f".ex-dial-{dial}", to=0.5, duration_s=0.3)
    page.wait_for_timeout(1500)
    assert page.evaluate(WATCH, SHOWN) >= 5
    measure_drag(page, f".ex-dial-{dial}", to=0.9, duration_s=0.8)
    measure_drag(page, f".ex-dial-{dial}", to=0.3, duration_s=0.8)
    page.evaluate("window.watching = false")
    assert page.evaluate("window.jumps") == {}


@pytest.mark.parametrize("width", [390, 1024, 1920])
def test_every_tab_fits_the_width(opened, width):
    page = opened.page
    page.set_viewport_size({"width": width, "height": 1000})
    for title in page.locator(".ex-tab").all_inner_texts():
        open_tab(page, title)
        assert page.evaluate(WIDER) == [], title
        assert page.evaluate("document.documentElement.scrollWidth") <= width, title
        assert page.evaluate(LOOSE) == [], title
