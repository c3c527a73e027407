"""The page's state: in its address, back after a reload, undone, kept in the browser."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.networks.recipe import Recipe
from explorer.history.state import State
from tests.browser.harness import READY_MS, read, until_dial_is_kept, until_ready, watch

pytestmark = pytest.mark.browser

SOON_MS = 15_000
STATE = State("lenet-5", recipe=Recipe.of([Prune(sparsity=0.8)]), layer="conv2", tab="Prune")
PRUNED = State(
    "lenet-300-100",
    recipe=Recipe.of([Prune(sparsity=0.7), Quantize(bits=4)]),
    layer="fc2",
    tab="Prune",
)


def opened(found, address, link=""):
    found.page.goto(f"{address}?state={link}" if link else address)
    until_ready(found.page)
    return found.page


def until(page, condition, what=None):
    page.wait_for_function(condition, arg=what, timeout=SOON_MS)


def until_sparsity(page, text):
    until(
        page,
        "text => document.querySelector('.ex-figure-sparsity .ex-value').textContent === text",
        text,
    )


def until_address_holds(page, state):
    until(
        page,
        "link => new URL(location.href).searchParams.get('state') === link",
        state.to_link(),
    )


def error(page):
    return page.locator(".ex-status-box .ex-error").text_content()


def press_dial(page, n_times):
    page.locator(".ex-dial-sparsity .noUi-handle").first.focus()
    for _ in range(n_times):
        page.keyboard.press("ArrowRight")


def test_a_link_opens_network_recipe_layer_and_tab(voila, new_page):
    found = new_page()
    page = opened(found, voila, STATE.to_link())
    until_sparsity(page, "80.0%")
    assert page.locator(".ex-model select").evaluate("e => e.selectedOptions[0].text") == "lenet-5"
    assert (
        page.locator(".ex-layer-picker select").evaluate("e => e.selectedOptions[0].text")
        == "conv2"
    )
    assert error(page) == ""
    found.assert_clean()


def test_a_reload_restores_what_a_dial_was_turned_to(voila, new_page):
    found = new_page()
    page = opened(found, voila)
    press_dial(page, 4)
    until_sparsity(page, "52.0%")
    until_dial_is_kept(page, "52.0")
    before = read(page)
    page.reload()
    until_ready(page)
    until_sparsity(page, "52.0%")
    after = read(page)
    assert (after.size, after.accuracy) == (before.size, before.accuracy)
    found.assert_clean()


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("1.AAAA", "it is damaged"),
        ("<script>alert(1)</script>", "expected text that begins with '1.'"),
        (State("no-such-net").to_link(), "'no-such-net' with 'default' weights is neither"),
        (State("lenet-300-100", layer="nowhere").to_link(), "layer: expected one of fc1"),
    ],
)
def test_a_hostile_link_is_answered_in_words_and_the_page_works(voila, new_page, link, words):
    found = new_page()
    page = opened(found, voila, link)
    until(page, "() => document.querySelector('.ex-status-box .ex-error').textContent")
    assert words in error(page)
    press_dial(page, 2)
    until_sparsity(page, "51.0%")
    found.assert_clean()


def test_undo_and_redo_by_key_and_button(voila, new_page):
    found = new_page()
    page = opened(found, voila, PRUNED.to_link())
    until_sparsity(page, "70.0%")
    press_dial(page, 3)
    until_sparsity(page, "71.5%")
    until(page, "() => document.querySelector('.ex-undo[aria-disabled=false]')")
    page.keyboard.press("Control+z")
    until_sparsity(page, "70.0%")
    until_address_holds(page, PRUNED)
    until(page, "() => document.querySelector('.ex-redo[aria-disabled=false]')")
    page.keyboard.press("Control+Shift+z")
    until_sparsity(page, "71.5%")
    readout = page.locator(".ex-dial-sparsity .widget-readout").first
    readout.click()
    page.keyboard.press("Control+z")
    page.wait_for_timeout(500)
    assert read(page).sparsity == "71.5%"
    page.locator(".ex-tools .ex-undo").click()
    until_sparsity(page, "70.0%")
    page.get_by_role("tab", name="Compare").click()
    page.locator(".ex-history-row").last.click()
    until_sparsity(page, "71.5%")
    until(page, "() => document.querySelector('li:last-child .ex-history-row[aria-current]')")
    found.assert_clean()


def test_a_drag_is_one_step_back(voila, new_page):
    found = new_page()
    page = opened(found, voila, PRUNED.to_link())
    until_sparsity(page, "70.0%")
    page.wait_for_timeout(500)
    handle = page.locator(".ex-dial-sparsity .noUi-handle").first.bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 6):
        page.mouse.move(x + 6 * i, y)
        page.wait_for_timeout(300)
    page.wait_for_timeout(1500)
    page.mouse.move(x + 36, y)
    page.wait_for_timeout(300)
    page.mouse.up()
    until(page, "() => document.querySelector('.ex-undo[aria-disabled=false]')")
    assert read(page).sparsity != "70.0%"
    page.locator(".ex-tools .ex-undo").click()
    until_sparsity(page, "70.0%")
    found.assert_clean()


def test_the_link_is_copied(voila, new_page):
    found = new_page(permissions=["clipboard-read", "clipboard-write"])
    page = opened(found, voila, PRUNED.to_link())
    until_address_holds(page, PRUNED)
    page.get_by_role("button", name="Copy link").click()
    until(page, "() => document.querySelector('.ex-link-said').textContent === 'Link copied.'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert State.from_link(copied.split("state=")[1]) == PRUNED
    found.assert_clean()


def keep(page, name):
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Keep this").click()
    page.get_by_label(f"Compare {name}", exact=True).wait_for(timeout=SOON_MS)


def test_kept_states_outlive_the_kernel_and_are_compared(voila, new_page):
    found = new_page()
    page = opened(found, voila, PRUNED.to_link())
    until_sparsity(page, "70.0%")
    page.get_by_role("tab", name="Compare").click()
    keep(page, "=mine")
    press_dial(page, 4)
    until_sparsity(page, "72.0%")
    keep(page, "yours")
    steps = [Prune(sparsity=0.72), Quantize(bits=4)]
    until_address_holds(page, replace(PRUNED, recipe=Recipe.of(steps), tab="Compare"))
    page.reload()
    page.wait_for_selector(".ex-kept-tick input", timeout=READY_MS)
    for name in ("=mine", "yours"):
        page.get_by_label(f"Compare {name}", exact=True).check()
    row = page.locator(".ex-compared tbody tr", has_text="Prune, sparsity")
    row.wait_for(timeout=SOON_MS)
    assert row.locator("td").all_text_contents() == ["70.0%", "72.0%"]
    with page.expect_download() as download:
        page.locator(".ex-bookmarks .ex-export-button", has_text=".json").click()
    file = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert [item["name"] for item in file["bookmarks"]] == ["=mine", "yours"]
    page.get_by_label("Remove yours", exact=True).click()
    page.get_by_label("Compare yours", exact=True).wait_for(state="detached", timeout=SOON_MS)
    page.get_by_label("Go to =mine", exact=True).click()
    until_sparsity(page, "70.0%")
    page.set_input_files(".ex-bookmarks .ex-read-file", download.value.path())
    page.get_by_label("Compare yours", exact=True).wait_for(timeout=SOON_MS)
    found.assert_clean()


def test_what_the_browser_kept_is_read_strictly_and_put_aside(voila, new_page):
    found = new_page()
    key = "compression-explorer.bookmarks.1"
    found.page.add_init_script(
        f"if (!localStorage.getItem('{key}')) localStorage.setItem('{key}', '[<img src=x>')"
    )
    page = opened(found, voila)
    page.get_by_role("tab", name="Compare").click()
    page.locator(".ex-bookmarks .ex-error", has_text="could not be read").wait_for(timeout=SOON_MS)
    keep(page, "mine")
    until(page, f"() => localStorage.getItem('{key}').includes('mine')")
    assert page.evaluate(f"localStorage.getItem('{key}.before')") == "[<img src=x>"
    found.assert_clean()


def test_the_narrow_page_holds_it_all(voila, new_page):
    found = new_page()
    found.page.set_viewport_size({"width": 390, "height": 800})
    page = opened(found, voila, PRUNED.to_link())
    page.get_by_role("tab", name="Compare").click()
    keep(page, "mine")
    page.locator(".ex-compare-methods .ex-table-box tbody tr").first.wait_for(timeout=READY_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    found.assert_clean()


def test_jupyterlab_keeps_its_address(in_notebook):
    found = in_notebook
    until(found.page, "() => document.querySelector('.ex-link[aria-disabled=false]')")
    assert "state=" not in found.page.url
    found.page.get_by_role("button", name="Copy link").click()
    until(found.page, "() => document.querySelector('.ex-link-said').textContent")
    copied = found.page.evaluate("navigator.clipboard.readText()")
    assert State.from_link(copied.removeprefix("?state=")).model == "lenet-300-100"


def test_another_start_network_is_no_hindrance(server, visit):
    page = opened(watch(visit()), server.page, PRUNED.to_link())
    until_sparsity(page, "70.0%")
    assert page.locator(".ex-model select").evaluate("e => e.selectedOptions[0].text") == (
        "lenet-300-100"
    )
