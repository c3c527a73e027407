"""Small pictures of samples that were lost, gained, or are the next to go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets
from torch import Tensor

from explorer.measure.gallery import Gallery, Picture
from explorer.views.caption import caption
from explorer.views.format import percent_text
from explorer.views.front_end import script
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
