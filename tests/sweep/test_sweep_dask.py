"""Sweeps on a real cluster of Dask, with its workers in processes."""

import pytest
from sweep_subjects import RECIPES, figures, loaded, small_data, small_net

from explorer.sweep.run import sweep

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def test_a_cluster_finds_what_threads_find(cluster, tmp_path):
    net, data = small_net(), small_data()
    here = figures(sweep(net, data, RECIPES))
    with distributed.Client(cluster, set_as_default=False) as client:
        executor = client.get_executor()
        path = tmp_path / "points.sqlite"
        assert figures(sweep(net, data, RECIPES, executor=executor, store=path)) == here
        assert figures(sweep(net, data, RECIPES, executor=executor, loader=loaded)) == here
    told = []
    assert figures(sweep(net, data, RECIPES, store=path, progress=told.append)) == here
    assert told[-1].n_known == len(RECIPES)
