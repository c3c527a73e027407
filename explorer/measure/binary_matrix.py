"""Multiply with binary weights without unpacking them: 64 signs at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.compress.kernels.threads import over_chunks
from explorer.compress.methods.binarize import Binarized
from explorer.compress.methods.quantizer import as_array

WORD = 64
MANY = 32


@dataclass(frozen=True, eq=False)
class PackedSigns:
    """The signs of a batch of inputs.

    `words`: shape (n, n_words) or, of `MANY` inputs and more, (n_words, n); uint64; bit j of word i
    is set where entry ``64 i + j`` is at least 0. Bits beyond the last entry are 0. `n_inputs`,
    `width`: inputs, and entries of each.
    """

    words: np.ndarray
    n_inputs: int
    width: int

    @classmethod
    def of(cls, inputs: Tensor) -> PackedSigns:
        """Pack the signs of `inputs`, shape (n, width); an exact zero counts as positive."""
        if inputs.ndim != 2:
            raise ValueError(f"inputs: expected shape (n, width), got {tuple(inputs.shape)}")
        words = _packed(as_array(inputs) >= 0)
        if len(words) >= MANY:
            words = np.ascontiguousarray(words.T)
        return cls(words, *inputs.shape)

    def restore(self) -> Tensor:
        """Return the signs, shape (n, width): plus or minus 1, float32."""
        words = self.words.T if self.n_inputs >= MANY else self.words
        octets = np.ascontiguousarray(words).view(np.uint8)
        bits = np.unpackbits(octets, axis=1, count=self.width, bitorder="little")
        return torch.from_numpy(bits).float() * 2 - 1


@dataclass(frozen=True, eq=False)
class SignMatrix:
    """The weights of a binary layer, ready to multiply with the signs of inputs.

    `words`: shape (n_rows, n_words), uint64; as those of `PackedSigns`. `scales`: shape (n_rows,),
    float32; magnitude of each row's weights. `width`: columns of the weight matrix.

    References
    ----------
    Rastegari, Ordonez, Redmon, Farhadi. "XNOR-Net". ECCV 2016. arXiv:1603.05279.

    Examples
    --------
    >>> import torch
    >>> from explorer.compress.methods.binarize import Binarize
    >>> matrix = SignMatrix.of(Binarize()(torch.tensor([[2.0, -2.0, 2.0]])))
    >>> matrix.product(torch.tensor([[0.1, -5.0, -1.0]]))
    tensor([[2.]])
    """

    words: np.ndarray
    scales: np.ndarray
    width: int

    @classmethod
    def of(cls, record: Binarized) -> SignMatrix:
        """Pack the record of a weight matrix (out, in), or of a kernel seen as one.

        Raises ValueError if weights are pruned: a bit cannot hold a third value.
        """
        if record.mask is not None:
            raise ValueError(
                "record: pruned weights are neither plus nor minus; binarize without pruning first"
            )
        n_rows = record.shape[0] if len(record.shape) > 1 else 1
        scales = as_array(record.scales)
        if scales.size != n_rows:
            scales = np.full(n_rows, scales[0] if scales.size else 1.0, np.float32)
        codes = record.codes.cpu().numpy().reshape(n_rows, -1)
        return cls(_packed(codes), scales, codes.shape[1])

    @property
    def n_bytes(self) -> int:
        """Memory of the packed weights and their scales."""
        return self.words.nbytes + self.scales.nbytes

    def product(self, inputs: Tensor | PackedSigns) -> Tensor:
        """Multiply the signs of `inputs` with the weights.

        `inputs`: shape (n, width), or PackedSigns. Returns: shape (n, n_rows), float32; exact:
        whole numbers times each row's scale. Raises ValueError if the width is another.
        """
        from explorer.compress.kernels.binary import few_products, many_products

        packed = inputs if isinstance(inputs, PackedSigns) else PackedSigns.of(inputs)
        if packed.width != self.width:
            raise ValueError(f"inputs: expected width {self.width}, got {packed.width}")
        n_rows = len(self.words)
        out = np.empty((n_rows, packed.n_inputs), np.float32)
        multiply = many_products if packed.n_inputs >= MANY else few_products
        n_steps = self.words.size * packed.n_inputs

        def rows(part: slice) -> None:
            own = slice(part.start * n_rows // n_steps, part.stop * n_rows // n_steps)
            multiply(packed.words, self.words[own], self.scales[own], self.width, out[own])

        if n_steps:
            over_chunks(n_steps, rows)
        return torch.from_numpy(out).T


def _packed(bits: np.ndarray) -> np.ndarray:
    """Pack truth values (n, width) into words (n, n_words), the first into the lowest bit."""
    n_words = -(-bits.shape[1] // WORD)
    octets = np.zeros((len(bits), n_words * WORD // 8), np.uint8)
    filled = np.packbits(bits, axis=1, bitorder="little")
    octets[:, : filled.shape[1]] = filled
    return octets.view("<u8")
