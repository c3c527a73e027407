"""How a compressed file came to be, epoch by epoch."""

from __future__ import annotations

from ipywidgets import HBox

from explorer.measure.published.results import Story
from explorer.views.format import percent_text, size_text
from explorer.views.parts import caption
from explorer.views.plot import round_ticks
from explorer.views.training_curves import StepsPlot
from explorer.widgets import View


class ProvenanceView(View):
    """Compression ratio and accuracy over the epochs of a reproduction."""

    def __init__(self) -> None:
        self._rate = StepsPlot("times smaller", "{:,.0f}x".format, axis="epoch")
        self._accuracy = StepsPlot("accuracy", lambda v: percent_text(v, 1), axis="epoch")
        self._caption = caption()
        figures = HBox([self._rate, self._accuracy])
        figures.add_class("ex-pair")
        super().__init__([figures, self._caption])

    def draw(self, record: Story) -> None:
        """Show a story."""
        begun = tuple(epoch for epoch, _ in record.stages[1:])
        high = round_ticks(float(record.rate.values.max()))[-1]
        self._rate.show({"": record.rate}, {}, record.n_epochs, (0.0, high), begun)
        low = min(0.98, float(record.accuracy.values.min()))
        self._accuracy.show({"": record.accuracy}, {}, record.n_epochs, (low, 1.0), begun)
        stage = [("stage", "next stage")] if begun else []
        self._rate.say([("after", "original bytes / bytes of the file"), *stage])
        self._accuracy.say([("after", f"on {record.n_validation:,} images apart"), *stage])
        self._caption.value = _words(record)


def _words(record: Story) -> str:
    done = [f"{words} from epoch {epoch}" for epoch, words in record.stages[1:]]
    left = percent_text(float(record.density.values[-1]), 2)
    return (
        f"{record.name}: {'; '.join(done)}. In the end {left} of the weights are left, the file "
        f"has {size_text(record.size_bytes)} and a test error of "
        f"{percent_text(record.test_error, 2)}, after {record.seconds / 60:.0f} minutes. See how "
        "the ratio climbs while accuracy is held."
    )
