"""MethodRegistry: compression methods by name, built in, of installed packages, and handed over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.setting import Setting
from explorer.compress.methods.share import Share
from explorer.compress.records.record import Dense, Record

GROUP = "compression_explorer.methods"
BUILT_IN: tuple[type[Setting], ...] = (
    Prune,
    PruneNeurons,
    Quantize,
    Binarize,
    Share,
    Product,
    Residual,
    LowRank,
    RelativeIndex,
    Entropy,
)
STEPS = {step.__name__: step for step in BUILT_IN}
_RECORDS: list[type[Record]] = [Dense, *(kind for step in BUILT_IN for kind in step.records)]
KINDS = {kind.kind: kind for kind in _RECORDS}


class MethodRegistry:
    """Steps and stored kinds by name: built-in ones, given ones, those of installed packages.

    `given`: methods that go before those of installed packages. Raises TypeError, ValueError if one
    of them is no method, or has the name of a built-in one.
    """

    def __init__(self, given: Iterable[type[Setting]] = ()) -> None:
        self._steps, self._kinds = dict(STEPS), dict(KINDS)
        for step in given:
            if step not in BUILT_IN:
                check_method(step)
                _add(step, self._steps, self._kinds)

    def step(self, name: Any) -> type[Setting]:
        """Return the class of a step.

        Raises LookupError if there is none; `trouble` says what could not be loaded.
        """
        if not isinstance(name, str):
            raise LookupError(name)
        return self._steps.get(name) or self._found[0][name]

    def kind(self, name: Any) -> type[Record]:
        """Return the class of a stored kind; raises ValueError where there is none."""
        if isinstance(name, str):
            kind = self._kinds.get(name) or self._found[1].get(name)
            if kind is not None:
                return kind
        raise ValueError(f"unknown kind of tensor: {name!r:.40}{self.trouble}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all steps."""
        return tuple(self._steps | self._found[0])

    @property
    def failures(self) -> tuple[str, ...]:
        """What could not be loaded of installed packages, in words."""
        return self._found[2]

    @property
    def trouble(self) -> str:
        """All of `failures`, to end an error with; "" where there are none."""
        return "".join(f"; {words}" for words in self.failures)

    @cached_property
    def _found(self) -> tuple[dict[str, type[Setting]], dict[str, type[Record]], tuple[str, ...]]:
        """Steps and kinds of installed packages, and what went wrong."""
        steps: dict[str, type[Setting]] = {}
        kinds: dict[str, type[Record]] = {}
        things, failures = found(GROUP, check_method)
        failed = list(failures)
        for origin, step in things:
            try:
                _add(step, steps, kinds)
            except ValueError as error:
                failed.append(f"{origin} was left out: {error}")
        return steps, kinds, tuple(failed)


def check_method(step: Any) -> None:
    """Check that a class can be a method beside the built-in ones.

    Raises TypeError if it is no complete setting, or what it leaves are no records. Raises
    ValueError if the name of the step, or of what it leaves, is that of a built-in one.
    """
    if not (isinstance(step, type) and issubclass(step, Setting)):
        raise TypeError(f"a method is a class derived from Setting; got {step!r:.80}")
    name = step.__name__
    if missing := getattr(step, "__abstractmethods__", ()):
        raise TypeError(f"{name} is no complete method: it lacks {', '.join(sorted(missing))}")
    if STEPS.get(name, step) is not step:
        raise ValueError(f"{name} is the name of a built-in step; give the class another one")
    for kind in step.records:
        _check_record(kind, name)


def _check_record(kind: Any, owner: str) -> None:
    """Check that a class can be what the step `owner` leaves."""
    if not (isinstance(kind, type) and issubclass(kind, Record)):
        raise TypeError(f"{owner}: records are classes derived from Record; got {kind!r:.80}")
    name = kind.__name__
    if missing := getattr(kind, "__abstractmethods__", ()):
        lacks = ", ".join(sorted(missing))
        raise TypeError(f"{owner}: {name} is no complete record: it lacks {lacks}")
    if not isinstance(getattr(kind, "kind", None), str):
        raise TypeError(f"{owner}: {name} needs a name in files, as kind = '...'")
    if KINDS.get(kind.kind, kind) is not kind:
        raise ValueError(
            f"{owner}: {kind.kind!r} is the kind of the built-in {KINDS[kind.kind].__name__}; "
            f"give that of {name} another name"
        )


def _add(
    step: type[Setting], steps: dict[str, type[Setting]], kinds: dict[str, type[Record]]
) -> None:
    """Add a method; raise ValueError where another one has its name."""
    if steps.get(step.__name__, step) is not step:
        raise ValueError(f"two methods are called {step.__name__}; give one another name")
    for kind in step.records:
        if kinds.get(kind.kind, kind) is not kind:
            raise ValueError(f"two methods leave records of the kind {kind.kind!r}; rename one")
    steps[step.__name__] = step
    kinds.update({kind.kind: kind for kind in step.records})


class Found(NamedTuple):
    """What entry points gave.

    `things`: each with the words that say where it is from. `failures`: what could not be loaded,
    in words.
    """

    things: tuple[tuple[str, Any], ...]
    failures: tuple[str, ...]


def found(group: str, check: Callable[[Any], None]) -> Found:
    """Load the entry points of a group; what fails is told, not raised.

    Packages that are installed, or changed, while Python runs are seen after a restart.

    `check`: raises TypeError or ValueError for a thing that is not what it should be. Returns: an
    entry point gives one thing, or a tuple of them.
    """
    return _found(group, check, tuple(sys.path))


@lru_cache(maxsize=8)
def _found(group: str, check: Callable[[Any], None], _path: tuple[str, ...]) -> Found:
    from importlib.metadata import entry_points

    things: list[tuple[str, Any]] = []
    failures: list[str] = []
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        package = point.dist.name if point.dist else "an unknown package"
        origin = f"{point.name!r} of {package}"
        try:
            loaded = point.load()
            given = loaded if isinstance(loaded, tuple) else (loaded,)
            for thing in given:
                check(thing)
        except Exception as error:
            failures.append(f"{origin} could not be loaded: {error} ({type(error).__name__})")
        else:
            things += [(origin, thing) for thing in given]
    return Found(tuple(things), tuple(failures))
