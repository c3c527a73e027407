"""Points kept in a file: resuming, company, and files that are something else."""

import re
import sqlite3
import threading
from contextlib import closing

import pytest
from sweep_subjects import RECIPES, figures, small_data, small_net

from explorer.compress.methods.prune import Prune
from explorer.compress.networks.recipe import Recipe
from explorer.measure.accuracy import Accuracy
from explorer.sweep.point import Point
from explorer.sweep.run import sweep
from explorer.sweep.store import PointsNotKept, Store

JUDGED = Accuracy(0.5, 0.75, 8, 0.2, 0.8, 8)


def point(key="a", accuracy=JUDGED, words=""):
    return Point(key, Recipe.of([Prune(sparsity=0.5)]), 100, 400, accuracy, 0.25, words)


def put(path, *points):
    store = Store(path)
    for one in points:
        store.put(one)
    store.close()


def test_a_point_comes_back_as_it_was(tmp_path):
    path = tmp_path / "points.sqlite"
    put(path, point(), point("b", None), point("c", words="no"))
    store = Store(path)
    assert store.known(["a", "b", "c", "d"]) == {"a": point(), "b": point("b", None)}
    store.put(point("c"))
    assert store.known(["c"]) == {"c": point("c")}
    store.close()


def test_a_point_is_on_disk_at_once(tmp_path):
    path = tmp_path / "points.sqlite"
    points = sweep(small_net(), small_data(), RECIPES, store=path)
    first = next(points)
    other = Store(path)
    assert other.known([first.key]) == {first.key: first}
    other.close()
    points.close()


def test_a_sweep_goes_on_where_it_was(tmp_path):
    path, told = tmp_path / "points.sqlite", []
    net, data = small_net(), small_data()
    half = list(sweep(net, data, RECIPES[:6], store=path))
    points = list(sweep(net, data, RECIPES, store=path, progress=told.append))
    assert set(points[:6]) == set(half)
    assert figures(points) == figures(sweep(net, data, RECIPES))
    assert {(p.done <= 6, p.n_known == 6) for p in told[5:]} == {(True, True), (False, True)}
    assert set(sweep(net, data, RECIPES, store=path)) == set(points)


def test_networks_share_a_file(tmp_path):
    path, data = tmp_path / "points.sqlite", small_data()
    one, two = small_net(0), small_net(1)
    list(sweep(one, data, RECIPES[:2], store=path))
    told = []
    list(sweep(two, data, RECIPES[:2], store=path, progress=told.append))
    assert told[-1].n_known == 0
    list(sweep(one, data, RECIPES[:2], store=path, progress=told.append))
    assert told[-1].n_known == 2


def test_failed_points_are_kept_and_tried_again(tmp_path):
    path, bad, told = tmp_path / "points.sqlite", {"none": []}, []
    (first,) = sweep(small_net(), None, [bad], store=path)
    base = sqlite3.connect(path)
    assert base.execute("SELECT error_message FROM points").fetchall() == [(first.error_message,)]
    base.close()
    list(sweep(small_net(), None, [bad], store=path, progress=told.append))
    assert told[-1].n_known == 0


def test_two_clients_at_once(tmp_path):
    path = tmp_path / "points.sqlite"
    failed = []

    def write(name):
        try:
            put(path, *(point(f"{name}{i}") for i in range(100)))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    store = Store(path)
    assert len(store.known(f"{name}{i}" for name in "abc" for i in range(100))) == 300
    store.close()


def foreign(path):
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE points (key TEXT)")
    base.commit()
    base.close()


def newer(path):
    put(path, point())
    base = sqlite3.connect(path)
    base.execute("PRAGMA user_version = 7")
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()


def damaged(path):
    put(path, *(point(str(i)) for i in range(300)))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)


def without_its_table(path):
    put(path)
    base = sqlite3.connect(path)
    base.execute("DROP TABLE points")
    base.commit()
    base.close()


def cut_short(path):
    put(path, *(point(str(i)) for i in range(300)))
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("a,b\n" * 100, encoding="utf-8"), "is not a file of sweep"),
        (lambda path: path.write_bytes(b"SQLite format 3\x00"), "is not a file of sweep points"),
        (foreign, "is not a file of sweep points; it was left as it is"),
        (newer, "has version 7, this program reads 1"),
        (damaged, "is damaged"),
        (cut_short, "is damaged"),
        (without_its_table, "is damaged"),
    ],
)
def test_another_file_is_told_and_left_alone(make, words, tmp_path):
    path = tmp_path / "points.sqlite"
    make(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=words):
        list(sweep(small_net(), None, RECIPES, store=path))
    assert path.read_bytes() == before


def test_no_place_for_a_store(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        Store(tmp_path / "none" / "points.sqlite")
    with pytest.raises(ValueError, match="is no file"):
        Store(tmp_path)


def test_an_empty_file_becomes_a_store(tmp_path):
    path = tmp_path / "points.sqlite"
    path.touch()
    put(path, point())
    store = Store(path)
    assert store.known(["a"]) == {"a": point()}
    store.close()


def filling_up(monkeypatch):
    """Let a store grow no more once it is open, as on a disk that is full; give those opened."""
    real, stores = Store._start, []

    def start(this, *, fresh):
        real(this, fresh=fresh)
        stores.append(this)
        n_pages = this._base.execute("PRAGMA page_count").fetchone()[0]
        this._base.execute(f"PRAGMA max_page_count = {n_pages}")

    monkeypatch.setattr(Store, "_start", start)
    return stores


def full(path):
    return rf"store: '{path}' cannot be used now: database or disk is full"


def test_a_disk_that_is_full_for_good_costs_no_point(tmp_path, monkeypatch):
    path = tmp_path / "points.sqlite"
    net, data = small_net(), small_data()
    list(sweep(net, data, RECIPES[:4], store=path))
    filling_up(monkeypatch)
    recipes = [[Prune(sparsity=i / 100)] for i in range(40)]
    with pytest.warns(PointsNotKept) as told:
        points = list(sweep(net, data, recipes, store=path))
    assert figures(points) == figures(sweep(net, data, recipes))
    first, last = (str(each.message) for each in told)
    assert re.match(f"{full(path)}. The sweep goes on", first)
    n_lost = int(re.match(rf"{full(path)}\. (\d+) point\(s\) of the sweep are not kept", last)[1])
    monkeypatch.undo()
    again = []
    assert len(list(sweep(net, data, recipes, store=path, progress=again.append))) == 40
    assert again[-1].n_known == 40 - n_lost > 0
    assert len(list(sweep(net, data, RECIPES[:4], store=path, progress=again.append))) == 4
    assert again[-1].n_known == 4


def test_room_that_is_made_meanwhile_is_used(tmp_path, monkeypatch):
    path = tmp_path / "points.sqlite"
    stores = filling_up(monkeypatch)
    recipes = [[Prune(sparsity=i / 100)] for i in range(40)]
    points = sweep(small_net(), small_data(), recipes, store=path)
    with pytest.warns(PointsNotKept, match="goes on, and tries again") as told:
        found = [next(points) for _ in range(30)]
        stores[0]._base.execute("PRAGMA max_page_count = 100000")
        found += points
    assert len(told) == 1
    kept = Store(path)
    assert set(kept.known([point.key for point in found]).values()) == set(found)
    kept.close()


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE])
def test_a_full_disk_is_not_called_a_damaged_file(code, tmp_path, monkeypatch):
    def start(this, *, fresh):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = code
        raise error

    path = tmp_path / "points.sqlite"
    monkeypatch.setattr(Store, "_start", start)
    with pytest.raises(OSError, match=full(path)):
        list(sweep(small_net(), None, RECIPES, store=path))


@pytest.mark.parametrize("page", [2, 4, 7])
def test_points_of_whole_pages_of_a_damaged_store_are_kept(tmp_path, page):
    path = tmp_path / "points.sqlite"
    keys = [f"{number:04d}" * 20 for number in range(120)]
    put(path, *(point(key) for key in keys))
    content = bytearray(path.read_bytes())
    size = 4096
    assert len(content) > 8 * size
    content[page * size : (page + 1) * size] = b"\xff" * size
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"(?s)is damaged .* read and kept in ") as told:
        Store(path)
    assert path.read_bytes() == content
    fresh = tmp_path / "points.sqlite.recovered-1"
    assert str(fresh) in str(told.value)
    with closing(Store(fresh)) as store:
        known = store.known(keys)
    assert len(known) > 60
    assert all(found == point(key) for key, found in known.items())
