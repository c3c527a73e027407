"""Removing neurons from a network for real, with all that is coupled to them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.networks.forward import eval_mode, random_ids, random_input, takes_ids
from explorer.compress.networks.removal.coupling import Coupling
from explorer.compress.networks.removal.cutting import (
    Left,
    Mismatch,
    compare,
    cut,
    left_over,
    matrices_left,
    outputs_left,
)
from explorer.compress.networks.removal.selection import chosen
from explorer.compress.networks.removal.silencing import silenced, with_tensors
from explorer.compress.networks.removal.tracing import UNFOLLOWED, traced
from explorer.compress.networks.weights import compressible

SEED = 0
EXAMPLE_SCALES = (1.0, 3.0)
LOUD = "without input its neurons still emit what the next layers cannot take over"
UNCALLED = "the network does not call it as a layer of its own"


@dataclass(frozen=True, eq=False)
class Reduced:
    """A network without some of its neurons.

    `net`: with smaller layers; in eval mode. `masked`: with layers of the original sizes, the
    removed neurons silent; in eval mode. Gives the same outputs as `net`. `notes`: layers with a
    step that were left alone, and why. `kept`: for each dense or convolutional layer the rows and
    the columns that are left of its matrix (out, in * kh * kw), int64, in increasing order.
    """

    net: nn.Module
    masked: nn.Module
    notes: Mapping[str, str]
    kept: Mapping[str, tuple[Tensor, Tensor]]


def remove_neurons(
    net: nn.Module, steps: Mapping[str, PruneNeurons], input_shape: tuple[int, ...]
) -> Reduced:
    """Remove the neurons of smallest norm from a network.

    Channels that must stay equal, as in a residual sum, go together: their norm is
    that of the rows of all layers that make them, and the smallest fraction of those
    layers' steps holds. In grouped convolutions the same places of each group go.
    Neurons whose incoming weights, or outgoing weights, are all zero go in any case.

    A neuron without input still emits its bias. Where that is a constant that the
    next layers' biases can take over exactly, they do; otherwise the bias, and the
    weight and shift of a normalization, go to zero with the neuron. Outputs of the
    network, and layers that cannot be made smaller, are left alone.

    `net`: left unchanged. `steps`: by layer name, as in `compressible`; other layers keep their
    neurons. `input_shape`: one input, without the batch. Raises ValueError if a name is not that of
    a dense or convolutional layer. Raises TypeError if a step is not `PruneNeurons`.

    References
    ----------
    Li, Kadav, Durdanovic, Samet, Graf. "Pruning filters for efficient convnets".
    ICLR 2017. arXiv:1608.08710.

    Fang, Ma, Song, Mi, Wang. "DepGraph: towards any structural pruning". CVPR 2023.
    arXiv:2301.12900.
    """
    _check_steps(net, steps)
    return NeuronIndex(net, input_shape).remove(net, steps)


class NeuronIndex:
    """Which channels of a network are coupled, found once, so that removal is quick.

    `net`: left unchanged, and not kept. `input_shape`: one input, without the batch.
    """

    def __init__(self, net: nn.Module, input_shape: tuple[int, ...]) -> None:
        generator = torch.Generator().manual_seed(SEED)
        self._coupling: Coupling | None = None
        self._untraced = ""
        self._rejected: dict[int, str] = {}
        self._lock = threading.Lock()
        _check_taken(net, input_shape)
        with torch.inference_mode(False), torch.enable_grad():
            if takes_ids(net, input_shape):
                shape = (len(EXAMPLE_SCALES), *input_shape)
                self._example = random_ids(net, shape, generator)
            else:
                inputs = [torch.randn(input_shape, generator=generator) * s for s in EXAMPLE_SCALES]
                self._example = torch.stack(inputs)
            try:
                self._coupling = traced(_borrowed(net), _like(self._example, net))
            except Exception as error:
                words = [*str(error).splitlines(), type(error).__name__]
                self._untraced = f"the graph cannot be traced: {words[0]}"

    def remove(self, net: nn.Module, steps: Mapping[str, PruneNeurons]) -> Reduced:
        """Remove neurons, as `remove_neurons` does.

        `net`: the network that was indexed, or one of the same architecture with other weights.
        Left unchanged.
        """
        _check_steps(net, steps)
        with torch.inference_mode(False), torch.no_grad():
            if self._coupling is None:
                return _unchanged(net, dict.fromkeys(steps, self._untraced))
            return self._removed(net, self._coupling, steps)

    def _removed(
        self, net: nn.Module, coupling: Coupling, steps: Mapping[str, PruneNeurons]
    ) -> Reduced:
        """Try, leaving alone what turns out to be in the way, until the networks agree."""
        with self._lock:
            rejected = dict(self._rejected)
        while True:
            choice = chosen(net, coupling, steps, rejected)
            notes = _notes(coupling, steps, choice.notes)
            if not choice.gone.any():
                return _unchanged(net, notes)
            try:
                small, masked, left = self._without(net, coupling, choice.gone)
            except _Loud as loud:
                rejected |= dict.fromkeys(coupling.families_of(loud.parts), LOUD)
                rejected |= dict.fromkeys(coupling.families_of(loud.mixed), UNFOLLOWED)
            except Mismatch as mismatch:
                suspects = self._suspects(net, coupling, choice.gone, mismatch.layers)
                tangled = dict.fromkeys(coupling.families_of(suspects), UNFOLLOWED)
                rejected |= tangled
                with self._lock:
                    self._rejected |= tangled
            else:
                return Reduced(small, masked, notes, matrices_left(net, left))

    def _without(
        self, net: nn.Module, coupling: Coupling, gone: np.ndarray
    ) -> tuple[nn.Module, nn.Module, Left]:
        """Take parts out, and check that the network still does what it should."""
        example = _like(self._example, net)
        silent = silenced(net, coupling, gone, example)
        if silent.loud.any():
            raise _Loud(silent.loud, silent.mixed)
        left = left_over(net, coupling, gone)
        try:
            small = cut(silent, left)
        except (RuntimeError, IndexError) as error:
            raise Mismatch(set()) from error
        compare(silent.net, small, outputs_left(net, left), example)
        return small, silent.net, left

    def _suspects(
        self, net: nn.Module, coupling: Coupling, gone: np.ndarray, layers: set[str]
    ) -> np.ndarray:
        """Return the parts that may be to blame for a mismatch at some layers."""
        read = np.zeros_like(gone)
        for slot in coupling.slots:
            if slot.name in layers and slot.side == "in":
                read[slot.parts[slot.parts >= 0]] = True
        if (read & gone).any():
            return read & gone
        guilty = np.zeros_like(gone)
        for position in coupling.families_of(gone):
            alone = np.zeros_like(gone)
            alone[coupling.families[position].parts] = True
            try:
                self._without(net, coupling, alone & gone)
            except (Mismatch, _Loud):
                guilty |= alone & gone
        return guilty if guilty.any() else gone


class _Loud(Exception):
    """Some parts cannot be silenced."""

    def __init__(self, parts: np.ndarray, mixed: np.ndarray) -> None:
        super().__init__("parts of the network that cannot be silenced")
        self.parts, self.mixed = parts, mixed


def _check_steps(net: nn.Module, steps: Mapping[str, PruneNeurons]) -> None:
    known = compressible(net)
    for name, step in steps.items():
        if name not in known:
            raise ValueError(
                f"steps: {name!r} is not a layer of the network; its layers are: {', '.join(known)}"
            )
        if not isinstance(step, PruneNeurons):
            raise TypeError(f"steps: {name!r} must have a PruneNeurons step; got {step!r:.80}")


def _like(example: Tensor, net: nn.Module) -> Tensor:
    """Move an example to the device, and numbers to the type, of a network's first weights."""
    first = next(iter(compressible(net).values()))
    return example.to(first.device, first.dtype if example.is_floating_point() else example.dtype)


def _check_taken(net: nn.Module, input_shape: tuple[int, ...]) -> None:
    """Raise ValueError where a network does not take the shape."""
    with eval_mode(net), torch.no_grad():
        try:
            net(random_input(net, input_shape, 2))
        except (RuntimeError, TypeError) as error:
            own = isinstance(error, RuntimeError)
            if own and "shape" not in str(error) and "expected input" not in str(error).lower():
                return
            raise ValueError(
                f"input_shape: the network does not take an input of shape {tuple(input_shape)}: "
                f"{error}. Give the shape of one input, without the batch."
            ) from error


def _borrowed(net: nn.Module) -> nn.Module:
    """Copy a network but for its parameters' memory, which no forward pass writes to."""
    own = dict(net.named_parameters(remove_duplicate=False))
    return with_tensors(net, {k: p.detach() for k, p in own.items() if not p.is_inference()})


def _notes(
    coupling: Coupling, steps: Mapping[str, PruneNeurons], notes: Mapping[str, str]
) -> dict[str, str]:
    """Add notes on layers that the graph does not show, in the order of the steps."""
    called = {name for family in coupling.families for name in family.producers}
    found = {name: notes.get(name, "" if name in called else UNCALLED) for name in steps}
    return {name: words for name, words in found.items() if words}


def _unchanged(net: nn.Module, notes: Mapping[str, str]) -> Reduced:
    return Reduced(with_tensors(net, {}), with_tensors(net, {}), notes, matrices_left(net, {}))
