"""Nothing jumps while values change, nothing is wider than the page, numbers keep their width."""

import pytest

from explorer.bench.browser import measure_drag
from tests.browser.harness import until_still

pytestmark = pytest.mark.browser

VIEWPORT = {"width": 1280, "height": 1400}
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
  const scrolls = (part) => part.closest(".ex-table-scroll, .ex-tab-bar, .ex-add, pre," +
    " .ex-formula-lines, .bqplot, .ex-unseen, [popover]");
  return [...document.querySelectorAll(".ex-root *")]
    .filter((part) => part.getClientRects().length && part.getBoundingClientRect().right > most)
    .filter((part) => !scrolls(part)).map((part) => part.outerHTML.slice(0, 100)).slice(0, 5);
}"""
LOOSE = """() => [...document.querySelectorAll(
    ".ex-value, .ex-detail, .widget-readout, .ex-table td, .ex-bars-text, .ex-caption")]
  .filter((part) => part.getClientRects().length)
  .filter((part) => !getComputedStyle(part).fontVariantNumeric.includes("tabular-nums"))
  .map((part) => part.className)"""

CLIPPED = """() => {
  const pen = document.createElement("canvas").getContext("2d");
  return [...document.querySelectorAll(".ex-root select")]
    .filter((part) => part.getClientRects().length)
    .flatMap((part) => {
      const style = getComputedStyle(part);
      const sides = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
      pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
      return [...part.options].map((option) => option.textContent)
        .filter((text) => pen.measureText(text).width > part.clientWidth - sides + 0.5);
    });
}"""
SMALL = """() => {
  const kinds = "button, select, input:not([type=file]), summary, [role=button]";
  return [...document.querySelectorAll(`.ex-root :is(${kinds})`)]
    .filter((part) => part.checkVisibility() && !part.closest(".ex-unseen"))
    .map((part) => [part, (part.closest("label") ?? part).getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && Math.min(box.width, box.height) < 43.5)
    .map(([part, box]) => `${part.className} ${Math.round(box.width)}x${Math.round(box.height)}`);
}"""
CUT = """() => [...document.querySelectorAll(".ex-table-scroll")]
  .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
  .map((part) => part.firstChild.ariaLabel)"""
MARGINS = """() => {
  const box = document.querySelector(".ex-strip").getBoundingClientRect();
  return [box.left, document.documentElement.clientWidth - box.right].map(Math.round);
}"""
PLACES = """() => [...document.querySelectorAll(".ex-tab")].map((tab) => {
  const box = tab.getBoundingClientRect();
  return [Math.round(box.left), Math.round(box.top)];
})"""
TO_TOP = "document.querySelector('#rendered_cells').scrollTo(0, 0)"
PHONE = """() => {
  const box = (name) => document.querySelector(name).getBoundingClientRect();
  const strip = box(".ex-strip");
  return {
    strip: strip.height,
    above: box(".ex-step-prune .ex-dial-sparsity").top - strip.bottom,
    chart: innerHeight - box(".ex-view-histogram .bqplot").bottom,
    five: [...document.querySelectorAll(".ex-strip .ex-value")]
      .filter((value) => value.checkVisibility() && value.textContent).length,
  };
}"""


def open_tab(page, title):
    page.get_by_role("tab", name=title, exact=True).click()
    page.wait_for_selector(f"{SHOWN} .ex-card:not(.ex-hidden)")
    until_still(page)


@pytest.mark.parametrize(
    ("title", "dial"), [("Prune", "sparsity"), ("Share", "n_clusters"), ("Factorize", "rank")]
)
def test_no_card_moves_while_a_dial_is_dragged(opened, title, dial):
    page = opened.page
    page.set_viewport_size(VIEWPORT)
    open_tab(page, title)
    if title == "Factorize":
        page.locator(f"{SHOWN} .ex-topic-hint").get_by_role("button").click()
        page.wait_for_selector(".ex-dial-rank .noUi-handle")
        until_still(page)
    measure_drag(page, f".ex-dial-{dial}", to=0.5, duration_s=0.3)
    until_still(page)
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
        assert page.evaluate(CUT) == [], title
        assert page.evaluate(CLIPPED) == [], title
        assert width > 390 or page.evaluate(SMALL) == [], title
        selected = page.locator(".ex-tab[aria-selected=true]").bounding_box()
        assert selected["x"] >= 0 and selected["x"] + selected["width"] <= width, title
    left, right = page.evaluate(MARGINS)
    assert left == right


@pytest.mark.parametrize("width", [820, 1200, 1280, 1700])
def test_the_head_has_room_for_every_name_and_figure(opened, width):
    page = opened.page
    page.set_viewport_size({"width": width, "height": 1000})
    assert page.evaluate(CLIPPED) == []
    places = page.evaluate(
        """() => [...document.querySelectorAll(".ex-figure")].map((figure) => {
          const text = document.createRange();
          text.selectNodeContents(figure.querySelector(".ex-value"));
          return [text.getBoundingClientRect().right, figure.getBoundingClientRect().right];
        })"""
    )
    assert all(text < edge for text, edge in places)
    rows = page.evaluate(
        """() => new Set([...document.querySelectorAll(".ex-head :is(select, button)")]
          .filter((part) => part.checkVisibility() && !part.closest(".ex-tour-offer"))
          .map((part) => Math.round(part.getBoundingClientRect().bottom))).size"""
    )
    assert rows <= 2


def test_no_tab_moves_when_another_is_opened(opened):
    page = opened.page
    page.set_viewport_size({"width": 1024, "height": 1000})
    open_tab(page, "Prune")
    places = page.evaluate(PLACES)
    assert len({top for _left, top in places}) == 1
    open_tab(page, "Factorize")
    assert page.evaluate(PLACES) == places


def test_on_a_phone_a_dial_its_histogram_and_five_figures_show_at_once(opened):
    page = opened.page
    page.set_viewport_size({"width": 390, "height": 844})
    open_tab(page, "Prune")
    page.evaluate(TO_TOP)
    page.wait_for_selector(".ex-figures:not(.ex-stuck)")
    tall = page.locator(".ex-figures > .ex-strip").bounding_box()["height"]
    page.evaluate("document.querySelector('.ex-recipe').scrollIntoView({ block: 'start' })")
    page.wait_for_selector(".ex-figures.ex-stuck")
    moved = page.evaluate(PHONE)["above"]
    page.mouse.move(4, 600)
    page.mouse.wheel(0, moved - 8)
    page.wait_for_timeout(400)
    seen = page.evaluate(PHONE)
    assert seen["strip"] < min(110, tall)
    assert 0 <= seen["above"] < 40
    assert seen["chart"] >= 0
    assert seen["five"] == 5
    page.evaluate(TO_TOP)
    page.wait_for_selector(".ex-figures:not(.ex-stuck)")
    assert page.locator(".ex-figures > .ex-strip").bounding_box()["height"] == tall


def test_plots_speak_in_the_pages_type(opened):
    page = opened.page
    open_tab(page, "Prune")
    family = "(part) => getComputedStyle(part).fontFamily"
    root = page.locator(".ex-root").evaluate(family)
    assert page.locator(".ex-view-histogram .bqplot text").first.evaluate(family) == root
