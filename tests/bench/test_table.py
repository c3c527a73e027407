"""Findings as text."""

from explorer.bench.timing import BenchRow, Skipped, Timing, table


def row(name, mine, theirs):
    return BenchRow.of("net", name, "all", Timing(mine), "copying", Timing(theirs))


def test_columns_line_up_and_ratios_come_first():
    text = table(
        [
            Skipped("net", "torchao", "package torchao is not installed"),
            row("slow", (2.5, 2.5), (0.001, 0.001)),
            row("fast", (0.001, 0.001), (0.0005, 0.0005)),
        ]
    )
    assert text.splitlines() == [
        "ratio   best  median ms  p95 ms  n  measured   as a multiple of",
        "2,500  2,500      2,500   2,500  2  slow: all  copying",
        "    2      2          1       1  2  fast: all  copying",
        "skipped: torchao: package torchao is not installed",
    ]


def test_no_rows_have_no_headings():
    assert table([]) == ""
    assert table([Skipped("net", "x", "why")]) == "skipped: x: why\n"
