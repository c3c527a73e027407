"""Share of right answers in each class, before and after, the class that lost most first."""

from __future__ import annotations

from explorer.measure.behavior import Behavior, ClassChange
from explorer.views.bars import Bars, bar_row
from explorer.views.caption import caption
from explorer.views.format import percent_text, points_text
from explorer.widgets import View

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
