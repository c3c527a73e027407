"""Dials of a sensitivity, and their values from coarse to fine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.setting import Setting
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Steps

T = TypeVar("T")


def coarse_to_fine(values: Sequence[T]) -> list[T]:
    """Return the last value, the first, then middles of what lies between, ever finer.

    Examples
    --------
    >>> coarse_to_fine([0, 1, 2, 3, 4])
    [4, 0, 2, 1, 3]
    """
    if len(values) < 2:
        return list(values)
    found = [values[-1], values[0]]
    gaps = [(0, len(values) - 1)]
    while gaps:
        low, high = gaps.pop(0)
        middle = (low + high) // 2
        if middle > low:
            found.append(values[middle])
            gaps += [(low, middle), (middle, high)]
    return found


Shape = tuple[int, int]


@dataclass(frozen=True)
class LayerDial:
    """One number by which a layer is compressed more or less.

    `name`, `label`: ``"density"``, and what an axis says. `kind`: the step that it turns. `values`:
    those measured by default, ascending: the last one is the gentlest. `low`, `high`: Range.
    `whole`: whether values are whole numbers. `make`: takes a value and the shape of the layer's
    matrix to its step, None for no step.
    """

    name: str
    label: str
    kind: type[Setting]
    values: tuple[float, ...]
    low: float
    high: float
    whole: bool
    make: Callable[[float, Shape], Setting | None]

    def steps(self, value: float, shape: Shape) -> Steps:
        """Return the steps of a layer for a value."""
        step = self.make(value, shape)
        return () if step is None else (step,)

    def checked(self, values: Iterable[float] | None) -> tuple[float, ...]:
        """Return values in ascending order, each once; the default ones for None.

        Raises ValueError if one is out of range.
        """
        if values is None:
            return self.values
        given = sorted({self._one(value) for value in values})
        if not given:
            raise ValueError(f"values: expected at least one {self.name}, got none")
        return tuple(given)

    def _one(self, value: float) -> float:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not fits or not self.low <= value <= self.high or (self.whole and value % 1):
            kind = "whole numbers" if self.whole else "numbers"
            raise ValueError(
                f"values: a {self.name} must be one of the {kind} from {self.low:g} to "
                f"{self.high:g}; got {value!r}"
            )
        return int(value) if self.whole else float(value)


def _prune(density: float, _shape: Shape) -> Setting | None:
    return Prune(sparsity=round(1 - density, 9)) if density < 1 else None


def _rank(share: float, shape: Shape) -> Setting | None:
    return LowRank(rank=max(1, round(share * min(shape)))) if share < 1 else None


_DIALS = (
    LayerDial(
        "density",
        "weights kept",
        Prune,
        (0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0),
        0.0,
        1.0,
        False,
        _prune,
    ),
    LayerDial(
        "bits",
        "bits a weight",
        Quantize,
        (1, 2, 3, 4, 5, 6, 7, 8),
        1,
        16,
        True,
        lambda bits, _shape: Quantize(bits=int(bits)),
    ),
    LayerDial(
        "k",
        "shared values k",
        Share,
        (2, 4, 8, 16, 32, 64, 128, 256),
        1,
        4096,
        True,
        lambda k, _shape: Share(n_clusters=int(k)),
    ),
    LayerDial(
        "rank",
        "share of the full rank",
        LowRank,
        (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0),
        0.0,
        1.0,
        False,
        _rank,
    ),
)
DIALS = MappingProxyType({dial.name: dial for dial in _DIALS})


def dial_named(name: str) -> LayerDial:
    """Return a dial by name; raises ValueError for a name that there is not."""
    if name not in DIALS:
        raise ValueError(f"dial must be one of {', '.join(DIALS)}; got {name!r}")
    return DIALS[name]
