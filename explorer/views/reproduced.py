"""Reproduced results beside the published ones; how a file came to be (its provenance)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipywidgets import HBox

from explorer.measure.published.results import Reproduced, Story, reached_first
from explorer.views.format import DASH, percent_text, ratio_text, size_text
from explorer.views.parts import caption
from explorer.views.plot import round_ticks
from explorer.views.tables import Table
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


MEANS = ("mean_accuracy", "mean_error_labels", "mean_error_mimic")
HEADS = ("Result", "Published", "Reached", "Test error here (95% interval)", "Time", "Goal")


class ReproducedView(View):
    """A row for each result."""

    def __init__(self) -> None:
        self._table = Table("Results of papers: published, reached, error", "ex-table-words")
        self._caption = caption()
        super().__init__([self._table, self._caption])

    def draw(self, records: Sequence[Reproduced]) -> None:
        """Show results."""
        self._table.show([(head, "") for head in HEADS], [_row(r) for r in reached_first(records)])
        met = sum(record.met for record in records)
        self._caption.value = (
            f"{met} of {len(records)} results reached their goal. Look at the "
            "intervals: a difference within them says little."
        )


def _row(record: Reproduced) -> list[str]:
    interval = f"{percent_text(record.low, 2)} to {percent_text(record.high, 2)}"
    return [
        record.name,
        figures_text(record.published) or ("a ranking" if _ranks(record) else DASH),
        figures_text({k: v for k, v in record.reached.items() if _comparable(k, record)}),
        f"{percent_text(record.error, 2)} ({interval}, n = {record.n:,})",
        f"{record.seconds / 60:.0f} min" if record.seconds >= 60 else f"{record.seconds:.0f} s",
        "reached" if record.met else "missed",
    ]


def _comparable(name: str, record: Reproduced) -> bool:
    """Whether a figure stands beside the published ones; where none is published, all do."""
    alone = not record.published and not _ranks(record)
    return alone or name in record.published or name.startswith(MEANS)


def _ranks(record: Reproduced) -> bool:
    return any(name.startswith(MEANS) for name in record.reached)


def figures_text(figures: Mapping[str, float]) -> str:
    """Say figures in a few words; those without words are left out."""
    said = []
    for name, value in figures.items():
        if name == "rate":
            said.append(ratio_text(value))
        elif name == "size_bytes":
            said.append(size_text(value))
        elif name == "n_weights":
            said.append(f"{value:,.0f} weights")
        elif name == "n_neurons":
            said.append(f"{value:,.0f} neurons")
        elif name == "fc_density":
            said.append(f"{percent_text(value, 2)} of dense weights left")
        elif name.startswith("mean_accuracy_"):
            said.append(f"{name.removeprefix('mean_accuracy_')} {percent_text(value)}")
        elif name == "error_plain":
            said.append(f"by labels alone {percent_text(value, 2)}")
        elif name in ("mean_error_labels", "mean_error_mimic"):
            source = "labels" if name.endswith("labels") else "logits"
            said.append(f"mean error by {source} {percent_text(value, 2)}")
        elif name in ("error", "accuracy"):
            said.append(f"{name} {percent_text(value, 2)}")
    return ", ".join(said)
