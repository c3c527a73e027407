"""Gradients of a layer's weight for each sample apart, from its inputs and output gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

CHUNK_NUMBERS = 1 << 22


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer on a batch.

    `layer`: one of `weights.LAYER_TYPES`. `inputs`: shape (m n, ...); what it was given; the m rows
    of each of n samples follow one another. `slopes`: shape (m n, ...); gradients with respect to
    its output.
    """

    layer: Any
    inputs: Tensor
    slopes: Tensor

    def fits(self, n_samples: int) -> bool:
        """Whether the rows can be those of so many samples."""
        axes = 2 if isinstance(self.layer, nn.Linear) else self.layer.weight.ndim
        return self.inputs.ndim >= axes and self.inputs.shape[0] % n_samples == 0

    def of_samples(self, n_samples: int, start: int, stop: int) -> Call:
        """Return the rows of the samples from `start` up to `stop`."""
        m = self.inputs.shape[0] // n_samples
        rows = slice(m * start, m * stop)
        return Call(self.layer, self.inputs[rows], self.slopes[rows])

    def gradients(self, n_samples: int) -> Tensor:
        """Return the gradient of the weight for each sample, shape (n_samples, *weight.shape)."""
        rows = _linear if isinstance(self.layer, nn.Linear) else _convolution
        gradients = rows(self)
        if gradients.shape[0] == n_samples:
            return gradients
        return gradients.reshape(n_samples, -1, *self.layer.weight.shape).sum(1)

    def numbers_per_sample(self, n_samples: int) -> int:
        """How many numbers the gradient of one sample takes on its way, roughly."""
        weight = self.layer.weight
        if isinstance(self.layer, nn.Linear):
            return self.inputs.shape[0] // n_samples * weight.numel()
        wide = self.slopes if self.layer.transposed else self.inputs
        columns = wide[0].numel() * math.prod(self.layer.kernel_size)
        return self.inputs.shape[0] // n_samples * (weight.numel() + columns)


def sum_of_squares(calls: Sequence[Call], n_samples: int) -> Tensor:
    """Sum over samples the squared gradients of a weight that one or more calls share.

    `calls`: their gradients add up before they are squared. Returns: shape of the weight, float32.
    """
    first = calls[0]
    if len(calls) == 1 and isinstance(first.layer, nn.Linear) and _one_row(first, n_samples):
        return first.slopes.float().square().T @ first.inputs.float().square()
    numbers = sum(call.numbers_per_sample(n_samples) for call in calls)
    chunk = max(1, CHUNK_NUMBERS // numbers)
    total = torch.zeros_like(first.layer.weight, dtype=torch.float32)
    for start in range(0, n_samples, chunk):
        stop = min(start + chunk, n_samples)
        parts = [call.of_samples(n_samples, start, stop) for call in calls]
        gradient = parts[0].gradients(stop - start).float()
        for part in parts[1:]:
            gradient += part.gradients(stop - start)
        total += gradient.square_().sum(0)
    return total


def _one_row(call: Call, n_samples: int) -> bool:
    return call.inputs.ndim == 2 and call.inputs.shape[0] == n_samples


def _linear(call: Call) -> Tensor:
    """Gradients of a dense layer for each row, shape (m n, out, in)."""
    slopes = call.slopes.flatten(1, -2) if call.slopes.ndim > 2 else call.slopes[:, None]
    inputs = call.inputs.flatten(1, -2) if call.inputs.ndim > 2 else call.inputs[:, None]
    return slopes.mT @ inputs


def _convolution(call: Call) -> Tensor:
    """Gradients of a convolution for each row, shape (m n, *weight.shape).

    A transposed convolution is a convolution backward: its inputs and its output
    gradients change places.
    """
    layer = call.layer
    wide, narrow = call.inputs, call.slopes
    if layer.transposed:
        wide, narrow = narrow, wide
    patches = _patches(wide, layer, narrow.shape[2:])
    narrow = narrow.reshape(narrow.shape[0], layer.groups, -1, patches.shape[-1])
    return (narrow @ patches.mT).reshape(-1, *layer.weight.shape)


def _patches(images: Tensor, layer: Any, places: torch.Size) -> Tensor:
    """Copy the patches that a convolution sees, shape (n, groups, in / groups * kernel, places)."""
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    patches = nn.functional.pad(images, _margins(layer), mode)
    axes = len(places)
    for axis, size in enumerate(layer.kernel_size, start=2):
        dilation, stride = layer.dilation[axis - 2], layer.stride[axis - 2]
        patches = patches.unfold(axis, dilation * (size - 1) + 1, stride)[..., ::dilation]
        patches = patches.narrow(axis, 0, places[axis - 2])
    kernel, place = range(2 + axes, 2 + 2 * axes), range(2, 2 + axes)
    patches = patches.permute(0, 1, *kernel, *place)
    return patches.reshape(images.shape[0], layer.groups, -1, math.prod(places))


def _margins(layer: Any) -> list[int]:
    """Return the padding as `torch.nn.functional.pad` takes it: last axis first."""
    margins = []
    for axis in reversed(range(len(layer.kernel_size))):
        if layer.padding == "same":
            total = layer.dilation[axis] * (layer.kernel_size[axis] - 1)
            margins += [total // 2, total - total // 2]
        else:
            margins += 2 * [0 if layer.padding == "valid" else layer.padding[axis]]
    return margins
