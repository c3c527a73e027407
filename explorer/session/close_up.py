"""What the views show of the chosen layer."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.measure.histogram import Histogram
from explorer.measure.sparsity import SparsityMap
from explorer.measure.spectrum import Spectrum


@dataclass(frozen=True)
class CloseUp:
    """One layer seen closely.

    Attributes
    ----------
    layer : str
        The layer's name.
    histogram : Histogram
    sparsity : SparsityMap
    spectrum : Spectrum or None
        None until the singular values are known, and for a tensor with one axis.
    """

    layer: str
    histogram: Histogram
    sparsity: SparsityMap
    spectrum: Spectrum | None
