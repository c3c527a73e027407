"""Explorers in a notebook's kernel: a cell that is run again leaves none behind."""

import ast

import pytest
from jupyter_client.manager import start_new_kernel

from explorer.page.still import StillPanel

START = """
import gc, threading
import explorer as ex
from ipywidgets.widgets.widget import _instances
net, data = ex.load("lenet-300-100")
def alive():
    gc.collect()
    apps = [each for each in gc.get_objects() if issubclass(type(each), ex.Explorer)]
    return len(apps), sum(each._is_open for each in apps)
"""
END = """
for each in gc.get_objects():
    if issubclass(type(each), ex.Explorer):
        each.close()
%reset -f out
%reset -f
"""
MADE = "app = ex.Explorer(net, data); _ = app.wait(60)\napp"


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel()
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def send(client, code, cell=None):
    """Have code run as a front end does that tells which cell it is; return the request's name."""
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    message = client.session.msg("execute_request", content | {"user_expressions": {}})
    message["metadata"] = {} if cell is None else {"cellId": cell}
    client.shell_channel.send(message)
    return message["header"]["msg_id"]


def run(client, code, cell=None):
    """Run code; return what it evaluates to, as text."""
    name = send(client, code, cell)
    found = None
    while True:
        got = client.get_iopub_msg(timeout=120)
        if got["parent_header"].get("msg_id") != name:
            continue
        kind, content = got["msg_type"], got["content"]
        if kind == "error":
            raise AssertionError("\n".join(content["traceback"]))
        if kind == "execute_result":
            found = content["data"]["text/plain"]
        if kind == "status" and content["execution_state"] == "idle":
            return found


def counts(client):
    """Explorers in memory, open ones, widgets, threads."""
    shown = run(client, "(*alive(), len(_instances), threading.active_count())")
    return ast.literal_eval(shown)


@pytest.fixture
def started(kernel):
    run(kernel, START)
    yield kernel
    run(kernel, END)


def test_ten_runs_of_a_cell_keep_one_explorer(started):
    run(started, MADE, "a")
    first = counts(started)
    assert first[:2] == (1, 1)
    for _ in range(8):
        run(started, "app = ex.Explorer(net, data)\napp", "a")
    run(started, MADE, "a")
    assert counts(started) == first


def test_a_cell_without_a_name_is_known_by_its_text(started):
    run(started, MADE)
    first = counts(started)
    for _ in range(2):
        run(started, MADE)
    assert counts(started) == first


def test_explorers_of_other_cells_and_of_the_same_run_live(started):
    run(started, MADE, "a")
    run(started, "pair = [ex.Explorer(net, data), ex.Explorer(net, data)]", "b")
    assert counts(started)[:2] == (3, 3)
    run(started, "pair = [ex.Explorer(net, data)]", "b")
    assert counts(started)[:2] == (2, 2)
    assert run(started, "app.wait(60).complete") == "True"


def test_a_name_for_what_was_closed_stays(started):
    run(started, "mine = ex.Explorer(net, data)\nmine", "a")
    run(started, "old = mine", "b")
    run(started, "mine = ex.Explorer(net, data)\nmine", "a")
    assert run(started, "(old._is_open, mine._is_open)") == "(False, True)"


def test_an_explorer_that_cannot_start_leaves_nothing(started):
    before = counts(started)
    failing = "ex.Explorer(net, data, recipe={'nowhere': [ex.Share(4)]})"
    run(started, f"try:\n    {failing}\nexcept ValueError:\n    pass", "a")
    assert counts(started) == before


def pictures(client, kind, words):
    """Texts of the pictures that are published, until one says what it should."""
    found = []
    while not found or words not in found[-1]:
        got = client.get_iopub_msg(timeout=60)
        if got["msg_type"] == kind and "text/html" in got["content"]["data"]:
            found.append(got["content"]["data"]["text/plain"])
    return found


def test_a_picture_follows_once_the_hand_has_rested(started):
    run(started, "app = ex.Explorer(net, data)\n_ = app.wait(60)", "a")
    send(started, "app", "b")
    pictures(started, "display_data", "Recipe: Prune 0%")
    moves = "for i in range(60, 80):\n    app.recipe = [ex.Prune(sparsity=i / 100)]"
    send(started, f"{moves}\n_ = app.wait(60)", "c")
    assert len(pictures(started, "update_display_data", "Recipe: Prune 79%")) <= 2


def test_without_a_notebook_no_picture_is_made():
    made = []
    panel = StillPanel(lambda: made.append(1))
    panel.show()
    panel.renew()
    panel.close()
    assert made == []
