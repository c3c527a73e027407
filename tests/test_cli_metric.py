"""``--metric`` of the command line."""

import csv
import json
import re
import sys
from textwrap import dedent

import pytest

import explorer as ex
from explorer import cli

MODULE = """
    import explorer as ex

    def norm(net):
        return 100 * float(net.fc3.weight.detach().norm())

    kilos = ex.Metric(norm, "norm", "kg", higher_is_better=False)
    spread = ex.Metric(lambda net: ex.Score(0.5, n=40, low=0.25, high=0.75), "spread")
    number = 3
    nothing = None

    def tensor(net):
        return net.fc3.weight.sum()

    def raises(net):
        raise KeyError("a key")

    def leaves(net):
        raise SystemExit(3)
"""
GRID = '[[steps]]\nstep = "Prune"\nsparsity = [0.5, 0.9]\n'


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_metrics.py").write_text(dedent(MODULE), encoding="utf-8")
    (tmp_path / "broken_metrics.py").write_text("import not_there_at_all\n", encoding="utf-8")
    (tmp_path / "wrong_metrics.py").write_text("1 / 0\n", encoding="utf-8")
    (tmp_path / "grid.toml").write_text(GRID, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("own_metrics", "broken_metrics", "wrong_metrics"):
        sys.modules.pop(name, None)


@pytest.fixture
def file(own):
    net, _ = ex.load("lenet-300-100")
    ex.compress(net, [ex.Prune(sparsity=0.5)], network="lenet-300-100").save(own / "a.cmpx")
    return str(own / "a.cmpx")


def expected(sparsity):
    net, _ = ex.load("lenet-300-100")
    small = ex.compress(net, [ex.Prune(sparsity=sparsity)])
    return 100 * float(small.restore().fc3.weight.detach().norm())


def test_a_file_is_judged_by_it(file, capsys):
    assert cli.main(["evaluate", file, "--metric", "own_metrics:kilos"]) == 0
    assert capsys.readouterr().out == f"norm {expected(0.5):.1f} kg (lower is better)\n"
    assert cli.main(["evaluate", file, "--metric", "own_metrics:norm"]) == 0
    assert capsys.readouterr().out == f"norm {expected(0.5):.1f} (higher is better)\n"
    assert cli.main(["evaluate", file, "--metric", "own_metrics:spread"]) == 0
    told = "(95 % interval 0.25–0.75, n = 40, higher is better)\n"
    assert capsys.readouterr().out == f"spread 0.5 {told}"


@pytest.mark.parametrize("where", [[], ["--processes"]], ids=["threads", "processes"])
def test_a_sweep_is_judged_by_it_and_shows_it_as_it_is(own, capsys, where):
    given = ["sweep", "lenet-300-100", "--grid", "grid.toml", "--workers", "1"]
    given += ["--metric", "own_metrics:kilos", *where]
    assert cli.main([*given, "-o", "a.json"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["ratio", "bytes", "norm"]
    assert [line.split()[2:5] for line in lines] == [
        [f"{expected(sparsity):.6g}", "kg", "-"] for sparsity in (0.9, 0.5)
    ]
    assert "%" not in "".join(line.split("Prune")[0] for line in lines)
    first, _ = json.loads((own / "a.json").read_text(encoding="utf-8"))
    assert (first["metric"], first["unit"], first["top1"]) == ("norm", "kg", None)
    assert first["value"] == pytest.approx(expected(0.9))
    assert cli.main([*given, "-o", "a.csv"]) == 0
    with (own / "a.csv").open(encoding="utf-8", newline="") as table:
        assert next(csv.DictReader(table))["metric"] == "norm"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("norm", "metric must name a module and a function in it, .* got 'norm'"),
        ("own_metrics:", "metric must name a module and a function in it"),
        ("no_such_module:norm", "metric: there is no module 'no_such_module' here"),
        ("own_metrics:other", "metric: own_metrics has no 'other'"),
        ("own_metrics:number", "expected a function that takes a network .* got int from own_"),
        ("own_metrics:nothing", "metric: own_metrics:nothing is None"),
        ("broken_metrics:norm", "broken_metrics could not be imported: No module named 'not_"),
        ("wrong_metrics:norm", "wrong_metrics could not be imported: ZeroDivisionError"),
        ("own_metrics:tensor", r"metric: expected a finite number.* got a Tensor of shape \(\)"),
        ("own_metrics:raises", "metric: KeyError: 'a key'"),
        ("own_metrics:leaves", "metric: raised SystemExit"),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(file, capsys, name, words):
    assert cli.main(["evaluate", file, "--metric", name]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert re.search(words, told.err), told.err
