"""Shared weights under training: one trained value for each cluster."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from explorer.compress.methods.share import Shared


class Centroids:
    """The codebook of one layer, trained by the summed gradients of its clusters.

    `weight`: the layer's parameter. It is written to: each weight takes its centroid, pruned ones
    zero. `codes`: shape of `weight`, int32; number of the weight's centroid from 1; 0 where pruned.
    `codebook`: shape (k,). `values`: shape (k,); the centroids.

    References
    ----------
    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
    trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.
    """

    def __init__(self, weight: Tensor, codes: Tensor, codebook: Tensor) -> None:
        self.weight = weight
        self.codes = codes.flatten().to(weight.device)
        self.values = nn.Parameter(codebook.detach().to(weight.device, weight.dtype).clone())
        self.counts = torch.bincount(self.codes, minlength=len(codebook) + 1)[1:]
        self.write()

    @classmethod
    def of(cls, weight: Tensor, record: Shared) -> Centroids:
        """Take assignments and codebook from a record."""
        return cls(weight, codes_of(record), record.codebook.restore())

    def gather(self, weight_decay: float = 0.0) -> None:
        """Sum the gradients of each cluster's weights into the centroid's.

        `weight_decay`: adds ``weight_decay * w`` for each weight of the cluster.
        """
        if self.weight.grad is None:
            self.values.grad = None
            return
        sums = cluster_sums(self.weight.grad, self.codes, len(self.values))
        if weight_decay:
            sums += weight_decay * self.counts * self.values.detach()
        self.values.grad = sums

    def write(self) -> None:
        """Give each weight the value of its centroid."""
        with torch.no_grad():
            table = torch.cat([self.values.new_zeros(1), self.values])
            self.weight.copy_(table.index_select(0, self.codes).view_as(self.weight))


def cluster_sums(gradient: Tensor, codes: Tensor, n_clusters: int) -> Tensor:
    """Sum a gradient over each cluster.

    `gradient`: any shape. `codes`: shape (n,), integer; number of each entry's cluster from 1;
    entries of code 0 are left out. Returns: shape (n_clusters,), dtype of `gradient`; summed in
    float64.
    """
    weights = gradient.flatten().double()
    sums = torch.bincount(codes, weights=weights, minlength=n_clusters + 1)
    return sums[1:].to(gradient.dtype)


def codes_of(record: Shared) -> Tensor:
    """Return each weight's centroid number from 1, 0 where pruned; int32, shape of the tensor."""
    codes = record.codes.to(torch.int32) + 1
    if record.positions is None:
        return codes.reshape(record.shape)
    full = torch.zeros(record.shape, dtype=torch.int32, device=codes.device)
    full[record.positions] = codes
    return full


def check_groups(
    groups: Mapping[str, Shared] | None, layers: Mapping[str, Tensor], masks: Mapping[str, Tensor]
) -> dict[str, Shared]:
    """Return the groups; raise where one does not fit its layer.

    Raises ValueError if a name is not that of a layer, a shape is not the weight's, or the layer
    has a mask as well. Raises TypeError if one is not the record of `Share`.
    """
    for name, record in (groups or {}).items():
        if name not in layers:
            raise ValueError(
                f"groups: {name!r} is not a layer of the network; its layers are: "
                f"{', '.join(layers)}"
            )
        if not isinstance(record, Shared):
            raise TypeError(
                f"groups: {name!r} must be a record of Share, as share_groups gives it; "
                f"got {type(record).__name__}"
            )
        if record.shape != layers[name].shape:
            raise ValueError(
                f"groups: {name!r} must have the weight's shape {tuple(layers[name].shape)}; "
                f"got {tuple(record.shape)}"
            )
        if name in masks:
            raise ValueError(
                f"groups: {name!r} has a mask as well; shared weights keep their zeros by "
                "themselves: leave the mask out"
            )
    return dict(groups or {})
