"""One Chromium for all browser tests, and pages that are watched."""

import nbformat
import pytest

from explorer.bench.browser import chromium, serving
from explorer.bench.hosted import hosted
from tests.browser.harness import (
    READY_MS,
    end,
    jupyterlab,
    leave,
    run_all_cells,
    until_ready,
    watch,
)

VIEWPORT = {"width": 1400, "height": 1000}
NETWORK = "lenet-300-100"
SOURCE = f"""\
import explorer as ex

net, data = ex.load("{NETWORK}")
ex.Explorer(net, data, recipe=[ex.Prune(sparsity=0.5), ex.Share(n_clusters=32)])
"""
SOCKETS = """
window.sockets = [];
const Plain = WebSocket;
window.WebSocket = class extends Plain {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
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
def lab_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="package")
def lab(lab_folder):
    folder = lab_folder
    cells = [nbformat.v4.new_code_cell(SOURCE)]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    (folder / "explorer.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    with jupyterlab(folder) as address:
        yield f"{address}/lab/tree/explorer.ipynb?reset"


@pytest.fixture(scope="package")
def server():
    """A server with room for two visitors that starts with another network than `voila`."""
    with hosted(model="lenet-5", max_kernels=2, n_ready=0) as found:
        yield found


@pytest.fixture
def new_page(browser):
    """Make a watched page; keyword arguments are those of the browser's context."""
    contexts = []

    def make(**options):
        context = browser.new_context(viewport=VIEWPORT, **options)
        contexts.append(context)
        return watch(context.new_page())

    yield make
    for context in contexts:
        for page in context.pages:
            leave(page)
        context.close()


@pytest.fixture
def visit(browser, server):
    """Make a page of a visitor to `server` who gives the place back in the end."""
    contexts = []

    def make(**options):
        context = browser.new_context(viewport=VIEWPORT, **options)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.set_offline(False)
        for page in context.pages:
            end(page)
        context.close()


@pytest.fixture
def page(server, visit):
    """A visitor's explorer, ready, whose connections are in `window.sockets`."""
    page = visit()
    page.add_init_script(SOCKETS)
    page.goto(server.page, timeout=READY_MS)
    until_ready(page)
    return page


@pytest.fixture(scope="module")
def opened(request, browser, voila):
    """One page for the tests of a module, for a kernel takes its time to start."""
    context = browser.new_context(viewport=getattr(request.module, "VIEWPORT", VIEWPORT))
    found = watch(context.new_page())
    found.page.goto(voila)
    until_ready(found.page)
    yield found
    leave(found.page)
    context.close()


@pytest.fixture(scope="package")
def notebook(browser, lab):
    """A notebook that JupyterLab has open, with its kernel."""
    context = browser.new_context(
        viewport=VIEWPORT, permissions=["clipboard-read", "clipboard-write"]
    )
    found = watch(context.new_page())
    found.page.goto(lab)
    yield found
    leave(found.page)
    context.close()


@pytest.fixture
def in_notebook(notebook):
    """A new explorer, ready, in a notebook whose kernel runs already."""
    run_all_cells(notebook.page)
    until_ready(notebook.page)
    assert notebook.page.locator(".ex-page").count() == 1
    return notebook


@pytest.fixture
def in_voila(voila, new_page):
    """The explorer, ready, as a web page."""
    found = new_page()
    found.page.goto(voila)
    until_ready(found.page)
    return found


@pytest.fixture(params=["voila", "notebook"])
def watched(request):
    """The explorer, ready, as a web page and in a JupyterLab notebook."""
    return request.getfixturevalue(f"in_{request.param}")
