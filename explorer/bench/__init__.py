"""``compression-explorer bench``: how fast this machine recompresses, mostly as ratios."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.bench.timing import Effort, Finding

__all__ = ["main"]

MODELS = ("lenet-300-100", "lenet-5", "alexnet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and write the figures to a file if asked.

    `arguments`: what follows ``bench`` on the command line; ``sys.argv[1:]`` by default. Returns:
    exit status, 0; 1 if not all of a class got in. Raises ValueError if a model is unknown; the
    message suggests others.
    """
    options = _parser().parse_args(arguments)
    if options.n_visitors is not None:
        return _measure_class(options)
    findings = _measure(options)
    if options.browser:
        from explorer.bench.browser import measure_pages
        from explorer.bench.starting import measure_startup

        findings += [*measure_pages(options.models), *measure_startup()]
    if options.json is not None:
        _write(options.json, findings)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="compression-explorer bench",
        description="Measure how fast this machine recompresses. Compare ratios: both sides of "
        "each are timed in turn. Milliseconds change with what else the machine does.",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--runs", type=_count, default=30, metavar="N", help="runs (default: 30)")
    parser.add_argument(
        "--models",
        type=_names,
        default=MODELS,
        metavar="NAMES",
        help=f"networks, joined by commas (default: {','.join(MODELS)}); random weights "
        "where none are bundled",
    )
    parser.add_argument(
        "--peers",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="time other libraries at the same tasks (default: yes)",
    )
    parser.add_argument("--browser", action="store_true", help="time the page in Chromium, too")
    parser.add_argument(
        "--class",
        dest="n_visitors",
        type=_count,
        metavar="N",
        help="instead: N visitors of the served page at once, five of them dragging at a time",
    )
    parser.add_argument(
        "--seconds",
        type=_count,
        default=60,
        metavar="S",
        help="how long a class drags (default: 60)",
    )
    parser.add_argument("--quick", action="store_true", help="two runs, and small samples")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, got {text!r}")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("expected names joined by commas, such as lenet-5,alexnet")
    return names


def _effort(options: argparse.Namespace) -> Effort:
    from explorer.bench.timing import Effort

    if options.quick:
        return Effort(n_runs=2, budget_s=0.5, n_sample=20_000, n_moves=20)
    return Effort(n_runs=options.runs)


def _measure(options: argparse.Namespace) -> list[Finding]:
    from explorer.bench.suite import measure
    from explorer.bench.timing import machine

    words = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in machine().items())
    sys.stdout.write(f"{words}\n")
    findings: list[Finding] = []
    for name in options.models:
        findings += measure(name, _effort(options), peers=options.peers, tell=_tell)
    return findings


def _measure_class(options: argparse.Namespace) -> int:
    from explorer.bench.classroom import measure_class, rows

    hour = measure_class(options.n_visitors, options.seconds, tell=_tell)
    if options.json is not None:
        _write(options.json, rows(hour))
    return 0 if hour.n_visitors == hour.n_wanted else 1


def _tell(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _write(path: Path, findings: Sequence[Finding]) -> None:
    from explorer.bench.timing import BenchRow, machine
    from explorer.codec.atomic import whole

    content = {
        "machine": machine(),
        "rows": [asdict(row) for row in findings if isinstance(row, BenchRow)],
        "skipped": [asdict(row) for row in findings if not isinstance(row, BenchRow)],
    }
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    with whole(path) as scratch:
        scratch.write_text(text, encoding="utf-8")
