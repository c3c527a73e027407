"""Published accuracy, operations and size of networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from explorer.measure.accuracy import Accuracy

CANZIANI = (
    "after Canziani, Culurciello, Paszke. An analysis of deep neural network models for practical "
    "applications. 2016. arXiv:1605.07678"
)
SAME_MACS = 0.02
IMAGENET_CLASSES = 1000
_UNJUDGED = {
    False: "No data were given: its accuracy is not measured.",
    True: "No data were given: the original stands where its published weights do, and the "
    "accuracy of the compressed network is not measured.",
}


@dataclass(frozen=True)
class PublishedNetwork:
    """A network trained on ImageNet, as its publisher describes it.

    `n_params`: weights, biases and the like. `macs`: multiply-accumulates for one image, at the
    size of its evaluation. `top1`, `top5`: accuracy on ImageNet's validation images; fractions.
    `size_bytes`: of the published file.
    """

    name: str
    n_params: int
    macs: float
    top1: float
    top5: float
    size_bytes: int

    @property
    def density(self) -> float:
        """Accuracy per million parameters, in percentage points."""
        return 100 * self.top1 / (self.n_params / 1e6)


@dataclass(frozen=True)
class Place:
    """Where a network lies.

    `top1`: accuracy that compares with the published ones; None where there is none.
    """

    macs: int
    size_bytes: int
    top1: float | None = None


@dataclass(frozen=True)
class Tradeoffs:
    """Published networks, and our own before and after compression.

    `networks`: by increasing multiply-accumulates. `before`, `after`: none where the shape of an
    input is not known. `name`: the published network that ours is, "" where it is none. `reason`:
    why the accuracy of the compressed network is not shown, in a sentence; "" if it is.
    """

    networks: tuple[PublishedNetwork, ...]
    before: Place | None = None
    after: Place | None = None
    name: str = ""
    reason: str = ""

    @property
    def best_first(self) -> tuple[PublishedNetwork, ...]:
        """The published networks by decreasing accuracy."""
        return tuple(sorted(self.networks, key=lambda network: -network.top1))


def same_network(
    networks: Iterable[PublishedNetwork], n_params: int, macs: int
) -> PublishedNetwork | None:
    """Find the published network with as many parameters and about as many operations."""
    for network in networks:
        if network.n_params == n_params and abs(network.macs - macs) <= SAME_MACS * network.macs:
            return network
    return None


def tradeoffs(
    networks: Iterable[PublishedNetwork],
    before: Place | None,
    after: Place | None,
    n_params: int,
    n_classes: int,
    accuracy: Accuracy | None = None,
    original_accuracy: Accuracy | None = None,
) -> Tradeoffs:
    """Place a network among the published ones.

    A measured accuracy is taken to compare with the published ones where the network tells
    1,000 classes apart, as those do. Without one the original of a published network keeps
    its published accuracy, and the compressed network has none.

    `before`, `after`: the network before and after compression, without accuracy. `n_params`:
    parameters before compression. `n_classes`: values in the network's output. `accuracy`,
    `original_accuracy`: as measured on the person's own data.
    """
    listed = tuple(sorted(networks, key=lambda network: network.macs))
    if before is None or after is None:
        return Tradeoffs(listed, reason="Its operations are not known: give the shape of an input.")
    if n_classes != IMAGENET_CLASSES:
        return Tradeoffs(
            listed,
            before,
            after,
            reason=(
                f"It tells {n_classes:,} classes apart, these networks {IMAGENET_CLASSES:,}: "
                "accuracies on different tasks cannot be compared, so only its operations are "
                "marked."
            ),
        )
    known = same_network(listed, n_params, before.macs)
    measured = None if accuracy is None else accuracy.top1
    original = known.top1 if known else None
    if original_accuracy is not None:
        original = original_accuracy.top1
    reason = "" if measured is not None else _UNJUDGED[known is not None]
    return Tradeoffs(
        listed,
        Place(before.macs, before.size_bytes, original),
        Place(after.macs, after.size_bytes, measured),
        known.name if known else "",
        reason,
    )
