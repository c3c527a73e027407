"""``compression-explorer sweep``: a grid of recipes on one network, as a table."""

from __future__ import annotations

import csv
import json
import sys
import warnings
from argparse import Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from torch import nn
from tqdm import tqdm

from explorer.codec.atomic import whole
from explorer.compress.networks.recipe import Recipe
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import ACCURACY, Metric, Scale, Score
from explorer.sweep.dispatch import SweepIncomplete
from explorer.sweep.grid import read_grid
from explorer.sweep.point import Point, Progress
from explorer.sweep.run import sweep
from explorer.sweep.store import PointsNotKept
from explorer.sweep.task import Loader
from explorer.sweep.workers import WorkerProcesses, threads

ENDINGS = (".csv", ".json")
CONNECT_S = 30


def run(
    net: nn.Module,
    data: Any,
    options: Namespace,
    loader: Loader,
    metric: Metric | None = None,
) -> int:
    """Sweep a grid and print its points, smallest files first.

    `options`: ``grid``, ``store``, ``workers``, ``processes``, ``dask`` and ``output``. `loader`:
    with which a cluster's workers load network and data by themselves. `metric`: judges in place of
    accuracy on the data. Returns: exit status: 1 where points are missing, or failed. Raises
    ValueError if the grid or the options are not valid.
    """
    output = options.output
    _check_output(output)
    recipes = read_grid(options.grid)
    with _telling():
        points, words = _swept(net, data, recipes, options, loader, metric)
    points.sort(key=lambda point: (point.size_bytes == 0, point.size_bytes))
    scale = ACCURACY if metric is None else metric.scale
    sys.stdout.write("".join(f"{line}\n" for line in lines(points, scale)))
    if output is not None:
        write(points, output)
    if words:
        sys.stderr.write(f"compression-explorer: {words}\n")
    return int(bool(words) or any(point.error_message for point in points))


@contextmanager
def _telling() -> Iterator[None]:
    """Tell at once, in a line each, of points that are not kept."""
    before = warnings.showwarning

    def tell(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, PointsNotKept):
            tqdm.write(f"compression-explorer: {message}", file=sys.stderr)
        else:
            before(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.simplefilter("always", PointsNotKept)
        warnings.showwarning = tell
        yield


def _check_output(output: Path | None) -> None:
    if output is None:
        return
    if output.suffix.lower() not in ENDINGS:
        raise ValueError(
            f"output must end in {' or '.join(ENDINGS)}, got {str(output)!r}: "
            "the ending says what is written"
        )
    if not output.parent.is_dir():
        raise ValueError(f"output: there is no folder {str(output.parent)!r} to write into")


def _swept(
    net: nn.Module,
    data: Any,
    recipes: Sequence[Recipe],
    options: Namespace,
    loader: Loader,
    metric: Metric | None,
) -> tuple[list[Point], str]:
    """Return the points, and why some are missing."""
    points: list[Point] = []
    with _executor(options) as executor, tqdm(total=None, unit="point", disable=None) as bar:

        def show(progress: Progress) -> None:
            bar.total = progress.total
            bar.initial = progress.n_known
            bar.update(progress.done - bar.n)

        try:
            for point in sweep(
                net,
                data,
                recipes,
                executor=executor,
                store=options.store,
                progress=show,
                loader=loader if options.dask else None,
                metric=metric,
            ):
                points.append(point)
        except SweepIncomplete as error:
            return points, str(error)
    return points, ""


@contextmanager
def _executor(options: Namespace) -> Iterator[Executor]:
    if options.workers is not None and options.workers < 1:
        raise ValueError(f"workers must be 1 or more; got {options.workers}")
    if options.dask:
        with _cluster(options.dask) as executor:
            yield executor
    elif options.processes:
        with WorkerProcesses(options.workers) as executor:
            yield executor
    else:
        with threads(options.workers) as executor:
            yield executor


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError(
            "dask: needs the packages of the extra `cluster`: "
            "pip install 'compression-explorer[cluster]'"
        ) from error
    with Client(address, timeout=CONNECT_S, set_as_default=False) as client:
        yield client.get_executor()


def lines(points: Sequence[Point], scale: Scale = ACCURACY) -> list[str]:
    """Lay points out in columns.

    `scale`: what the values that points were judged by mean. Returns: a heading and one line a
    point; those that failed say why.
    """
    name = "top-1" if scale == ACCURACY else scale.name
    cells = [_judged_cells(point.accuracy) for point in points]
    width = max([8, len(name), *(len(value) for value, _ in cells)])
    between = max([18, *(len(interval) for _, interval in cells)])
    text = [f"{'ratio':>9} {'bytes':>14} {name:>{width}}  {'95 % interval':>{between}}  recipe"]
    for point, (value, interval) in zip(points, cells, strict=True):
        known = point.size_bytes > 0
        ratio = f"{point.compression_ratio:.2f}x" if known else "-"
        size = f"{point.size_bytes:,}" if known else "-"
        said = in_words(point.recipe)
        failed = f"  [failed: {point.error_message}]" if point.error_message else ""
        text.append(
            f"{ratio:>9} {size:>14} {value:>{width}}  {interval:>{between}}  {said}{failed}"
        )
    return text


def _judged_cells(judged: Accuracy | Score | None) -> tuple[str, str]:
    """Return a value and its interval as text; dashes for what is not known."""
    if judged is None:
        return "-", "-"
    if isinstance(judged, Accuracy):
        return f"{judged.top1:.2%}", f"{judged.low:.2%} - {judged.high:.2%}"
    value = f"{judged.value:.6g} {judged.unit}".strip()
    if judged.low is None or judged.high is None:
        return value, "-"
    return value, f"{judged.low:.6g} - {judged.high:.6g}"


def in_words(recipe: Recipe) -> str:
    """Return a recipe in a few words, such as ``"Prune 90%, Share 16"``."""
    parts = []
    for pattern, steps in recipe.entries:
        words = ", ".join(step.describe() for step in steps) or "as it is"
        parts.append(words if pattern == "*" else f"{pattern}: {words}")
    return "; ".join(parts) or "as it is"


def write(points: Sequence[Point], path: Path) -> None:
    """Write points as CSV or JSON, by the file's ending; whole, or the old file is left."""
    rows = [_row(point) for point in points]
    with whole(path) as scratch, scratch.open("w", encoding="utf-8", newline="") as file:
        if path.suffix.lower() == ".json":
            json.dump(rows, file, indent=1)
        else:
            table = csv.DictWriter(file, list(_row(points[0])) if points else [])
            table.writeheader()
            table.writerows(row | {"recipe": json.dumps(row["recipe"])} for row in rows)


def _row(point: Point) -> dict[str, Any]:
    judged = point.accuracy
    return {
        "key": point.key,
        "size_bytes": point.size_bytes or None,
        "original_bytes": point.original_bytes,
        "compression_ratio": point.compression_ratio if point.size_bytes else None,
        "metric": judged and judged.name,
        "value": judged and judged.value,
        "unit": judged and judged.unit,
        "top1": judged.top1 if isinstance(judged, Accuracy) else None,
        "top5": judged.top5 if isinstance(judged, Accuracy) else None,
        "low": judged and judged.low,
        "high": judged and judged.high,
        "n": judged and judged.n,
        "seconds": round(point.seconds, 6),
        "error_message": point.error_message,
        "recipe": point.recipe.as_dict(),
    }
