"""Levels at even steps, and the rounding of weights to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from explorer.compress.coding.bits import Reader, tensor_bytes, tensor_from
from explorer.compress.kernels.threads import over_chunks
from explorer.compress.methods.ordering import Cut, Ordering
from explorer.compress.methods.quantizer import (
    ScalarQuantizer,
    ValueSetting,
    as_array,
    codes_tensor,
    rounded,
)
from explorer.compress.methods.setting import check_choice, check_count, dial
from explorer.compress.records.coded import ScalarCoded
from explorer.compress.records.record import Record, gather, keep_zeros
from explorer.compress.records.spec import TensorSpec


@dataclass(frozen=True)
class Grid:
    """Even levels from `low` to `high`, ``2**bits`` of them."""

    low: float
    high: float
    bits: int

    @property
    def n_steps(self) -> int:
        """Levels but one."""
        return (1 << self.bits) - 1

    @property
    def step(self) -> float:
        """Distance of neighboring levels."""
        return (self.high - self.low) / self.n_steps

    @property
    def inverse_step(self) -> float:
        """Levels per unit; 0 where all weights are the same."""
        return 1 / self.step if self.step > 0 else 0.0

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Round float32 `values` to the nearest level's number, int16."""
        scaled = (values.astype(np.float64) - self.low) * self.inverse_step
        return np.clip(np.floor(scaled + 0.5), 0, self.n_steps).astype(np.int16)


MAX_BITS = 8


@dataclass(frozen=True, eq=False)
class Quantized(ScalarCoded):
    """Kept weights as n-bit integers.

    `low`, `high`: shape (1,) or (n_channels,), float32; the levels of a channel are ``low + code *
    (high - low) / (2**bits - 1)``. `bits`: bits of a code. `value_dtype`: type of the restored
    weights.
    """

    kind = "quantized"

    low: Tensor
    high: Tensor
    bits: int
    value_dtype: torch.dtype

    @property
    def dtype(self) -> torch.dtype:
        """Type of the restored weights."""
        return self.value_dtype

    @property
    def meta(self) -> dict[str, Any]:
        """Bits of a code and number of ranges."""
        return {"bits": self.bits, "ranges": self.low.numel()}

    @classmethod
    def alphabet_in(cls, spec: TensorSpec) -> int:
        """Return the number of levels."""
        return 1 << spec.count("bits", MAX_BITS, low=1)

    @classmethod
    def table_bits_in(cls, spec: TensorSpec) -> int:
        """Return the bits of the ends of the range, two float32 a channel."""
        return 64 * spec.channels("ranges", low=1)

    def write_side_info(self) -> bytes:
        """Return the lowest values, then the highest ones."""
        return tensor_bytes(self.low) + tensor_bytes(self.high)

    @classmethod
    def from_parts(
        cls, spec: TensorSpec, mask: Tensor | None, codes: Tensor | None, reader: Reader
    ) -> Quantized:
        """Make a record of positions and codes, and of the ranges that follow."""
        ranges = torch.Size([spec.layout["ranges"]])
        low, high = (tensor_from(reader(4 * ranges[0]), ranges, torch.float32) for _ in range(2))
        bits = spec.layout["bits"]
        return cls(cast(Tensor, codes), mask, spec.shape, low, high, bits, spec.dtype)

    def decode(self) -> Tensor:
        """Return the values of the kept weights, shape (n_kept,)."""
        low = self.low.double()
        step = (self.high.double() - low) / ((1 << self.bits) - 1)
        if low.numel() > 1:
            channel = channels_of(self.positions, self.full_shape)
            low, step = low[channel], step[channel]
        return (low + step * self.codes.double()).float().to(self.value_dtype)


def channels_of(mask: Tensor | None, shape: torch.Size) -> Tensor:
    """Return the first index of each kept entry, shape (n_kept,), int64."""
    per_channel = shape.numel() // shape[0]
    index = torch.arange(shape[0]).repeat_interleave(per_channel)
    return index if mask is None else index[mask.flatten().cpu()]


class UniformQuantizer(ScalarQuantizer):
    """Levels at even steps between the smallest and the largest kept weight."""

    makes = Quantized

    def __init__(self, ordering: Ordering, cut: Cut, dtype: torch.dtype, bits: int) -> None:
        super().__init__(ordering, cut, dtype)
        values = ordering.values
        if cut.n_pruned == ordering.n:
            self.grid = Grid(0.0, 0.0, bits)
        else:
            low = values[0 if cut.start > 0 else cut.stop]
            high = values[-1 if cut.stop < ordering.n else cut.start - 1]
            self.grid = Grid(float(low), float(high), bits)

    @property
    def levels(self) -> np.ndarray:
        """Levels, ascending, float32."""
        grid = self.grid
        return rounded(grid.low + grid.step * np.arange(grid.n_steps + 1), self.dtype)

    def level_ranks(self) -> np.ndarray:
        """Kept weights below each level but the first."""
        from explorer.compress.kernels.sorted import kept_ranks_of_codes

        grid = self.grid
        return kept_ranks_of_codes(
            self.ordering.values,
            self.cut.start,
            self.cut.stop,
            grid.low,
            grid.inverse_step,
            grid.n_steps,
        )

    @property
    def meta(self) -> dict[str, Any]:
        """Bits of a code and number of ranges."""
        return {"bits": self.grid.bits, "ranges": 1}

    def write(self, source: np.ndarray, out: np.ndarray, threshold: float) -> None:
        """Write each weight's level, zero up to `threshold`."""
        from explorer.compress.kernels.writing import quantize_into

        g, limit = self.grid, np.float32(threshold)
        scale = (g.low, g.inverse_step, g.step, float(g.n_steps))
        over_chunks(source.size, lambda i: quantize_into(source[i], out[i], *scale, limit))

    def record(self, values: Tensor, mask: Tensor | None) -> Quantized:
        """Encode the kept `values` as codes."""
        codes = self.grid.codes(as_array(gather(values, mask)))
        return _quantized(values, mask, codes, [self.grid])


def _quantized(
    values: Tensor, mask: Tensor | None, codes: np.ndarray, grids: list[Grid]
) -> Quantized:
    return Quantized(
        codes_tensor(codes, values.device),
        mask,
        values.shape,
        torch.tensor([grid.low for grid in grids], dtype=torch.float32),
        torch.tensor([grid.high for grid in grids], dtype=torch.float32),
        grids[0].bits,
        values.dtype,
    )


@dataclass(frozen=True)
class Quantize(ValueSetting):
    """Round the kept weights to ``2**bits`` even levels from their smallest to their largest.

    Parameters
    ----------
    bits : int
        Bits a weight, from 1 to 8.
    granularity : {"tensor", "channel"}
        One range for the whole tensor, or one for each output channel (first axis).

    References
    ----------
    Jacob et al. "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference". CVPR 2018. arXiv:1712.05877.

    Examples
    --------
    >>> import torch
    >>> Quantize(bits=1)(torch.tensor([-1.0, -0.4, 0.6, 1.0])).restore()
    tensor([-1., -1.,  1.,  1.])
    """

    bits: int = dial(
        8,
        "integer",
        "Bits",
        "With b bits each weight is rounded to the nearest of 2ᵇ even levels: step = (max − min) "
        "/ (2ᵇ − 1). More bits: closer to the original, but a larger file.",
        low=1,
        high=8,
        step=1,
    )
    granularity: str = dial(
        "tensor",
        "choice",
        "Range",
        "Whether levels go from min to max of the whole layer (Tensor), or of each output channel "
        "(Channel), where they fit better, for 64 more bits each.",
        options=("tensor", "channel"),
    )

    help = "Round weights to evenly spaced levels: b bits give two to the power of b."
    records = (Quantized,)

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_count("Quantize", "bits", self.bits, 1, MAX_BITS)
        check_choice("Quantize", "granularity", self.granularity, ("tensor", "channel"))

    @property
    def applies_to_codebook(self) -> bool:
        """Whether one range serves the whole tensor."""
        return self.granularity == "tensor"

    def describe(self) -> str:
        """Say the step in a few words."""
        where = "" if self.granularity == "tensor" else " a channel"
        return f"Quantize {self.bits} bit{'s' if self.bits > 1 else ''}{where}"

    def by_value(self) -> bool:
        """Whether one coding serves the whole tensor."""
        return self.granularity == "tensor"

    def quantizer(self, ordering: Ordering, cut: Cut, dtype: torch.dtype) -> UniformQuantizer:
        """Fit the range of levels to the kept weights of one tensor."""
        return UniformQuantizer(ordering, cut, dtype, self.bits)

    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Compress dense `values`; exact zeros and pruned weights stay zero."""
        if self.by_value() or values.ndim < 2:
            return super().encode(values, mask)
        kept = keep_zeros(values, mask)
        rows = as_array(values).reshape(values.shape[0], -1)
        inside = (
            np.ones(rows.shape, bool) if kept is None else kept.cpu().numpy().reshape(rows.shape)
        )
        grids = [_row_grid(row[use], self.bits) for row, use in zip(rows, inside, strict=True)]
        codes = [g.codes(row[use]) for g, row, use in zip(grids, rows, inside, strict=True)]
        return _quantized(values, kept, np.concatenate(codes), grids)


def _row_grid(row: np.ndarray, bits: int) -> Grid:
    return Grid(float(row.min()), float(row.max()), bits) if row.size else Grid(0.0, 0.0, bits)
