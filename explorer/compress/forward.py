"""Run a network for its own sake: an input of the right shape, in eval mode, nothing changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def check_input_shape(input_shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of one input as a tuple.

    Raises
    ------
    ValueError
        If it is not a sequence of positive whole numbers.
    """
    sizes = tuple(input_shape) if isinstance(input_shape, Sequence) else ()
    if not sizes or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ValueError(
            "input_shape: expected the positive sizes of one input without the batch, such as "
            f"(3, 224, 224), got {input_shape!r}."
        )
    return sizes


def random_input(net: nn.Module, input_shape: Sequence[int], batch_size: int) -> Tensor:
    """Draw a batch of standard normal inputs in the type and on the device of the weights.

    Always the same one; torch's own random state is left as it is.

    Raises
    ------
    ValueError
        If `input_shape` is not a sequence of positive whole numbers, or
        `batch_size` is below 1.
    """
    shape = check_input_shape(input_shape)
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size: expected a whole number from 1 up, got {batch_size!r}")
    like = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    drawn = torch.randn((batch_size, *shape), generator=torch.Generator().manual_seed(0))
    return drawn.to(like.device, like.dtype)


@contextmanager
def eval_mode(net: nn.Module) -> Iterator[None]:
    """Put a network in eval mode, and each of its modules back afterwards."""
    was_training = [module for module in net.modules() if module.training]
    net.eval()
    try:
        yield
    finally:
        for module in was_training:
            module.training = True


def forward(net: nn.Module, inputs: Tensor) -> Any:
    """Return what `net` makes of the inputs.

    Raises
    ------
    ValueError
        If it does not take them.
    """
    try:
        return net(inputs)
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        shape = tuple(inputs.shape[1:])
        raise ValueError(
            f"input_shape: the network does not take an input of shape {shape}: {error}. "
            "Give the shape of one input, without the batch."
        ) from error
