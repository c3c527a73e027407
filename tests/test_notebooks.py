"""The notebooks run from top to bottom."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
PLAIN = sorted(path.name for path in FOLDER.glob("*.ipynb") if path.name != "app.ipynb")


@pytest.mark.filterwarnings("ignore:Kernel is running over TCP:Warning")
@pytest.mark.parametrize("name", PLAIN)
def test_a_notebook_runs_and_its_outputs_are_not_committed(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
