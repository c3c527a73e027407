"""Wrong labels that a teacher puts right, as pictures."""

from __future__ import annotations

from explorer.measure.label_repair import CorrectedLabels, NoisyLabels, Relabeled
from explorer.views.caption import caption
from explorer.views.format import percent_text
from explorer.views.images import Images, Tile, tile
from explorer.widgets import View


class CorrectedLabelsView(View):
    """Pictures of samples whose wrong labels a teacher contradicts."""

    def __init__(self) -> None:
        self._images = Images("ex-images")
        self._caption = caption()
        self._shown: NoisyLabels | None = None
        super().__init__([self._images, self._caption])

    def draw(self, record: NoisyLabels) -> None:
        """Show a record; nothing is sent again for the one that is shown."""
        if record is self._shown:
            return
        self._shown = record
        tiles = [_tile(each) for each in record.pictures]
        label = f"{len(tiles)} samples whose wrong labels the teacher puts right"
        self._images.show(tiles, label)
        self._caption.value = corrected_text(record.corrected)


def _tile(each: Relabeled) -> Tile:
    words = f"Sample {each.sample}: labeled {each.label}, is {each.true}, "
    words += f"teacher says {each.answer}"
    name, remark = f"labeled {each.label}", f"is {each.true}, says {each.answer}"
    return tile(name, remark, words, each.sample, each.pixels)


def corrected_text(record: CorrectedLabels) -> str:
    """Say how many labels a teacher puts right, and how many it spoils."""
    if not record.n_corrupted:
        return "No label was made wrong: there is nothing to put right."
    return (
        f"The teacher learned {record.n_corrupted:,} wrong labels among {record.n:,}, and gives "
        f"the true class for {record.n_corrected:,} of them ({percent_text(record.share)}); it "
        f"contradicts {len(record.spoiled):,} right ones. See whether you would have believed "
        "the label."
    )
