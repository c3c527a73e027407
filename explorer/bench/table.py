"""Findings as aligned plain text."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.bench.rows import BenchRow, Finding

HEADINGS = ("ratio", "best", "median ms", "p95 ms", "n", "measured", "as a multiple of")
N_NUMBERS = 5


def table(findings: Iterable[Finding]) -> str:
    """Lay findings out in columns, ratios first.

    Parameters
    ----------
    findings : iterable of BenchRow or Skipped

    Returns
    -------
    str
        Lines that end in a newline; what was skipped comes last, with the reason.
    """
    findings = list(findings)
    lines = [_cells(row) for row in findings if isinstance(row, BenchRow)]
    if lines:
        lines.insert(0, HEADINGS)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [
        "  ".join(
            cell.rjust(width) if i < N_NUMBERS else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        for cells in lines
    ]
    text += [f"skipped: {x.name}: {x.reason}" for x in findings if not isinstance(x, BenchRow)]
    return "".join(f"{line.rstrip()}\n" for line in text)


def _cells(row: BenchRow) -> tuple[str, ...]:
    measured = f"{row.name}: {row.measures}" if row.measures else row.name
    return (
        _number(row.ratio),
        _number(row.best_ratio),
        _number(row.median_ms),
        _number(row.p95_ms),
        str(row.n_runs),
        measured,
        row.baseline,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
