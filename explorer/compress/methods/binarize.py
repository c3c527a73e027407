"""Binary weights: one bit each, the sign, times a scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from explorer.compress.coding.bits import Reader, tensor_bytes, tensor_from
from explorer.compress.kernels.threads import over_chunks
from explorer.compress.methods.ordering import Cut, Ordering
from explorer.compress.methods.quantize import channels_of
from explorer.compress.methods.quantizer import (
    ScalarQuantizer,
    ValueSetting,
    as_array,
    codes_tensor,
    rounded,
)
from explorer.compress.methods.setting import check_choice, dial
from explorer.compress.records.coded import ScalarCoded
from explorer.compress.records.record import Record, gather
from explorer.compress.records.spec import TensorSpec


@dataclass(frozen=True, eq=False)
class Binarized(ScalarCoded):
    """Kept weights as signs.

    `scales`: shape (0,), (1,) or (n_channels,); magnitude of the restored weights; 1 where there is
    no scale. `value_dtype`: type of the restored weights.
    """

    kind = "binarized"

    scales: Tensor
    value_dtype: torch.dtype

    @property
    def dtype(self) -> torch.dtype:
        """Type of the restored weights."""
        return self.value_dtype

    @property
    def meta(self) -> dict[str, Any]:
        """Number of scales."""
        return {"scales": self.scales.numel()}

    @classmethod
    def alphabet_in(cls, _promise: TensorSpec) -> int:
        """Return two: a code is 1 where the weight was at least 0."""
        return 2

    @classmethod
    def table_bits_in(cls, spec: TensorSpec) -> int:
        """Return the bits of the scales."""
        return spec.value_bits * spec.channels("scales")

    def write_side_info(self) -> bytes:
        """Return the raw scales."""
        return tensor_bytes(self.scales)

    @classmethod
    def from_parts(
        cls, spec: TensorSpec, mask: Tensor | None, codes: Tensor | None, reader: Reader
    ) -> Binarized:
        """Make a record of positions and signs, and of the scales that follow."""
        shape, dtype = torch.Size([spec.layout["scales"]]), spec.dtype
        scales = tensor_from(reader(shape[0] * dtype.itemsize), shape, dtype)
        return cls(cast(Tensor, codes), mask, spec.shape, scales, dtype)

    def decode(self) -> Tensor:
        """Return the values of the kept weights, shape (n_kept,)."""
        signs = self.codes.to(self.value_dtype) * 2 - 1
        if self.scales.numel() > 1:
            return signs * self.scales[channels_of(self.positions, self.full_shape)]
        return signs * self.scales if self.scales.numel() else signs


class SignQuantizer(ScalarQuantizer):
    """Two levels, plus and minus one scale."""

    makes = Binarized

    def __init__(self, ordering: Ordering, cut: Cut, dtype: torch.dtype, scaled: bool) -> None:
        super().__init__(ordering, cut, dtype)
        self.scaled = scaled
        n_negative = ordering.zeros[0]
        self.n_negative = n_negative - max(0, min(cut.stop, n_negative) - cut.start)
        n_kept = ordering.n - cut.n_pruned
        scale = 1.0
        if scaled and n_kept:
            below, total = ordering.kept_sums(cut, np.array([self.n_negative, n_kept]))[0]
            scale = (total - 2 * below) / n_kept
        self.scale = rounded(np.array([scale]), dtype)

    @property
    def levels(self) -> np.ndarray:
        """Minus and plus the scale, float32."""
        return np.concatenate([-self.scale, self.scale])

    def level_ranks(self) -> np.ndarray:
        """Kept weights below zero."""
        return np.array([self.n_negative], np.int64)

    @property
    def meta(self) -> dict[str, Any]:
        """Number of scales."""
        return {"scales": int(self.scaled)}

    def write(self, source: np.ndarray, out: np.ndarray, threshold: float) -> None:
        """Write plus or minus the scale, zero up to `threshold`."""
        from explorer.compress.kernels.writing import sign_into

        scale, limit = self.scale[0], np.float32(threshold)
        over_chunks(source.size, lambda i: sign_into(source[i], out[i], scale, limit))

    def record(self, values: Tensor, mask: Tensor | None) -> Binarized:
        """Encode the kept `values` as signs."""
        scales = self.scale if self.scaled else self.scale[:0]
        return _binarized(values, mask, torch.from_numpy(scales))


def _binarized(values: Tensor, mask: Tensor | None, scales: Tensor) -> Binarized:
    codes = (as_array(gather(values, mask)) >= 0).astype(np.uint8)
    return Binarized(
        codes_tensor(codes, values.device),
        mask,
        values.shape,
        scales.to(values.device, values.dtype),
        values.dtype,
    )


@dataclass(frozen=True)
class Binarize(ValueSetting):
    """Replace each weight by its sign: +1 where ``w >= 0``, else -1, times a scale.

    Weights that an earlier step pruned stay zero, which makes the layer ternary.

    Parameters
    ----------
    scale : {"none", "tensor", "channel"}
        No scale; the mean magnitude of the layer's kept weights; or that of each
        output channel (first axis).

    References
    ----------
    Courbariaux, Bengio, David. "BinaryConnect". NeurIPS 2015. arXiv:1511.00363.
    Rastegari, Ordonez, Redmon, Farhadi. "XNOR-Net". ECCV 2016. arXiv:1603.05279.

    Examples
    --------
    >>> import torch
    >>> Binarize(scale="tensor")(torch.tensor([-1.0, 0.0, 2.0])).restore()
    tensor([-1.,  1.,  1.])
    """

    scale: str = dial(
        "tensor",
        "choice",
        "Scale",
        "Each weight becomes +α or −α, by its sign. α is 1 (None), the mean |w| of the layer "
        "(Tensor), or that of each output channel (Channel): closer, for one more number each.",
        options=("none", "tensor", "channel"),
    )

    help = "Keep only each weight's sign, times a scale."
    records = (Binarized,)

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_choice("Binarize", "scale", self.scale, ("none", "tensor", "channel"))

    def describe(self) -> str:
        """Say the step in a few words."""
        return {"none": "Binarize", "tensor": "Binarize, scaled"}.get(
            self.scale, "Binarize, scaled a channel"
        )

    def by_value(self) -> bool:
        """Whether one coding serves the whole tensor."""
        return self.scale != "channel"

    def first_cut(self, ordering: Ordering) -> Cut:
        """Leave no weight out: the sign of an exact zero is +1."""
        return Cut.nothing()

    def quantizer(self, ordering: Ordering, cut: Cut, dtype: torch.dtype) -> SignQuantizer:
        """Fit the scale to the kept weights of one tensor."""
        return SignQuantizer(ordering, cut, dtype, self.scale == "tensor")

    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Compress dense `values`; what `mask` leaves out stays zero."""
        if self.scale == "channel" and values.ndim > 1:
            return _binarized(values, mask, _row_scales(values, mask))
        ordering = Ordering(as_array(values))
        cut = self.first_cut(ordering) if mask is None else ordering.cut_zeros()
        return self.quantizer(ordering, cut, values.dtype).record(values, mask)


def _row_scales(values: Tensor, mask: Tensor | None) -> Tensor:
    rows = values.reshape(values.shape[0], -1).double().abs()
    if mask is None:
        return rows.mean(1).float()
    counts = mask.reshape(rows.shape).sum(1).clamp(min=1)
    return (rows.sum(1) / counts).float()
