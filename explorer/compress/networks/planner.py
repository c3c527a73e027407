"""Planner: what a recipe asks of a network, found once: steps, smaller network, plans."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import torch
from torch import Tensor, nn

from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.ordering import magnitude_of_rank
from explorer.compress.methods.prune import Prune, PruneBySaliency
from explorer.compress.networks.layer import IndexedLayer, index_layers
from explorer.compress.networks.plain import copied
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.compress.networks.removal.removal import NeuronIndex
from explorer.compress.networks.weights import compressible

KEEP_ZEROS = Prune(sparsity=0.0)
KEPT_NETWORKS = 3
KEPT_RECIPES = 4
Layers = Mapping[str, IndexedLayer]
Saliency = Mapping[str, Tensor]
Key = tuple[tuple[str, Steps], ...]


@dataclass(frozen=True, eq=False)
class PlannedRecipe:
    """What a recipe asks of a network.

    `network`: what is compressed, the network itself or the `reduction` of it. `layers`: its
    compressible layers. `steps`: theirs, resolved.
    """

    recipe: Recipe
    network: nn.Module
    layers: Layers
    steps: Mapping[str, Steps]
    reduction: Reduction | None = None

    @property
    def notes(self) -> Mapping[str, str]:
        """Layers that lost no neurons, and why."""
        return {} if self.reduction is None else self.reduction.notes

    def plans(self) -> dict[str, Plan]:
        """Return what becomes of each layer; made where it is not there."""
        return {name: layer.plan(self.steps[name]) for name, layer in self.layers.items()}


@dataclass(frozen=True, eq=False)
class Removal:
    """A recipe whose smaller network must be made first. `key`: what that depends on."""

    parts: Mapping[str, Around]
    before: Mapping[str, Steps]

    @property
    def key(self) -> Key:
        """The steps up to the removal."""
        return tuple(
            (name, self.before[name] + ((part.removal,) if part.removal else ()))
            for name, part in self.parts.items()
        )


def unknown() -> Saliency | None:
    """Know of no saliency."""
    return None


class Planner:
    """Answers what recipes ask of a network; the latest answers are kept. Threads may share it.

    `net`: left unchanged. `layers`: all of its compressible layers. `input_shape`: one input
    without the batch, for steps that remove neurons. `saliency`: gives what losing each weight
    costs, asked only for steps that go by it; None where it cannot be known.
    """

    def __init__(
        self,
        net: nn.Module,
        layers: Layers,
        input_shape: tuple[int, ...] | None = None,
        saliency: Callable[[], Saliency | None] = unknown,
    ) -> None:
        self.net, self.layers = net, layers
        self._shape, self._saliency = input_shape, saliency
        self._lock = threading.RLock()
        self._asked: OrderedDict[Recipe, PlannedRecipe | Removal] = OrderedDict()
        self._reduced: OrderedDict[Key, tuple[Reduction, Layers]] = OrderedDict()
        self._neurons: NeuronIndex | None = None

    def steps(self, recipe: Recipe) -> dict[str, Steps]:
        """Return the steps of each layer as the recipe has them.

        Raises ValueError if a pattern matches no layer.
        """
        recipe.check_layers(self.layers)
        return {name: recipe.steps_for(name) for name in self.layers}

    def needs_saliency(self, recipe: Recipe) -> bool:
        """Whether a recipe goes by second derivatives."""
        return needs_saliency({name: recipe.steps_for(name) for name in self.layers})

    def removes_neurons(self, recipe: Recipe) -> bool:
        """Whether a recipe makes the network smaller."""
        return removes_neurons({name: recipe.steps_for(name) for name in self.layers})

    def planned(self, recipe: Recipe) -> PlannedRecipe | None:
        """Return the plan of a recipe, None where a smaller network must be made first."""
        with self._lock:
            asked = self._asked.get(recipe)
        asked = asked or self._kept(recipe, self._ask(recipe))
        if isinstance(asked, PlannedRecipe):
            return asked
        with self._lock:
            made = self._reduced.get(asked.key)
        return None if made is None else self._rest(recipe, asked, *made)

    def plan(self, recipe: Recipe) -> PlannedRecipe:
        """Return the plan of a recipe; raises ValueError if it does not fit the network."""
        planned = self.planned(recipe)
        if planned is not None:
            return planned
        with self._lock:
            removal = self._asked.get(recipe) or self._ask(recipe)
            if isinstance(removal, PlannedRecipe):
                return removal
            made = self._reduced.get(removal.key) or self._reduce(removal)
            self._reduced[removal.key] = made
            self._reduced.move_to_end(removal.key)
            if len(self._reduced) > KEPT_NETWORKS:
                self._forget(self._reduced.popitem(last=False)[1][0])
        return self._rest(recipe, removal, *made)

    def _ask(self, recipe: Recipe) -> PlannedRecipe | Removal:
        steps = self.steps(recipe)
        if not removes_neurons(steps):
            return PlannedRecipe(recipe, self.net, self.layers, self._resolved(steps))
        parts = around(steps)
        return Removal(parts, self._resolved({name: part.before for name, part in parts.items()}))

    def _resolved(self, steps: Mapping[str, Steps]) -> dict[str, Steps]:
        return resolve(steps, self.layers, self._saliency() if needs_saliency(steps) else None)

    def _reduce(self, removal: Removal) -> tuple[Reduction, Layers]:
        if self._neurons is None:
            self._neurons = NeuronIndex(self.net, need_shape(self._shape))
        made = reduce(self.net, removal.parts, removal.before, self.layers, self._neurons)
        return made, index_layers(made.net)

    def _rest(
        self, recipe: Recipe, removal: Removal, reduction: Reduction, layers: Layers
    ) -> PlannedRecipe:
        steps = resolve(remaining(removal.parts), layers)
        planned = PlannedRecipe(recipe, reduction.net, layers, steps, reduction)
        self._kept(recipe, planned)
        return planned

    def _kept(self, recipe: Recipe, asked: PlannedRecipe | Removal) -> PlannedRecipe | Removal:
        with self._lock:
            self._asked[recipe] = asked
            self._asked.move_to_end(recipe)
            if len(self._asked) > KEPT_RECIPES:
                self._asked.popitem(last=False)
        return asked

    def _forget(self, reduction: Reduction) -> None:
        """Drop the plans on a smaller network that is kept no more."""
        for recipe, asked in list(self._asked.items()):
            if isinstance(asked, PlannedRecipe) and asked.reduction is reduction:
                del self._asked[recipe]


@dataclass(frozen=True)
class Around:
    """The steps of one layer, around the one that removes neurons.

    `before`: pruning steps that come first.
    """

    before: Steps
    removal: PruneNeurons | None
    after: Steps

    @classmethod
    def of(cls, name: str, steps: Steps) -> Around:
        """Split the steps of the layer `name`.

        Raises ValueError if neurons are to be removed twice, or after anything but pruning.
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

    `net`: the smaller network. `notes`: layers that were left alone, and why. `kept`: rows and
    columns of each layer's original matrix that are left.
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

    `net`: left unchanged. `before`: the first steps of each layer, resolved. `layers`: all
    compressible layers of `net`. `index`: of `net`.
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


def layer_steps(recipe: Recipe, layers: Layers) -> dict[str, Steps]:
    """Return the steps of each layer as the recipe has them.

    Raises ValueError if a pattern matches no layer.
    """
    recipe.check_layers(layers)
    return {name: recipe.steps_for(name) for name in layers}


def needs_saliency(steps: Mapping[str, Steps]) -> bool:
    """Whether any step prunes by a saliency that must be measured."""
    return any(
        isinstance(step, Prune) and step.criterion == "obd"
        for own in steps.values()
        for step in own
    )


def resolve(
    steps: Mapping[str, Steps], layers: Layers, saliency: Saliency | None = None
) -> dict[str, Steps]:
    """Return each layer's own steps, with what concerns the whole model turned into its share.

    `steps`: as `layer_steps` gives them. `layers`: all compressible layers of the network.
    `saliency`: what losing each weight costs, for ``Prune(criterion="obd")``. Raises ValueError if
    a step over the model, or by saliency, does not come first, or saliency is missing.
    """
    resolved = dict(steps)
    pruning = [step for own in steps.values() for step in own if isinstance(step, Prune)]
    for step in dict.fromkeys(filter(_is_shared, pruning)):
        members = {name: layers[name] for name in layers if step in steps[name]}
        for name in members:
            _check_first(step, name, steps[name])
        for name, own in _shares(step, members, saliency).items():
            resolved[name] = (own, *resolved[name][1:])
    return {name: _keeping(layers[name], own) for name, own in resolved.items()}


def _keeping(layer: IndexedLayer, steps: Steps) -> Steps:
    """Keep the zeros of a pruning mask, where the steps do not begin by pruning."""
    if not layer.keeps_zeros or not steps or isinstance(steps[0], (Prune, PruneBySaliency)):
        return steps
    return (Prune(sparsity=0.0), *steps)


def _is_shared(step: Prune) -> bool:
    return step.criterion == "obd" or (step.scope == "model" and step.sparsity is not None)


def _check_first(step: Prune, name: str, steps: Steps) -> None:
    if steps[0] == step and step not in steps[1:]:
        return
    which = "scope='model'" if step.scope == "model" else "criterion='obd'"
    raise ValueError(
        f"recipe: {step.describe()} with {which} must be the first step "
        f"of layer {name!r}, once; it goes by the original weights of the network"
    )


def _shares(
    step: Prune, members: Layers, saliency: Saliency | None
) -> dict[str, Prune | PruneBySaliency]:
    if step.criterion != "obd":
        counts = _counts_by_magnitude(step, members)
        return {
            name: replace(step, scope="layer", sparsity=counts[name] / layer.n_weights)
            for name, layer in members.items()
        }
    if saliency is None:
        raise ValueError(
            "recipe: Prune(criterion='obd') goes by second derivatives of the loss, which need "
            "data: pass data with samples to tune on, for example compress(net, recipe, data=data)"
        )
    counts = _counts_by_saliency(step, members, saliency)
    return {name: PruneBySaliency(saliency[name], counts[name]) for name in members}


def _counts_by_magnitude(step: Prune, members: Layers) -> dict[str, int]:
    """How many weights each layer loses when one threshold serves all of them."""
    sizes = {name: layer.n_weights for name, layer in members.items()}
    total = step.count(sum(sizes.values()))
    if step.criterion == "random" or total == 0:
        ends = [step.count(end) for end in accumulate(sizes.values(), initial=0)]
        return {name: b - a for name, (a, b) in zip(sizes, pairwise(ends), strict=True)}
    orderings = {name: layer.ordering for name, layer in members.items()}
    limit = magnitude_of_rank(tuple(orderings.values()), total)
    below = {name: o.cut_below(float(limit)).n_pruned for name, o in orderings.items()}
    at_limit = {name: o.count_within(limit) - below[name] for name, o in orderings.items()}
    return _with_ties(below, at_limit, total)


def _counts_by_saliency(step: Prune, members: Layers, saliency: Saliency) -> dict[str, int]:
    if step.scope == "layer":
        return {name: step.count(layer.n_weights) for name, layer in members.items()}
    flat = {name: saliency[name].flatten() for name in members}
    total = step.count(sum(values.numel() for values in flat.values()))
    if total == 0:
        return dict.fromkeys(members, 0)
    limit = torch.cat(list(flat.values())).kthvalue(total).values
    below = {name: int((values < limit).sum()) for name, values in flat.items()}
    at_limit = {name: int((values == limit).sum()) for name, values in flat.items()}
    return _with_ties(below, at_limit, total)


def _with_ties(below: dict[str, int], at_limit: Mapping[str, int], total: int) -> dict[str, int]:
    """Add weights that stand at the limit, first layers first, until `total` go."""
    left = total - sum(below.values())
    counts = {}
    for name, count in below.items():
        ties = min(max(0, left), at_limit[name])
        counts[name] = count + ties
        left -= ties
    return counts
