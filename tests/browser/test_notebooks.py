"""In JupyterLab and Notebook 7: keys, a kernel that is gone, a notebook that is opened again."""

import json

import nbformat
import pytest

from tests.browser.conftest import SOURCE, VIEWPORT
from tests.browser.harness import READY_MS, leave, run_all_cells, until_ready, watch
from tests.waiting import until

pytestmark = pytest.mark.browser

HANDLE = ".ex-dial-sparsity .noUi-handle"
CELLS = """window.jupyterapp.shell.currentWidget.content.widgets.map(
  (cell) => [cell.model.type, cell.model.sharedModel.source])"""
UNSAVED = "window.jupyterapp.shell.currentWidget.context.model.dirty"
RESTART = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
KEYS = ["b", "a", "d", "d", "m", "y", "x", "Enter", "Shift+Enter"]
TURNED = "Prune 51.5%, Share 32 values"


@pytest.fixture(scope="module", params=["lab/tree", "notebooks"])
def opened(request, browser, lab, lab_folder):
    """A notebook of its own in each front end, and its file."""
    file = lab_folder / f"{request.param.partition('/')[0]}.ipynb"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [nbformat.v4.new_code_cell(SOURCE)]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    file.write_text(nbformat.writes(notebook), encoding="utf-8")
    address = f"{lab.partition('/lab/')[0]}/{request.param}/{file.name}?reset"
    context = browser.new_context(viewport=VIEWPORT)
    page = watch(context.new_page()).page
    page.goto(address)
    run_all_cells(page)
    until_ready(page)
    yield page, file
    leave(page)
    context.close()


def readout(page):
    return page.locator(".ex-dial-sparsity .widget-readout").inner_text()


def stills(file):
    """Texts of the pictures in a notebook's file."""
    (cell,) = json.loads(file.read_text(encoding="utf-8"))["cells"]
    found = [each["data"] for each in cell["outputs"]]
    return ["".join(data["text/plain"]) for data in found if "text/html" in data]


def test_keys_on_a_dial_go_to_the_dial_alone(opened):
    page, _ = opened
    before = page.evaluate(CELLS)
    page.locator(HANDLE).focus()
    for key in KEYS:
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert page.evaluate(CELLS) == before
    assert page.evaluate("document.activeElement.className").startswith("noUi-handle")
    assert readout(page) == "50.0"
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    until(lambda: readout(page) == "51.5")
    page.wait_for_timeout(600)
    page.keyboard.press("Control+z")
    until(lambda: readout(page) == "50.0")
    page.locator(HANDLE).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    until(lambda: readout(page) == "51.5")


def test_what_is_saved_holds_a_picture_of_the_last_state(opened):
    page, file = opened
    picture = page.locator(".ex-still img")
    assert not picture.is_visible()
    until(lambda: TURNED in picture.get_attribute("alt"))
    page.locator(HANDLE).focus()
    page.keyboard.press("Control+s")
    until(lambda: not page.evaluate(UNSAVED))
    (words,) = stills(file)
    assert TURNED in words


def test_a_kernel_that_is_gone_is_told(opened):
    page, _ = opened
    page.evaluate(RESTART)
    page.wait_for_selector(".ex-ended", timeout=READY_MS)
    words = page.locator(".ex-ended").inner_text()
    assert words.startswith("The kernel behind this explorer is gone")
    assert "Run the cell again" in words
    assert page.evaluate("document.querySelector('.ex-page').inert")


def test_a_notebook_that_is_opened_again_shows_the_picture(opened):
    page, _ = opened
    again = page.context.new_page()
    again.goto(page.url)
    picture = again.locator(".ex-still img")
    picture.wait_for(state="visible", timeout=READY_MS)
    assert TURNED in picture.get_attribute("alt")
    assert picture.evaluate("async (each) => { await each.decode(); return each.naturalWidth }")
    sentence = again.locator(".ex-still figcaption")
    assert sentence.inner_text().startswith("This is how the explorer last looked; run the cell")
    assert again.locator(".ex-root").count() == 0
    leave(again)


def test_running_the_cell_again_goes_on(opened):
    page, _ = opened
    run_all_cells(page)
    page.wait_for_selector(".ex-ended", state="detached", timeout=READY_MS)
    page.wait_for_selector(".ex-root:not(.jupyter-widgets-disconnected)", timeout=READY_MS)
    assert not page.locator(".ex-still").is_visible()
