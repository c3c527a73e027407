"""``compression-explorer evaluate``: the accuracy of a compressed file, or a metric of it."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from explorer.commands import metrics, networks

if TYPE_CHECKING:
    from explorer.measure.accuracy import Accuracy
    from explorer.measure.metric import Score


def add(commands: Any) -> None:
    """Add the command's parser."""
    evaluate = commands.add_parser("evaluate", help="measure the accuracy of a compressed file")
    evaluate.add_argument("file", help="a .cmpx file")
    evaluate.add_argument("--model", help="network whose data to use (default: the file's own)")
    metrics.add(evaluate)
    evaluate.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Print the accuracy, on data that the network was not trained on, or the metric's value."""
    import explorer

    metric = metrics.load(options.metric) if options.metric else None
    small = explorer.open(options.file)
    name = options.model or small.network
    if not name:
        raise ValueError(
            "model must be given, for the file does not name its network: --model NAME, "
            "one that `compression-explorer models` lists"
        )
    loaded = networks.load(name)
    if metric is not None:
        with metrics.one_line_errors():
            _print(explorer.evaluate(small.restore(loaded.net), metric=metric))
        return
    if loaded.data is None:
        raise ValueError(
            f"model must be a network that comes with data, got {name!r}: "
            "give --metric MODULE:FUNCTION, or use explorer.evaluate in Python for data of your own"
        )
    accuracy = explorer.evaluate(small.restore(loaded.net), loaded.data.eval)
    sys.stdout.write(
        f"top-1 {accuracy.top1:.2%} (95 % interval {accuracy.low:.2%} to {accuracy.high:.2%}, "
        f"n = {accuracy.n:,})\n"
    )


def _print(score: Accuracy | Score) -> None:
    """Print a metric's value."""
    from explorer.views.format import direction_words, interval_text, score_text

    interval = interval_text(score)
    parts = [f"95 % interval {interval}"] if interval else []
    parts += [f"n = {score.n:,}"] if score.n else []
    details = ", ".join([*parts, direction_words(score.scale)])
    sys.stdout.write(f"{score.name} {score_text(score)} ({details})\n")
