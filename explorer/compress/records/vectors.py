"""Codebooks as part of another record: dense, or quantized by a later step."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from explorer.compress.coding.bits import Field, Reader
from explorer.compress.coding.positions import all_kept
from explorer.compress.records.coded import CodedRecord, Sparse
from explorer.compress.records.record import Dense, Record, Step, as_matrix
from explorer.compress.records.spec import Layout, TensorSpec

KINDS = ("dense", "quantized")


def codebook_in(spec: TensorSpec, shape: torch.Size) -> TensorSpec:
    """Return what a header promises of a tensor's codebook of `shape`.

    Raises ValueError if it is of no kind that a codebook can be.
    """
    book = spec.layout.get("codebook", Layout.of(Dense))
    if not isinstance(book, dict) or book.get("kind") not in KINDS:
        raise ValueError(f"header: not a codebook: {book!r:.40}")
    return spec.part(book, shape)


def codebook_bits(book: TensorSpec) -> int:
    """Return the bits of a codebook, each of its fields padded to a byte."""
    return sum(8 * field.n_bytes for field in book.fields)


def codebook_layout(codebook: Record) -> dict[str, Any]:
    """Return what a header says of a codebook: nothing of a dense one."""
    return {} if isinstance(codebook, Dense) else {"codebook": codebook.layout}


MAX_CENTROIDS = 4096


@dataclass(frozen=True, eq=False)
class VectorCoded(CodedRecord):
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
    @abstractmethod
    def meta(self) -> dict[str, Any]:
        """Counts that the file's header needs, but for kept weights and codebook."""

    @classmethod
    @abstractmethod
    def check_counts(cls, spec: TensorSpec) -> None:
        """Raise ValueError where a count of `meta` is not what it may be."""

    @classmethod
    @abstractmethod
    def codebook_shape_in(cls, spec: TensorSpec) -> torch.Size:
        """Return the shape of the codebook."""

    @classmethod
    @abstractmethod
    def codes_shape_in(cls, spec: TensorSpec) -> torch.Size:
        """Return the shape of the codes."""

    @classmethod
    def _codebook_in(cls, spec: TensorSpec) -> TensorSpec:
        return codebook_in(spec, cls.codebook_shape_in(spec))

    @classmethod
    def alphabet_in(cls, spec: TensorSpec) -> int:
        """Return the number of centroids."""
        return spec.count("centroids", MAX_CENTROIDS, low=1)

    @classmethod
    def n_symbols_in(cls, spec: TensorSpec) -> int:
        """Return the number of codes."""
        return cls.codes_shape_in(spec).numel()

    @classmethod
    def side_info_in(cls, spec: TensorSpec) -> Field:
        """Return the field of the codebooks, each of whose own is padded to a byte."""
        if len(spec.shape) < 2 or not spec.n_weights:
            raise ValueError("a tensor of quantized vectors needs two axes")
        cls.alphabet_in(spec)
        cls.check_counts(spec)
        if "kept" in spec.layout:
            spec.count("kept", spec.n_weights)
        return Field("codebooks", codebook_bits(cls._codebook_in(spec)))

    @classmethod
    def numbers_in(cls, spec: TensorSpec) -> int:
        """Count weights, codes and the entries of the codebooks."""
        n_symbols = cls.n_symbols_in(spec)
        return spec.n_weights + n_symbols + cls._codebook_in(spec).n_numbers

    @property
    def layout(self) -> Layout:
        """Kind and counts, kept weights where some are not, a codebook that is not dense."""
        kept = {} if self.kept is None else {"kept": int(self.kept.sum())}
        return Layout.of(type(self), **self.meta, **kept, **codebook_layout(self.codebook))

    def write_side_info(self) -> bytes:
        """Return the fields of the codebooks."""
        return b"".join(self.codebook.write())

    @classmethod
    def from_parts(
        cls, spec: TensorSpec, mask: Tensor | None, codes: Tensor | None, reader: Reader
    ) -> VectorCoded:
        """Make a record of positions and codes, and of the codebooks that follow."""
        codebook = cls._codebook_in(spec).read(reader)
        if mask is None and "kept" in spec.layout:
            mask = all_kept(spec.shape)
        shaped = cast(Tensor, codes).reshape(cls.codes_shape_in(spec))
        counts = cls.more_in(spec)
        return cls(shaped, codebook, spec.layout["centroids"], spec.shape, mask, **counts)

    @classmethod
    def more_in(cls, _promise: TensorSpec) -> dict[str, Any]:
        """Return the fields of the record that only this kind has."""
        return {}

    @abstractmethod
    def decode(self) -> Tensor:
        """Return the matrix (out, in * kh * kw) that codes and codebook stand for."""

    def restore(self) -> Tensor:
        """Return the dense tensor, zero where pruned."""
        return self.masked(self.decode()).reshape(self.full_shape)

    def masked(self, matrix: Tensor) -> Tensor:
        """Return a matrix (out, in * kh * kw) with zeros where pruned."""
        return matrix if self.kept is None else torch.where(as_matrix(self.kept), matrix, 0)

    def then(self, step: Step) -> Record:
        """Quantize the codebook; prune positions; start anew for any other step."""
        if step.applies_to_codebook:
            return replace(self, codebook=step.encode(self.codebook.restore(), None))
        record = super().then(step)
        return self.restricted(record.kept) if isinstance(record, Sparse) else record

    def restricted(self, mask: Tensor) -> Record:
        """Return the same codes with fewer kept weights."""
        return replace(self, kept=mask if self.kept is None else mask & self.kept)


def relative_error(difference: Tensor, original: Tensor) -> Tensor:
    """Return the Frobenius norm of each difference over its original's; 0 for 0 / 0.

    `difference`, `original`: shape (n, ...). Returns: shape (n,), float32.
    """
    error, norm = (part.double().flatten(1).norm(dim=1) for part in (difference, original))
    return torch.where(error > 0, error / norm, 0).float()
