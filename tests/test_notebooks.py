"""The notebooks run from top to bottom, and their questions can be answered."""

import json
import re
from pathlib import Path

import nbformat
import pytest
import torch
from nbclient import NotebookClient

import explorer as ex
from explorer.chapters.questions import NumberQuestion, Question
from explorer.session.background import State
from explorer.session.training_plans import Retrain

FOLDER = Path(__file__).parents[1] / "notebooks"
PAGE, IN_A_KERNEL = "app.ipynb", "how_it_is_instant.ipynb"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
CHAPTERS = [name for name in NAMES if name not in (PAGE, IN_A_KERNEL)]
MOST_PICTURE_BYTES = 120_000
WAIT_S = 120


@pytest.fixture(autouse=True)
def one_thread():
    """Small batches are slower on more threads wherever these have to share a core."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def prune(sparsity, scope="model"):
    return ex.Prune(sparsity=sparsity, scope=scope)


def retrain(app):
    """Do what the chapter asks for: run the plan, use its network."""
    train = app._topics["Train"]
    train.setup.plan = Retrain(sparsity=0.95, n_stages=4, n_epochs=4)
    train.start()
    assert train.training.join(WAIT_S) is State.DONE
    train.use_trained()


def open_finished(app):
    name = "deep-compression-lenet-300-100"
    app.state = ex.State(name, recipe=ex.open(name).recipe)


def add_codes(app):
    app.recipe = [prune(0.0), ex.Share(n_clusters=16), ex.Entropy("ans")]


ANSWERS = {
    "01_anatomy": ["95.96", "1.17", "4", [prune(0.5, "layer")]],
    "02_prune": [
        "23,520",
        [prune(0.72, "layer")],
        [prune(0.9)],
        [ex.PruneNeurons(fraction=0.3)],
    ],
    "03_quantize": [
        "5",
        [ex.Quantize(bits=4, granularity="channel")],
        "29,400",
        [ex.Share(n_clusters=4)],
    ],
    "04_share": [
        "8.0",
        [ex.Share(n_clusters=8)],
        [ex.Product(n_subvectors=128, n_centroids=16)],
        "200 704",
    ],
    "05_factorize": [
        "216",
        [ex.LowRank(rank=40)],
        "50",
        [ex.LowRank(rank=30)],
        [ex.LowRank(rank=40), ex.Share(n_clusters=16)],
    ],
    "06_combine": [
        "9.6",
        [prune(0.8), ex.Share(n_clusters=16), ex.Entropy("huffman")],
        [prune(0.9), ex.Share(n_clusters=16), ex.Entropy("ans")],
        open_finished,
        "11,057",
    ],
    "07_train": ["42", retrain, add_codes, "50", add_codes],
    "your_own_model": [[prune(0.5), ex.Share(n_clusters=8), ex.Entropy()]],
}


def run(name):
    """Run a notebook's cells in this process; return their names, and the questions in order."""
    notebook = nbformat.read(FOLDER / name, as_version=4)
    space, asked = {"__name__": "__main__"}, []
    known = (NumberQuestion, Question)
    made = {kind: kind.__init__ for kind in known}

    def noting(kind):
        def begin(self, *args, **kwargs):
            made[kind](self, *args, **kwargs)
            asked.append(self)

        return begin

    with pytest.MonkeyPatch.context() as patch:
        for kind in known:
            patch.setattr(kind, "__init__", noting(kind))
        for cell in notebook.cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, f"{name}, cell {cell.id}", "exec"), space)
    return space, asked


def give(app, asked, answer):
    if isinstance(answer, str):
        asked.typed.value = answer
    elif callable(answer):
        answer(app)
    else:
        app.recipe = answer


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_and_its_questions_can_be_answered_one_after_the_other(name):
    space, asked = run(name)
    app, answers = space["app"], ANSWERS.get(Path(name).stem)
    try:
        for each in asked:
            assert not each.check()
        for each, answer in zip(asked, answers or [], strict=answers is not None):
            give(app, each, answer)
            assert each.check(), each._verdict.widget.message
    finally:
        for each in asked:
            each.close()
        app.close()


@pytest.mark.filterwarnings("ignore:Kernel is running over TCP:Warning")
def test_a_notebook_runs_in_a_kernel():
    notebook = nbformat.read(FOLDER / IN_A_KERNEL, as_version=4)
    NotebookClient(notebook, timeout=WAIT_S, kernel_name="python3").execute()


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_says_what_it_is_and_holds_no_outputs(name):
    notebook = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    if name in CHAPTERS:
        told = notebook["metadata"]
        assert told["title"]
        assert re.fullmatch(r"[A-Z].{20,140}\.", told["description"])
        assert told["voila"] == {"template": "compression-explorer"}
        assert told["kernelspec"]["name"] == "python3"


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_picture_stands_above_the_live_explorer(name):
    cells = nbformat.read(FOLDER / name, as_version=4).cells
    (at,) = [i for i, cell in enumerate(cells) if "still" in cell.metadata.get("tags", [])]
    alt, picture = re.fullmatch(r"!\[(.+)\]\((.+)\)", cells[at].source).groups()
    assert alt.startswith("Still picture: ")
    assert 10_000 < (FOLDER / picture).stat().st_size <= MOST_PICTURE_BYTES
    assert "ex.Explorer(" in cells[at + 1].source


@pytest.mark.parametrize("name", CHAPTERS)
def test_links_between_the_notebooks_lead_somewhere(name):
    text = "\n".join(c.source for c in nbformat.read(FOLDER / name, as_version=4).cells)
    for target in re.findall(r"\]\(([^)]+\.ipynb)\)", text):
        assert (FOLDER / target).is_file(), target
