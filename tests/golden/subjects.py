"""The network, samples, recipes and states that the kept files were made of; the same anywhere."""

import torch
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.compress.networks.recipe import Recipe
from explorer.train.settings import TrainSettings

IMAGE = (1, 6, 6)
N_SAMPLES = 40
RECIPES = {
    "untouched": [],
    "prune": [ex.Prune(sparsity=0.7)],
    "prune-share-entropy": [ex.Prune(sparsity=0.8), ex.Share(8), ex.Entropy()],
    "share-ans": [ex.Share(6, "density"), ex.Entropy("ans")],
    "gaps": [ex.Prune(sparsity=0.9), ex.RelativeIndex(4)],
    "gaps-share-entropy": [
        ex.Prune(sparsity=0.9),
        ex.Share(4),
        ex.RelativeIndex(3),
        ex.Entropy(),
    ],
    "quantize": [ex.Quantize(4, "tensor")],
    "quantize-channels": [ex.Prune(sparsity=0.5), ex.Quantize(3, "channel"), ex.Entropy()],
    "binarize": [ex.Binarize("channel")],
    "ternary": [ex.Prune(sparsity=0.6), ex.Binarize("tensor"), ex.Entropy()],
    "low-rank": [ex.LowRank(rank=3)],
    "low-rank-quantized": [ex.LowRank(rank=4), ex.Quantize(6, "channel"), ex.Entropy()],
    "product": [ex.Product(n_subvectors=3, n_centroids=4)],
    "residual": [ex.Residual(n_stages=2, n_centroids=4), ex.Entropy("ans")],
    "removed": [ex.PruneNeurons(fraction=0.4)],
    "removed-share-entropy": [
        ex.PruneNeurons(fraction=0.3),
        ex.Prune(sparsity=0.5),
        ex.Share(8),
        ex.Entropy(),
    ],
    "by-layer": {"0": [ex.Quantize(8)], "3": [ex.Prune(sparsity=0.9), ex.Share(16)]},
}
SWEPT = ("untouched", "prune", "share-ans", "quantize", "removed")
STATES = {
    "dials": ex.State("lenet-5", recipe=Recipe.of(RECIPES["prune-share-entropy"]), tab="Prune"),
    "layers": ex.State(
        "lenet-300-100", "random", Recipe.of({"fc*": [ex.LowRank(energy=0.9)]}), layer="fc1"
    ),
    "start": ex.State(),
}
TRAINING = TrainSettings(n_epochs=3, batch_size=16, optimizer="adam", learning_rate=0.01, seed=2)
STOPPED_AT = 4


def values(shape, seed):
    """Return numbers in (-1, 1) that need no random generator."""
    n = int(torch.Size(shape).numel())
    steps = torch.arange(n, dtype=torch.int64) + 1000 * seed
    mixed = (steps * 2654435761) % 4294967296
    mixed = ((mixed ^ (mixed >> 13)) * 1540483477) % 4294967296
    return ((mixed % 2001 - 1000).float() / 1001).reshape(shape)


def network():
    net = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 12), nn.ReLU(), nn.Linear(12, 4)
    )
    with torch.no_grad():
        for seed, parameter in enumerate(net.parameters()):
            parameter.copy_(values(parameter.shape, seed) / 3)
    return net.eval()


def samples():
    inputs = values((N_SAMPLES, *IMAGE), 90)
    return TensorDataset(inputs, torch.arange(N_SAMPLES) % 4)


def point_figures(points):
    """Return the figures of a sweep's points, by recipe."""
    return {
        point.recipe.to_json(): {
            "key": point.key,
            "size_bytes": point.size_bytes,
            "original_bytes": point.original_bytes,
            "accuracy": point.accuracy.top1,
            "seconds": point.seconds,
        }
        for point in points
    }
