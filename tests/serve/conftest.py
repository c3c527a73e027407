"""A folder of small notebooks, served."""

import nbformat
import pytest

from explorer.bench.hosted import hosted

MOST = 4
WIDGETS = """\
import os
import torch
from ipywidgets import IntSlider, Label, VBox

slider, label = IntSlider(5, max=100), Label("5")
threads = Label(f"{os.environ.get('OMP_NUM_THREADS')} {torch.get_num_threads()}")
slider.add_class("dial")
label.add_class("shown")
threads.add_class("threads")


def in_the_source(change):
    if change["new"] == 13:
        raise RuntimeError("in the traceback")
    label.value = str(change["new"])


slider.observe(in_the_source, "value")
VBox([slider, label, threads])
"""
BROKEN = 'raise RuntimeError("in the traceback" + "!")'


def put(folder, name, source, **metadata):
    cells = [nbformat.v4.new_code_cell(source)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata | {"kernelspec": kernel})
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """The folder; beside it and below it lies what is not to be shown."""
    folder = tmp_path_factory.mktemp("served") / "shelf"
    put(folder, "app.ipynb", WIDGETS, title="The page")
    put(folder, "01_broken.ipynb", BROKEN, title="A <b>broken</b> one", description="It fails.")
    put(folder / "below", "inner.ipynb", WIDGETS)
    put(folder.parent, "outside.ipynb", WIDGETS)
    for place in (folder, folder.parent, folder / "below"):
        (place / "secret.txt").write_text("a secret", encoding="utf-8")
        (place / "secret.py").write_text("a secret", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def most():
    """How many visitors the server takes."""
    return MOST


@pytest.fixture(scope="session")
def server(shelf):
    options = {"max_kernels": MOST, "n_ready": 0, "left_seconds": 4.0}
    with hosted(notebook=shelf / "app.ipynb", **options) as found:
        yield found
