"""Weight sharing while training: the shared values learn, who shares with whom stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from explorer.compress.methods.share import Share, Shared
from explorer.compress.networks.layer import index_layers
from explorer.compress.networks.plain import plain_network
from explorer.compress.networks.planner import layer_steps, resolve
from explorer.compress.networks.recipe import Recipe
from explorer.compress.records.record import Dense
from explorer.measure.metric import Metric
from explorer.stopping import Stop
from explorer.train.checkpoint import Checkpoint
from explorer.train.settings import TrainSettings
from explorer.train.training import Records, train

SHARED = TrainSettings(n_epochs=5, learning_rate=3e-3, optimizer="adam")


def share_groups(net: nn.Module, recipe: Any) -> dict[str, Shared]:
    """Cluster a network's weights.

    `net`: left unchanged. `recipe`: steps that end with `Share`, such as ``[Prune(sparsity=0.9),
    Share(n_clusters=32)]``. Layers without steps share nothing. Returns: by layer name. Zeros take
    no part. Raises ValueError if a layer's steps do not end with `Share`.
    """
    layers = index_layers(plain_network(net))
    steps = layer_steps(Recipe.of(recipe), layers)
    resolved = resolve(steps, layers)
    groups = {}
    for name, own in resolved.items():
        if not own:
            continue
        record = layers[name].record(own) if isinstance(own[-1], Share) else None
        if not isinstance(record, Shared) or not isinstance(record.codebook, Dense):
            raise ValueError(
                f"recipe: steps of {name!r} must end with Share, to say which weights share a "
                f"value; got {', '.join(step.describe() for step in own)}"
            )
        groups[name] = record
    if not groups:
        raise ValueError(
            "recipe: no layer shares weights; give a step such as Share(n_clusters=32)"
        )
    return groups


def train_shared(
    net: nn.Module,
    data: Any,
    recipe: Any,
    settings: TrainSettings = SHARED,
    *,
    validation: Any = None,
    resume: Checkpoint | None = None,
    should_stop: Stop | None = None,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
) -> Records:
    """Cluster a copy of a network's weights, then train the shared values.

    The gradient of a shared value is the sum of the gradients of its weights:
    ``dL/dC_k = sum_ij dL/dW_ij [I_ij = k]``. Biases and layers that share nothing are
    trained as usual. Compressing the result with as many clusters keeps its values exactly.

    Parameters
    ----------
    net : Module
        Left unchanged.
    data : Data, Dataset or pair of Tensor
        As for `train`.
    recipe : Share, list of Setting, mapping of patterns, or Recipe
        As for `share_groups`.
    settings : TrainSettings
        By default Adam: the sums grow with the clusters' sizes, and Adam's steps do not.
    validation, resume, should_stop, metric
        As for `train`.

    Yields
    ------
    TrainRecord
        With ``centroids``, the shared values of each layer after the step.

    References
    ----------
    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
    trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.
    """
    return train(
        net,
        data,
        settings,
        groups=share_groups(net, recipe),
        validation=validation,
        resume=resume,
        should_stop=should_stop,
        metric=metric,
    )
