"""How often the compressed network answers as the original does, in all and by class."""

from __future__ import annotations

import math
from typing import Any

from explorer.measure.behavior import Behavior, ClassChange
from explorer.views.figures import FiguresStrip
from explorer.views.format import DASH, MINUS, percent_text, points_text
from explorer.views.parts import caption
from explorer.views.tables import Bars, bar_row
from explorer.widgets import View

NAMES = {"same": "Same answers", "moved": "Right answers", "divergence": "Divergence"}
FAR_BITS = 0.1


class AgreementView(View):
    """Share of same answers, right answers gained and lost, divergence of the probabilities."""

    def __init__(self) -> None:
        blank = _cell(DASH)
        self._strip = FiguresStrip(names=NAMES, state=dict.fromkeys(NAMES, blank))
        self._strip.add_class("ex-strip")
        self._strip.add_class("ex-strip-three")
        self._caption = caption()
        super().__init__([self._strip, self._caption])

    def draw(self, record: Behavior) -> None:
        """Show a record."""
        self._strip.state = {
            "same": _same(record),
            "moved": _moved(record),
            "divergence": _divergence(record),
        }
        self._caption.value = f"{_judged_text(record)} {_look_text(record)}"


def _cell(value: str, change: str = "", text: str = "", note: str = "") -> dict[str, Any]:
    return {"value": value, "change": change, "text": text, "note": note, "tone": ""}


def _same(record: Behavior) -> dict[str, Any]:
    found = record.agreement
    low, high = found.interval
    return _cell(
        percent_text(found.share),
        text=f"{found.n_same:,} of {found.n:,}",
        note=f"95% interval {_range(100 * low, 100 * high, 1)}%",
    )


def _moved(record: Behavior) -> dict[str, Any]:
    change = len(record.gained) - len(record.lost)
    return _cell(
        f"{MINUS if change < 0 else '+' if change else ''}{abs(change):,}",
        text=f"{len(record.lost):,} lost, {len(record.gained):,} gained",
        note=f"{record.n_after:,} right, {record.n_before:,} before",
    )


def _divergence(record: Behavior) -> dict[str, Any]:
    found = record.agreement
    if math.isfinite(found.kl_high):
        note = f"95% interval {_range(found.kl_low, found.kl_high, _places(found.kl_bits))}"
    else:
        note = "one sample, no interval"
    return _cell(f"{found.kl_bits:.{_places(found.kl_bits)}f}", text="bits, mean KL", note=note)


def _places(bits: float) -> int:
    return 2 if bits >= 1 else 3 if bits >= 0.1 or bits == 0 else 4


def _range(low: float, high: float, places: int) -> str:
    return f"{low:.{places}f}\N{EN DASH}{high:.{places}f}"


def _judged_text(record: Behavior) -> str:
    if record.n == record.n_total:
        return f"All {record.n:,} samples judged."
    if record.n_total:
        return f"{record.n:,} of {record.n_total:,} samples judged."
    return f"The first {record.n:,} samples judged."


def _look_text(record: Behavior) -> str:
    found = record.agreement
    changed = found.n_changed
    if not changed and found.kl_bits == 0:
        return "Look: no answer and no probability moved."
    if not changed:
        return "Look at the divergence: it moves before the first answer does."
    if changed > len(record.lost):
        return (
            f"Look behind the accuracy: {changed:,} answers changed, {len(record.lost):,} of them "
            "from right to wrong."
        )
    if found.kl_bits < FAR_BITS:
        bits = f"{found.kl_bits:.{_places(found.kl_bits)}f}"
        tipped = f"{changed:,} answer{'s' if changed > 1 else ''}"
        return f"See how little the probabilities moved for {tipped} to tip: {bits} bits."
    return f"Look: every changed answer ({changed:,}) was right before."


DRAWN = 30
_KEYS = [("before", "before", ""), ("after", "after", "")]


class ClassBarsView(View):
    """Two bars a class; of more than 30 classes, those that lost most."""

    def __init__(self) -> None:
        heads = ["Class", "0 to 100%", "Right", "Change"]
        self._bars = Bars("Right answers by class", heads, "ex-bars-scroll ex-bars-classes")
        self._caption = caption()
        super().__init__([self._bars, self._caption])

    def draw(self, record: Behavior) -> None:
        """Show a record."""
        self._bars.show([_row(row) for row in record.classes[:DRAWN]], _KEYS)
        self._caption.value = _caption_text(record.classes)


def _row(row: ClassChange) -> dict[str, object]:
    before, after, change = percent_text(row.before), percent_text(row.after), _points(row)
    words = f"{row.name}: {before} right before, {after} after, {change}, {row.n:,} samples"
    tracks = [
        [(0.0, row.before, "before")],
        [(0.0, row.after, "grown" if row.change < 0 else "after")],
    ]
    return bar_row(row.name, tracks, [f"{before}\n{after}", change], words, f"n = {row.n:,}")


def _points(row: ClassChange) -> str:
    return points_text(row.change) if row.change else "same"


def _caption_text(rows: tuple[ClassChange, ...]) -> str:
    worst, best = rows[0], rows[-1]
    hidden = f" {len(rows) - DRAWN:,} more classes lost less." if len(rows) > DRAWN else ""
    low, high = (100 * bound for bound in worst.interval)
    if worst.change >= 0:
        return f"Look: no class lost right answers.{hidden}"
    shares = f"{percent_text(worst.before)} to {percent_text(worst.after)}"
    return (
        f"See which class pays first: class {worst.name} goes from {shares} (95% interval "
        f"{low:.1f} to {high:.1f}%), class {best.name} {_best_text(best)}.{hidden}"
    )


def _best_text(row: ClassChange) -> str:
    if row.change == 0:
        return "loses nothing"
    return f"{'loses' if row.change < 0 else 'gains'} {points_text(abs(row.change)).lstrip('+')}"
