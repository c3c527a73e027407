"""The served page itself: its title, skeleton, themes, and its kernel's end."""

import urllib.error
import urllib.request
from urllib.parse import urljoin

import pytest

from tests.browser.harness import READY_MS, until_ready

pytestmark = pytest.mark.browser

KERNEL = 'JSON.parse(document.getElementById("jupyter-config-data").textContent).kernelId'


TOPS = """(parts) => {
  const found = parts.map((part) => document.querySelector(part));
  return found.every(Boolean) && found.map((part) => part.getBoundingClientRect().top);
}"""


GIVES_UP_SOON = """() => {
  const signal = AbortSignal.timeout(1);
  return new Promise((tell) => setTimeout(() => tell(signal.aborted), 50));
}"""


def tops_of(page, *parts):
    """Where parts begin, read at once, as soon as all of them are there."""
    return page.wait_for_function(TOPS, arg=parts, timeout=READY_MS).json_value()


@pytest.mark.parametrize("width", [390, 1024])
def test_a_skeleton_first_then_the_page_in_its_place(voila, new_page, width):
    watched = new_page()
    page = watched.page
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(voila, wait_until="commit")
    bones = tops_of(page, "#loading .figures", "#loading .tabs", "#loading .recipe")
    until_ready(page)
    page.wait_for_selector("#loading", state="detached")
    parts = tops_of(page, ".ex-strip", ".ex-tab-bar", ".ex-recipe")
    assert bones == pytest.approx(parts, abs=12)
    assert not page.evaluate(GIVES_UP_SOON)
    assert page.title() == "Compression Explorer"
    assert page.locator(".ex-root").count() == 1
    assert "from explorer" not in page.content()
    watched.assert_clean()


def brightness(page):
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in color.strip("rgba()").split(",")[:3])
    return (red + green + blue) / 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_color_scheme(voila, new_page, scheme):
    watched = new_page(color_scheme=scheme)
    watched.page.goto(voila, wait_until="commit")
    watched.page.wait_for_selector("#loading h1", state="visible")
    assert (brightness(watched.page) > 128) == (scheme == "light")
    until_ready(watched.page)
    assert (brightness(watched.page) > 128) == (scheme == "light")
    assert watched.page.evaluate("document.body.dataset.jpThemeLight") == (
        "true" if scheme == "light" else "false"
    )


def status_of(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_closing_the_page_ends_its_kernel(voila, new_page):
    watched = new_page()
    page = watched.page
    page.goto(voila)
    until_ready(page)
    kernel = urljoin(voila, f"/api/kernels/{page.evaluate(KERNEL)}")
    assert status_of(kernel) == 200
    other = page.context.new_page()
    page.close(run_before_unload=True)
    for _ in range(50):
        if status_of(kernel) == 404:
            return
        other.wait_for_timeout(100)
    pytest.fail("the kernel still runs five seconds after its page was closed")
