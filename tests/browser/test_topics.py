"""The topics in the browser: tabs by keyboard, views that follow a drag, hints, downloads."""

import pytest

import explorer
from explorer.bench.browser import measure_drag
from tests.browser.harness import READY_MS

pytestmark = pytest.mark.browser

SHOWN = ".ex-tab-panel:not(.ex-hidden)"
FOLLOW = {
    "Prune": [".ex-view-histogram .bqplot", ".ex-view-sparsity canvas", ".ex-view-layers"],
    "Quantize": [".ex-view-histogram .bqplot", ".ex-view-codebook .bqplot", ".ex-view-error"],
    "Share": [".ex-view-codebook .bqplot", ".ex-view-formula", ".ex-view-error", ".ex-view-layers"],
    "Factorize": [".ex-view-error canvas", ".ex-view-layers"],
    "Combine": [".ex-view-waterfall", ".ex-view-breakdown", ".ex-view-layers", ".ex-view-export"],
}
COUNT = """([shown, selectors]) => {
  window.repaints = selectors.map(() => 0);
  selectors.forEach((selector, i) => new MutationObserver(() => window.repaints[i]++).observe(
    document.querySelector(`${shown} ${selector}`),
    { attributes: true, characterData: true, childList: true, subtree: true }));
}"""
SILENT = """(shown) => [...document.querySelectorAll(`${shown} .ex-card`)]
  .filter((card) => card.offsetHeight && !card.querySelector(".ex-caption")?.textContent)
  .map((card) => card.className)"""
NAMELESS = """() => [...document.querySelectorAll("button, select, .noUi-handle, input")]
  .filter((part) => part.offsetHeight && !part.closest(".widget-readout"))
  .filter((part) => !(part.textContent.trim() || part.ariaLabel || part.labels?.length))
  .map((part) => part.outerHTML.slice(0, 120))"""


def test_every_tab_opens_by_keyboard_and_follows_the_hand(opened):
    page = opened.page
    for i, (title, views) in enumerate(FOLLOW.items()):
        page.get_by_role("tab", selected=True).focus()
        if i:
            page.keyboard.press("ArrowRight")
        tab = page.get_by_role("tab", name=title, selected=True)
        tab.wait_for()
        for view in views:
            page.wait_for_selector(f"{SHOWN} {view}")
        page.get_by_role("tabpanel", name=title).wait_for()
        assert page.evaluate(NAMELESS) == []
        page.evaluate(COUNT, [SHOWN, views])
        measure_drag(page, to=0.9 if i % 2 else 0.3, duration_s=0.5)
        repaints = dict(zip(views, page.evaluate("window.repaints"), strict=True))
        assert all(count >= 2 for count in repaints.values()), (title, repaints)
        assert page.evaluate(SILENT, SHOWN) == []
    opened.assert_clean()


def test_a_hint_adds_the_step_that_is_missing(opened):
    page = opened.page
    page.get_by_role("tab", name="Combine").click()
    hint = page.locator(f"{SHOWN} .ex-topic-hint")
    hint.get_by_role("button", name="Add Entropy coding").click()
    page.wait_for_selector(".ex-step-entropy")
    hint.wait_for(state="hidden")
    page.get_by_text("Huffman", exact=True).first.wait_for()
    stages = page.locator(f"{SHOWN} .ex-view-waterfall .ex-bars-name b").all_inner_texts()
    assert stages[0] == "Original" and stages[2:] == ["Share 32 values", "Huffman"]
    opened.assert_clean()


def test_the_compressed_file_comes_down_as_it_is_on_the_screen(watched, tmp_path):
    page = watched.page
    page.get_by_role("tab", name="Combine").click()
    with page.expect_download(timeout=READY_MS) as started:
        page.get_by_role("button", name="Compressed file").click()
    path = tmp_path / started.value.suggested_filename
    started.value.save_as(path)
    assert path.name == "lenet-300-100.cmpx"
    small = explorer.open(path)
    assert small.size_bytes == path.stat().st_size
    page.get_by_text(f"{path.name}, {small.size_bytes:,} bytes").wait_for()
    shown = page.locator(".ex-figure-size .ex-value").inner_text()
    assert shown == f"{small.size_bytes / 1000:,.1f} KB"
    steps = [explorer.Prune(sparsity=0.5), explorer.Share(n_clusters=32)]
    assert small.recipe.steps_for("fc1") == tuple(steps)
    watched.assert_clean()


def test_python_is_shown_ready_to_copy(opened):
    page = opened.page
    page.get_by_role("tab", name="Combine").click()
    page.get_by_role("button", name="Python code").click()
    code = page.locator(f"{SHOWN} .ex-code pre")
    code.wait_for()
    assert "ex.load('lenet-300-100')" in code.inner_text()
    assert "    ex.Prune(sparsity=0." in code.inner_text()
    opened.assert_clean()
