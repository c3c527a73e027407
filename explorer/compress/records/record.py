"""What a step leaves behind: records that restore a dense tensor and know their exact size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from explorer.compress.coding.bits import Field, Reader, tensor_bytes, tensor_from
from explorer.compress.records.spec import Layout, TensorSpec

FLOAT_TYPES = (torch.float32, torch.float16, torch.bfloat16)


class Step(Protocol):
    """A compression step, as far as a record needs it to be changed by it."""

    @property
    def role(self) -> str:
        """Where the step stands; ``"writes"`` changes how a record is written, and no weight."""

    @property
    def applies_to_codebook(self) -> bool:
        """Whether a record with a codebook hands the step on to that."""

    def follow(self, record: Record) -> Record:
        """Compress what an earlier step left, from its restored weights."""

    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Compress dense values; where `mask` is False an earlier step pruned."""


class Record(ABC):
    """A compressed tensor, and the format of its section in a file.

    Attributes
    ----------
    kind : str
        Name of the format in a file's header.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def shape(self) -> torch.Size:
        """Shape of the restored tensor."""

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """Type of the restored tensor."""

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """What the file's header says of the record: its kind and its counts."""

    @classmethod
    @abstractmethod
    def fields_in(cls, spec: TensorSpec) -> tuple[Field, ...]:
        """Return the fields of a record's section, in order.

        Parameters
        ----------
        spec : TensorSpec
            Of this kind; from a stranger's file it may say anything.

        Raises
        ------
        ValueError
            If the layout makes no sense.
        """

    @classmethod
    def numbers_in(cls, spec: TensorSpec) -> int:
        """Count the weights, and all numbers on the way to them that are made besides."""
        return spec.n_weights

    @abstractmethod
    def write(self) -> Iterator[bytes]:
        """Yield the fields as bytes, in order."""

    @classmethod
    @abstractmethod
    def read(cls, spec: TensorSpec, reader: Reader) -> Record:
        """Read a record back from its fields, as `TensorSpec.read` says."""

    @abstractmethod
    def restore(self) -> Tensor:
        """Return the dense tensor that the record stands for."""

    @property
    def spec(self) -> TensorSpec:
        """What the file's header will promise of the record."""
        return TensorSpec(self.layout, self.shape, self.dtype)

    @property
    def field_bits(self) -> tuple[int, ...]:
        """Exact bits of each field that the file holds for this tensor, in order."""
        return self.spec.field_bits

    @property
    def size_bits(self) -> int:
        """Exact bits of this tensor, before each field is padded to a byte."""
        return sum(self.field_bits)

    @property
    def n_weights(self) -> int:
        """Entries of the tensor."""
        return self.shape.numel()

    @property
    def mask(self) -> Tensor | None:
        """Bool, the shape of the tensor, True where kept; None where nothing was pruned."""
        return None

    def then(self, step: Step) -> Record:
        """Apply a later step to this record."""
        return step.follow(self)

    def with_parts(self, change: Callable[[Record], Record]) -> Record:
        """Return the same record with each record that it is made of changed."""
        return self


@dataclass(frozen=True, eq=False)
class Dense(Record):
    """A tensor as it is, every entry written out.

    Attributes
    ----------
    values : Tensor, any shape
    """

    kind = "dense"

    values: Tensor

    @classmethod
    def of(cls, weight: Tensor) -> Dense:
        """Check `weight` and wrap it; raises as `Setting.__call__` says."""
        check_weight(weight)
        return cls(weight.detach())

    @property
    def shape(self) -> torch.Size:
        """Shape of the tensor."""
        return self.values.shape

    @property
    def dtype(self) -> torch.dtype:
        """Type of the tensor."""
        return self.values.dtype

    @property
    def layout(self) -> Layout:
        """Kind alone."""
        return Layout.of(Dense)

    @classmethod
    def fields_in(cls, spec: TensorSpec) -> tuple[Field, ...]:
        """Return one field, of entries times the bits of their type."""
        return (Field("values", spec.n_weights * spec.value_bits),)

    def write(self) -> Iterator[bytes]:
        """Yield the raw tensor."""
        yield tensor_bytes(self.values)

    @classmethod
    def read(cls, spec: TensorSpec, reader: Reader) -> Dense:
        """Read the raw tensor."""
        data = reader(spec.n_weights * spec.dtype.itemsize)
        return cls(tensor_from(data, spec.shape, spec.dtype))

    def restore(self) -> Tensor:
        """Return the tensor itself."""
        return self.values


def as_matrix(weight: Tensor) -> Tensor:
    """View a weight tensor as a matrix (out, in * kh * kw); one axis becomes one row."""
    return weight.reshape(1, -1) if weight.ndim < 2 else weight.reshape(weight.shape[0], -1)


def scatter(values: Tensor, mask: Tensor | None, shape: torch.Size) -> Tensor:
    """Put `values` (n_kept,) at the True places of `mask`, zeros elsewhere."""
    if mask is None:
        return values.reshape(shape)
    dense = torch.zeros(shape, dtype=values.dtype, device=values.device)
    dense[mask] = values
    return dense


def gather(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the entries of `values` where `mask` is True, in row-major order."""
    return values.flatten() if mask is None else values[mask]


def keep_zeros(values: Tensor, mask: Tensor | None) -> Tensor | None:
    """Return `mask`, or where none is given one that leaves exact zeros out, if there are any."""
    if mask is not None:
        return mask
    nonzero = values != 0
    return None if bool(nonzero.all()) else nonzero


def check_weight(weight: Tensor) -> None:
    """Raise unless `weight` is a finite, non-empty floating-point tensor."""
    if not isinstance(weight, Tensor):
        raise TypeError(f"weight must be a torch.Tensor; got {type(weight).__name__}")
    if weight.dtype not in FLOAT_TYPES:
        known = ", ".join(str(dtype) for dtype in FLOAT_TYPES)
        raise TypeError(
            f"weight must be one of {known}; got {weight.dtype}. Convert it first, "
            "for example with weight.float()"
        )
    if weight.numel() == 0:
        raise ValueError(f"weight is empty: shape {tuple(weight.shape)}")
    if not bool(torch.isfinite(weight.detach()).all()):
        bad = int((~torch.isfinite(weight.detach())).sum())
        raise ValueError(
            f"weight holds NaN or infinite entries ({bad} of {weight.numel()}); "
            "repair or retrain the network before compressing it"
        )
