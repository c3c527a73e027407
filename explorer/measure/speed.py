"""How long something takes before and after compression."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SpeedRow:
    """Two times of the same work.

    `label`: what was timed. `before_ms`, `after_ms`: milliseconds with the original and with the
    compressed weights, positive. `note`: how it was timed, or why it came out so; else "". Raises
    ValueError if a time is not positive.
    """

    label: str
    before_ms: float
    after_ms: float
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("before_ms", "after_ms"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"{name} of {self.label!r} must be positive, got {getattr(self, name)}"
                )

    @property
    def speedup(self) -> float:
        """Time before / time after."""
        return self.before_ms / self.after_ms


@dataclass(frozen=True)
class Speed:
    """Times before and after."""

    rows: tuple[SpeedRow, ...]
