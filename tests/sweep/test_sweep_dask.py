"""Sweeps on a real cluster of Dask, with its workers in processes."""

import pytest
from sweep_subjects import RECIPES, broken, figures, loaded, small_data, small_net, weight_norm

from explorer.measure.metric import Metric, Score
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


@pytest.mark.parametrize("data", [small_data(), None], ids=["data", "no data"])
def test_a_cluster_judges_by_a_metric(cluster, tmp_path, data):
    metric = Metric(weight_norm, "norm", "kg", higher_is_better=False)
    here = judged(sweep(small_net(), data, RECIPES, metric=metric))
    assert {type(score) for score in here.values()} == {Score}
    with distributed.Client(cluster, set_as_default=False) as client:
        given = {"executor": client.get_executor(), "metric": metric}
        store = tmp_path / "points.sqlite"
        assert judged(sweep(small_net(), data, RECIPES, store=store, **given)) == here
        assert judged(sweep(small_net(), data, RECIPES, store=store, metric=metric)) == here
        if data is not None:
            assert judged(sweep(small_net(), data, RECIPES, loader=loaded, **given)) == here


def test_a_metric_that_cannot_be_sent_to_a_cluster_is_refused_in_words(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        executor = client.get_executor()
        points = sweep(small_net(), None, RECIPES, executor=executor, metric=lambda net: 45.3)
        with pytest.raises(ValueError, match=r"metric cannot be sent .* or sweep in threads"):
            list(points)


def test_what_goes_wrong_with_a_metric_on_a_cluster_is_told_in_each_point(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        executor = client.get_executor()
        points = list(sweep(small_net(), None, RECIPES[:2], executor=executor, metric=broken))
    assert [point.accuracy for point in points] == [None, None]
    assert all("ZeroDivisionError" in point.error_message for point in points)


def judged(points):
    found = {point.recipe: point for point in points}
    assert [point.error_message for point in found.values() if point.error_message] == []
    return {recipe: point.accuracy for recipe, point in found.items()}
