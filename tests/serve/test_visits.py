"""How many visitors there may be, and who counts as one."""

import asyncio

import pytest

from explorer.serve import limits
from explorer.serve.kernels import NoRoom, Visits
from explorer.serve.limits import memory_bytes, most_visitors


class Kernels(dict):
    """Kernels that run, by id, and pages that stand ready."""

    def __init__(self, *ready):
        super().__init__()
        self.ready = list(ready)

    async def start_kernel(self, **given):
        self["new"] = given
        return "new"

    async def shutdown_kernel(self, kernel_id):
        del self[kernel_id]

    def get_pool_size(self, name):
        return len(self.ready)

    async def get_rendered_notebook(self, **given):
        return ("task", "cache", self.ready.pop(0))

    def expect(self, kernel_id):
        self[kernel_id] = "expected"


def enter(visits, kernels, kernel_id):
    with visits.enter(kernels) as visit:
        visit.kernel_id = kernel_id
        if kernel_id:
            kernels[kernel_id] = {}
    return visit


def test_no_more_than_there_is_room_for():
    visits, kernels = Visits(2), Kernels()
    enter(visits, kernels, "a")
    enter(visits, kernels, "b")
    with pytest.raises(NoRoom):
        enter(visits, kernels, "c")
    del kernels["a"]
    enter(visits, kernels, "c")
    assert visits.count(kernels) == 2


def test_one_who_is_entering_counts_and_one_who_got_nothing_does_not():
    visits, kernels = Visits(1), Kernels()
    with visits.enter(kernels), pytest.raises(NoRoom):
        enter(visits, kernels, "b")
    assert visits.count(kernels) == 0


def test_a_page_whose_kernel_has_ended_is_passed_over():
    visits, kernels = Visits(1), Kernels("dead", "alive")
    kernels["alive"] = {}
    with visits.enter(kernels) as visit:
        found = asyncio.run(visit.get_rendered_notebook(notebook_name="app.ipynb"))
    assert (found[-1], visit.kernel_id, kernels["alive"]) == ("alive", "alive", "expected")
    with pytest.raises(NoRoom):
        asyncio.run(visit.get_rendered_notebook(notebook_name="app.ipynb"))


def test_a_visitor_who_leaves_takes_the_kernel_along():
    visits, kernels = Visits(1), Kernels()
    with visits.enter(kernels) as visit:
        asyncio.run(visit.start_kernel(path=""))
    assert visits.count(kernels) == 1
    asyncio.run(visit.leave())
    asyncio.run(visit.leave())
    assert visits.count(kernels) == 0


def test_memory_says_how_many():
    gib = 2**30
    assert most_visitors(gib // 2, forked=True) == 1
    assert most_visitors(16 * gib, forked=True) > 30
    assert most_visitors(16 * gib, forked=True) > most_visitors(16 * gib, forked=False)


def test_a_container_has_less_memory_than_its_machine(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(limits, "CGROUP_LIMITS", (limit, tmp_path / "none"))
    whole = memory_bytes()
    limit.write_text("1048576\n", encoding="ascii")
    assert memory_bytes() == 1048576
    limit.write_text("max\n", encoding="ascii")
    assert memory_bytes() == whole
