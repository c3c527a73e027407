"""Loaded networks and their Data, errors of loading, the cache folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset


def cache_folder() -> Path:
    """Give the folder of this user's kept files; it may not exist yet.

    Returns: as the operating system has it, for example ``~/.cache/compression-explorer``.
    """
    return Path(platformdirs.user_cache_dir("compression-explorer"))


class WeightsUnavailable(RuntimeError):
    """Published weights could not be fetched, and none are kept on this computer."""


class DataUnavailable(RuntimeError):
    """A data set could not be fetched, and none is kept on this computer, or it is damaged."""


@dataclass(frozen=True)
class Data:
    """Labelled images that the network was not trained on, in two parts.

    `tune`: for choosing settings, retraining and calibration; pairs of a float32 image, normalized
    as in training, and an int64 label. `eval`: for the accuracy that is shown; shares no image with
    `tune`. `name`: short, for a caption. `classes`: the label's names, in the order of the
    network's outputs. `note`: where the images come from, and how many there are. `mean`, `std`:
    what was subtracted from pixels in [0, 1], and what they were then divided by, for each channel
    or once for all.
    """

    tune: Dataset
    eval: Dataset
    name: str = "your data"
    classes: tuple[str, ...] = ()
    note: str = ""
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def pixels(self, images: Tensor) -> Tensor:
        """Undo the normalization, for showing images.

        `images`: shape (..., channels, height, width), floating point; as `tune` and `eval` hold
        them. Returns: the shape of `images`, values in [0, 1].
        """
        mean, std = (
            torch.tensor(v, dtype=images.dtype)[:, None, None] for v in (self.mean, self.std)
        )
        return (images * std + mean).clamp(0, 1)


NETWORK_NAME_ATTRIBUTE = "network_name"


@dataclass(frozen=True)
class Loaded:
    """A network and its data; ``net, data = load(name)`` takes it apart.

    `net`: in eval mode, with a tuple ``input_shape``: one input, without the batch; and its
    ``network_name``. `data`: none if no data is known for it. `name`: as in `catalog`. `source`:
    where the weights come from, in words. `trained`: false for random weights, whose accuracy says
    nothing. `classes`: the label's names, in the order of the outputs. `transforms`: makes an input
    from a PIL image, as in training; None for the LeNets. `metadata`: what the publisher says of
    the weights, such as their accuracy; may be empty.
    """

    net: nn.Module
    data: Data | None
    name: str
    source: str
    trained: bool
    classes: tuple[str, ...]
    transforms: Callable[..., Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let the network carry its name, which compressed files keep."""
        setattr(self.net, NETWORK_NAME_ATTRIBUTE, self.name)

    def __iter__(self) -> Iterator[Any]:
        """Give the network, then the data, and nothing else."""
        return iter((self.net, self.data))
