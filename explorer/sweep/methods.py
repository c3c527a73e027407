"""The methods whose curves are compared, and the steps of each at every setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank, break_even_rank
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.sweep.sensitivity import literal

SHARED_DENSE, SHARED_KERNELS = 32, 256
STRIP = 2
STAGE_CENTROIDS = 16
FACTOR_BITS = 8
DENSITIES = (0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.35, 0.6)
RANK_SHARES = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
CLUSTERS = (2, 4, 8, 16, 32, 64, 256)
Make = Callable[[Any, tuple[int, ...]], Steps]


@dataclass(frozen=True)
class Method:
    """A method, or several one after the other, with one dial.

    `name`, `title`: a key such as ``"prune"``, and what a legend says. `setting`: what the dial's
    values are, such as ``"density"``. `values`: settings that are measured. `make`: takes a value
    and a weight tensor's shape to the steps of that layer. `trains`: whether a network that it left
    can be retrained as it stands.
    """

    name: str
    title: str
    setting: str
    values: tuple[Any, ...]
    make: Make
    trains: bool = False

    def recipe(self, value: Any, shapes: Mapping[str, tuple[int, ...]]) -> Recipe:
        """Return the recipe for a value, given the shapes of the weight tensors by layer."""
        steps = {literal(name): self.make(value, shape) for name, shape in shapes.items()}
        if len(set(steps.values())) == 1:
            return Recipe((("*", next(iter(steps.values()))),))
        return Recipe(tuple(steps.items()))


def _shared(shape: tuple[int, ...]) -> Share:
    """Share as Deep Compression does: 8 bits for kernels, 5 for dense layers."""
    return Share(n_clusters=SHARED_KERNELS if len(shape) > 2 else SHARED_DENSE)


def _matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    rows = shape[0] if len(shape) > 1 else 1
    n_weights = 1
    for size in shape:
        n_weights *= size
    return rows, n_weights // rows


def _product(n_centroids: int, shape: tuple[int, ...]) -> Steps:
    """Cut along the axis whose codebooks are the smaller ones, into strips of two."""
    rows, columns = _matrix(shape)
    axis, length = (1, columns) if rows >= columns else (0, rows)
    return (Product(n_subvectors=max(1, length // STRIP), n_centroids=n_centroids, axis=axis),)


def _low_rank(share: float, shape: tuple[int, ...]) -> LowRank:
    """Keep a share of the rank at which nothing is saved."""
    return LowRank(rank=max(1, round(share * break_even_rank(*_matrix(shape)))))


def _pruned(density: float) -> Prune:
    return Prune(sparsity=round(1 - density, 9))


_METHODS = (
    Method("prune", "Pruning", "density", DENSITIES, lambda d, _shape: (_pruned(d),), True),
    Method(
        "binarize",
        "Binary quantization",
        "scale",
        ("none", "tensor", "channel"),
        lambda scale, _shape: (Binarize(scale=scale),),
    ),
    Method(
        "quantize",
        "Uniform quantization",
        "bits",
        (1, 2, 3, 4, 5, 6, 8),
        lambda bits, _shape: (Quantize(bits=bits),),
    ),
    Method(
        "share",
        "Weight sharing (k-means)",
        "k",
        CLUSTERS,
        lambda k, _shape: (Share(n_clusters=k),),
        True,
    ),
    Method("product", "Product quantization", "k", (2, 4, 8, 16, 32, 64), _product),
    Method(
        "residual",
        "Residual quantization",
        "stages",
        (1, 2, 4, 8, 16),
        lambda t, _shape: (Residual(n_stages=t, n_centroids=STAGE_CENTROIDS),),
    ),
    Method("low_rank", "Low rank (SVD)", "rank", RANK_SHARES, lambda s, h: (_low_rank(s, h),)),
    Method(
        "prune_share",
        "Pruning + sharing",
        "density",
        DENSITIES,
        lambda d, shape: (_pruned(d), _shared(shape)),
        True,
    ),
    Method(
        "prune_quantize",
        "Pruning + 8-bit quantization",
        "density",
        DENSITIES,
        lambda d, _shape: (_pruned(d), Quantize(bits=8)),
    ),
    Method(
        "deep_compression",
        "Deep Compression",
        "density",
        DENSITIES,
        lambda d, shape: (_pruned(d), _shared(shape), Entropy("huffman")),
        True,
    ),
    Method(
        "low_rank_quantize",
        "Low rank + 8-bit quantization",
        "rank",
        RANK_SHARES,
        lambda s, shape: (_low_rank(s, shape), Quantize(bits=FACTOR_BITS)),
    ),
)
METHODS = MappingProxyType({method.name: method for method in _METHODS})
