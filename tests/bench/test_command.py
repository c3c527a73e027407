"""``compression-explorer bench``."""

import contextlib
import io
import json
import math
import platform

import pytest

from explorer import bench
from explorer.bench import browser, starting, suite

PEERS = (
    "torch.nn.utils.prune.l1_unstructured",
    "torch.nn.utils.prune.global_unstructured",
    "scikit-learn KMeans, k = 16",
    "scikit-learn MiniBatchKMeans, k = 16",
    "kmeans1d, k = 16",
    "faiss Kmeans, k = 16",
    "torch.linalg.svd",
    "torch.fake_quantize_per_tensor_affine",
    "torchao quantize_",
)
METHODS = ("Prune", "Binarize", "Quantize(8)", "Share(32)")


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert bench.main(["--quick", "--models", "lenet-300-100", "--json", str(file)]) == 0
    return out.getvalue(), json.loads(file.read_text(encoding="utf-8"))


def test_every_row_is_sane(quick):
    rows = quick[1]["rows"]
    for row in rows:
        assert row["network"] == "lenet-300-100"
        assert row["name"]
        assert row["baseline"]
        assert row["n_runs"] >= 1
        assert 0 <= row["median_ms"] <= row["p95_ms"] < math.inf
        assert 0 <= row["ratio"] < math.inf
        assert 0 <= row["best_ratio"] < math.inf
    assert len({(row["name"], row["measures"]) for row in rows}) == len(rows)


def test_every_group_has_its_rows(quick):
    found = {(row["name"], row["measures"]) for row in quick[1]["rows"]}
    assert ("LowRank, all layers", "rewrite only, rank 64, factors at hand") in found
    for method in METHODS:
        for what in ("rewrite only", "figures + rewrite"):
            assert (f"{method}, all layers", what) in found
    for method in METHODS:
        assert (f"{method}, layer fc1 alone", "figures + rewrite") in found
        assert (f"{method}, all layers", "figures only") in found
        assert (f"{method}, layer fc1", "figures + views") in found
    names = [name for name, _ in found]
    assert names.count("accuracy") == 4
    assert "index, all layers" in names
    told = {row["name"] for part in ("rows", "skipped") for row in quick[1][part]}
    assert told >= {*PEERS, "memory"}


def test_the_table_tells_all_of_it_without_colors(quick):
    text, content = quick
    assert "\x1b" not in text
    for row in content["rows"]:
        assert f"{row['name']}: {row['measures']}" in text
    for row in content["skipped"]:
        assert f"skipped: {row['name']}: {row['reason']}" in text


def test_the_machine_is_described_but_not_named(quick):
    machine = quick[1]["machine"]
    assert machine["cores"] >= 1
    assert machine["torch"].split(".")[0].isdecimal()
    said = json.dumps(machine)
    assert platform.node() not in said
    assert "/" not in said


def test_an_unknown_model_is_told():
    with (
        contextlib.redirect_stdout(io.StringIO()),
        pytest.raises(ValueError, match=r"expected one of catalog\(\), got 'lenet-55'"),
    ):
        bench.main(["--models", "lenet-55"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--runs", "0"], "expected a whole number from 1 up, got '0'"),
        (["--models", ","], "expected names joined by commas"),
    ],
)
def test_a_bad_option_is_told(arguments, expected, capsys):
    with pytest.raises(SystemExit) as ended:
        bench.main(arguments)
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err


def test_options_reach_the_measurements(monkeypatch, capsys):
    calls = []
    monkeypatch.setattr(
        suite, "measure", lambda name, effort, **rest: calls.append((name, effort, rest)) or []
    )
    monkeypatch.setattr(browser, "measure_pages", lambda models: calls.append(models) or [])
    monkeypatch.setattr(starting, "measure_startup", lambda: calls.append("visits") or [])
    arguments = ["--models", "lenet-5, vgg16", "--runs", "7", "--no-peers", "--browser"]
    assert bench.main(arguments) == 0
    (first, effort, rest), (second, _, _), page, visits = calls
    assert visits == "visits"
    assert (first, second, page) == ("lenet-5", "vgg16", ("lenet-5", "vgg16"))
    assert effort.n_runs == 7
    assert rest["peers"] is False
    assert "cores" in capsys.readouterr().out
