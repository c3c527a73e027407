"""A metric of the person's own, named on the command line as ``package.module:function``."""

from __future__ import annotations

import importlib
import sys
from argparse import ArgumentParser
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from explorer.measure.metric import Metric


def add(parser: ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--metric",
        metavar="MODULE:NAME",
        help="judge by this function of a network, or ex.Metric, in place of accuracy",
    )


def load(name: str) -> Metric:
    """Import a metric; modules of the current folder are found too.

    Parameters
    ----------
    name : str
        Such as ``"my_metrics:perplexity"``.

    Raises
    ------
    ValueError
        If there is none of this name, or it is no function.
    """
    from explorer.measure.metric import as_metric

    module_name, colon, path = name.partition(":")
    if not (colon and module_name and path):
        raise ValueError(
            "metric must name a module and a function in it, such as my_metrics:perplexity; "
            f"got {name!r}"
        )
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    found: Any = _module(module_name)
    for part in path.split("."):
        if not hasattr(found, part):
            raise ValueError(f"metric: {module_name} has no {path!r}")
        found = getattr(found, part)
    try:
        metric = as_metric(found)
    except TypeError as error:
        raise ValueError(f"{error} from {name}") from error
    if metric is None:
        raise ValueError(f"metric: {name} is None; expected a function of a network")
    return metric


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Report in one line what a metric returned wrongly, or raised."""
    try:
        yield
    except Exception as error:
        words = str(error)
        cause = words if words.startswith("metric") else f"metric: {type(error).__name__}: {words}"
        raise ValueError(cause) from error


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (error.name == name or name.startswith(f"{error.name}.")):
            raise ValueError(
                f"metric: there is no module {name!r} here ({Path.cwd()}) or among the installed "
                "ones"
            ) from error
        raise ValueError(f"metric: {name} could not be imported: {error}") from error
    except Exception as error:
        kind = type(error).__name__
        raise ValueError(f"metric: {name} could not be imported: {kind}: {error}") from error
