"""What loading a network by name gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from explorer.zoo.data import Data

NETWORK_NAME_ATTRIBUTE = "network_name"


@dataclass(frozen=True)
class Loaded:
    """A network and its data; ``net, data = load(name)`` takes it apart.

    Attributes
    ----------
    net : nn.Module
        In eval mode, with a tuple ``input_shape``: one input, without the batch; and
        its ``network_name``.
    data : Data or None
        None if no data is known for it.
    name : str
        As in `catalog`.
    source : str
        Where the weights come from, in words.
    trained : bool
        False for random weights, whose accuracy says nothing.
    classes : tuple of str
        The label's names, in the order of the outputs.
    transforms : callable or None
        Makes an input from a PIL image, as in training; None for the LeNets.
    metadata : mapping
        What the publisher says of the weights, such as their accuracy; may be empty.
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
