"""What torchvision tells about its networks: accuracy on ImageNet, operations, size."""

from __future__ import annotations

from functools import cache

from explorer.measure.tradeoffs import PublishedNetwork
from explorer.torchvision_import import import_torchvision
from explorer.zoo.torchvision_networks import torchvision_names


@cache
def published_accuracy() -> tuple[PublishedNetwork, ...]:
    """Read the figures of torchvision's classification networks, with the weights of `load`.

    The first call imports torchvision, which takes seconds; needs no connection.

    Returns
    -------
    tuple of PublishedNetwork
        One for each of `torchvision_names`, in that order. A file's bytes are those of
        torchvision's own file, in MiB to three decimals; operations are multiply-accumulates
        to a million.
    """
    models = import_torchvision().models
    return tuple(
        _network(name, models.get_model_weights(name).DEFAULT.meta) for name in torchvision_names()
    )


def _network(name: str, meta: dict) -> PublishedNetwork:
    accuracy = meta["_metrics"]["ImageNet-1K"]
    return PublishedNetwork(
        name=name,
        n_params=meta["num_params"],
        macs=1e9 * meta["_ops"],
        top1=accuracy["acc@1"] / 100,
        top5=accuracy["acc@5"] / 100,
        size_bytes=round(2**20 * meta["_file_size"]),
    )
