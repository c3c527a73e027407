"""What a network is judged by beside accuracy: a metric of the person's own, and what it told."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

import numpy as np
from torch import Tensor, nn

LONGEST_NAME = 60


@dataclass(frozen=True)
class Scale:
    """What the values of a judgment mean.

    `name`: such as ``"perplexity"``. `unit`: such as ``"nats"``; "" for none. `share`: whether
    values are fractions that are read in percent, as accuracy is.
    """

    name: str
    unit: str = ""
    higher_is_better: bool = True
    share: bool = False

    def goodness(self, value: float) -> float:
        """Return a number that is higher for a better value."""
        return value if self.higher_is_better else -value

    def loss(self, before: float, after: float) -> float:
        """Return what got worse, relative to the value before; negative where it got better.

        Fractions are compared as they are, in points.
        """
        worse = self.goodness(before) - self.goodness(after)
        return worse if self.share or not worse else worse / max(abs(before), 1e-12)


ACCURACY = Scale("Accuracy", "%", True, share=True)


@dataclass(frozen=True)
class Score:
    """What a metric told of a network.

    Attributes
    ----------
    value : float
        Any finite number.
    name : str
        Of the metric.
    unit : str
        In which `value` is; "" for none.
    higher_is_better : bool
    n : int
        Samples judged; 0 where that is not known.
    low, high : float or None
        95 % interval of `value`; None where there is none.
    n_total : int
        Samples in the data; 0 where that is not known.
    note : str
        What else is to be told; "" for nothing.

    Raises
    ------
    TypeError, ValueError
        If `value` is no finite number, or the interval does not hold it.
    """

    value: float
    name: str = "metric"
    unit: str = ""
    higher_is_better: bool = True
    n: int = 0
    low: float | None = None
    high: float | None = None
    n_total: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", finite(self.value, "value"))
        check_words("name", self.name)
        check_words("unit", self.unit, empty=True)
        if (self.low is None) != (self.high is None):
            raise ValueError(f"low and high: give both or neither; got {self.low}, {self.high}")
        if self.low is not None and self.high is not None:
            object.__setattr__(self, "low", finite(self.low, "low"))
            object.__setattr__(self, "high", finite(self.high, "high"))
            if not self.low <= self.value <= self.high:
                raise ValueError(
                    f"low and high: expected low <= value <= high; got {self.low:g}, "
                    f"{self.value:g}, {self.high:g}"
                )

    @property
    def top1(self) -> float:
        """The value, under the name that accuracy has."""
        return self.value

    @property
    def complete(self) -> bool:
        """True when all samples were judged."""
        return self.n >= self.n_total

    @property
    def scale(self) -> Scale:
        """What the value means."""
        return Scale(self.name, self.unit, self.higher_is_better)


@dataclass(frozen=True)
class Metric:
    """A function that judges a network, with what its values mean.

    Parameters
    ----------
    function : callable
        Called with a copy of the network, in eval mode; returns a finite number, or a `Score`
        with an interval.
    name : str, optional
        By default the function's own, or ``"metric"`` for a lambda.
    unit : str
        Shown behind the value, such as ``"nats"``.
    higher_is_better : bool
        False for perplexity, losses, errors.
    longest_s : float, optional
        Seconds after which a call is given up. By default a minute on the page and in a
        `Session`; ten minutes elsewhere.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> size = Metric(lambda net: net.weight.abs().sum().item(), name="weight", unit="kg")
    >>> size.score(2.5)
    Score(value=2.5, name='weight', unit='kg', higher_is_better=True, n=0, low=None, high=None, \
n_total=0, note='')
    """

    function: Callable[[nn.Module], Any]
    name: str = ""
    unit: str = ""
    higher_is_better: bool = field(default=True, kw_only=True)
    longest_s: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(
                "metric: expected a function that takes a network and returns a number, or "
                f"ex.Metric(function, name=...); got {type(self.function).__name__}"
            )
        if not self.name:
            own = getattr(self.function, "__name__", "metric")
            name = own if isinstance(own, str) and own.isidentifier() else "metric"
            object.__setattr__(self, "name", name[:LONGEST_NAME])
        check_words("name", self.name)
        check_words("unit", self.unit, empty=True)
        if not isinstance(self.higher_is_better, bool):
            raise TypeError(
                f"higher_is_better must be True or False; got {shown(self.higher_is_better)}"
            )
        if self.longest_s is not None and not finite(self.longest_s, "longest_s") > 0:
            raise ValueError(f"longest_s must be positive seconds; got {self.longest_s}")

    @property
    def scale(self) -> Scale:
        """What its values mean."""
        return Scale(self.name, self.unit, self.higher_is_better)

    @property
    def key(self) -> str:
        """What tells it from other metrics, for points that are kept."""
        return repr(self.scale)

    def score(self, told: Any) -> Score:
        """Return what the function told as a score.

        Raises
        ------
        TypeError, ValueError
            If that is no finite number.
        """
        if isinstance(told, Score):
            return replace(
                told, name=self.name, unit=self.unit, higher_is_better=self.higher_is_better
            )
        return Score(finite(told, "metric"), self.name, self.unit, self.higher_is_better)


def as_metric(given: Any) -> Metric | None:
    """Return what was given as ``metric=``, a function or a `Metric`, as a `Metric`."""
    return given if given is None or isinstance(given, Metric) else Metric(given)


def finite(told: Any, name: str) -> float:
    """Return a number as a float.

    Raises TypeError if it is no number. Raises ValueError if it is NaN or infinite.
    """
    if isinstance(told, (Tensor, np.ndarray)):
        kind, shape = type(told).__name__, tuple(told.shape)
        raise TypeError(
            f"{name}: expected a finite number, such as 0.98; got a {kind} of shape {shape}: "
            "return float(value), or value.item()"
        )
    if isinstance(told, (bool, np.bool_)) or not isinstance(told, Real):
        raise TypeError(f"{name}: expected a finite number, such as 0.98; got {shown(told)}")
    try:
        value = float(told)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, such as 0.98; got {value}")
    return value


def check_words(what: str, text: Any, *, empty: bool = False) -> None:
    """Raise TypeError or ValueError unless a text is plain and short enough to be shown."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be text; got {shown(text)}")
    plain = text.isprintable() and not set(text) & set("<>")
    if not plain or len(text) > LONGEST_NAME or not (empty or text.strip()):
        raise ValueError(
            f"{what}: expected plain text of one line, at most {LONGEST_NAME} characters, "
            f"without < and >; got {text!r:.80}"
        )


def shown(told: Any) -> str:
    """Return an object as Python writes it, cut short; its kind where it cannot be written."""
    try:
        return f"{told!r:.60}"
    except Exception:
        return f"a {type(told).__name__}"
