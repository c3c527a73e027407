"""Metric and Score: what a network is evaluated by in place of accuracy, and how it is run."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer.stopping import Stop, never

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
    """The value of a metric of a network.

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
        Samples evaluated; 0 where that is not known.
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
        """True when all samples were evaluated."""
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

    def score(self, answer: Any) -> Score:
        """Return what the function returned as a score.

        Raises
        ------
        TypeError, ValueError
            If that is no finite number.
        """
        if isinstance(answer, Score):
            return replace(
                answer, name=self.name, unit=self.unit, higher_is_better=self.higher_is_better
            )
        return Score(finite(answer, "metric"), self.name, self.unit, self.higher_is_better)


def as_metric(given: Any) -> Metric | None:
    """Return what was given as ``metric=``, a function or a `Metric`, as a `Metric`."""
    return given if given is None or isinstance(given, Metric) else Metric(given)


def finite(answer: Any, name: str) -> float:
    """Return a number as a float.

    Raises TypeError if it is no number. Raises ValueError if it is NaN or infinite.
    """
    if isinstance(answer, (Tensor, np.ndarray)):
        kind, shape = type(answer).__name__, tuple(answer.shape)
        raise TypeError(
            f"{name}: expected a finite number, such as 0.98; got a {kind} of shape {shape}: "
            "return float(value), or value.item()"
        )
    if isinstance(answer, (bool, np.bool_)) or not isinstance(answer, Real):
        raise TypeError(f"{name}: expected a finite number, such as 0.98; got {shown(answer)}")
    try:
        value = float(answer)
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


def shown(answer: Any) -> str:
    """Return an object as Python writes it, cut short; its kind where it cannot be written."""
    try:
        return f"{answer!r:.60}"
    except Exception:
        return f"a {type(answer).__name__}"


LONGEST_S = 600.0
POLL_S = 0.05
PATIENCE_S = 5.0
MOST_CALLS = 3


@dataclass(eq=False)
class Call:
    """One call of a metric. `answer`: what it returned. `error`: what it raised."""

    started: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)
    answer: Any = None
    error: BaseException | None = None

    @property
    def seconds(self) -> float:
        """How long ago it was begun."""
        return time.monotonic() - self.started


class MetricRunner:
    """Asks a metric about one network after the other; several threads may use it at once.

    The metric gets a copy, so that whatever it does to it spoils no later figure. A call that
    does not return is left behind in its own thread; a few of those are borne.

    `longest_s`: seconds after which a call is given up, where the metric has no limit of its own.
    """

    def __init__(self, metric: Metric, longest_s: float = LONGEST_S) -> None:
        self.metric = metric
        self._longest_s = metric.longest_s or longest_s
        self._left: list[Call] = []
        self._lock = threading.Lock()

    def ask(self, net: nn.Module, stale: Stop = never) -> Score | None:
        """Return what the metric tells of a network; None where `stale` said True meanwhile.

        `net`: left unchanged. `stale`: asked every 50 ms. Raises TimeoutError if the metric takes
        longer than it may. Raises TypeError, ValueError if it tells no finite number. Raises
        RuntimeError if it tries to end the program, or too many calls before have not returned.
        Raises Exception what it raises itself.
        """
        if not self._may_begin(stale):
            return None
        call = self._begun(copy.deepcopy(net))
        while not call.done.wait(POLL_S):
            if stale() or call.seconds > self._longest_s:
                with self._lock:
                    self._left.append(call)
                if call.seconds <= self._longest_s:
                    return None
                raise TimeoutError(
                    f"metric: {self.metric.name} has not answered within {self._longest_s:g} s and "
                    "was given up; where it needs longer, give ex.Metric(function, longest_s=...)"
                )
        if call.error is not None:
            raise _plain(call.error) from call.error
        return self.metric.score(call.answer)

    def _may_begin(self, stale: Stop) -> bool:
        """Wait for calls that were left, a little; raises RuntimeError where too many still run."""
        started = time.monotonic()
        while running := self._running():
            if stale():
                return False
            if all(call.seconds > PATIENCE_S for call in running):
                break
            if time.monotonic() - started > PATIENCE_S:
                break
            running[-1].done.wait(POLL_S)
        if len(running) >= MOST_CALLS:
            raise RuntimeError(
                f"metric: {len(running)} earlier calls of {self.metric.name} have not returned "
                "yet, so it is not called again until one does"
            )
        return True

    def _running(self) -> list[Call]:
        with self._lock:
            self._left = [call for call in self._left if not call.done.is_set()]
            return list(self._left)

    def _begun(self, net: nn.Module) -> Call:
        """Start a call in a thread that does not keep the program alive."""
        call = Call()
        grad = torch.is_grad_enabled()

        def work() -> None:
            try:
                with torch.set_grad_enabled(grad):
                    call.answer = self.metric.function(net)
            except BaseException as error:
                call.error = error
            finally:
                call.done.set()

        threading.Thread(target=work, name="explorer-metric", daemon=True).start()
        return call


def _plain(error: BaseException) -> Exception:
    """Return what a metric raised, where it would end a thread as an error that does not."""
    ends = (StopIteration, StopAsyncIteration)
    if isinstance(error, Exception) and not isinstance(error, ends):
        return error
    answer = f"({error})" if str(error) else ""
    return RuntimeError(
        f"metric: raised {type(error).__name__}{answer}; a metric returns a number and ends nothing"
    )
