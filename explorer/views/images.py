"""Small pictures of samples: lost, gained, relabeled, and pictures to pick from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import traitlets
from torch import Tensor

from explorer.measure.gallery import Gallery, Picture
from explorer.measure.label_repair import CorrectedLabels, NoisyLabels, Relabeled
from explorer.measure.soft_targets import DarkKnowledge
from explorer.views.assets import script, source
from explorer.views.format import percent_text
from explorer.views.parts import caption
from explorer.widgets import ScriptView, View

ARROW = "\N{RIGHTWARDS ARROW}"
Tile = tuple[dict[str, Any], bytes]


class Images(ScriptView):
    """A row of pictures with a word and a remark below each; redrawn in place.

    A tile holds ``name``, ``detail``, ``label`` and ``size``, (height, width, channels); its
    pixels follow those of the tile before in `pixels`. One without pixels has the size (0, 0, 0).
    """

    _esm = script("images.js")

    tiles: traitlets.List = traitlets.List().tag(sync=True)
    pixels = traitlets.Bytes(b"").tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def show(self, tiles: Sequence[Tile], label: str) -> None:
        """Show tiles in one message."""
        with self.hold_sync():
            self.tiles, self.label = [made for made, _ in tiles], label
            self.pixels = b"".join(pixels for _, pixels in tiles)
            self.version += 1


def tile(name: str, detail: str, label: str, sample: int, pixels: Tensor | None) -> Tile:
    """Make a tile of `Images`, and its pixels."""
    size = [0, 0, 0] if pixels is None else list(pixels.shape)
    made = {"name": name, "detail": detail, "label": label, "sample": sample, "size": size}
    return made, b"" if pixels is None else pixels.numpy().tobytes()


class ImagesView(View):
    """Pictures of a `Gallery`."""

    def __init__(self) -> None:
        self._images = Images("ex-images")
        self._caption = caption()
        super().__init__([self._images, self._caption])

    def draw(self, record: Gallery) -> None:
        """Show a record."""
        tiles = [_tile(picture, record) for picture in record.pictures]
        self._images.show(tiles, f"{len(tiles)} samples: {_KIND_WORDS[record.kind]}")
        self._caption.value = _CAPTIONS[record.kind](record)


_KIND_WORDS = {
    "lost": "right before, wrong now",
    "gained": "wrong before, right now",
    "next": "right now with the smallest margins",
}


def _tile(picture: Picture, record: Gallery) -> Tile:
    names = record.names
    before, after = percent_text(picture.sure_before, 0), percent_text(picture.sure_after, 0)
    words = f"Sample {picture.sample}, truly {names[picture.truth]}"
    if record.kind == "next":
        name = f"{names[picture.truth]} {ARROW} {names[picture.rival]}?"
        detail = after
        words += f": {after} sure, {names[picture.rival]} is next likely"
    else:
        name = f"{names[picture.before]} {ARROW} {names[picture.after]}"
        detail = f"{before} {ARROW} {after}"
        words += (
            f": taken for {names[picture.before]} before ({before} sure), "
            f"for {names[picture.after]} now ({after} sure)"
        )
    return tile(name, detail, words, picture.sample, picture.pixels)


def _shown(record: Gallery) -> str:
    n = len(record.pictures)
    return "" if n == record.n_in_all else f" The first {n} are shown."


def _lost_text(record: Gallery) -> str:
    if not record.n_in_all:
        return f"Nothing lost among {record.n:,} samples: every right answer is still right."
    chance = record.n_by_chance
    return (
        f"{record.n_in_all:,} of {record.n:,} samples lost, the original's closest calls first. "
        f"See whether the doubtful ones go first: {record.n_among_weakest:,} of them are among "
        f"the tenth ({record.n_weakest:,}) that the original got right by the smallest margins; "
        f"by chance {chance:,.{0 if chance >= 10 else 1}f} would be.{_shown(record)}"
    )


def _gained_text(record: Gallery) -> str:
    if not record.n_in_all:
        return f"Nothing gained among {record.n:,} samples: no mistake of the original went away."
    return (
        f"{record.n_in_all:,} of {record.n:,} samples are right now and were not before. See "
        f"whether they are clear cases, or luck.{_shown(record)}"
    )


def _next_text(record: Gallery) -> str:
    if not record.n_in_all:
        return "No answer is right any more: nothing is left to lose."
    first = record.pictures[0]
    return (
        f"{record.n_in_all:,} answers are right now; those with the smallest lead are likely to go "
        f"next. Look at the first: truly {record.names[first.truth]}, "
        f"{percent_text(first.sure_after, 0)} sure, {record.names[first.rival]} close behind."
        f"{_shown(record)}"
    )


_CAPTIONS = {"lost": _lost_text, "gained": _gained_text, "next": _next_text}


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
        tiles = [_relabeled_tile(each) for each in record.pictures]
        label = f"{len(tiles)} samples whose wrong labels the teacher puts right"
        self._images.show(tiles, label)
        self._caption.value = corrected_text(record.corrected)


def _relabeled_tile(each: Relabeled) -> Tile:
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
        tiles = [_picked_tile(record, i, pixels[i], names) for i in range(len(record.positions))]
        label = "Images that resemble another class most"
        self._images.show(tiles, label)
        self._caption.value = _picked_text(record, names)

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


def _picked_tile(
    record: DarkKnowledge, i: int, pixels: Tensor | None, names: Sequence[str]
) -> Tile:
    name, other = names[int(record.labels[i])], names[int(record.second[i])]
    chance = percent_text(float(record.second_probability[i]), 0)
    words = f"Image {int(record.positions[i])}: {name}, looks like {other}: {chance}"
    remark = f"like {other}: {chance}"
    return tile(name, remark, words, int(record.positions[i]), pixels)


def _picked_text(record: DarkKnowledge, names: Sequence[str]) -> str:
    if not len(record.positions):
        return "The teacher gets no image right: it has nothing to teach yet."
    name, other = names[int(record.labels[0])], names[int(record.second[0])]
    chance = percent_text(float(record.second_probability[0]), 0)
    return (
        f"Look at the first: rightly taken for {name}, yet {chance} for {other}. These are the "
        f"closest calls among {record.n_right:,} right answers; pick one."
    )
