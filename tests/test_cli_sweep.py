"""``compression-explorer sweep``."""

import csv
import errno
import json

import pytest

import explorer
from explorer import cli
from explorer.sweep import command
from explorer.sweep.dispatch import SweepIncomplete
from explorer.sweep.grid import grid_from_toml
from explorer.sweep.store import Store

GRID = """
[[steps]]
step = "Prune"
sparsity = [0.5, 0.9]

[[steps]]
step = "Quantize"
bits = 4
layers = "fc[12]"
"""


@pytest.fixture
def grid(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(GRID, encoding="utf-8")
    return str(path)


def sweep(grid, *options):
    return cli.main(["sweep", "lenet-300-100", "--grid", grid, "--workers", "2", *options])


def last_line(capsys):
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1, errors
    return errors


def test_the_table_is_what_compress_and_evaluate_give(grid, capsys):
    assert sweep(grid) == 0
    lines = capsys.readouterr().out.splitlines()
    net, data = explorer.load("lenet-300-100")
    small = [explorer.compress(net, recipe) for recipe in grid_from_toml(GRID)]
    assert len(lines) == 1 + len(small)
    for line, one in zip(lines[1:], sorted(small, key=lambda s: s.size_bytes), strict=True):
        accuracy = explorer.evaluate(one.restore(), data.eval)
        expected = [f"{one.compression_ratio:.2f}x", f"{one.size_bytes:,}", f"{accuracy.top1:.2%}"]
        assert line.split()[:3] == expected
    assert lines[1].endswith("fc[12]: Prune 90%, Quantize 4 bits; Prune 90%")


def test_points_are_written_and_kept(grid, tmp_path, capsys):
    store = str(tmp_path / "points.sqlite")
    assert sweep(grid, "-o", str(tmp_path / "a.csv"), "--store", store) == 0
    assert sweep(grid, "-o", str(tmp_path / "a.json"), "--store", store) == 0
    first, second = capsys.readouterr().out.split("ratio")[1:]
    assert first.strip() == second.strip()
    rows = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["top1"]) for row in table] == [row["top1"] for row in rows]
    assert [float(row["seconds"]) for row in table] == [row["seconds"] for row in rows]
    recipes = [explorer.recipe_from_json(row["recipe"]) for row in table]
    assert set(recipes) == set(grid_from_toml(GRID))
    assert [recipe.as_dict() for recipe in recipes] == [row["recipe"] for row in rows]


def test_a_failed_recipe_is_told_and_the_status_says_so(grid, tmp_path, capsys):
    path = tmp_path / "bad.toml"
    path.write_text('[[steps]]\nstep = "Binarize"\nlayers = "conv*"\n', encoding="utf-8")
    assert sweep(str(path), "-o", str(tmp_path / "a.json")) == 1
    assert "[failed: ValueError: recipe: pattern 'conv*'" in capsys.readouterr().out
    (row,) = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert row["size_bytes"] is None
    assert row["top1"] is None


def test_missing_points_are_told_after_the_others(grid, monkeypatch, capsys):
    real = command.sweep

    def broken(net, data, recipes, **others):
        yield from real(net, data, recipes[:1], **others)
        raise SweepIncomplete(recipes[1:], "the line is dead")

    monkeypatch.setattr(command, "sweep", broken)
    assert sweep(grid) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert "1 point(s) of the sweep are missing, for workers failed: the line is dead" in said.err


def test_a_store_without_room_is_told_and_the_table_is_whole(grid, tmp_path, monkeypatch, capsys):
    def full(_store, _point):
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(Store, "put", full)
    assert sweep(grid, "--store", str(tmp_path / "points.sqlite")) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    lines = [line for line in said.err.splitlines() if "no room" in line]
    assert [line.startswith("compression-explorer: ") for line in lines] == [True, True]
    assert "The sweep goes on" in lines[0]
    assert "2 point(s) of the sweep are not kept" in lines[1]


def test_a_disk_without_room_leaves_the_last_table(grid, tmp_path, monkeypatch, capsys):
    def full(_rows, file, **_options):
        file.write("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "points.json"
    target.write_text("old", encoding="utf-8")
    monkeypatch.setattr(command.json, "dump", full)
    assert sweep(grid, "-o", str(target)) == 2
    said = capsys.readouterr()
    assert "No space left on device" in said.err
    assert len(said.out.splitlines()) == 3
    assert list(tmp_path.glob("points*")) == [target]
    assert target.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-o", "points.txt"), "output must end in .csv or .json, got 'points.txt'"),
        (("-o", "/none/points.csv"), "output: there is no folder '/none'"),
        (("--workers", "0"), "workers must be 1 or more; got 0"),
        (("--store", "/none/points.sqlite"), "store: there is no folder '/none'"),
        (("--dask", "nonsense://here"), "nonsense"),
    ],
)
def test_bad_options_are_one_line(grid, options, words, capsys):
    assert sweep(grid, *options) == 2
    assert words in last_line(capsys)


def test_a_bad_grid_is_one_line(tmp_path, capsys):
    path = tmp_path / "grid.toml"
    path.write_text("[steps]\nstep = 'Prune'", encoding="utf-8")
    assert sweep(str(path)) == 2
    assert "expected [[steps]] tables, with double brackets" in last_line(capsys)
    assert sweep(str(tmp_path / "none.toml")) == 2
    assert "none.toml" in last_line(capsys)


def test_processes_or_a_cluster_not_both(grid, capsys):
    with pytest.raises(SystemExit):
        sweep(grid, "--processes", "--dask", "tcp://localhost:1")
    assert "not allowed with argument" in capsys.readouterr().err


def test_a_cluster_is_used(grid, capsys):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp"
    ) as cluster:
        assert sweep(grid, "--dask", cluster.scheduler_address) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
