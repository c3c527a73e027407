"""Small pictures of which one is picked, by a click or by the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets
from torch import Tensor

from explorer.measure.soft_targets import DarkKnowledge
from explorer.views.caption import caption
from explorer.views.format import percent_text
from explorer.views.front_end import script, source
from explorer.views.images import Images, Tile, tile
from explorer.widgets import View

DRAWING = script("images.js").replace("export default { render };", "")
PICKING = source("picked_images.js").read_text(encoding="utf-8")


class PickedImages(Images):
    """Pictures that can be picked; `picked` is the ``sample`` of the one that is."""

    _esm = DRAWING + PICKING

    picked = traitlets.Int(-1).tag(sync=True)


class PickedImagesView(View):
    """Images that a teacher finds alike to other classes, to pick one."""

    def __init__(self, picked: Callable[[int], None]) -> None:
        self._images = PickedImages("ex-images ex-images-picked")
        self._caption = caption()
        self._quiet = False
        self._images.observe(lambda change: self._told(picked, change["new"]), "picked")
        super().__init__([self._images, self._caption])

    def draw(
        self, record: DarkKnowledge, pixels: Sequence[Tensor | None], names: Sequence[str]
    ) -> None:
        """Show a ranking."""
        tiles = [_tile(record, i, pixels[i], names) for i in range(len(record.positions))]
        label = "Images that resemble another class most"
        self._images.show(tiles, label)
        self._caption.value = _words(record, names)

    def mark(self, position: int) -> None:
        """Show which image is looked at; none, where it is not among them."""
        self._quiet = True
        try:
            self._images.picked = position
        finally:
            self._quiet = False

    def _told(self, picked: Callable[[int], None], position: int) -> None:
        if not self._quiet and position >= 0:
            picked(position)


def _tile(record: DarkKnowledge, i: int, pixels: Tensor | None, names: Sequence[str]) -> Tile:
    name, other = names[int(record.labels[i])], names[int(record.second[i])]
    chance = percent_text(float(record.second_probability[i]), 0)
    words = f"Image {int(record.positions[i])}: {name}, looks like {other}: {chance}"
    remark = f"like {other}: {chance}"
    return tile(name, remark, words, int(record.positions[i]), pixels)


def _words(record: DarkKnowledge, names: Sequence[str]) -> str:
    if not len(record.positions):
        return "The teacher gets no image right: it has nothing to teach yet."
    name, other = names[int(record.labels[0])], names[int(record.second[0])]
    chance = percent_text(float(record.second_probability[0]), 0)
    return (
        f"Look at the first: rightly taken for {name}, yet {chance} for {other}. These are the "
        f"closest calls among {record.n_right:,} right answers; pick one."
    )
