"""Matrix products in 8-bit integers: the matrix, and its times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from explorer.compress.methods.binarize import Binarize, Binarized
from explorer.compress.methods.quantize import Quantize, Quantized
from explorer.compress.records.record import check_weight
from explorer.measure.binary_matrix import PackedSigns, SignMatrix
from explorer.measure.latency import timed_rounds
from explorer.stopping import Stop, never

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


N_RUNS = 20
BUDGET_S = 0.5


@dataclass(frozen=True)
class ProductTiming:
    """Measured wall time of one layer's product on this machine's CPU, against float32.

    `kind`: ``"binary"``: signs of inputs and weights, 64 to a word; ``"int8"``: both as 8-bit
    integers, by torch. `batch_size`: inputs multiplied at once. `n_runs`: timed runs of each.
    `float_ms`: median of torch's own product of float32 inputs and weights, in milliseconds.
    `packed_ms`: median of the product alone, the inputs packed already. `packing_ms`: median of
    packing, or rounding, the inputs. `speedup`: median over the rounds of the float time divided by
    that of packing and product. `product_speedup`: the same without the packing, as where one layer
    hands packed values to the next. `max_error`: largest difference from the float product of the
    same packed inputs and restored weights, as a share of that product's largest entry: what
    rounding alone makes.
    """

    kind: str
    batch_size: int
    n_runs: int
    float_ms: float
    packed_ms: float
    packing_ms: float
    speedup: float
    product_speedup: float
    max_error: float


@dataclass(frozen=True, eq=False)
class _Candidate:
    """One way to multiply: how it packs inputs, multiplies, and what that should give."""

    pack: Callable[[Tensor], Any]
    product: Callable[[Any], Tensor]
    weight: Tensor
    unpack: Callable[[Any], Tensor]


def time_products(
    weight: Tensor,
    batch_size: int = 1,
    n_runs: int = N_RUNS,
    *,
    budget_s: float = BUDGET_S,
    should_stop: Stop = never,
) -> tuple[ProductTiming, ...]:
    """Time a layer's product with binary and 8-bit weights, in turn with float32.

    Each row of the matrix has a scale, or a range, of its own. Inputs are standard normal.

    `weight`: shape (out, in), floating point; left unchanged. Exact zeros are taken for tiny
    positive numbers, as the integers have no code of their own for them. `batch_size`: inputs
    multiplied at once. `n_runs`: timed runs of each product at most, after one that warms up.
    `budget_s`: seconds after the warm-up when no further round is begun; one is in any case.
    `should_stop`: asked before each run; where it returns True, nothing more is measured. Returns:
    ``"binary"`` and ``"int8"``; empty where it was stopped before the first timed round was
    complete. Raises TypeError, ValueError if `weight` is no finite floating-point matrix, or a
    count is below 1.

    Examples
    --------
    >>> [found.kind for found in time_products(torch.randn(30, 80), batch_size=2, n_runs=3)]
    ['binary', 'int8']
    """
    check_weight(weight)
    if weight.ndim != 2:
        raise ValueError(f"weight: expected a matrix (out, in), got shape {tuple(weight.shape)}")
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size: expected a whole number from 1 up, got {batch_size!r}")
    if should_stop():
        return ()
    dense = weight.detach().cpu().float()
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn((batch_size, dense.shape[1]), generator=generator)
    candidates = {"binary": _binary(dense), "int8": _integer(dense)}
    packed = {kind: way.pack(inputs) for kind, way in candidates.items()}
    jobs: dict[str, Callable[[], object]] = {"float": partial(torch.mm, inputs, dense.T)}
    for kind, way in candidates.items():
        jobs[f"{kind} packing"] = partial(way.pack, inputs)
        jobs[kind] = partial(way.product, packed[kind])
    seconds = timed_rounds(jobs, n_runs, budget_s, should_stop)
    if not len(seconds["float"]):
        return ()
    return tuple(
        _timing(kind, batch_size, seconds, _max_error(way, packed[kind]))
        for kind, way in candidates.items()
    )


def _timing(
    kind: str, batch_size: int, seconds: dict[str, np.ndarray], max_error: float
) -> ProductTiming:
    base, packing, product = seconds["float"], seconds[f"{kind} packing"], seconds[kind]
    return ProductTiming(
        kind,
        batch_size,
        len(base),
        1000 * float(np.median(base)),
        1000 * float(np.median(product)),
        1000 * float(np.median(packing)),
        float(np.median(base / (packing + product))),
        float(np.median(base / product)),
        max_error,
    )


def _binary(weight: Tensor) -> _Candidate:
    record = cast(Binarized, Binarize(scale="channel")(weight))
    return _Candidate(
        PackedSigns.of, SignMatrix.of(record).product, record.restore(), PackedSigns.restore
    )


def _integer(weight: Tensor) -> _Candidate:
    tiny = torch.finfo(weight.dtype).tiny
    setting = Quantize(bits=8, granularity="channel")
    record = cast(Quantized, setting(torch.where(weight == 0, tiny, weight)))
    return _Candidate(
        IntegerInputs.of, IntegerMatrix.of(record).product, record.restore(), IntegerInputs.restore
    )


def _max_error(way: _Candidate, packed: Any) -> float:
    expected = torch.mm(way.unpack(packed), way.weight.T)
    largest = float(expected.abs().max())
    return float((way.product(packed) - expected).abs().max()) / (largest or 1.0)
