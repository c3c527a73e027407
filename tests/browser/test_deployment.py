"""A page whose kernel or connection is lost, a full server, and the front page, in Chromium."""

import psutil
import pytest

from explorer.bench.hosted import hosted
from tests.browser.harness import READY_MS, until_ready, watch

pytestmark = pytest.mark.browser

SOCKETS = """
window.sockets = [];
const Plain = WebSocket;
window.WebSocket = class extends Plain {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
"""
NOTICE = "#connection:not([hidden])"
HANDLE = ".ex-dial-sparsity .noUi-handle"


@pytest.fixture(scope="module")
def server():
    with hosted(model="lenet-300-100", max_kernels=1, n_ready=0) as found:
        yield found


@pytest.fixture
def page(server, browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.add_init_script(SOCKETS)
    page = context.new_page()
    page.goto(server.page)
    until_ready(page)
    yield page
    page.close(run_before_unload=True)
    other = context.new_page()
    other.goto(server.root)
    other.wait_for_timeout(1000)
    context.close()


def kernels(server):
    """Processes that the server's forking process has forked."""
    below = psutil.Process(server.pid).children(recursive=True)
    return [
        each for each in below if each.ppid() != server.pid or "zygote" not in str(each.cmdline())
    ]


def sparsity(page):
    return page.locator(".ex-dial-sparsity .widget-readout").inner_text()


def test_a_dead_kernel_is_told_and_the_page_comes_back_as_it_was(server, page):
    page.locator(HANDLE).focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**state=*")
    page.wait_for_timeout(1500)
    before = sparsity(page)
    for each in kernels(server):
        each.kill()
    page.wait_for_selector(NOTICE)
    assert "Python has ended" in page.locator("#connection p").inner_text()
    assert page.locator("#connection button").is_visible()
    page.wait_for_selector(NOTICE, state="detached", timeout=READY_MS)
    until_ready(page)
    assert sparsity(page) == before != "50.0%"
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
    before = sparsity(page)
    page.locator(HANDLE).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "(before) => document.querySelector('.ex-dial-sparsity .widget-readout').textContent"
        " !== before",
        arg=before,
    )


def test_one_too_many_is_told_and_let_in_by_itself(server, page, browser):
    context = browser.new_context()
    late = watch(context.new_page())
    late.page.goto(f"{server.page}?state=x")
    assert late.page.locator("h1").inner_text() == "All places are taken"
    page.goto("about:blank")
    late.page.wait_for_selector(HANDLE, timeout=READY_MS)
    assert "state" in late.page.url
    late.page.close(run_before_unload=True)
    context.close()


def test_a_page_asks_for_few_files(server, page):
    asked = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    served = [each for each in asked if each.startswith("http")]
    assert any("/voila/opening/" in each for each in served)
    assert len(served) < 20, served


def test_a_slow_machine_gets_the_page(server, browser):
    context = browser.new_context()
    page = context.new_page()
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 8})
    page.goto(server.page, wait_until="commit")
    page.wait_for_selector(f"#rendered_cells:not([aria-busy]) {HANDLE}", timeout=READY_MS)
    page.close(run_before_unload=True)
    context.close()


def test_the_front_page_leads_to_the_page(server, browser):
    context = browser.new_context()
    watched = watch(context.new_page())
    watched.page.goto(server.root)
    assert watched.page.get_by_role("link").first.get_attribute("href") == "/app"
    assert watched.page.title() == "Compression Explorer"
    watched.assert_clean()
    context.close()


def test_nothing_moves_for_those_who_want_no_motion(server, browser):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(server.page, wait_until="commit")
    page.wait_for_selector("#loading .spinner", state="attached")
    names = page.evaluate(
        "[...document.querySelectorAll('#loading .spinner, #loading .bone')]"
        ".map((each) => getComputedStyle(each).animationName)"
    )
    assert set(names) == {"none"}
    page.close(run_before_unload=True)
    context.close()
