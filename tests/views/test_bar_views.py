import pytest

from explorer.measure.bytes import Breakdown, BreakdownRow, Waterfall
from explorer.measure.latency import Speed, SpeedRow
from explorer.measure.spectrum import StageErrors
from explorer.views.bytes import BreakdownView, BytesView
from explorer.views.spectrum import StageErrorsView
from explorer.views.speed import SpeedView
from explorer.views.tables import Table


def test_a_table_leaves_its_classes_to_the_browser():
    table = Table("numbers")
    before, version = table._dom_classes, table.version
    for rows in ([["a", "1"]], [], [["b", "2"]]):
        table.show([("Name", ""), ("Number", "")] if rows else [], rows)
        assert table._dom_classes == before
        assert table.rows == rows
    assert table.version == version + 3
    table.close()


def bars(view):
    return view.children[0]


def test_the_waterfall_goes_down_step_by_step():
    view = BytesView()
    view.draw(Waterfall((("Original", 1000), ("Prune", 250), ("Share", 100))))
    first, prune, share = bars(view).rows
    assert first["tracks"] == [[[0.0, 1.0, "after"]]]
    assert prune["tracks"] == [[[0.0, 0.25, "after"], [0.25, 0.75, "gone"]]]
    assert share["tracks"] == [[[0.0, 0.1, "after"], [0.1, 0.15, "gone"]]]
    assert share["texts"] == ["100 B", "10.0×"] and share["detail"] == "2.5× smaller"
    assert share["label"] == "Share: 100 B, 10.0×"
    assert [key[0] for key in bars(view).legend] == ["after", "gone"]
    assert "Prune saves most, 4.0× by itself" in view._caption.value
    view.close()


def test_a_stage_that_grows_is_shown_and_named():
    view = BytesView()
    view.draw(Waterfall((("Original", 1000), ("Low rank", 1250), ("Prune", 500))))
    first, grown, _ = bars(view).rows
    assert first["tracks"] == [[[0.0, 0.8, "after"]]]
    assert grown["tracks"] == [[[0.0, 0.8, "after"], [0.8, 0.2, "grown"]]]
    assert grown["detail"] == "1.2× larger"
    assert [key[0] for key in bars(view).legend] == ["after", "gone", "grown"]
    assert view._caption.value.startswith("Look at Low rank")
    view.close()


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (100_000, "unchanged"),
        (99_992, "8 B smaller"),
        (100_008, "8 B larger"),
        (99_400, "0.6% smaller"),
        (104_000, "4.0% larger"),
        (50_000, "2.0× smaller"),
    ],
)
def test_small_changes_are_told_in_percent_or_bytes(after, words):
    view = BytesView()
    view.draw(Waterfall((("Original", 100_000), ("Huffman", after))))
    assert bars(view).rows[1]["detail"] == words and bars(view).rows[0]["detail"] == ""
    view.close()


def test_a_stage_that_adds_next_to_nothing_is_not_held_against_it():
    view = BytesView()
    view.draw(Waterfall((("Original", 100_000), ("Prune", 50_000), ("Huffman", 50_008))))
    assert "Prune saves most" in view._caption.value
    view.draw(Waterfall((("Original", 100_000), ("Prune", 100_008))))
    assert "No step saves anything yet" in view._caption.value
    view.close()


def test_a_waterfall_of_the_original_alone_asks_for_a_step():
    view = BytesView()
    view.draw(Waterfall((("Original", 1000),)))
    assert "add one" in view._caption.value
    view.close()


FILE = Breakdown(
    (
        BreakdownRow("fc1", {"values": 8000, "indices": 4004}),
        BreakdownRow("header", {"header": 3996}),
    )
)


def test_the_whole_file_is_one_stacked_bar():
    view = BreakdownView()
    view.draw(FILE)
    (row,) = bars(view).rows
    assert [segment[2] for segment in row["tracks"][0]] == [
        "role-values",
        "role-indices",
        "role-header",
    ]
    assert sum(segment[1] for segment in row["tracks"][0]) == pytest.approx(1, abs=2e-4)
    assert bars(view).legend[0] == ["role-values", "values", "1.0 KB, 50.0%"]
    assert view._caption.value.startswith("2,000 bytes in all")
    view.close()


def test_the_table_has_a_row_a_part_and_a_total():
    view = BreakdownView()
    view.draw(FILE)
    rows = [[cell.rstrip("\u2007\u2008") for cell in row] for row in view._table.rows]
    assert rows == [
        ["fc1", "1,000", "500.5", "–", "1,500.5"],
        ["header", "–", "–", "499.5", "499.5"],
        ["whole file", "1,000", "500.5", "499.5", "2,000"],
    ]
    assert [head[0] for head in view._table.heads] == [
        "Part",
        "Values",
        "Indices",
        "Header",
        "Bytes",
    ]
    view.draw(Breakdown((BreakdownRow("fc1", {"values": 80}),)))
    assert view._table.rows[0] == ["fc1", "10", "10"]
    view.draw(Breakdown(()))
    assert "empty" in view._caption.value
    view.close()


def test_stage_errors_are_bars_up_to_a_round_number():
    view = StageErrorsView()
    view.draw(StageErrors(("Stage 1", "Stage 2"), (0.62, 0.2)))
    assert bars(view).heads == ["Stage", "0 to 80%", "Relative error"]
    assert bars(view).rows[1]["tracks"] == [[[0.0, 0.25, "after"]]]
    assert bars(view).rows[0]["texts"] == ["62.0%"]
    assert "20.0% is left after the last stage" in view._caption.value
    view.draw(StageErrors((), ()))
    assert "No errors" in view._caption.value
    view.close()


def test_many_blocks_share_bars_that_show_the_worst():
    labels = tuple(str(i + 1) for i in range(100))
    errors = tuple((0.9 if i == 49 else i / 1000) for i in range(100))
    view = StageErrorsView()
    view.draw(StageErrors(labels, errors, "block"))
    rows = bars(view).rows
    assert len(rows) == 25 and rows[12]["name"] == "49–52"
    assert rows[12]["texts"] == ["90.0%"]
    assert "block 50, 90.0%" in view._caption.value and "4 neighbors" in view._caption.value
    view.close()


def test_speed_shows_both_times_and_says_where_it_was_measured():
    view = SpeedView()
    view.draw(Speed((SpeedRow("fc1", 12.0, 3.0, "batch of 64"), SpeedRow("fc3", 0.5, 0.9))))
    fast, slow = bars(view).rows
    assert fast["tracks"] == [[[0.0, 1.0, "before"]], [[0.0, 0.25, "after"]]]
    assert fast["texts"] == ["12.0 ms\n3.00 ms", "4.0×"] and fast["detail"] == "batch of 64"
    assert slow["tracks"][1] == [[0.0, 0.075, "grown"]]
    assert slow["texts"] == ["500 µs\n900 µs", "0.6×"]
    assert view._caption.value.startswith(
        "Measured on this machine's CPU. Look for what got slower"
    )
    view.draw(Speed(()))
    assert "Nothing is timed" in view._caption.value
    view.close()


def test_a_note_that_all_times_share_is_said_once():
    view = SpeedView()
    view.draw(Speed(tuple(SpeedRow(name, 2.0, 1.0, "one input") for name in ("fc1", "fc2"))))
    assert [row["detail"] for row in bars(view).rows] == ["", ""]
    assert view._caption.value.startswith("Measured on this machine's CPU: one input. See whether")
    view.close()


def test_times_within_five_percent_count_as_the_same():
    view = SpeedView()
    view.draw(Speed((SpeedRow("Whole network", 1.0, 1.02),)))
    assert bars(view).rows[0]["tracks"][1][0][2] == "after"
    assert "no faster" in view._caption.value
    view.close()


@pytest.mark.parametrize(
    ("make", "record"),
    [
        (BytesView, Waterfall((("Original", 10), ("Prune", 5)))),
        (BreakdownView, FILE),
        (StageErrorsView, StageErrors(("1",), (0.5,))),
        (SpeedView, Speed((SpeedRow("fc1", 2, 1),))),
    ],
)
def test_drawing_the_same_again_sends_no_rows(make, record):
    view = make()
    view.draw(record)
    changes = []
    bars(view).observe(changes.append, ["rows", "legend", "heads"])
    view.draw(record)
    assert changes == []
    view.close()
