"""What a session finds out for itself: where to compute, unsound numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from explorer.codec.model import CompressedModel
from explorer.compress.networks.preparation import Progress, unheard
from explorer.compress.networks.recipe import Recipe
from explorer.measure.behavior import Behavior
from explorer.measure.bytes import Breakdown, Waterfall
from explorer.measure.latency import Speed
from explorer.measure.metric import Metric, as_metric
from explorer.measure.profile import input_shape as known_shape
from explorer.measure.result import Result
from explorer.measure.taken_in import taken_in
from explorer.session import layer_view, speed
from explorer.session.behavior import Behaviors
from explorer.session.evaluation import Evaluation
from explorer.session.layer_view import CloseUp
from explorer.session.networks import NetworkStates
from explorer.session.prefix_cache import BUDGET_BYTES
from explorer.session.trials import Observer, Trials
from explorer.stopping import Stop, never


def chosen_device(device: str | torch.device) -> torch.device:
    """Return the device that is meant; raise ValueError where torch has no such device."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device: torch sees no GPU here, got {device!r}; use 'auto' or 'cpu'")
    return chosen


def check_numbers(net: nn.Module) -> None:
    """Raise ValueError where a bias or the like holds NaN; weights are checked on their own."""
    for name, tensor in net.state_dict().items():
        if isinstance(tensor, Tensor) and tensor.is_floating_point() and bool(tensor.isnan().any()):
            raise ValueError(
                f"net: {name} holds NaN, so that its answers mean nothing. Train again from an "
                "earlier checkpoint, or repair it"
            )


class Session:
    """A network under recompression, without widgets.

    `net`: left unchanged. Its weights must not change while the session lives. `data`: what
    accuracy is measured on: pairs of input and class index. Of a `Data` its ``eval`` part is used.
    `metric`: judges in place of data: called with a copy of the compressed module, returns a finite
    number. Data, where they are given too, serve tuning, shapes and the behavior. `input_shape`:
    shape of one input without the batch, for operations and energy; by default that of the data, or
    what the network says of itself. `origin`: what `net` was before it was trained further, or lost
    neurons by training: size and accuracy are compared with it. It has the same layers; by default
    `net` itself. `device`: where the network is evaluated; ``"auto"`` takes a GPU where torch sees
    one. `activation_bytes`: most memory for activations that are kept, so that a change in a late
    layer runs only what follows it. Raises TypeError, ValueError if the network has nothing to
    compress, or holds a NaN; the message names the layer.

    Examples
    --------
    >>> import explorer as ex
    >>> session = ex.Session(*ex.load("lenet-300-100"))
    >>> result = session.figures([ex.Prune(sparsity=0.9)])
    >>> round(result.sparsity, 2)
    0.9
    >>> session.close()
    """

    def __init__(
        self,
        net: nn.Module,
        data: Any = None,
        *,
        metric: Metric | Callable[[nn.Module], Any] | None = None,
        input_shape: tuple[int, ...] | None = None,
        origin: nn.Module | None = None,
        device: str | torch.device = "auto",
        activation_bytes: int = BUDGET_BYTES,
    ) -> None:
        net = taken_in(net, data, input_shape)
        origin = None if origin is None else taken_in(origin, data, input_shape, "origin")
        self.net = net
        self.origin = net if origin is None else origin
        self.data = data
        self.metric = as_metric(metric)
        self.device = chosen_device(device)
        shape = input_shape or known_shape(net, data)

        def evaluation() -> Evaluation:
            return Evaluation(data, self.metric, activation_bytes)

        self._subjects = NetworkStates(net, data, shape, evaluation, self.device, origin)
        self._original, self._first = self._subjects.original, self._subjects.first
        check_numbers(net)
        self._behaviors = Behaviors(self._first, data, self.device)
        self._trials = Trials(self._subjects)
        self._speed: tuple[object, Speed] | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the compressible layers, in the network's order."""
        return tuple(self._original.layers)

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Shape of one input without the batch; None if it is not known."""
        return self._subjects.input_shape

    @property
    def has_labels(self) -> bool:
        """Whether there is labeled data, so that answers can be compared."""
        return self._behaviors.possible

    def matrix_shape(self, layer: str) -> tuple[int, int]:
        """Return (rows, columns) of a layer's matrix (out, in * kh * kw)."""
        rows, columns = self._original.layers[layer].matrix.shape
        return rows, columns

    def original_shape(self, layer: str) -> tuple[int, ...]:
        """Return the shape that a layer's weights had to begin with."""
        return tuple(self._first.layers[layer].shape)

    @property
    def recipe(self) -> Recipe:
        """The recipe that was last applied or submitted."""
        return self._trials.recipe

    @property
    def result(self) -> Result:
        """The latest figures; accuracy grows until ``result.complete``."""
        return self._trials.result

    def figures(self, recipe: Any) -> Result:
        """Return the figures of a recipe; nothing is rewritten and nothing is kept.

        Returns: without accuracy.
        """
        return self._trials.plan(Recipe.of(recipe)).result

    def submit(self, recipe: Any) -> Result:
        """Take up a recipe: figures at once; weights and accuracy in the background.

        A recipe that is still being evaluated is dropped. Observers are called with
        each new result, from the background thread.

        Returns: with accuracy missing until the first estimate.
        """
        return self._trials.submit(Recipe.of(recipe))

    def apply(self, recipe: Any) -> Result:
        """Rewrite the layers whose steps changed; accuracy follows in the background.

        Returns: without accuracy; `wait` returns it.
        """
        return self._trials.apply(Recipe.of(recipe))

    def wait(self, timeout: float | None = None) -> Result:
        """Wait until the current recipe's result is complete.

        `timeout`: seconds; by default as long as it takes. Raises TimeoutError if it is not
        complete in time. Raises RuntimeError if the session is closed before it is complete.
        """
        return self._trials.wait(timeout)

    def observe(self, observer: Observer) -> None:
        """Call `observer` with each new result, from the background thread."""
        self._trials.observe(observer)

    @property
    def problem(self) -> str:
        """Why something could not be kept on the disk for the next time; empty where all could."""
        return self._subjects.problem

    def ready(self, recipe: Any) -> bool:
        """Whether the figures of a recipe are there at once, with nothing to prepare."""
        return self._subjects.ready(Recipe.of(recipe))

    def is_quick(self, recipe: Any) -> bool:
        """Whether what a recipe needs is made in less than about half a second."""
        return self._subjects.is_quick(Recipe.of(recipe))

    def prepare(self, recipe: Any, progress: Progress = unheard) -> None:
        """Make the indexes, and first factors, that the figures of a recipe need.

        `progress`: called with what is worked on, in words, and the share done, in [0, 1].
        """
        self._subjects.prepare(Recipe.of(recipe), progress)

    def close_up(self, layer: str) -> CloseUp:
        """Return what the views show of a layer, one of `layers`, under the current recipe."""
        return layer_view.close_up(self._trials.current, layer, self._first)

    def breakdown(self) -> Breakdown:
        """Return what the bytes of the current recipe's file are spent on."""
        return layer_view.bytes_spent(self._trials.current)

    def waterfall(self) -> Waterfall:
        """Return the bytes of the file after each step of the current recipe."""
        return layer_view.bytes_step_by_step(self._trials.current, self._trials.plan)

    def behavior(self, should_stop: Stop = never) -> Behavior | None:
        """Compare what the original and the compressed network answer to the data.

        None without data, or where `should_stop`, asked between batches, said True.
        """
        return self._behaviors.of(self._trials.current, should_stop)

    def network_speed(self, should_stop: Stop = never) -> Speed | None:
        """Time one inference of the original and of the compressed network.

        Measured once for a recipe, and told alike from then on. None where `input_shape` is, or
        where `should_stop`, asked between runs, said True.
        """
        shape = self.input_shape
        if shape is None or should_stop():
            return None
        current, kept = self._trials.current, self._speed
        if kept is not None and kept[0] is current:
            return kept[1]
        small = self.compress().restore(factored=True)
        found = speed.network_speed(self.net, small, shape, should_stop)
        if found is not None:
            self._speed = current, found
        return found

    def product_speed(self, layer: str, should_stop: Stop = never) -> Speed | None:
        """Time the product of a layer's matrix in small integers; None if it was stopped."""
        matrix = self._trials.current.state.layers[layer].matrix
        return speed.product_speed(matrix, should_stop)

    def compress(self) -> CompressedModel:
        """Return the compressed model of the current recipe, ready to save."""
        return self._subjects.compress(self.recipe)

    def compressed_net(self) -> nn.Module:
        """Return the module that is evaluated; it changes with the next recipe."""
        return self._trials.current.state.evaluator.copy.net

    def close(self) -> None:
        """Stop the background work; whoever waits for it is told."""
        self._trials.close()
