"""A sweep: many recipes on one network, measured side by side, kept as they finish."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from torch import nn

from explorer.compress.networks.recipe import Recipe
from explorer.measure.metric import Metric, as_metric
from explorer.stopping import never
from explorer.sweep.dispatch import Dispatch
from explorer.sweep.distribution import delivery
from explorer.sweep.measurement import Measurement
from explorer.sweep.point import Hear, Point, Progress, unheard
from explorer.sweep.store import Keeping, opened
from explorer.sweep.task import Loader, Task
from explorer.sweep.workers import threads


def sweep(
    net: nn.Module,
    data: Any,
    recipes: Iterable[Any],
    *,
    executor: Executor | None = None,
    store: str | Path | None = None,
    should_stop: Callable[[], bool] | None = None,
    input_shape: tuple[int, ...] | None = None,
    progress: Hear = unheard,
    loader: Loader | None = None,
    folder: str | Path | None = None,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
) -> Generator[Point, None, None]:
    """Measure bytes and accuracy of many recipes, yielding points as they finish.

    Every point is what ``compress`` and ``evaluate`` give for its recipe. Weights are
    indexed once for all recipes. Leaving the loop stops the sweep.

    Parameters
    ----------
    net : Module
        Left unchanged; must not change while the sweep runs. Evaluated on the CPU.
    data : Data, Dataset, iterable of batches, or None
        What accuracy is measured on; of a `Data` its ``eval`` part, and its ``tune``
        part for steps that need second derivatives. None for bytes alone.
    recipes : iterable of Recipe, list of Setting, or dict of patterns
        A recipe that comes twice is measured once.
    executor : Executor, optional
        Where recipes are measured: threads, processes (spawned), or a cluster's, such as
        ``dask.distributed.Client(...).get_executor()``. Network and data travel to each
        worker once. By default threads of its own, one for each core.
    store : str or Path, optional
        SQLite file in which each point is kept as soon as it is there; made if it is
        not. A sweep that finds points of the same network, data and recipe there yields
        them first, as they were measured, but for failed ones, which it tries again.
        Data that come in another order each time are other data each time.
    should_stop : callable, optional
        Asked every 50 ms or so; where it returns True, the sweep ends.
    input_shape : tuple of int, optional
        One input without the batch, for `PruneNeurons`; by default that of a `Data`, or
        what the network says of itself.
    progress : callable, optional
        Called with a `Progress` after each point.
    loader : callable, optional
        Gives ``net, data`` on a worker in another process, which then loads them by
        itself; importable there, such as ``functools.partial(ex.load, "alexnet")``.
    folder : str or Path, optional
        A folder that this process and all workers see, for the file by which network
        and data travel; by default this machine's for temporary files. Workers that do
        not see it get the bytes through the executor.
    metric : Metric or callable, optional
        Judges in place of the data: called with a copy of each network, by several threads at
        once, returns a finite number. For processes it must be a function at the top of a
        module. A store tells metrics apart by name, unit, direction and code.

    Yields
    ------
    Point
        In no particular order. One whose recipe failed says why in `error_message`.

    Raises
    ------
    TypeError, ValueError
        If the network, a recipe or the store is not valid, or data can be read only
        once; before the first point.
    OSError
        If the store cannot be opened now, as on a full disk; before the first point.
    SweepIncomplete
        After the last point, if workers failed for good: a kind of RuntimeError, with
        the recipes that are `missing`.

    Warns
    -----
    PointsNotKept
        If the store turns out full, or busy, later on. Points are yielded all the same, and
        kept once that is possible.

    Examples
    --------
    >>> from torch import nn
    >>> from explorer.compress.methods.prune import Prune
    >>> recipes = [[Prune(sparsity=s / 10)] for s in range(10)]
    >>> points = list(sweep(nn.Linear(100, 10), None, recipes))
    >>> len(points), min(point.size_bytes for point in points) < 1000
    (10, True)
    """
    if isinstance(data, Iterator):
        raise TypeError(
            f"data: a {type(data).__name__} can be read only once, and every recipe reads it; "
            "pass a list of its batches"
        )
    if executor is not None and not hasattr(executor, "submit"):
        raise TypeError(
            "executor must have submit(), as a concurrent.futures.Executor has; "
            f"got {type(executor).__name__}"
        )
    subject = Measurement(net, data, input_shape, metric=as_metric(metric))
    wanted = {subject.key(recipe): recipe for recipe in _parsed(recipes)}
    return _points(subject, wanted, executor, store, should_stop or never, progress, loader, folder)


def _parsed(recipes: Iterable[Any]) -> list[Recipe]:
    if isinstance(recipes, (str, Recipe)) or not isinstance(recipes, Iterable):
        raise TypeError(f"recipes must be a list of recipes; got {type(recipes).__name__}")
    parsed = []
    for i, recipe in enumerate(recipes):
        try:
            parsed.append(Recipe.of(recipe))
        except TypeError as error:
            raise TypeError(f"recipes[{i}]: {error}") from None
    return parsed


def _points(
    subject: Measurement,
    wanted: dict[str, Recipe],
    executor: Executor | None,
    path: str | Path | None,
    should_stop: Callable[[], bool],
    progress: Hear,
    loader: Loader | None,
    folder: str | Path | None,
) -> Generator[Point, None, None]:
    with ExitStack() as stack:
        store = stack.enter_context(opened(path))
        methods = {kind for recipe in wanted.values() for kind in recipe.kinds}
        known = store.known(wanted, methods)
        for done, point in enumerate(known.values(), 1):
            progress(Progress.after(0.0, done, len(wanted), done))
            yield point
        todo = {key: recipe for key, recipe in wanted.items() if key not in known}
        if not todo:
            return
        chosen = executor or stack.enter_context(threads())
        saliency = any(subject.wants_saliency(recipe) for recipe in todo.values())
        sent = stack.enter_context(
            delivery(subject, chosen, saliency=saliency, folder=folder, loader=loader)
        )
        tasks = (Task(sent.address, key, recipe) for key, recipe in todo.items())
        keeping = Keeping(store)
        stack.callback(keeping.end)
        started, done = time.perf_counter(), len(known)
        for point in Dispatch(chosen, sent, tasks).points(should_stop):
            keeping.put(point)
            done += 1
            spent = time.perf_counter() - started
            progress(Progress.after(spent, done, len(wanted), len(known)))
            yield point
