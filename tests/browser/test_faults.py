"""What breaks in the middle of a drag is told, and the dial is back where it was; slow machines."""

import pytest

from tests.browser.harness import READY_MS, kill_kernels, until_dial_is_kept, until_ready, watch

pytestmark = pytest.mark.browser

IMPATIENT = """
const plain = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (ms) => plain(ms / 100);
"""
NOTICE = "#connection:not([hidden])"
DIAL = ".ex-dial-sparsity"
HANDLE = f"{DIAL} .noUi-handle"
KEPT = "compression-explorer.bookmarks.1"
FIGURE_IS_THE_DIALS = """(other) => {
  const dial = document.querySelector(".ex-dial-sparsity .widget-readout")?.textContent;
  const figure = document.querySelector(".ex-figure-sparsity .ex-value")?.textContent;
  return dial !== other && figure === `${dial}%`;
}"""


def dial(page):
    return page.locator(f"{DIAL} .widget-readout").inner_text()


def dragged(page):
    """Drag the dial to where its figure follows, and hold it there; give the pointer's place."""
    start = dial(page)
    box = page.locator(HANDLE).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 9):
        page.mouse.move(x + 5 * i, y)
    page.wait_for_function(FIGURE_IS_THE_DIALS, arg=start, timeout=READY_MS)
    page.mouse.move(x + 45, y)
    return x + 45, y


def test_a_kernel_that_is_killed_under_the_hand_costs_nothing_that_was_made(server, page):
    page.get_by_role("tab", name="Compare").click()
    page.get_by_label("Name", exact=True).fill("before")
    page.get_by_label("Name", exact=True).press("Enter")
    page.get_by_label("Compare before", exact=True).wait_for(timeout=READY_MS)
    x, y = dragged(page)
    reached = dial(page)
    until_dial_is_kept(page, reached)
    kill_kernels(server)
    for i in range(1, 6):
        page.mouse.move(x + i, y)
    page.wait_for_selector(NOTICE, timeout=READY_MS)
    page.wait_for_function(
        "document.querySelector('#connection p')?.textContent.includes('Python has ended')",
        timeout=READY_MS,
    )
    page.mouse.up()
    page.wait_for_selector(NOTICE, state="detached", timeout=READY_MS)
    page.wait_for_selector(HANDLE, timeout=READY_MS)
    page.wait_for_function(FIGURE_IS_THE_DIALS, arg="", timeout=READY_MS)
    assert dial(page) == reached != "50.0"
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "Compare"
    page.get_by_label("Go to before", exact=True).wait_for(timeout=READY_MS)
    page.get_by_label("Go to before", exact=True).press("Enter")
    page.wait_for_function(FIGURE_IS_THE_DIALS, arg=reached, timeout=READY_MS)
    assert dial(page) == "50.0"
    assert page.locator(NOTICE).count() == 0


def test_a_connection_that_is_lost_under_the_hand_costs_nothing_that_was_shown(page):
    x, y = dragged(page)
    reached = dial(page)
    until_dial_is_kept(page, reached)
    page.context.set_offline(True)
    page.evaluate("window.sockets.forEach((socket) => socket.close())")
    for i in range(1, 9):
        page.mouse.move(x + 5 * i, y)
    page.mouse.up()
    offline = dial(page)
    assert offline != reached
    page.wait_for_selector(NOTICE, timeout=READY_MS)
    assert "answer" in page.locator("#connection p").inner_text()
    page.context.set_offline(False)
    page.wait_for_selector(NOTICE, state="hidden", timeout=READY_MS)
    page.wait_for_function(FIGURE_IS_THE_DIALS, arg="", timeout=READY_MS)
    assert dial(page) in {reached, offline}
    until_dial_is_kept(page, dial(page))


def test_widgets_that_start_slowly_follow_the_dial_all_the_same(server, visit):
    found = watch(visit())
    found.page.add_init_script(IMPATIENT)
    found.page.goto(server.page, timeout=READY_MS)
    until_ready(found.page)
    before = dial(found.page)
    found.page.locator(HANDLE).focus()
    found.page.keyboard.press("ArrowRight")
    found.page.wait_for_function(FIGURE_IS_THE_DIALS, arg=before, timeout=READY_MS)
    found.assert_clean()
