"""The memory that a kernel may take: told before, enforced by the system, and survived."""

import asyncio
import os
import subprocess
import sys

import pytest

from explorer import memory_budget
from explorer.bench.hosted import hosted
from explorer.bench.visitor import Visitor
from explorer.errors import NO_MEMORY, error_message
from explorer.history.state import State
from explorer.memory_budget import BUDGET_VARIABLE, NotEnoughMemory, require
from explorer.serve.limits import bytes_of, hold_self, kernel_bytes
from tests.serve.conftest import put

MIB = 2**20
LINUX = sys.platform == "linux"
GREEDY = """\
import torch
from ipywidgets import IntSlider, Label, VBox
from explorer.page.served import zoo
from explorer.errors import error_message

slider, label = IntSlider(0, max=100_000), Label("")
slider.add_class("dial")
label.add_class("shown")


def take(change):
    try:
        if change["new"] == 99:
            zoo.load("vit_h_14", weights=None)
        torch.ones(change["new"] * 2**18)
        label.value = f"{change['new']} MiB"
    except Exception as error:
        label.value = error_message(error)


slider.observe(take, "value")
VBox([slider, label])
"""


@pytest.mark.parametrize(
    ("text", "expected"), [("900M", 900 * MIB), ("6G", 6144 * MIB), ("1.5 GiB", 1536 * MIB)]
)
def test_amounts_are_read(text, expected):
    assert bytes_of(text) == expected


@pytest.mark.parametrize("text", ["", "6", "6X", "-1G", "nan", "1e9", "255M", "9" * 30 + "G"])
def test_what_is_no_amount_is_told(text):
    with pytest.raises(ValueError, match="kernel-memory must be an amount of at least 256M"):
        bytes_of(text)


def test_every_visitor_has_a_part_of_the_memory():
    assert kernel_bytes(64 * 1024 * MIB, 4) == (int(0.8 * 64 * 1024 * MIB) - 700 * MIB) // 4
    for memory in (512 * MIB, 1024 * MIB, 4096 * MIB):
        for most in (1, 10, 100):
            assert 256 * MIB <= kernel_bytes(memory, most) <= max(memory, 256 * MIB)


def test_what_does_not_fit_is_told_with_both_numbers(monkeypatch):
    monkeypatch.setattr(memory_budget, "left_bytes", lambda: 900_000_000)
    monkeypatch.setenv(BUDGET_VARIABLE, str(1 << 30))
    require(900_000_000, "it", "there")
    with pytest.raises(NotEnoughMemory) as told:
        require(2_700_000_000, "vit_h_14", "ex.load('vit_h_14')")
    assert error_message(told.value).startswith(
        "vit_h_14 needs about 2.7 GB, this page may use 0.9 GB more. It fits in a page of "
        "`compression-explorer app --kernel-memory 3G`, and in a notebook of your own: ex.load"
    )


def test_nothing_is_refused_where_nothing_is_limited(monkeypatch):
    monkeypatch.setattr(memory_budget, "left_bytes", lambda: None)
    require(10**15, "it", "there")
    hold_self({})
    hold_self({BUDGET_VARIABLE: "much"})


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("std::bad_alloc"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_memory_that_has_run_out_is_told_error_message(error):
    assert error_message(error) == NO_MEMORY


@pytest.mark.skipif(not LINUX, reason="the limit is Linux's")
def test_the_system_refuses_what_goes_beyond():
    code = (
        "import numpy as np\nfrom explorer.memory_budget import left_bytes\n"
        "from explorer.serve.limits import hold_self\n"
        f"assert left_bytes() is None\nhold_self({{'{BUDGET_VARIABLE}': str(300 << 20)}})\n"
        "assert 290 << 20 < left_bytes() <= 300 << 20\nkept = np.ones(200 << 17)\n"
        "assert left_bytes() < 101 << 20\n"
        "try:\n    np.ones(200 << 17)\nexcept MemoryError:\n    print('refused')"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert found.stdout == "refused\n", found.stderr


OPENING = """\
import sys
import torch
from safetensors.torch import save
from torch import nn
from explorer.page.open import open_file
from explorer.memory_budget import data_bytes
from explorer.serve.limits import hold_self
from explorer.session import Session
from tests.codec.corpus import with_tensor

tall = [[1 << 14, 1 << 14], {"kind": "pruned", "kept": 0}]
bomb = with_tensor(*tall, "float32", bytes(0)) if sys.argv[1] == "cmpx" else None
net = nn.Sequential(nn.Linear(5000, 2000))
shown = Session(nn.Linear(3, 2) if bomb else net, None, input_shape=(3,) if bomb else (5000,))
content = bomb or save(net.state_dict())
hold_self({sys.argv[2]: str(sys.argv[3])})
before = data_bytes()
try:
    open_file("it", content, shown, 1 << 40, "mine")
except (MemoryError, ValueError) as error:
    print(data_bytes() - before < 1 << 20, error)
"""


@pytest.mark.skipif(not LINUX, reason="the limit is Linux's")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("cmpx", "True what it holds needs about 4.3 GB, this page may use 0.1 GB more"),
        ("safetensors", "True opening it needs about 0.2 GB, this page may use 0.1 GB more"),
    ],
)
def test_an_upload_is_asked_about_before_it_is_read(kind, words):
    command = [sys.executable, "-c", OPENING, kind, BUDGET_VARIABLE, str(140 * MIB)]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.stdout.startswith(words), found.stdout + found.stderr


async def error_of(visitor):
    """The first error of a page; it may come after the page itself."""
    states = list(visitor.states.values())
    while not (found := [state["error"] for state in states if state.get("error")]):
        states = [(await visitor.receive())["content"].get("data", {}).get("state", {})]
    return found[0]


@pytest.mark.skipif(not LINUX, reason="the limit is Linux's")
def test_links_to_huge_networks_are_told_and_leave_the_others_alone():
    names = ["vit_h_14", "regnet_y_128gf", "vgg19", "vit_h_14"]

    async def visit(page):
        other = await Visitor.enter(page)
        told = []
        for name in names:
            link = State.from_dict({"model": name}).to_link()
            visitor = await Visitor.enter(f"{page}?state={link}")
            told.append(await error_of(visitor))
            await visitor.leave()
        turned = await other.turn(other.find("ex-dial-sparsity"), 0.6, other.find("ex-strip"))
        await other.leave()
        return told, turned

    options = {"max_kernels": 6, "n_ready": 0, "kernel_memory": 900 * MIB}
    with hosted(**options) as server:
        told, turned = asyncio.run(asyncio.wait_for(visit(server.page), 240))
    assert len(turned) == 2
    for name, words in zip(names, told, strict=True):
        assert words.startswith(f"{name} needs about ")
        assert "this page may use 0." in words
        assert "`compression-explorer app --kernel-memory " in words


@pytest.mark.skipif(not LINUX, reason="the limit is Linux's")
def test_a_kernel_of_a_small_budget_tells_and_lives(tmp_path):
    put(tmp_path, "app.ipynb", GREEDY, title="Greedy")

    async def visit(page):
        visitor = await Visitor.enter(page)
        dial, label = visitor.find("dial"), visitor.find("shown")
        told = []
        for value in (100, 3000, 99, 50):
            asked = {"method": "update", "state": {"value": value}, "buffer_paths": []}
            sent = await visitor.send("comm_msg", {"comm_id": dial, "data": asked})
            idle = False
            while not idle:
                message = await visitor.receive()
                content = message["content"]
                if content.get("comm_id") == label and "value" in content["data"]["state"]:
                    told.append(content["data"]["state"]["value"])
                mine = message["parent_header"].get("msg_id") == sent
                idle = mine and content.get("execution_state") == "idle"
        await visitor.leave()
        return told

    options = {"max_kernels": 1, "n_ready": 0, "kernel_memory": 600 * MIB}
    with hosted(notebook=tmp_path / "app.ipynb", **options) as server:
        told = asyncio.run(asyncio.wait_for(visit(server.page), 120))
    assert told[0] == "100 MiB"
    assert told[1] == NO_MEMORY
    assert told[2].startswith("vit_h_14 needs about 7.7 GB, this page may use 0.")
    assert told[3] == "50 MiB"
    assert BUDGET_VARIABLE not in os.environ
