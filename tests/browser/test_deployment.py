"""A page whose kernel or connection is lost, a full server, and the front page, in Chromium."""

import pytest

from tests.browser.harness import (
    READY_MS,
    kill_kernels,
    until_dial_is_kept,
    until_ready,
    watch,
)

pytestmark = pytest.mark.browser

NOTICE = "#connection:not([hidden])"
HANDLE = ".ex-dial-sparsity .noUi-handle"


def sparsity(page):
    return page.locator(".ex-dial-sparsity .widget-readout").inner_text()


def test_a_dead_kernel_is_told_and_the_page_comes_back_as_it_was(server, page):
    page.locator(HANDLE).focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    before = sparsity(page)
    until_dial_is_kept(page, before)
    kill_kernels(server)
    page.wait_for_selector(NOTICE)
    assert "Python has ended" in page.locator("#connection p").inner_text()
    assert page.locator("#connection button").is_visible()
    page.wait_for_selector(NOTICE, state="detached", timeout=READY_MS)
    until_ready(page)
    assert sparsity(page) == before != "50.0"
    assert page.locator(NOTICE).count() == 0


UNCOVERED = """() => {
  const button = document.querySelector("#connection button");
  const box = button.getBoundingClientRect();
  return document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2) === button;
}"""


def test_a_lost_connection_is_told_and_found_again(page):
    page.context.set_offline(True)
    page.evaluate("window.sockets.forEach((socket) => socket.close())")
    page.wait_for_selector(NOTICE)
    page.wait_for_function(
        "document.querySelector('#connection p').textContent.includes('does not answer')"
    )
    assert page.locator(".ex-tour-offer").is_visible()
    assert page.evaluate(UNCOVERED)
    page.context.set_offline(False)
    page.wait_for_selector(NOTICE, state="hidden", timeout=READY_MS)
    assert page.evaluate("window.sockets.length") > 1, "the page was loaded again"
    before = sparsity(page)
    page.locator(HANDLE).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "(before) => document.querySelector('.ex-dial-sparsity .widget-readout').textContent"
        " !== before",
        arg=before,
    )


def test_one_too_many_is_told_and_let_in_by_itself(server, page, visit):
    second = visit()
    second.goto(server.page)
    until_ready(second)
    late = visit()
    late.goto(f"{server.page}?state=x")
    assert late.locator("h1").inner_text() == "All places are taken"
    page.goto("about:blank")
    late.wait_for_selector(HANDLE, timeout=READY_MS)
    assert "state" in late.url


def test_a_page_asks_for_few_files(server, page):
    asked = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    served = [each for each in asked if each.startswith("http")]
    assert any("/voila/opening/" in each for each in served)
    assert len(served) < 20, served


def test_a_slow_machine_gets_the_page(server, visit):
    page = visit()
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 8})
    page.goto(server.page, wait_until="commit")
    page.wait_for_selector(f"#rendered_cells:not([aria-busy]) {HANDLE}", timeout=READY_MS)


def test_the_front_page_leads_to_the_page(server, visit):
    watched = watch(visit())
    watched.page.goto(server.root)
    assert watched.page.get_by_role("link").first.get_attribute("href") == "/app"
    assert watched.page.title() == "Compression Explorer"
    watched.assert_clean()


def test_nothing_moves_for_those_who_want_no_motion(server, visit):
    page = visit(reduced_motion="reduce")
    page.goto(server.page, wait_until="commit")
    page.wait_for_selector("#loading .spinner", state="attached")
    names = page.evaluate(
        "[...document.querySelectorAll('#loading .spinner, #loading .bone')]"
        ".map((each) => getComputedStyle(each).animationName)"
    )
    assert set(names) == {"none"}
