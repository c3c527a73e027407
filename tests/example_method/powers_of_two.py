"""Powers of two: weights whose products are shifts. An example of a method in a file of its own."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from explorer.extend import (
    Reader,
    ScalarCoded,
    Setting,
    TensorSpec,
    check_count,
    dial,
    gather,
    keep_zeros,
)

LOWEST = -149  # 2^-149 is the smallest number that float32 holds
DIAL = "Each weight is its sign times one of 2^(bits - 1) powers of two."


def highest(dtype: torch.dtype) -> int:
    """Return the exponent of the largest power of two that a type holds."""
    return math.frexp(torch.finfo(dtype).max)[1] - 1


@dataclass(frozen=True, eq=False)
class PowersCoded(ScalarCoded):
    """Kept weights as codes ``2 * (top - exponent)``, plus 1 for a negative weight.

    Attributes
    ----------
    bits : int
        Bits of a code: one for the sign, the others for the exponent.
    top : int
        The largest exponent.
    """

    kind = "powers_of_two"

    bits: int
    top: int
    value_dtype: torch.dtype

    @property
    def dtype(self) -> torch.dtype:
        """Type of the restored weights."""
        return self.value_dtype

    @property
    def levels(self) -> Tensor:
        """Value of each code, shape (2**bits,)."""
        code = torch.arange(1 << self.bits, device=self.codes.device)
        magnitude = torch.pow(2.0, (self.top - code // 2).double())
        return torch.where(code % 2 == 0, magnitude, -magnitude).to(self.value_dtype)

    def decode(self) -> Tensor:
        """Return the values of the kept weights, shape (n_kept,)."""
        return self.levels[self.codes.long()]

    @property
    def meta(self) -> dict[str, Any]:
        """Bits of a code."""
        return {"bits": self.bits}

    @classmethod
    def alphabet_in(cls, spec: TensorSpec) -> int:
        """Return the number of codes."""
        return 1 << spec.count("bits", 8, low=2)

    @classmethod
    def table_bits_in(cls, _promise: TensorSpec) -> int:
        """Return the bits of the largest exponent, an int16."""
        return 16

    def write_side_info(self) -> bytes:
        """Return the largest exponent."""
        return struct.pack("<h", self.top)

    @classmethod
    def from_parts(
        cls, spec: TensorSpec, mask: Tensor | None, codes: Tensor, reader: Reader
    ) -> PowersCoded:
        """Make a record of positions and codes, and of the exponent that follows."""
        (top,) = struct.unpack("<h", reader(2))
        if not LOWEST <= top <= highest(spec.dtype):
            raise ValueError(f"the largest exponent cannot be {top}")
        return cls(codes, mask, spec.shape, spec.layout["bits"], top, spec.dtype)


@dataclass(frozen=True)
class PowersOfTwo(Setting):
    """Round each weight to the nearest power of two, with its sign.

    Of n bits, one is the sign; the others tell ``2**(n - 1)`` exponents apart, downward from that
    of the largest weight. Weights that are smaller still take the lowest. A multiplication by
    such a weight is a shift. Pruned weights, and exact zeros, stay zero.

    Parameters
    ----------
    bits : int
        Bits a weight, from 2 to 8.

    References
    ----------
    Zhou, Yao, Guo, Xu, Chen. "Incremental network quantization: towards lossless CNNs with
    low-precision weights". ICLR 2017. arXiv:1702.03044.

    Examples
    --------
    >>> PowersOfTwo(bits=2)(torch.tensor([0.9, -0.7, 0.0, 0.1])).restore()
    tensor([ 1.0000, -0.5000,  0.0000,  0.5000])
    """

    bits: int = dial(4, "integer", "Bits", DIAL, low=2, high=8, step=1)

    help = "Round weights to powers of two, so that multiplying is shifting."
    records = (PowersCoded,)

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_count("PowersOfTwo", "bits", self.bits, 2, 8)

    def describe(self) -> str:
        """Say the step in a few words."""
        return f"Powers of two, {self.bits} bits"

    def encode(self, values: Tensor, mask: Tensor | None) -> PowersCoded:
        """Compress dense `values`; exact zeros and pruned weights stay zero."""
        kept = keep_zeros(values, None if mask is None else mask & (values != 0))
        weights = gather(values, kept).double()
        # |w| = fraction * 2^exponent with a fraction in [1/2, 1), whose middle is 3/4.
        fraction, exponent = torch.frexp(weights.abs())
        exponent = exponent.long() - (fraction < 0.75).long()
        exponent = exponent.clamp(max=highest(values.dtype))
        top = int(exponent.max()) if exponent.numel() else 0
        below = (top - exponent).clamp(0, (1 << (self.bits - 1)) - 1)
        codes = (2 * below + (weights < 0)).to(torch.uint8)
        return PowersCoded(codes, kept, values.shape, self.bits, top, values.dtype)
