"""ShareWhileTraining, DropNeurons: what a layer is made of changes with training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.setting import dial
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.experiments.experiment import (
    BATCH,
    Event,
    Experiment,
    TrainingContext,
    epochs,
    from_the_start,
    learning_rate,
    strength,
    used,
)
from explorer.stopping import Stop
from explorer.train.neurons import drop_neurons
from explorer.train.penalties import IncomingNorm, OutgoingNorm, Penalty
from explorer.train.record import TrainRecord
from explorer.train.settings import TrainSettings
from explorer.train.sharing import train_shared


@dataclass(frozen=True)
class ShareWhileTraining(Experiment):
    """Cluster the weights, then train the values that they share.

    Parameters
    ----------
    n_clusters : int
        Values a layer.
    n_epochs : int
    learning_rate : float
        Of Adam.

    References
    ----------
    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
    trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.
    """

    title: ClassVar[str] = "Share while training"
    about: ClassVar[str] = (
        "Cluster the weights, then train the shared values; who shares with whom stays the same."
    )
    reference: ClassVar[str] = "network before sharing"

    n_clusters: int = dial(
        8,
        "power",
        "Clusters k",
        "The weights of each layer share k values, ⌈log₂ k⌉ bits a weight, which then learn: "
        "∂L/∂c = Σ ∂L/∂w over the weights that share c. More: mostly higher accuracy, larger file.",
        low=2,
        high=256,
    )
    n_epochs: int = epochs(8)
    learning_rate: float = learning_rate(2e-3)

    def recipe_after(self, recipe: Recipe) -> Recipe:
        """Zeros stay zero, and as many values are shared: nothing changes."""
        return Recipe.of([Prune(sparsity=0.0), Share(n_clusters=self.n_clusters)])

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Cluster and train."""
        accuracy = context.evaluated(context.net, should_stop)
        if accuracy is not None:
            yield Event(accuracy)
        settings = TrainSettings(self.n_epochs, self.learning_rate, BATCH, optimizer="adam")

        def make(settings: TrainSettings) -> Iterator[TrainRecord]:
            recipe = self.recipe_after(context.recipe)
            return train_shared(
                context.net,
                context.data,
                recipe,
                settings,
                should_stop=should_stop,
                metric=context.metric,
            )

        yield from map(Event, from_the_start(make, settings))


@dataclass(frozen=True)
class DropNeurons(Experiment):
    """Train with penalties on neurons, then take out those that have come to nothing.

    Parameters
    ----------
    li, lo : float
        Strengths of the penalties on the lengths of incoming and outgoing weights.
    threshold : float
        After training, smaller weights become zero.
    n_epochs : int
    learning_rate : float

    References
    ----------
    Pan, Dong, Guo. "DropNeuron: simplifying the structure of deep neural networks".
    2016. arXiv:1606.07326.
    """

    title: ClassVar[str] = "Drop neurons"
    about: ClassVar[str] = (
        "Penalties drive whole neurons to zero during training; at the end those without "
        "connections are taken out, and the layers get smaller."
    )

    li: float = strength(IncomingNorm, 2e-3)
    lo: float = strength(OutgoingNorm, 2e-3)
    threshold: float = dial(
        1e-2,
        "number",
        "Threshold",
        "After training, every weight with |w| < t becomes zero, and neurons without connections "
        "are taken out. Higher: fewer neurons, less accuracy.",
        low=1e-4,
        high=0.1,
    )
    n_epochs: int = epochs(10)
    learning_rate: float = learning_rate(0.05)

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """Those that are not off."""
        return used(IncomingNorm(strength=self.li), OutgoingNorm(strength=self.lo))

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Train, then remove."""

        def make(settings: TrainSettings) -> Iterator[Any]:
            return drop_neurons(
                context.net,
                context.data,
                settings,
                penalties=self.penalties,
                threshold=self.threshold,
                should_stop=should_stop,
                metric=context.metric,
            )

        settings = TrainSettings(self.n_epochs, self.learning_rate, BATCH)
        yield from map(Event, from_the_start(make, settings))
