"""Training in the browser: run, paused, stopped, used; and the hand stays free."""

import re

import pytest

from explorer.bench.browser import measure_drag
from tests.browser.harness import READY_MS, until_ready, until_still

pytestmark = pytest.mark.browser

LINE = ".ex-train-accuracy .bqplot path.line"
LONGEST = """(selector) => Math.max(0, ...[...document.querySelectorAll(selector)]
  .map((path) => (path.getAttribute("d") ?? "").length))"""


def opened(new_page, address):
    watched = new_page()
    page = watched.page
    page.goto(address)
    until_ready(page)
    page.get_by_role("tab", name="Train").click()
    page.locator(".ex-run-start").wait_for()
    return watched


def choose(page, plan):
    page.get_by_label("What", exact=True).select_option(label=plan)


def step(page):
    found = re.match(r"Step ([\d,]+) of", page.locator(".ex-run .ex-status").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def until_step(page, least):
    page.wait_for_function(
        """(least) => Number(/Step ([\\d,]+) of/.exec(
            document.querySelector(".ex-run .ex-status").textContent)?.[1].replace(",", ""))
            >= least""",
        arg=least,
        timeout=READY_MS,
    )


def test_a_run_is_watched_paused_stopped_and_its_network_used(voila, new_page):
    watched = opened(new_page, voila)
    page = watched.page
    choose(page, "Retrain")
    page.get_by_role("button", name="Start").click()
    until_step(page, 60)
    measure_drag(page, to=0.8, duration_s=0.5)
    page.get_by_text("80.0%", exact=True).first.wait_for()
    page.get_by_role("button", name="Pause").click()
    page.locator(".ex-status", has_text="paused").first.wait_for()
    until_still(page)
    held = step(page)
    page.wait_for_timeout(500)
    assert step(page) == held
    assert page.evaluate(LONGEST, LINE) > 100
    page.get_by_role("button", name="Resume").click()
    until_step(page, held + 5)
    page.get_by_role("button", name="Stop").click()
    page.locator(".ex-caption", has_text="Stopped: ").wait_for()
    page.get_by_role("button", name="Use this network").click()
    page.wait_for_function(
        """() => document.querySelector(".ex-figure-sparsity .ex-value").textContent > "5" """,
        timeout=READY_MS,
    )
    watched.assert_clean()


def test_every_plan_shows_its_views(voila, new_page):
    watched = opened(new_page, voila)
    page = watched.page
    for plan in ("Regularize", "L1 against L2", "Share while training", "Drop neurons", "Recover"):
        choose(page, plan)
        page.wait_for_timeout(300)
        page.get_by_role("button", name="Start").click()
        page.wait_for_function(f"(line) => ({LONGEST})(line) > 60", arg=LINE, timeout=READY_MS)
        page.get_by_role("button", name="Stop").click()
        page.locator(".ex-train-use button").wait_for()
    watched.assert_clean()


def test_recovery_follows_the_hand(voila, new_page):
    watched = opened(new_page, voila)
    page = watched.page
    choose(page, "Recover")
    page.get_by_label("Keep retraining after each move").check()
    measure_drag(page, to=0.95, duration_s=0.5)
    page.get_by_text(re.compile(r"Retrained for .* images; zeros")).wait_for(timeout=READY_MS)
    watched.assert_clean()
