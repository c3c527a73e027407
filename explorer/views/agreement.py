"""How often the compressed network answers as the original does, in three figures."""

from __future__ import annotations

import math
from typing import Any

from explorer.measure.behavior import Behavior
from explorer.views.caption import caption
from explorer.views.figures import FiguresStrip
from explorer.views.format import DASH, MINUS, percent_text
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
