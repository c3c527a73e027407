"""The public names and what they promise to each other."""

import inspect

import pytest

import explorer as ex

CONTRACT = [
    "Binarize", "Explorer", "LowRank", "Prune", "Quantize", "Session", "Share",
    "catalog", "compress", "evaluate", "load", "open", "profile",
]  # fmt: skip


@pytest.mark.parametrize("name", ex.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert inspect.getdoc(getattr(ex, name))


def test_the_contract_is_public():
    assert set(CONTRACT) <= set(ex.__all__)
    assert len(set(ex.__all__)) == len(ex.__all__)


def test_an_unknown_name_is_refused_in_words():
    with pytest.raises(AttributeError, match="module 'explorer' has no attribute 'prune'"):
        _ = ex.prune


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (ex.Prune, ["sparsity", "threshold", "scope", "criterion"]),
        (ex.Quantize, ["bits", "granularity"]),
        (ex.Binarize, ["scale"]),
        (ex.Share, ["n_clusters", "init"]),
        (ex.LowRank, ["rank", "energy"]),
        (ex.load, ["name"]),
        (ex.compress, ["net", "recipe"]),
        (ex.evaluate, ["net", "data"]),
        (ex.profile, ["net"]),
        (ex.open, ["path"]),
        (ex.Session, ["net", "data"]),
    ],
)
def test_parameters_keep_their_names_and_order(call, names):
    assert list(inspect.signature(call).parameters)[: len(names)] == names


def test_the_readers_path_from_a_network_to_a_file(tmp_path):
    net, data = ex.load("lenet-300-100")
    recipe = [ex.Prune(sparsity=0.9), ex.Share(n_clusters=32)]
    small = ex.compress(net, recipe)
    assert small.compression_ratio > 20
    assert small["fc1"].size_bits < 32 * 235_200 / 20
    small.save(tmp_path / "lenet.cmpx")
    assert (tmp_path / "lenet.cmpx").stat().st_size == small.size_bytes
    opened = ex.open(tmp_path / "lenet.cmpx")
    accuracy = ex.evaluate(opened.restore(), data.eval)
    assert accuracy == ex.evaluate(small.restore(), data.eval)
    assert accuracy.n == 2000
    assert 0.6 < accuracy.low < accuracy.top1 < accuracy.high < 1
    session = ex.Session(net, data)
    try:
        session.apply(recipe)
        result = session.wait(60)
        assert (result.accuracy, result.size_bytes) == (accuracy, small.size_bytes)
        assert session.figures(recipe).compression_ratio == small.compression_ratio
    finally:
        session.close()
    rows = ex.profile(net, (1, 28, 28))
    assert sum(row.macs for row in rows) == 266_200
    assert ex.recipe_from_json(small.recipe.to_json()) == ex.Recipe.of(recipe)
