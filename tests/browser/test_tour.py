"""The tour: offered once, taken or declined, shown again on request."""

import pytest

from explorer import Prune, Recipe, State
from tests.browser.harness import until_ready

pytestmark = pytest.mark.browser

KEY = "compression-explorer.tour.1"
STEPS = ("Five figures", "The recipe and its dials", "Views by topic", "Take it with you")
LINK = State("lenet-300-100", "default", Recipe.of([Prune(sparsity=0.7)]), "fc1", "Prune").to_link()
OFFER = ".ex-tour-offer:not([hidden])"
STORED = f"localStorage.getItem({KEY!r})"


def test_it_is_offered_taken_and_not_offered_again(voila, new_page):
    watched = new_page()
    page = watched.page
    page.goto(voila)
    until_ready(page)
    page.locator(OFFER).wait_for()
    page.get_by_role("tab", name="Quantize").click()
    assert page.evaluate(STORED) is None
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator(OFFER).bounding_box()["height"] < 80
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.get_by_role("button", name="Take the tour").click()
    for number, title in enumerate(STEPS, 1):
        step = page.get_by_role("dialog", name=title)
        step.wait_for()
        assert step.get_by_text(f"Step {number} of 4").is_visible()
        spot = page.locator(".ex-tour-spot").bounding_box()
        card = page.locator(".ex-tour-card").bounding_box()
        assert spot["height"] > 20 and card["x"] >= 0 and card["y"] >= 0
        assert card["x"] + card["width"] <= 1400 and card["y"] + card["height"] <= 1000
        for _ in range(5):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body"
                " || !!document.activeElement.closest('.ex-tour')"
            )
        step.get_by_role("button", name="Done" if number == 4 else "Next").click()
    page.locator(".ex-tour").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.ariaLabel") == "Show the tour"
    assert page.evaluate(STORED) == "seen"
    page.get_by_role("button", name="Show the tour").click()
    page.get_by_role("dialog", name=STEPS[0]).wait_for()
    page.keyboard.press("Escape")
    page.locator(".ex-tour").wait_for(state="hidden")
    page.goto(voila)
    until_ready(page)
    page.wait_for_timeout(700)
    assert page.locator(OFFER).count() == 0
    watched.assert_clean()


def test_it_is_declined_at_once_and_not_offered_to_whom_a_link_was_sent(voila, new_page):
    watched = new_page()
    page = watched.page
    page.goto(f"{voila}?state={LINK}")
    until_ready(page)
    page.wait_for_timeout(700)
    assert page.locator(OFFER).count() == 0
    page.goto(voila)
    until_ready(page)
    page.locator(OFFER).get_by_role("button", name="Skip").click()
    page.locator(OFFER).wait_for(state="hidden")
    assert page.evaluate(STORED) == "seen"
    watched.assert_clean()
