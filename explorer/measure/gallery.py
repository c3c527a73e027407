"""A few samples to look at: as images where they are some, with what both networks answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from explorer.measure.predictions import Predictions

LARGEST_SIDE = 64


@dataclass(frozen=True, eq=False)
class Picture:
    """One sample.

    `sample`: its number among the samples that are evaluated, from 0. `truth`, `before`, `after`,
    `rival`: the right class, the answers of the original and of the compressed network, and the
    class besides the right one that the compressed network finds most likely. `sure_before`,
    `sure_after`: probabilities that the networks give to their answers, in [0, 1]. `pixels`: shape
    (height, width, channels), uint8, 1 or 3 channels; None where it is no image.
    """

    sample: int
    truth: int
    before: int
    after: int
    rival: int
    sure_before: float
    sure_after: float
    pixels: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Gallery:
    """The first of a number of samples.

    `kind`: one of "lost", "gained", "next"; right before and wrong now; wrong before and right now;
    right now with the smallest margins, so the next to go. `names`: the classes. `n_in_all`: how
    many there are of the kind. `n`: samples that are evaluated. `n_weakest`, `n_among_weakest`: the
    tenth of the samples that the original answers rightly with the smallest margins, and how many
    of the kind are among them; 0 except for lost samples.
    """

    kind: str
    names: tuple[str, ...]
    pictures: tuple[Picture, ...]
    n_in_all: int
    n: int
    n_weakest: int = 0
    n_among_weakest: int = 0

    @property
    def n_by_chance(self) -> float:
        """How many of the kind a tenth that is drawn at random would hold, on average."""
        return self.n_in_all / 10


def picture(
    sample: int, before: Predictions, after: Predictions, pixels: Tensor | None = None
) -> Picture:
    """Put together what is known of one sample."""
    return Picture(
        sample,
        int(after.labels[sample]),
        int(before.answers[sample]),
        int(after.answers[sample]),
        int(after.rivals[sample]),
        float(before.confidence[sample]),
        float(after.confidence[sample]),
        pixels,
    )


def thumbnails(
    inputs: Sequence[Tensor], pixels: Callable[[Tensor], Tensor] | None = None
) -> list[Tensor | None]:
    """Make small pictures of a network's inputs.

    `inputs`: those of shape (height, width) or (channels, height, width) with 1 or 3 channels are
    images; they are shrunk to 64 pixels a side at most. `pixels`: takes an image to values in [0,
    1]; without it, each image's own range is stretched. Returns: as `Picture.pixels`.
    """
    return [_thumbnail(image, pixels or _stretched) for image in inputs]


def _thumbnail(image: Tensor, pixels: Callable[[Tensor], Tensor]) -> Tensor | None:
    image = image.detach().cpu().float()
    image = image[None] if image.ndim == 2 else image
    if image.ndim != 3 or image.shape[0] not in (1, 3) or min(image.shape) == 0:
        return None
    image = pixels(image)
    factor = LARGEST_SIDE / max(image.shape[1:])
    if factor < 1:
        size = [max(1, round(side * factor)) for side in image.shape[1:]]
        image = torch.nn.functional.interpolate(image[None], size=size, mode="area")[0]
    gray = image.nan_to_num(0.0).clamp(0, 1).mul(255).round().to(torch.uint8)
    return gray.permute(1, 2, 0).contiguous()


def _stretched(image: Tensor) -> Tensor:
    low, high = float(image.min()), float(image.max())
    return (image - low) / (high - low) if high > low else torch.zeros_like(image)


def pixels_of(data: Any) -> Callable[[Tensor], Tensor] | None:
    """Return what undoes the normalization of images; None where none is known."""
    known = (getattr(data, "mean", (0.0,)), getattr(data, "std", (1.0,))) != ((0.0,), (1.0,))
    return getattr(data, "pixels", None) if known else None


def class_names(data: Any, n_classes: int) -> tuple[str, ...]:
    """Return the names of a network's classes: their numbers where no others are known."""
    names = tuple(getattr(data, "classes", ()))
    return names if len(names) == n_classes else tuple(map(str, range(n_classes)))
