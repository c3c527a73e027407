"""What students come to over seeds, by error or metric; a teacher, its student, compressed ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import fmean, stdev

from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import ACCURACY, Scale, Score

T_QUANTILES = (12.7062047, 4.3026527, 3.1824463, 2.7764451, 2.5705818, 2.4469119)
FLOAT_BYTES = 4
ERROR = Scale("Test error", "%", higher_is_better=False, share=True)


@dataclass(frozen=True)
class StudentResult:
    """A network at the end of its training.

    `name`: what it learned from, such as ``"student on labels"``. `n_weights`: parameters, biases
    included. `group`: its kind, where several are compared. `seed`: of its first weights and of the
    order of the samples.
    """

    name: str
    accuracy: Accuracy | Score
    n_weights: int
    group: str = ""
    seed: int = 0

    @property
    def scale(self) -> Scale:
        """What `value` means."""
        return ERROR if self.accuracy.scale == ACCURACY else self.accuracy.scale

    @property
    def value(self) -> float:
        """Share of wrong answers, or the value of a metric."""
        return 1 - self.accuracy.value if self.scale == ERROR else self.accuracy.value


@dataclass(frozen=True)
class StudentRow:
    """The error of networks of one kind, or the value of a metric of them.

    `value`, `low`, `high`: mean, and its 95 % interval: over seeds where there are several, else
    over samples; NaN where it is not known. `n_weights`, `n_bytes`: parameters, and their bytes in
    32 bits each.
    """

    name: str
    group: str
    value: float
    low: float
    high: float
    n_seeds: int
    n_weights: int

    @property
    def n_bytes(self) -> int:
        """Bytes of the parameters, 32 bits each."""
        return FLOAT_BYTES * self.n_weights


@dataclass(frozen=True)
class StudentTable:
    """Students beside their teacher.

    `rows`: the teacher first, where it is known. `n`: held-out samples that all were evaluated on;
    0 where that is not known. `n_better`, `n_pairs`: in how many pairs of one seed and group the
    second of the two kinds compared did better than the first, and how many such pairs there are.
    `gain`, `gain_low`, `gain_high`: by how much the second kind did better, such as the first one's
    error minus its own: mean over these pairs, and its 95 % interval, NaN with a single pair.
    `scale`: what the values of the rows mean.
    """

    rows: tuple[StudentRow, ...]
    n: int
    n_better: int
    n_pairs: int
    gain: float
    gain_low: float
    gain_high: float
    scale: Scale = ERROR

    @property
    def groups(self) -> dict[str, tuple[StudentRow, ...]]:
        """The students' rows by group; the rows of none, such as the teacher's, are left out."""
        named = dict.fromkeys(row.group for row in self.rows if row.group)
        return {name: tuple(row for row in self.rows if row.group == name) for name in named}

    @property
    def spreads(self) -> dict[str, float]:
        """By kind of student, its value in the worst group minus that in the best."""
        values: dict[str, list[float]] = {}
        for row in chain.from_iterable(self.groups.values()):
            values.setdefault(row.name, []).append(row.value)
        return {name: max(found) - min(found) for name, found in values.items()}


def student_table(
    teacher: StudentResult | None, graduates: Sequence[StudentResult], pair: tuple[str, str]
) -> StudentTable:
    """Put together what students came to.

    `graduates`: at least one, in the order of the rows; those of one name and group make a row.
    `pair`: names of the two kinds of students that are compared. Raises ValueError if there is no
    student.
    """
    if not graduates:
        raise ValueError("graduates: expected at least one student that was evaluated; got none")
    kinds = list(dict.fromkeys((each.group, each.name) for each in graduates))
    rows = [] if teacher is None else [_row([teacher])]
    rows += [_row([g for g in graduates if (g.group, g.name) == kind]) for kind in kinds]
    gains = _gains(graduates, pair)
    gain, low, high = mean_interval(gains) if gains else (math.nan,) * 3
    return StudentTable(
        rows=tuple(rows),
        n=graduates[0].accuracy.n,
        n_better=sum(each > 0 for each in gains),
        n_pairs=len(gains),
        gain=gain,
        gain_low=low,
        gain_high=high,
        scale=graduates[0].scale,
    )


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of a few values, and its 95 % interval by Student's t.

    `values`: from one to seven. Returns: mean, lower and upper bound; the bounds of a single value
    are NaN. Raises ValueError if there are none, or too many.

    References
    ----------
    Student. "The probable error of a mean". Biometrika, 1908.

    Examples
    --------
    >>> mean_interval([2.0, 2.0, 2.0])
    (2.0, 2.0, 2.0)
    """
    n = len(values)
    if not 1 <= n <= len(T_QUANTILES) + 1:
        raise ValueError(f"values: expected 1 to {len(T_QUANTILES) + 1} of them; got {n}")
    mean = fmean(values)
    if n == 1:
        return mean, math.nan, math.nan
    half = T_QUANTILES[n - 2] * stdev(values) / math.sqrt(n)
    return mean, mean - half, mean + half


def _row(ones: list[StudentResult]) -> StudentRow:
    first = ones[0]
    value, low, high = mean_interval([one.value for one in ones])
    known = first.accuracy
    if len(ones) == 1 and known.low is not None and known.high is not None:
        low, high = known.low, known.high
        if first.scale == ERROR:
            low, high = 1 - high, 1 - low
    if first.scale.share:
        low, high = max(0.0, low), min(1.0, high)
    return StudentRow(first.name, first.group, value, low, high, len(ones), first.n_weights)


def _gains(graduates: Sequence[StudentResult], pair: tuple[str, str]) -> list[float]:
    """Return by how much the second kind did better than the first, pair by pair."""
    if pair[0] == pair[1]:
        return []
    first, second = (
        {
            (each.group, each.seed): each.scale.goodness(each.value)
            for each in graduates
            if each.name == name
        }
        for name in pair
    )
    return [second[twin] - first[twin] for twin in first if twin in second]


@dataclass(frozen=True)
class Relative:
    """One network of a family. `n_bytes`: of its float32 tensors, or of the compressed file."""

    name: str
    n_bytes: int
    accuracy: Accuracy | Score


@dataclass(frozen=True)
class Family:
    """Two networks, each before and after the same recipe.

    `note`: what is to be known of the recipe; "" for nothing.

    Examples
    --------
    >>> judged = Accuracy.from_counts(9, 10, 10)
    >>> made = [Relative("", size, judged) for size in (800, 80, 400, 20)]
    >>> family = Family(*made)
    >>> family.by_student, family.by_recipe, family.in_all
    (2.0, 20.0, 40.0)
    """

    teacher: Relative
    teacher_small: Relative
    student: Relative
    student_small: Relative
    note: str = ""

    @property
    def rows(self) -> tuple[Relative, ...]:
        """All four."""
        return self.teacher, self.teacher_small, self.student, self.student_small

    @property
    def by_student(self) -> float:
        """How many times smaller the student is than its teacher."""
        return self.ratio(self.student)

    @property
    def by_recipe(self) -> float:
        """How many times smaller the recipe makes the student."""
        return self.student.n_bytes / self.student_small.n_bytes

    @property
    def in_all(self) -> float:
        """The product of both."""
        return self.ratio(self.student_small)

    @property
    def gain(self) -> float:
        """Value of the compressed student minus that of the compressed teacher."""
        return self.student_small.accuracy.value - self.teacher_small.accuracy.value

    def ratio(self, row: Relative) -> float:
        """Return how many times smaller one of the four is than the teacher."""
        return self.teacher.n_bytes / row.n_bytes
