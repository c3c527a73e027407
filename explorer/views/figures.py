"""The five figures that always show: size, accuracy, sparsity, operations, energy."""

from __future__ import annotations

from typing import Any

import traitlets

from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import ACCURACY, Score
from explorer.measure.result import Result
from explorer.views.assets import script
from explorer.views.format import (
    DASH,
    SLIGHTEST,
    at_least,
    change_text,
    change_words,
    count_text,
    direction_words,
    energy_text,
    interval_text,
    percent_text,
    score_text,
    size_text,
    tone,
)
from explorer.views.parts import caption
from explorer.widgets import ScriptView, show

_NAMES = {
    "size": "Size on disk",
    "accuracy": "Accuracy",
    "sparsity": "Sparsity",
    "macs": "Operations",
    "energy": "Energy",
}


_MEASURING = {
    "change": "",
    "text": "",
    "note": "measuring\N{HORIZONTAL ELLIPSIS}",
    "tone": "waiting",
}


class FiguresStrip(ScriptView):
    """Five cells drawn once; a new `state` changes their text alone, in one message.

    Once the page's head is scrolled away they are marked ``ex-stuck``: on a narrow page only
    their values and changes stay, and leave room for a dial and its view.
    """

    _esm = script("figures.js")

    names = traitlets.Dict(_NAMES).tag(sync=True)
    state = traitlets.Dict().tag(sync=True)


class FiguresView(FiguresStrip):
    """Size, accuracy, sparsity, multiply-accumulates and energy of a `Result`, with notes."""

    def __init__(self) -> None:
        self._accuracy = _cell(DASH)
        self.notes = caption()
        show(self.notes, False)
        super().__init__("ex-strip", state={key: _cell(DASH) for key in _NAMES})

    def draw(self, result: Result) -> None:
        """Show a result; what is not known reads as a dash and the reason.

        While accuracy is not known yet, the last one stands there muted.
        """
        told = ". ".join(result.notes)
        self.notes.value = f"{told}." if told else ""
        show(self.notes, bool(told))
        waiting = result.accuracy is None and not result.complete
        if not waiting:
            self._accuracy = _accuracy(result)
        self.state = {
            "size": _size(result, self._accuracy["tone"] == "bad"),
            "accuracy": self._accuracy | _measuring(result) if waiting else self._accuracy,
            "sparsity": _sparsity(result),
            "macs": _macs(result),
            "energy": _energy(result),
        }

    @property
    def words(self) -> dict[str, tuple[str, str, str]]:
        """Value, change and detail of each figure by its name, as they are shown."""
        return {
            _NAMES[key]: (cell["value"], cell["change"], cell["text"] or cell["note"])
            for key, cell in self.state.items()
        }


def _cell(
    value: str, change: str = "", text: str = "", note: str = "", tone: str = ""
) -> dict[str, Any]:
    return {"value": value, "change": change, "text": text, "note": note, "tone": tone}


def _measuring(result: Result) -> dict[str, str]:
    return _MEASURING | ({"note": result.waiting} if result.waiting else {})


def _size(result: Result, collapsed: bool) -> dict[str, Any]:
    """Praise a smaller file only where the network still answers."""
    ratio, header = result.compression_ratio, result.header_bytes
    change = change_text(result.original_bytes, result.size_bytes, size_text)
    how = "good" if ratio > 1.05 else "bad" if ratio < 1 else ""
    return _cell(
        size_text(result.size_bytes),
        f"+{size_text(header)} header" if header else change,
        f"from {size_text(result.original_bytes)}",
        "every byte counted",
        "" if header or (collapsed and how == "good") else how,
    )


def _accuracy(result: Result) -> dict[str, Any]:
    accuracy, original = result.accuracy, result.original_accuracy
    if accuracy is None:
        reason = result.error_message or (
            "no data given" if result.complete else "measuring\N{HORIZONTAL ELLIPSIS}"
        )
        return _cell(DASH, note=reason)
    change, text, how = "", "", ""
    if original is not None:
        difference = accuracy.value - original.value
        change, text = change_words(difference, accuracy.scale), f"from {score_text(original)}"
        how = tone(original, accuracy)
    how = "bad" if _guess(accuracy) else how
    named = {} if accuracy.scale == ACCURACY else {"name": accuracy.name}
    return _cell(score_text(accuracy), change, text, _note(accuracy), how) | named


def _note(accuracy: Accuracy | Score) -> str:
    if not accuracy.complete:
        return f"{accuracy.n:,} of {accuracy.n_total:,} images so far"
    guess, interval = _guess(accuracy), interval_text(accuracy)
    parts = [guess] if guess else [f"95% interval {interval}"] if interval else []
    parts += [f"n = {accuracy.n:,}"] if accuracy.n else []
    if accuracy.scale != ACCURACY:
        parts.append(direction_words(accuracy.scale))
    return ", ".join(parts)


def _guess(accuracy: object) -> str:
    """Say that a network is no better than chance; "" where it is."""
    if not isinstance(accuracy, Accuracy) or accuracy.chance is None or not accuracy.guesses:
        return ""
    return f"guesses: chance is {percent_text(accuracy.chance)}"


def _sparsity(result: Result) -> dict[str, Any]:
    zeros, weights = result.n_weights - result.n_nonzero, count_text(result.n_weights)
    if 0 < result.sparsity < SLIGHTEST:
        return _cell(f"{count_text(zeros)} zero", text=f"of {weights}", note="weights")
    kept = count_text(result.n_nonzero)
    return _cell(percent_text(result.sparsity), text=f"{kept} of {weights}", note="weights kept")


def _macs(result: Result) -> dict[str, Any]:
    macs, original = result.macs, result.original_macs
    if macs is None or original is None:
        return _cell(DASH, note="input shape not known")
    part = result.mac_fraction
    left = DASH if part is None else f"{percent_text(part)} left"
    if part is not None and 1 - SLIGHTEST < part < 1:
        left = f"{count_text(original - macs)} fewer"
    least = at_least(result.uncounted)
    note = "MACs, zeros skipped"
    if result.uncounted:
        note += f"; not counted: {', '.join(result.uncounted)}"
    return _cell(f"{least}{count_text(macs)}", left, f"of {least}{count_text(original)}", note)


def _energy(result: Result) -> dict[str, Any]:
    energy, original = result.energy_pj, result.original_energy_pj
    if energy is None:
        return _cell(DASH, note="input shape not known")
    change, text = "", ""
    if original is not None:
        change = change_text(original, energy, energy_text, ("less", "more"))
        text = f"from {energy_text(original)}"
    least = at_least(result.uncounted)
    return _cell(f"{least}{energy_text(energy)}", change, text, "estimate per inference")
