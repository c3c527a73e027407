"""What every compression setting shares: a frozen dataclass whose fields carry their dials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Literal

from torch import Tensor

from explorer.compress.records.coded import Sparse
from explorer.compress.records.record import Dense, Record
from explorer.compress.records.storage import Stored, written


@dataclass(frozen=True)
class Dial:
    """How a field of a setting is turned by hand; controls are made from it.

    Attributes
    ----------
    kind : str
        ``"fraction"`` (a number in [0, 1], shown as percent), ``"integer"``,
        ``"power"`` (an integer on a log-2 scale), ``"number"`` or ``"choice"``.
    label, help : str
        Short name, and one or two sentences in plain words with the formula.
    low, high, step : float
        Range and step of a numeric dial, in the field's unit.
    options : tuple of str, or of (str, value)
        What a ``"choice"`` offers, labeled where the label is not the capitalized value.
    off : bool
        Whether a numeric dial reads "off" at `low`.
    """

    kind: Literal["fraction", "integer", "power", "number", "choice"]
    label: str
    help: str
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    options: tuple[Any, ...] = ()
    off: bool = False

    @property
    def choices(self) -> tuple[tuple[str, Any], ...]:
        """What a ``"choice"`` offers, as pairs of its label and its value."""
        return tuple(
            (option[:1].upper() + option[1:], option) if isinstance(option, str) else option
            for option in self.options
        )


def dial(default: Any, kind: Any, label: str, help: str, **limits: Any) -> Any:
    """Make a dataclass field with a `Dial`; a field made without one has no control."""
    return field(default=default, metadata={"dial": Dial(kind, label, help, **limits)})


def dial_of(owner: type, name: str, default: Any, **changes: Any) -> Any:
    """Make a dataclass field with the `Dial` of a field of `owner`, some of it changed."""
    turned = replace(known_dial(owner, name), **changes)
    return field(default=default, metadata={"dial": turned})


def known_dial(owner: type, name: str) -> Dial:
    """Return the `Dial` of a field of a dataclass."""
    found: dict[str, Dial] = {x.name: x.metadata["dial"] for x in fields(owner) if x.metadata}
    return found[name]


@dataclass(frozen=True)
class Setting(ABC):
    """One compression step: callable on a weight tensor or on an earlier step's record.

    Attributes
    ----------
    exclusive : tuple of tuple of str
        Groups of fields of which exactly one is set.
    help : str
        What the step does, in one plain sentence; by default the first line of the docstring.
    role : {"codes", "prunes", "removes", "writes"}
        Gives the kept weights other values; sets weights to zero; takes neurons out; or
        changes how all this is written, and no weight.
    records : tuple of type of Record
        What it may leave, other than a `Dense` record; files are read with these classes.
    """

    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = ()
    help: ClassVar[str]
    role: ClassVar[Literal["codes", "prunes", "removes", "writes"]] = "codes"
    records: ClassVar[tuple[type[Record], ...]] = ()

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) is None and each.default is not None:
                raise TypeError(f"{type(self).__name__}: {each.name} must have a value; got None")
        for group in self.exclusive:
            given = [name for name in group if getattr(self, name) is not None]
            if len(given) != 1:
                what = " and ".join(f"{n}={getattr(self, n)!r}" for n in given) or "neither"
                raise ValueError(
                    f"{type(self).__name__} takes exactly one of {', '.join(group)}; got {what}"
                )
        self.check()

    @abstractmethod
    def check(self) -> None:
        """Raise ValueError or TypeError where a field is out of range.

        A field is None only where that is its default.
        """

    def __call__(self, weight: Tensor | Record) -> Record:
        """Compress a weight tensor, or what an earlier step made of it.

        `weight`: any shape, floating point, or Record; left unchanged. Returns: ``restore()`` gives
        the dense tensor, ``size_bits`` its exact size. Raises TypeError if `weight` is not a
        floating-point tensor. Raises ValueError if it is empty, or holds a NaN or an infinity.
        """
        record = weight if isinstance(weight, Record) else Dense.of(weight)
        return record.then(self)

    @property
    def applies_to_codebook(self) -> bool:
        """Whether a record with a codebook hands the step on to that."""
        return False

    def follow(self, record: Record) -> Record:
        """Compress what an earlier step left, from its restored weights."""
        return self.encode(record.restore(), record.mask)

    @abstractmethod
    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Compress dense `values`; where `mask` is False an earlier step pruned."""

    @abstractmethod
    def describe(self) -> str:
        """Say the step in a few words, such as ``"Prune 90%"``."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults, after the name of the step."""
        changed = {f.name: getattr(self, f.name) for f in fields(self)}
        defaults = {f.name: f.default for f in fields(self)}
        return {"step": type(self).__name__} | {
            name: value for name, value in changed.items() if value != defaults[name]
        }


class StorageSetting(Setting):
    """A step that changes how a record is written, not what it restores to."""

    role = "writes"
    records = (Stored,)

    @abstractmethod
    def storage(self) -> Mapping[str, Any]:
        """Return the fields of `Stored` that the step sets."""

    def follow(self, record: Record) -> Record:
        """Write a record in another way."""
        return written(record, **self.storage())

    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Write dense `values`, or those that `mask` keeps, in another way."""
        return self.follow(Dense(values) if mask is None else Sparse.of(values, mask))


def check_fraction(owner: str, name: str, value: float | None) -> None:
    """Raise unless `value` is None or a number in [0, 1]."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{owner}: {name} must be a number in [0, 1]; got {value!r}")
    if not 0 <= value <= 1:
        percent = 1 < value <= 100
        cure = f"; {name} is a fraction, not a percentage: write {value / 100:g}" if percent else ""
        raise ValueError(f"{owner}: {name} must be in [0, 1]; got {value!r:.40}{cure}")


def check_count(owner: str, name: str, value: int | None, low: int, high: int) -> None:
    """Raise unless `value` is None or an integer in [low, high]."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{owner}: {name} must be an integer; got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{owner}: {name} must be from {low} to {high}; got {value}")


def check_choice(owner: str, name: str, value: str, options: tuple[str, ...]) -> None:
    """Raise unless `value` is one of `options`."""
    if value not in options:
        known = ", ".join(repr(option) for option in options)
        raise ValueError(f"{owner}: {name} must be one of {known}; got {value!r}")
