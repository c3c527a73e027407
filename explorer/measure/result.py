"""The figures of a compressed network: one record for the model, one for each layer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from explorer.compress.networks.weights import Coverage
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score

MOSTLY = 0.95


@dataclass(frozen=True)
class LayerFigures:
    """Figures of one compressible layer.

    Attributes
    ----------
    name : str
        torch's qualified name, such as ``"features.0"``.
    shape : tuple of int
        Shape of the weight tensor.
    n_weights, n_nonzero : int
        Entries of the weight tensor, and those that are not zero after compression.
    original_bits, size_bits : int
        Bits of the weight tensor before and after, codebooks and positions included.
    error : float
        Relative Frobenius error ||W - W'|| / ||W||.
    macs, original_macs : int or None
        Multiply-accumulates per inference; None where the input shape is unknown.
    steps : tuple of str
        The steps applied, in words, such as ``"Prune 90%"``; empty if untouched.
    note : str
        Why a step left the layer alone, or that a figure is still provisional; else "".
    """

    name: str
    shape: tuple[int, ...]
    n_weights: int
    n_nonzero: int
    original_bits: int
    size_bits: int
    error: float
    macs: int | None = None
    original_macs: int | None = None
    steps: tuple[str, ...] = ()
    note: str = ""

    @property
    def density(self) -> float:
        """Fraction of weights that are not zero, in [0, 1]; 0 for a layer without weights."""
        return self.n_nonzero / self.n_weights if self.n_weights else 0.0

    @property
    def sparsity(self) -> float:
        """Fraction of zeros, in [0, 1]; 0 for a layer without weights."""
        return 1.0 - self.density if self.n_weights else 0.0

    @property
    def compression_ratio(self) -> float:
        """Original bits / compressed bits of this layer's weight tensor.

        ``math.inf`` where no bit is left of it, as where every weight is zero; 1 for a layer
        without weights.
        """
        if self.size_bits:
            return self.original_bits / self.size_bits
        return math.inf if self.original_bits else 1.0

    @property
    def bits_left(self) -> float:
        """Compressed bits / original bits; 1 for a layer without weights."""
        return self.size_bits / self.original_bits if self.original_bits else 1.0


@dataclass(frozen=True)
class Result:
    """Figures of the whole network under one recipe.

    Attributes
    ----------
    layers : tuple of LayerFigures
        One for each compressible layer, in the network's order.
    original_bytes : int
        Bytes of every parameter and buffer of the original network.
    size_bytes : int
        Bytes of the compressed file, header and untouched tensors included.
    overhead_bytes : int
        The part of `size_bytes` that belongs to no compressible layer: header,
        padding, and untouched tensors (biases, normalization).
    accuracy, original_accuracy : Accuracy, Score or None
        A `Score` where a metric judges. None without data or a metric, or before the first
        estimate.
    energy_pj, original_energy_pj : float or None
        Estimated energy per inference in picojoules; None where the input shape is unknown.
    complete : bool
        True once accuracy covers all the data (or there is nothing to evaluate).
    error_message : str
        What went wrong while evaluating, in words; "" if nothing did.
    other_macs, original_other_macs : int or None
        Multiply-accumulates per inference that no weight of `layers` takes part in, such as
        those of recurrent layers and attention; None where the input shape is unknown.
    uncounted : tuple of str
        Operations of the network that cannot be counted: with any, all multiply-accumulates
        and energies are at least as given.
    waiting : str
        What the accuracy is waited for so long, in words; "" where it is not.
    coverage : Coverage or None
        How much of the network the steps apply to, and what is left alone.
    folded : tuple of str
        Layers whose weights were computed and were made plain, and from what.
    """

    layers: tuple[LayerFigures, ...]
    original_bytes: int
    size_bytes: int
    overhead_bytes: int
    accuracy: Accuracy | Score | None = None
    original_accuracy: Accuracy | Score | None = None
    energy_pj: float | None = None
    original_energy_pj: float | None = None
    complete: bool = False
    error_message: str = field(default="")
    other_macs: int | None = None
    original_other_macs: int | None = None
    uncounted: tuple[str, ...] = ()
    waiting: str = ""
    coverage: Coverage | None = None
    folded: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be known beside the figures, in sentences; empty for most networks."""
        found = [self.accuracy.note] if self.accuracy is not None and self.accuracy.note else []
        if self.coverage is not None and self.coverage.fraction < MOSTLY:
            found.insert(0, str(self.coverage))
        if self.folded:
            found.append(f"made plain on a copy: {', '.join(self.folded)}")
        return tuple(found)

    @property
    def compression_ratio(self) -> float:
        """Original bytes / compressed bytes."""
        return self.original_bytes / self.size_bytes

    @property
    def header_bytes(self) -> int:
        """Bytes by which the file is larger though no layer is: what a file tells of itself.

        0 where the file is not larger, or where a layer takes more than it did.
        """
        grown = any(layer.size_bits > layer.original_bits for layer in self.layers)
        return 0 if grown else max(0, self.size_bytes - self.original_bytes)

    @property
    def n_weights(self) -> int:
        """Entries of the compressible weight tensors."""
        return sum(layer.n_weights for layer in self.layers)

    @property
    def n_nonzero(self) -> int:
        """Those of them that are not zero after compression."""
        return sum(layer.n_nonzero for layer in self.layers)

    @property
    def sparsity(self) -> float:
        """Fraction of zeros among the compressible weights, in [0, 1]."""
        return 1.0 - self.n_nonzero / self.n_weights if self.n_weights else 0.0

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates per inference with zeros skipped; None if unknown."""
        return _total([layer.macs for layer in self.layers], self.other_macs)

    @property
    def original_macs(self) -> int | None:
        """Multiply-accumulates per inference of the original network; None if unknown."""
        originals = [layer.original_macs for layer in self.layers]
        return _total(originals, self.original_other_macs)

    @property
    def mac_fraction(self) -> float | None:
        """Multiply-accumulates after / before, zeros skipped; None if unknown."""
        macs, original = self.macs, self.original_macs
        return None if macs is None or not original else macs / original

    def __getitem__(self, name: str) -> LayerFigures:
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.layers)
        raise KeyError(f"layer {name!r} is not in this result; its layers are: {known}")


def _total(values: list[int | None], other: int | None) -> int | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values) or (not known and other is None):
        return None
    return sum(known) + (other or 0)
