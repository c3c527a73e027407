"""What product and residual quantization have in common: codes of vectors and a codebook."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from explorer.compress.record import Dense, Record
from explorer.compress.setting import Setting
from explorer.compress.share import index_bits
from explorer.compress.support import support_code
from explorer.compress.weights import as_matrix


@dataclass(frozen=True, eq=False)
class VectorCoded(Record):
    """Pieces of a weight matrix as numbers of centroids.

    Attributes
    ----------
    codes : Tensor, shape (n_codebooks, n_vectors), uint8 or int16
        One row for each sub-vector or stage.
    codebook : Record with two axes
        The centroids, in the type of the weights; itself compressed where a later step
        quantizes it.
    n_centroids : int
        Centroids k of each codebook.
    full_shape : torch.Size
        Shape of the weight tensor.
    kept : Tensor or None
        The `mask`, where an earlier or later step pruned.
    """

    codes: Tensor
    codebook: Record
    n_centroids: int
    full_shape: torch.Size
    kept: Tensor | None

    @property
    def shape(self) -> torch.Size:
        """Shape of the restored tensor."""
        return self.full_shape

    @property
    def dtype(self) -> torch.dtype:
        """Type of the restored weights."""
        return self.codebook.dtype

    @property
    def mask(self) -> Tensor | None:
        """Bool, True where kept; None where nothing was pruned."""
        return self.kept

    @property
    def symbols(self) -> Tensor:
        """The codes."""
        return self.codes

    @property
    def alphabet(self) -> int:
        """Number of values that a code can take."""
        return self.n_centroids

    @property
    def code_bits(self) -> int:
        """Bits of one code: log2 k, rounded up."""
        return index_bits(self.n_centroids)

    @property
    def table_bits(self) -> int:
        """Bits of the codebooks, each of their fields padded to a byte."""
        return sum(-(-bits // 8) * 8 for bits in self.codebook.field_bits)

    @property
    @abstractmethod
    def meta(self) -> dict[str, Any]:
        """Kind and counts that the file's header needs, but for kept weights and codebook."""

    @property
    def layout(self) -> dict[str, Any]:
        """Kind and counts, kept weights where some are not, a codebook that is not dense."""
        layout = self.meta
        if self.kept is not None:
            layout = layout | {"kept": int(self.kept.sum())}
        if not isinstance(self.codebook, Dense):
            layout = layout | {"codebook": self.codebook.layout}
        return layout

    @abstractmethod
    def decode(self) -> Tensor:
        """Return the matrix (out, in * kh * kw) that codes and codebook stand for."""

    def restore(self) -> Tensor:
        """Return the dense tensor, zero where pruned."""
        return self.masked(self.decode()).reshape(self.full_shape)

    def masked(self, matrix: Tensor) -> Tensor:
        """Return a matrix (out, in * kh * kw) with zeros where pruned."""
        return matrix if self.kept is None else torch.where(as_matrix(self.kept), matrix, 0)

    def then(self, setting: Setting) -> Record:
        """Quantize the codebook; prune positions; start anew for any other step."""
        from explorer.compress.prune import Pruned
        from explorer.compress.quantize import Quantize

        if isinstance(setting, Quantize) and setting.granularity == "tensor":
            return replace(self, codebook=setting.encode(self.codebook.restore(), None))
        record = super().then(setting)
        return self.restricted(record.kept) if isinstance(record, Pruned) else record

    def restricted(self, mask: Tensor) -> Record:
        """Return the same codes with fewer kept weights."""
        return replace(self, kept=mask if self.kept is None else mask & self.kept)


def vector_fields(
    layout: dict[str, Any], shape: torch.Size, n_codes: int, table_bits: int
) -> tuple[int, ...]:
    """Bits of the kept positions where the layout has some, of the codes, of the codebooks."""
    codes_and_table = n_codes * index_bits(layout["centroids"]), table_bits
    if "kept" not in layout:
        return codes_and_table
    return support_code(shape.numel(), layout["kept"]).size_bits, *codes_and_table


def relative_error(difference: Tensor, original: Tensor) -> Tensor:
    """Return the Frobenius norm of each difference over its original's; 0 for 0 / 0.

    Parameters
    ----------
    difference, original : Tensor, shape (n, ...)

    Returns
    -------
    Tensor, shape (n,), float32
    """
    error, norm = (part.double().flatten(1).norm(dim=1) for part in (difference, original))
    return torch.where(error > 0, error / norm, 0).float()
