"""What a plan of training is given, and what it gives from moment to moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from explorer.codec.model import CompressedModel
from explorer.compress.recipe import Recipe
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Metric, Score
from explorer.train.neurons import Dropped
from explorer.train.records import TrainRecord
from explorer.train.training import judged, judged_by

Stop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Trainee:
    """A network that is to be trained.

    Attributes
    ----------
    net : Module
        Left unchanged.
    data : Data
        Its ``tune`` part is trained on, its ``eval`` part judged on.
    compress : callable
        Returns the network as the recipe compresses it.
    recipe : Recipe
    metric : Metric or None
        Judges in place of the ``eval`` part.

    Raises
    ------
    ValueError
        If the data have not these two parts.
    """

    net: nn.Module
    data: Any
    compress: Callable[[], CompressedModel]
    recipe: Recipe = field(default_factory=Recipe)
    metric: Metric | None = None

    def __post_init__(self) -> None:
        if self.data is None:
            raise ValueError(
                "data: there is none to train on; give the explorer labeled data, as in "
                "Explorer(net, Data(tune=..., eval=...))"
            )
        if not (hasattr(self.data, "tune") and hasattr(self.data, "eval")):
            raise ValueError(
                "data: training needs samples apart from those that accuracy is measured on; "
                f"got {type(self.data).__name__}: give both, as in Data(tune=..., eval=...)"
            )

    def judged(self, net: nn.Module, should_stop: Stop) -> Accuracy | Score | None:
        """Judge a network by the metric or on held-out samples; None where it was stopped."""
        return judged(net, judged_by(self.data, None, self.metric), should_stop)


@dataclass(frozen=True, eq=False)
class Found:
    """Something that a run brought to light.

    Attributes
    ----------
    name : str
    value : object
    """

    name: str
    value: Any


@dataclass(frozen=True, eq=False)
class Moment:
    """What a plan tells of a run.

    Attributes
    ----------
    record : TrainRecord, Dropped, Accuracy or Found
        Accuracy is that of the reference, which is not trained.
    lane : str
        Which network it is of, where several are trained side by side.
    """

    record: TrainRecord | Dropped | Accuracy | Score | Found
    lane: str = ""


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch work on a single thread in this one; the others keep theirs.

    Torch takes the number over for threads that are yet to come; a short-lived one
    sets it back for them.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    other = threading.Thread(target=torch.set_num_threads, args=(before,))
    other.start()
    other.join()
    try:
        yield
    finally:
        torch.set_num_threads(before)
