"""Networks that lose whole neurons: what is done before, the removal, and what is left to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from explorer.compress.copied import copied
from explorer.compress.indexed import IndexedLayer
from explorer.compress.neurons import PruneNeurons
from explorer.compress.prune import Prune
from explorer.compress.recipe import Steps
from explorer.compress.removal import NeuronIndex
from explorer.compress.resolve import needs_saliency
from explorer.compress.weights import compressible

KEEP_ZEROS = Prune(sparsity=0.0)


@dataclass(frozen=True)
class Around:
    """The steps of one layer, around the one that removes neurons.

    Attributes
    ----------
    before : tuple of Setting
        Pruning steps that come first.
    removal : PruneNeurons or None
    after : tuple of Setting
    """

    before: Steps
    removal: PruneNeurons | None
    after: Steps

    @classmethod
    def of(cls, name: str, steps: Steps) -> Around:
        """Split the steps of the layer `name`.

        Raises
        ------
        ValueError
            If neurons are to be removed twice, or after anything but pruning.
        """
        at = [i for i, step in enumerate(steps) if isinstance(step, PruneNeurons)]
        if len(at) > 1:
            raise ValueError(f"recipe: PruneNeurons may come once a layer; {name!r} has {len(at)}")
        if not at:
            end = next((i for i, s in enumerate(steps) if not isinstance(s, Prune)), len(steps))
            return cls(steps[:end], None, steps[end:])
        before, removal = steps[: at[0]], steps[at[0]]
        if not all(isinstance(step, Prune) for step in before) or not isinstance(
            removal, PruneNeurons
        ):
            raise ValueError(
                f"recipe: PruneNeurons must come first, or right after Prune, in layer {name!r}: "
                "the other steps would be undone by the removal"
            )
        return cls(before, removal, steps[at[0] + 1 :])


@dataclass(frozen=True, eq=False)
class Reduction:
    """A network without some of its neurons.

    Attributes
    ----------
    net : Module
        The smaller network.
    notes : mapping of str to str
        Layers that were left alone, and why.
    kept : mapping of str to (Tensor, Tensor)
        Rows and columns of each layer's original matrix that are left.
    """

    net: nn.Module
    notes: Mapping[str, str]
    kept: Mapping[str, tuple[Tensor, Tensor]]


def removes_neurons(steps: Mapping[str, Steps]) -> bool:
    """Whether any layer's steps remove neurons."""
    return any(isinstance(step, PruneNeurons) for own in steps.values() for step in own)


def around(steps: Mapping[str, Steps]) -> dict[str, Around]:
    """Split every layer's steps at the removal of neurons; raises as `Around.of`."""
    split = {name: Around.of(name, own) for name, own in steps.items()}
    if needs_saliency({name: part.after for name, part in split.items()}):
        raise ValueError("recipe: Prune(criterion='obd') must come before PruneNeurons")
    return split


def reduce(
    net: nn.Module,
    parts: Mapping[str, Around],
    before: Mapping[str, Steps],
    layers: Mapping[str, IndexedLayer],
    index: NeuronIndex,
) -> Reduction:
    """Prune what comes first, then remove neurons.

    Parameters
    ----------
    net : Module
        Left unchanged.
    parts : mapping of str to Around
    before : mapping of str to tuple of Setting
        The first steps of each layer, resolved.
    layers : mapping of str to IndexedLayer
        All compressible layers of `net`.
    index : NeuronIndex
        Of `net`.
    """
    pruned = net
    if any(before.values()):
        pruned = copied(net)
        for name, weight in compressible(pruned).items():
            if before[name]:
                weight.data.copy_(layers[name].record(before[name]).restore())
    removal = {name: part.removal for name, part in parts.items() if part.removal is not None}
    reduced = index.remove(pruned, removal)
    return Reduction(reduced.net, reduced.notes, reduced.kept)


def remaining(parts: Mapping[str, Around]) -> dict[str, Steps]:
    """Return the steps that are still to be done once the neurons are gone; zeros stay zero."""
    return {
        name: ((KEEP_ZEROS, *part.after) if part.before else part.after)
        for name, part in parts.items()
    }


def need_shape(input_shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the shape of one input; raise ValueError where it is not known."""
    if input_shape is None:
        raise ValueError(
            "recipe: PruneNeurons follows the network's connections by running it once: pass the "
            "shape of one input, for example input_shape=(3, 224, 224)"
        )
    return tuple(input_shape)
