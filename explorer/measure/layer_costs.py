"""Weights and operations that a recipe leaves in each layer, counted as the paper counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from explorer.measure.published_layers import PublishedPruning
from explorer.measure.result import LayerFigures, Result

NOTHING_MEASURED: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class LayerCost:
    """What is left of one layer.

    Attributes
    ----------
    name : str
    kept : float
        Weights that are not zero, as a fraction.
    flops : float
        Operations left, as a fraction: zeros among weights, and where they were measured
        among the values that enter the layer, are skipped.
    density : float or None
        Nonzero values among those that enter the layer, as a fraction; None where it was
        not measured.
    """

    name: str
    kept: float
    flops: float
    density: float | None = None


@dataclass(frozen=True)
class LayerCosts:
    """What is left of every layer, beside what the paper left.

    Attributes
    ----------
    layers : tuple of LayerCost
    total : LayerCost
        Of all layers together.
    n_samples : int
        Samples on which zeros among activations were counted; 0: zeros among weights alone.
    published : PublishedPruning or None
        The paper's table, with as many layers; None where it has none.
    other_macs : int
        Multiply-accumulates that no weight of these layers takes part in; in the total in full.
    """

    layers: tuple[LayerCost, ...]
    total: LayerCost
    n_samples: int = 0
    published: PublishedPruning | None = None
    other_macs: int = 0


def layer_costs(
    result: Result,
    densities: Mapping[str, float] = NOTHING_MEASURED,
    n_samples: int = 0,
    published: PublishedPruning | None = None,
) -> LayerCosts:
    """Count what a recipe leaves, layer by layer.

    The operations of a layer are its multiply-accumulates with nonzero weights, times the
    fraction of nonzero values that enter it. Those that no weight of these layers takes part
    in, such as an LSTM's, are in the total in full. Where the shape of an input is not known, the
    weights of a layer stand for its multiply-accumulates.

    Parameters
    ----------
    result : Result
        Of the recipe.
    densities : mapping of str to float
        Fraction of nonzero values that enter each layer, as
        `explorer.measure.activity.input_density` measures it.
    n_samples : int
        Samples it was measured on.
    published : PublishedPruning, optional
        To stand beside it.

    Returns
    -------
    LayerCosts

    Raises
    ------
    ValueError
        If the published table has another number of layers.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient
    neural networks". NeurIPS 2015. arXiv:1506.02626.
    """
    if published is not None and len(published.layers) != len(result.layers):
        raise ValueError(
            f"published: expected {len(result.layers)} layers, as the network has, "
            f"got {len(published.layers)} of {published.network}"
        )
    rows = tuple(_cost(layer, densities.get(layer.name)) for layer in result.layers)
    wholes = [_operations(layer) for layer in result.layers]
    other = result.other_macs or 0
    left = sum(row.flops * whole for row, whole in zip(rows, wholes, strict=True))
    whole = sum(wholes) + (result.original_other_macs or 0)
    left += other
    total = LayerCost("total", 1.0 - result.sparsity, left / (whole or 1))
    return LayerCosts(rows, total, n_samples if densities else 0, published, other)


def _operations(layer: LayerFigures) -> int:
    return layer.n_weights if layer.original_macs is None else layer.original_macs


def _cost(layer: LayerFigures, density: float | None) -> LayerCost:
    left = layer.density
    if layer.macs is not None and layer.original_macs:
        left = layer.macs / layer.original_macs
    left *= 1.0 if density is None else density
    return LayerCost(layer.name, layer.density, left, density)
