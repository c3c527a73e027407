"""What an auditor of accessibility finds in every tab, and the page by keyboard alone."""

import json

import pytest

from tests.browser.harness import READY_MS, until_still

pytestmark = pytest.mark.browser

VIEWPORT = {"width": 1280, "height": 900}
NARROW = ("Prune", "Behavior")
DIAL = ".ex-step-prune .ex-dial-sparsity .noUi-handle"
SHOWN = ".ex-tab-panel:not(.ex-hidden)"
FAULTS = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .map((found) => [found.id, found.help, found.nodes.map((node) => node.html.slice(0, 160))])"""
UNDESCRIBED = """() => [...document.querySelectorAll(
    ".ex-root :is(select, .noUi-handle, input[type=checkbox], .widget-toggle-button, .ex-icon)")]
  .filter((part) => part.getClientRects().length && !part.closest(".ex-kept-box, .ex-table-box"))
  .filter((part) => {
    const ids = part.getAttribute("aria-describedby");
    return !part.title && !(ids && document.getElementById(ids)?.textContent);
  })
  .map((part) => part.outerHTML.slice(0, 160))"""
UNSEEN_FOCUS = """() => {
  const part = document.activeElement;
  if (part === document.body) return null;
  const style = getComputedStyle(part);
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  return seen ? null : part.outerHTML.slice(0, 120);
}"""


@pytest.fixture(scope="module")
def auditor():
    from axe_playwright_python.base import AXE_FILE_PATH

    return AXE_FILE_PATH.read_text(encoding="utf-8")


NONE_WAITS = "() => ![...document.querySelectorAll('.ex-waiting')].some((e) => e.offsetParent)"


def open_tab(page, title):
    page.get_by_role("tab", name=title, exact=True).click()
    page.get_by_role("tabpanel", name=title, exact=True).wait_for()
    page.wait_for_selector(f"{SHOWN} .ex-card")
    page.wait_for_function(NONE_WAITS, timeout=READY_MS)
    until_still(page, 200)


def titles(page):
    return page.locator(".ex-tab").all_inner_texts()


def audited(page, title, what):
    found = page.evaluate(FAULTS)
    assert found == [], f"{title}, {what}: {json.dumps(found, indent=1)}"
    assert page.evaluate(UNDESCRIBED) == [], title


def test_no_tab_has_a_fault_light_or_dark(opened, auditor):
    page = opened.page
    page.evaluate(auditor)
    assert len(titles(page)) >= 9
    for title in titles(page):
        open_tab(page, title)
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            until_still(page, 50)
            audited(page, title, scheme)
    page.set_viewport_size({"width": 390, "height": 800})
    for title in NARROW:
        open_tab(page, title)
        audited(page, title, "narrow")
    page.set_viewport_size(VIEWPORT)
    opened.assert_clean()


def test_a_fault_is_found(opened, auditor):
    page = opened.page
    page.evaluate(auditor)
    page.evaluate(
        """() => document.querySelector(".ex-head").insertAdjacentHTML("beforeend",
            '<button class="fault"></button>')"""
    )
    assert [found[0] for found in page.evaluate(FAULTS)] == ["button-name"]
    page.evaluate("document.querySelector('.fault').remove()")


def value(page, dial):
    return float(page.locator(dial).get_attribute("aria-valuenow"))


def tab_until(page, selector, most=120):
    """Press Tab until a part has the focus; every stop on the way shows that it has it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        assert page.evaluate(UNSEEN_FOCUS) is None
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} was not reached by keyboard")


def test_the_page_is_worked_by_keyboard_alone(opened):
    page = opened.page
    open_tab(page, "Prune")
    page.evaluate("document.activeElement.blur(); document.body.focus(); window.scrollTo(0, 0)")
    page.locator(".ex-title").click()
    tab_until(page, ".ex-scope select")
    tab_until(page, DIAL)
    before = value(page, DIAL)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert value(page, DIAL) == before + 2
    bubble = page.locator(".ex-help-bubble:popover-open")
    assert bubble.text_content().startswith("Share of the weights that become zero")
    described = page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-describedby'))"
        ".textContent"
    )
    assert described == bubble.text_content()
    page.keyboard.press("Escape")
    assert bubble.count() == 0
    tab_until(page, ".ex-python")
    tab_until(page, ".ex-tab[aria-selected=true]")
    page.keyboard.press("ArrowRight")
    page.get_by_role("tab", name="Quantize", selected=True).wait_for()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("tab", name="Prune", selected=True).wait_for()
    tab_until(page, f"{SHOWN} .ex-layer[aria-selected=true]")
    page.keyboard.press("ArrowDown")
    page.wait_for_function(
        """() => document.querySelector(".ex-layer-picker select").selectedOptions[0]
            .textContent === "fc2" """
    )
    opened.assert_clean()


def test_a_step_at_an_end_says_that_it_goes_no_further(opened):
    page = opened.page
    open_tab(page, "Prune")
    names = ("Move Prune up", "Move Prune down", "Move Share up", "Move Share down")
    buttons = [page.get_by_role("button", name=name, exact=True) for name in names]
    ends = [button.get_attribute("aria-disabled") for button in buttons]
    assert ends == ["true", "false", "false", "true"]


def test_code_opens_holds_the_focus_and_closes(opened):
    page = opened.page
    open_tab(page, "Share")
    button = page.get_by_role("button", name="Copy as Python")
    button.focus()
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog", name="Python for the tab Share")
    window.wait_for()
    assert "different values" in window.locator("pre").inner_text()
    for _ in range(6):
        page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || !!document.activeElement.closest(%r)"
        assert page.evaluate(inside % ".ex-code-dialog")
    page.keyboard.press("Escape")
    window.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.className").startswith("ex-tool ex-python")
    opened.assert_clean()
