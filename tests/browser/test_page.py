"""The served page itself: its title, skeleton, themes, and its kernel's end."""

from dataclasses import dataclass

import pytest

from tests.browser.harness import (
    READY_MS,
    Watched,
    kernel_of,
    leave,
    status_of,
    until_ready,
    watch,
)

pytestmark = pytest.mark.browser

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


def brightness(page):
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in color.strip("rgba()").split(",")[:3])
    return (red + green + blue) / 3


@dataclass(frozen=True)
class Opening:
    """What was seen while a page was opened, and the page."""

    watched: Watched
    is_dark: bool
    bones: list
    parts: list
    brightness: tuple


@pytest.fixture(scope="module", params=[(390, "light"), (1024, "dark")], ids=lambda p: p[1])
def opening(request, browser, voila):
    width, scheme = request.param
    viewport = {"width": width, "height": 1000}
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    watched = watch(context.new_page())
    page = watched.page
    page.goto(voila, wait_until="commit")
    page.wait_for_selector("#loading h1", state="visible")
    bones = tops_of(page, "#loading .figures", "#loading .tabs", "#loading .recipe")
    first = brightness(page)
    until_ready(page)
    page.wait_for_selector("#loading", state="detached")
    parts = tops_of(page, ".ex-strip", ".ex-tab-bar", ".ex-recipe")
    yield Opening(watched, scheme == "dark", bones, parts, (first, brightness(page)))
    leave(page)
    context.close()


def test_a_skeleton_first_then_the_page_in_its_place(opening):
    assert opening.bones == pytest.approx(opening.parts, abs=12)


def test_the_page_follows_the_color_scheme(opening):
    assert [bright < 128 for bright in opening.brightness] == [opening.is_dark] * 2
    theme = opening.watched.page.evaluate("document.body.dataset.jpThemeLight")
    assert theme == ("false" if opening.is_dark else "true")


def test_the_page_is_whole_and_holds_no_source(opening):
    page = opening.watched.page
    assert not page.evaluate(GIVES_UP_SOON)
    assert page.title() == "Compression Explorer"
    assert page.locator(".ex-root").count() == 1
    assert "from explorer" not in page.content()
    opening.watched.assert_clean()


def test_closing_the_page_ends_its_kernel(voila, new_page):
    watched = new_page()
    page = watched.page
    page.goto(voila)
    until_ready(page)
    kernel = kernel_of(page)
    assert status_of(kernel) == 200
    other = page.context.new_page()
    page.close(run_before_unload=True)
    for _ in range(50):
        if status_of(kernel) == 404:
            return
        other.wait_for_timeout(100)
    pytest.fail("the kernel still runs five seconds after its page was closed")
