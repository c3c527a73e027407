"""Multiply with quantized weights as the integers they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.compress.methods.quantize import Quantized

TOP = 127
MIDDLE = 128
MAX_WIDTH = (1 << 31) // (TOP * MIDDLE)


@dataclass(frozen=True, eq=False)
class IntegerInputs:
    """A batch of inputs as 8-bit integers.

    `codes`: shape (n, width), int8; from -127 to 127. `scale`: what a code of 1 stands for.
    """

    codes: Tensor
    scale: float

    @classmethod
    def of(cls, inputs: Tensor) -> IntegerInputs:
        """Round `inputs`, shape (n, width), to 255 even levels around zero."""
        if inputs.ndim != 2:
            raise ValueError(f"inputs: expected shape (n, width), got {tuple(inputs.shape)}")
        low, high = torch.aminmax(inputs) if inputs.numel() else (torch.zeros(1),) * 2
        scale = max(-float(low), float(high)) / TOP or 1.0
        return cls((inputs / scale).round_().to(torch.int8), scale)

    def restore(self) -> Tensor:
        """Return the values that the codes stand for, float32."""
        return self.codes.float() * self.scale


@dataclass(frozen=True, eq=False)
class IntegerMatrix:
    """The weights of a quantized layer, ready to multiply with 8-bit inputs.

    `codes`: shape (n_rows, width), int8; the record's codes less 128. `step`: shape (1,) or
    (n_rows,), float32; distance of neighboring levels. `middle`: shape (1,) or (n_rows,), float32;
    the level whose code is 0 here.

    References
    ----------
    Jacob et al. "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference". CVPR 2018. arXiv:1712.05877.

    Examples
    --------
    >>> import torch
    >>> from explorer.compress.methods.quantize import Quantize
    >>> matrix = IntegerMatrix.of(Quantize(bits=1)(torch.tensor([[-1.0, 1.0, 1.0]])))
    >>> matrix.product(torch.tensor([[127.0, 10.0, 20.0]]))
    tensor([[-97.]])
    """

    codes: Tensor
    step: Tensor
    middle: Tensor

    @classmethod
    def of(cls, record: Quantized) -> IntegerMatrix:
        """Take the codes of a weight matrix (out, in), or of a kernel seen as one.

        Raises ValueError if weights are pruned, for which there is no code, or rows are so wide
        that their sum leaves 32 bits.
        """
        if record.mask is not None:
            raise ValueError("record: pruned weights have no code; quantize without pruning first")
        n_rows = record.shape[0] if len(record.shape) > 1 else 1
        codes = (record.codes.cpu().to(torch.int16) - MIDDLE).to(torch.int8).reshape(n_rows, -1)
        if codes.shape[1] > MAX_WIDTH:
            raise ValueError(
                f"record: rows of {codes.shape[1]} weights; sums of more than {MAX_WIDTH} "
                "products leave 32 bits"
            )
        low, high = record.low.cpu().double(), record.high.cpu().double()
        step = (high - low) / ((1 << record.bits) - 1)
        return cls(codes, step.float(), (low + MIDDLE * step).float())

    @property
    def n_bytes(self) -> int:
        """Memory of the codes and their levels."""
        return sum(t.numel() * t.element_size() for t in (self.codes, self.step, self.middle))

    def product(self, inputs: Tensor | IntegerInputs) -> Tensor:
        """Multiply `inputs`, rounded to 8 bits, with the weights.

        `inputs`: shape (n, width), or IntegerInputs. Returns: shape (n, n_rows), float32; sums are
        exact in 32-bit integers; only their scaling rounds. Raises ValueError if the width is
        another.
        """
        rounded = inputs if isinstance(inputs, IntegerInputs) else IntegerInputs.of(inputs)
        if rounded.codes.shape[1] != self.codes.shape[1]:
            raise ValueError(
                f"inputs: expected width {self.codes.shape[1]}, got {rounded.codes.shape[1]}"
            )
        sums = torch._int_mm(rounded.codes, _columns(self.codes))
        totals = rounded.codes.sum(1, keepdim=True, dtype=torch.int32).float()
        out = sums.float().mul_(self.step * rounded.scale)
        return out.addcmul_(totals, self.middle * rounded.scale)


def _columns(codes: Tensor) -> Tensor:
    """Return the transpose; of a single column with strides that the product cannot misread."""
    if codes.shape[1] == 1:
        return codes.T.clone(memory_format=torch.contiguous_format)
    return codes.T
