"""Catching what a layer in the middle of a network puts out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


class LayerOutput:
    """The output of one layer, filled in while the network runs.

    Attributes
    ----------
    value : Tensor or None
        A copy of the last output, with its gradient; None before the layer ran.
    """

    value: Tensor | None = None

    @property
    def output(self) -> Tensor:
        """The output; raise ValueError where the layer did not run."""
        if self.value is None:
            raise ValueError("the layer did not run: run the network first")
        return self.value


def layer_named(net: nn.Module, name: str, whose: str) -> nn.Module:
    """Return the module of that name.

    Parameters
    ----------
    net : Module
    name : str
        Torch's qualified name.
    whose : str
        For the error, such as ``"Hints: teacher_layer"``.

    Raises
    ------
    ValueError
        If there is none; the message lists those there are.
    """
    known = {key: module for key, module in net.named_modules() if key}
    if name not in known:
        raise ValueError(f"{whose} {name!r} is no layer; the layers are: {', '.join(known)}")
    return known[name]


@contextmanager
def watched(net: nn.Module, name: str, whose: str) -> Iterator[LayerOutput]:
    """Catch a layer's output while the network runs within the block.

    Parameters
    ----------
    net : Module
    name, whose : str
        As for `layer_named`.

    Yields
    ------
    LayerOutput

    Raises
    ------
    ValueError
        If the layer did not run within the block.
    TypeError
        If it gave something else than a tensor of shape (n, ...).
    """
    found = LayerOutput()

    def catch(module: nn.Module, inputs: Any, output: Any) -> None:
        if not isinstance(output, Tensor) or output.ndim < 2:
            raise TypeError(
                f"{whose} {name!r} must give a tensor of shape (n, ...); got "
                f"{tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__}"
            )
        found.value = output.clone()

    handle = layer_named(net, name, whose).register_forward_hook(catch)
    try:
        yield found
    finally:
        handle.remove()
    if found.value is None:
        raise ValueError(f"{whose} {name!r} does not run when the network does: name another")
