"""The notebooks run from top to bottom, and their questions can be answered."""

import json
import re
from pathlib import Path

import nbformat
import pytest
import torch
from nbclient import NotebookClient

import explorer as ex
from explorer.chapters.page_text import with_formulas
from explorer.chapters.questions import NumberQuestion, Question
from explorer.experiments.lessons import UnseenClass, WrongLabels
from explorer.experiments.pruning import Retrain
from explorer.experiments.structure import ShareWhileTraining
from explorer.experiments.students import StudentBesideStudent
from explorer.session.background import State

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


def run_plan(app, tab, plan):
    """Run a plan to its end; return the tab."""
    panel = app._topics[tab]
    panel.setup.plan = plan
    panel.start()
    assert panel.training.join(WAIT_S) is State.DONE
    return panel


def retrain(sparsity):
    """Answer by running the plan and using its network."""

    def answer(app, _asked):
        plan = Retrain(sparsity=sparsity, n_stages=4, n_epochs=4)
        run_plan(app, "Train", plan).use_trained()

    return answer


def open_finished(app, _asked):
    name = "deep-compression-lenet-300-100"
    app.state = ex.State(name, recipe=ex.open(name).recipe)


def share_while_training(app, _asked):
    app.state = ex.State("lenet-300-100", recipe=ex.Recipe())
    app.wait(WAIT_S)
    run_plan(app, "Train", ShareWhileTraining(n_clusters=4)).use_trained()


def put_labels_right(app, asked):
    log = run_plan(app, "Distill", WrongLabels()).training.log
    (labels,) = log.found["labels"]
    asked.typed.value = f"{100 * labels.corrected.share:.1f}"


def miss_a_class(app, asked):
    log = run_plan(app, "Distill", UnseenClass()).training.log
    (told,) = log.found["answers"]
    right = (told.logits.argmax(1) == told.labels) & (told.labels == UnseenClass().label)
    asked.typed.value = str(int(right.sum()))


def teach_a_student(app, _asked):
    run_plan(app, "Distill", StudentBesideStudent(n_seeds=1, n_epochs=4)).use_trained()
    app.recipe = [ex.Share(n_clusters=16)]


CODES = [prune(0.0), ex.Share(n_clusters=16), ex.Entropy("ans")]
ANSWERS = {
    "01_anatomy": ["95.96", "2.86", "1.17", "4", [prune(0.45, "layer")], [prune(0.5, "layer")]],
    "02_prune": [
        "23,520",
        [prune(0.72, "layer")],
        [prune(0.9)],
        {"fc1": [prune(0.89, "layer")]},
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
        "54,200",
        [ex.LowRank(rank=40)],
        "50",
        [ex.LowRank(rank=30)],
        [ex.LowRank(rank=40), ex.Share(n_clusters=16)],
    ],
    "06_combine": [
        "1.75",
        "2",
        "9.6",
        [prune(0.8), ex.Share(n_clusters=16), ex.Entropy("huffman")],
        [prune(0.9), ex.Share(n_clusters=16), ex.Entropy("ans")],
        open_finished,
        "11,057",
    ],
    "07_train": ["42", retrain(0.95), CODES, retrain(0.98), "50", share_while_training],
    "08_distill": ["2.2", "33", "41.4", put_labels_right, miss_a_class, teach_a_student],
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
        answer(app, asked)
    else:
        app.recipe = answer


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_and_its_questions_can_be_answered_one_after_the_other(name):
    space, asked = run(name)
    app, answers = space["app"], ANSWERS[Path(name).stem]
    try:
        for each in asked:
            assert not each.check()
        for each, answer in zip(asked, answers, strict=True):
            assert not each.met, "answered by what an earlier question asks for"
            give(app, each, answer)
            assert each.check(), each._verdict.message
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
    stills = [i for i, cell in enumerate(cells) if "still" in cell.metadata.get("tags", [])]
    (at,) = [i for i in stills if not cells[i].source.startswith("|")]
    alt, picture = re.fullmatch(r"!\[(.+)\]\((.+)\)", cells[at].source).groups()
    assert alt.startswith("Still picture: ")
    assert 10_000 < (FOLDER / picture).stat().st_size <= MOST_PICTURE_BYTES
    assert "ex.Explorer(" in cells[at + 1].source


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_formula_is_one_that_the_page_can_typeset(name):
    for cell in nbformat.read(FOLDER / name, as_version=4).cells:
        if cell.cell_type == "markdown":
            assert "$" not in with_formulas(cell.source)


@pytest.mark.parametrize("name", CHAPTERS)
def test_links_between_the_notebooks_lead_somewhere(name):
    text = "\n".join(c.source for c in nbformat.read(FOLDER / name, as_version=4).cells)
    for target in re.findall(r"\]\(([^)]+\.ipynb)\)", text):
        assert (FOLDER / target).is_file(), target
