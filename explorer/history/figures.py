"""KeptFigures: figures that are kept with a state."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from explorer.history.strict_json import check_integer, check_number, check_object
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.measure.result import Result

PARTS = ("original_bytes", "size_bytes", "sparsity", "accuracy", "macs", "energy_pj")
ACCURACY_PARTS = ("top1", "top5", "n", "low", "high", "n_total")
OPTIONAL_PARTS = ("n_classes", "n_not_finite", "note")
MOST_CLASSES = 10**9
MOST_NOTE = 500
SCORE_PARTS = tuple(field.name for field in fields(Score))
MOST = 10**15
ROUNDING = 1e-9


@dataclass(frozen=True)
class KeptFigures:
    """What was measured of a network under a recipe.

    `original_bytes`, `size_bytes`: bytes of the original network, and of the compressed file.
    `sparsity`: fraction of zeros, in [0, 1]. `accuracy`: as far as it was measured; None without
    data. `macs`: multiply-accumulates per inference with zeros skipped; None if unknown.
    `energy_pj`: estimated energy per inference in picojoules; None if unknown. `at_least`: whether
    both leave out what cannot be counted.
    """

    original_bytes: int
    size_bytes: int
    sparsity: float
    accuracy: Accuracy | Score | None = None
    macs: int | None = None
    energy_pj: float | None = None
    at_least: bool = False

    @classmethod
    def of(cls, result: Result) -> KeptFigures:
        """Take the figures of a result."""
        return cls(
            result.original_bytes,
            result.size_bytes,
            result.sparsity,
            result.accuracy,
            result.macs,
            result.energy_pj,
            bool(result.uncounted),
        )

    @property
    def compression_ratio(self) -> float:
        """Original bytes / compressed bytes."""
        return self.original_bytes / self.size_bytes

    @property
    def n(self) -> int:
        """Samples that accuracy was measured on; 0 without it."""
        return self.accuracy.n if self.accuracy else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the figures that are known, as plain numbers and dicts."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        if not self.at_least:
            del given["at_least"]
        if isinstance(self.accuracy, Accuracy):
            known = {name: getattr(self.accuracy, name) for name in OPTIONAL_PARTS}
            given["accuracy"] = {name: getattr(self.accuracy, name) for name in ACCURACY_PARTS}
            given["accuracy"] |= {name: value for name, value in known.items() if value}
        return given

    @classmethod
    def from_dict(cls, value: Any, what: str) -> KeptFigures:
        """Read what `as_dict` returns, strictly.

        `value`: from JSON. `what`: what it is, for errors. Raises ValueError if a figure is
        missing, unknown, or impossible.
        """
        given = check_object(value, what, (*PARTS, "at_least"))
        if missing := [name for name in PARTS[:3] if name not in given]:
            raise ValueError(f"{what}: {', '.join(missing)} must be given")
        original, size = (
            check_integer(given[name], f"{what}: {name}", 1, MOST) for name in PARTS[:2]
        )
        if not isinstance(given.get("at_least", False), bool):
            raise ValueError(f"{what}: at_least must be true or false")
        sparsity = float(check_number(given["sparsity"], f"{what}: sparsity", 0, 1))
        macs, energy, accuracy = (given.get(name) for name in ("macs", "energy_pj", "accuracy"))
        return cls(
            original,
            size,
            sparsity,
            None if accuracy is None else _read_accuracy(accuracy, f"{what}: accuracy"),
            None if macs is None else check_integer(macs, f"{what}: macs", 0, MOST),
            None if energy is None else float(check_number(energy, f"{what}: energy_pj", 0, 1e21)),
            given.get("at_least", False),
        )


def _read_score(value: Any, what: str) -> Score:
    given = dict(check_object(value, what, SCORE_PARTS))
    given |= {
        name: check_integer(given[name], f"{what}: {name}", 0, MOST)
        for name in ("n", "n_total")
        if name in given
    }
    if not isinstance(given.get("higher_is_better", True), bool):
        raise ValueError(f"{what}: higher_is_better must be true or false")
    try:
        return Score(**given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: {error}") from None


def _read_accuracy(value: Any, what: str) -> Accuracy | Score:
    if isinstance(value, dict) and "value" in value:
        return _read_score(value, what)
    given = check_object(value, what, (*ACCURACY_PARTS, *OPTIONAL_PARTS))
    if missing := [name for name in ACCURACY_PARTS if name not in given]:
        raise ValueError(f"{what}: {', '.join(missing)} must be given")
    n = check_integer(given["n"], f"{what}: n", 0, MOST)
    n_total = check_integer(given["n_total"], f"{what}: n_total", n, MOST)
    top1, top5, low, high = (
        float(check_number(given[name], f"{what}: {name}", 0, 1))
        for name in ("top1", "top5", "low", "high")
    )
    if not (low - ROUNDING <= top1 <= high + ROUNDING and top1 <= top5):
        raise ValueError(
            f"{what}: expected low <= top1 <= high and top1 <= top5; "
            f"got low {low:g}, top1 {top1:g}, high {high:g}, top5 {top5:g}"
        )
    bad = check_integer(given.get("n_not_finite", 0), f"{what}: n_not_finite", 0, MOST)
    n_classes = check_integer(given.get("n_classes", 0), f"{what}: n_classes", 0, MOST_CLASSES)
    note = given.get("note", "")
    if not isinstance(note, str) or len(note) > MOST_NOTE:
        raise ValueError(f"{what}: note must be a text of at most {MOST_NOTE} characters")
    return Accuracy(top1, top5, n, low, high, n_total, n_classes, bad, note)
