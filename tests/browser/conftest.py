"""One Chromium for all browser tests, and pages that are watched."""

import nbformat
import pytest

from explorer.bench.browser import chromium, serving
from tests.browser.harness import jupyterlab, leave, run_all_cells, until_ready, watch

NETWORK = "lenet-300-100"
SOURCE = f"""\
import explorer as ex

net, data = ex.load("{NETWORK}")
ex.Explorer(net, data, recipe=[ex.Prune(sparsity=0.5), ex.Share(n_clusters=32)])
"""


@pytest.fixture(scope="package")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def voila():
    with serving(NETWORK) as address:
        yield address


@pytest.fixture(scope="package")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(SOURCE)]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    (folder / "explorer.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    with jupyterlab(folder) as address:
        yield f"{address}/lab/tree/explorer.ipynb"


@pytest.fixture
def new_page(browser):
    """Make a watched page; keyword arguments are those of the browser's context."""
    contexts = []

    def make(**options):
        context = browser.new_context(viewport={"width": 1400, "height": 1000}, **options)
        contexts.append(context)
        return watch(context.new_page())

    yield make
    for context in contexts:
        for page in context.pages:
            leave(page)
        context.close()


@pytest.fixture(params=["voila", "lab"])
def watched(request, new_page):
    """The explorer, ready, as a web page and in a JupyterLab notebook."""
    found = new_page()
    found.page.goto(request.getfixturevalue(request.param))
    if request.param == "lab":
        run_all_cells(found.page)
    until_ready(found.page)
    return found
