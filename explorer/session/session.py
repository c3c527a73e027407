"""The session: one network, its data, and the recipe that is tried on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from explorer.codec.model import CompressedModel
from explorer.compress.model import compress_layers, index_layers, resolve, untouched_tensors
from explorer.compress.plan import Plan
from explorer.compress.recipe import Recipe
from explorer.measure.figures import Network, figures
from explorer.measure.histogram import histogram
from explorer.measure.profile import input_shape as find_input_shape
from explorer.measure.profile import profile
from explorer.measure.result import Result
from explorer.measure.sparsity import sparsity_map
from explorer.measure.spectrum import spectrum
from explorer.session.close_up import CloseUp
from explorer.session.evaluation import Evaluation
from explorer.session.evaluator import Evaluator
from explorer.session.factor_cache import FactorCache
from explorer.session.prefix_cache import BUDGET_BYTES, never
from explorer.session.preparation import Preparation, Progress, unheard
from explorer.session.worker import LatestWins, Stale

Observer = Callable[[Result], None]


class Session:
    """A network under recompression, without widgets.

    Parameters
    ----------
    net : Module
        Left unchanged. Its weights must not change while the session lives.
    data : Data, Dataset or iterable of batches, optional
        What accuracy is measured on: pairs of input and class index. Of a `Data` its
        ``eval`` part is used.
    metric : callable, optional
        In place of data: called with the compressed module, returns a fraction.
    input_shape : sequence of int, optional
        Shape of one input without the batch, for operations and energy; by default
        that of the data, or what the network says of itself.
    device : str or torch.device
        Where the network is evaluated; ``"auto"`` takes a GPU where torch sees one.
    activation_bytes : int
        Most memory for activations that are kept, so that a change in a late layer
        runs only what follows it.

    Raises
    ------
    TypeError, ValueError
        If the network has nothing to compress, or holds a NaN; the message names the layer.

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
        metric: Callable[[nn.Module], float] | None = None,
        input_shape: tuple[int, ...] | None = None,
        device: str | torch.device = "auto",
        activation_bytes: int = BUDGET_BYTES,
    ) -> None:
        self.net = net
        self.data = data
        self.device = _device(device)
        layers = index_layers(net, FactorCache())
        shape = input_shape or _known_shape(net, data)
        macs = {row.name: row.macs for row in profile(net, shape)} if shape else {}
        name = getattr(net, "network_name", "")
        self._network = Network(layers, untouched_tensors(net), macs, name)
        self._preparation = Preparation(layers)
        evaluation = Evaluation(data, metric, activation_bytes)
        self._evaluator = Evaluator(net, layers, evaluation, self.device)
        self._changed = threading.Condition()
        self._observers: list[Observer] = []
        self._recipe = Recipe()
        self._plans: Mapping[str, Plan] = {}
        self._result: Result | None = None
        self._closed = False
        self._worker = LatestWins("explorer-evaluation")
        self._factor_worker = LatestWins("explorer-factors")

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the compressible layers, in the network's order."""
        return tuple(self._network.layers)

    @property
    def n_weights(self) -> int:
        """Compressible weights of the network."""
        return sum(layer.n_weights for layer in self._network.layers.values())

    def matrix_shape(self, layer: str) -> tuple[int, int]:
        """Return (rows, columns) of a layer's matrix (out, in * kh * kw)."""
        rows, columns = self._network.layers[layer].matrix.shape
        return rows, columns

    @property
    def recipe(self) -> Recipe:
        """The recipe that was last applied or submitted."""
        return self._recipe

    @property
    def result(self) -> Result:
        """The latest figures; accuracy grows until ``result.complete``."""
        if self._result is None:
            self.submit(self._recipe)
        assert self._result is not None
        return self._result

    def figures(self, recipe: Any) -> Result:
        """Return the figures of a recipe; nothing is rewritten and nothing is kept.

        Parameters
        ----------
        recipe : Recipe, list of Setting, or dict of patterns

        Returns
        -------
        Result
            Without accuracy.
        """
        return self._plan(Recipe.of(recipe))[1]

    def _plan(self, recipe: Recipe) -> tuple[dict[str, Plan], Result]:
        layers = self._network.layers
        steps = resolve(recipe, layers)
        plans = {name: layer.plan(steps[name]) for name, layer in layers.items()}
        return plans, figures(self._network, recipe, steps, plans)

    def submit(self, recipe: Any) -> Result:
        """Take up a recipe: figures at once; weights and accuracy in the background.

        A recipe that is still being evaluated is dropped. Observers are called with
        each new result, from the background thread.

        Returns
        -------
        Result
            With accuracy missing until the first estimate.
        """
        parsed = Recipe.of(recipe)
        plans, result = self._adopt(parsed)
        self._worker.submit(lambda stale: self._evaluate(plans, result, stale))
        self._refine(parsed)
        return result

    def apply(self, recipe: Any) -> Result:
        """Rewrite the layers whose steps changed; accuracy follows in the background.

        Returns
        -------
        Result
            Without accuracy; `wait` returns it.
        """
        plans, result = self._adopt(Recipe.of(recipe))
        self._evaluator.rewrite(plans, never)
        self._worker.submit(lambda stale: self._evaluate(plans, result, stale))
        return result

    def _adopt(self, recipe: Recipe) -> tuple[Mapping[str, Plan], Result]:
        plans, result = self._plan(recipe)
        result = replace(
            result,
            original_accuracy=self._evaluator.original,
            complete=not self._evaluator.possible,
        )
        with self._changed:
            self._recipe, self._plans, self._result = recipe, plans, result
            self._changed.notify_all()
        return plans, result

    def wait(self, timeout: float | None = None) -> Result:
        """Wait until the current recipe's result is complete.

        Parameters
        ----------
        timeout : float, optional
            Seconds; by default as long as it takes.

        Returns
        -------
        Result

        Raises
        ------
        TimeoutError
            If it is not complete in time.
        RuntimeError
            If the session is closed before it is complete.
        """
        _ = self.result
        with self._changed:
            if not self._changed.wait_for(lambda: self.result.complete or self._closed, timeout):
                raise TimeoutError(f"accuracy is not complete after {timeout} s")
            if not self.result.complete:
                raise RuntimeError("the session was closed before accuracy was complete")
            return self.result

    def observe(self, observer: Observer) -> None:
        """Call `observer` with each new result, from the background thread."""
        self._observers.append(observer)

    def close_up(self, layer: str) -> CloseUp:
        """Return what the views show of a layer under the current recipe.

        Parameters
        ----------
        layer : str
            One of `layers`.

        Returns
        -------
        CloseUp
            Its spectrum is None for a large layer that no step has factored yet.
        """
        if layer not in self._network.layers:
            raise KeyError(f"layer {layer!r} is not one of {', '.join(self.layers)}")
        _ = self.result
        indexed, plan = self._network.layers[layer], self._plans[layer]
        shown = None
        if len(indexed.shape) > 1 and not indexed.needs_factors:
            shown = spectrum(indexed.factors, plan.rank)
        return CloseUp(
            layer,
            histogram(plan, indexed.ordering),
            sparsity_map(plan, indexed),
            shown,
        )

    def ready(self, recipe: Any) -> bool:
        """Whether the figures of a recipe are there at once, with nothing to prepare.

        Parameters
        ----------
        recipe : Recipe, list of Setting, or dict of patterns
        """
        return not self._preparation.missing(Recipe.of(recipe))

    def prepare(self, recipe: Any, progress: Progress = unheard) -> None:
        """Make the indexes, and first factors, that the figures of a recipe need.

        Parameters
        ----------
        recipe : Recipe, list of Setting, or dict of patterns
        progress : callable
            Called with the layer that is worked on and the share of weights done, in [0, 1].
        """
        self._preparation.run(Recipe.of(recipe), progress)

    def _refine(self, recipe: Recipe) -> None:
        """Replace randomized factors by exact ones in the background, then tell."""
        rough = self._preparation.rough(recipe)
        if not rough:
            return

        def work(stale: Stale) -> None:
            for layer in rough:
                if stale():
                    return
                layer.refine_factors()
                if self._recipe == recipe:
                    self._tell(self.submit(recipe))

        self._factor_worker.submit(work)

    def compress(self) -> CompressedModel:
        """Return the compressed model of the current recipe, ready to save."""
        layers = self._network.layers
        tensors = compress_layers(self.net, self._recipe, layers, self._network.name)
        return CompressedModel.of(tensors)

    def compressed_net(self) -> nn.Module:
        """Return the module that is evaluated; it changes with the next recipe."""
        return self._evaluator.copy.net

    def close(self) -> None:
        """Stop the background work; whoever waits for it is told."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.close()
        self._factor_worker.close()
        self._observers.clear()

    def _evaluate(self, plans: Mapping[str, Plan], result: Result, stale: Stale) -> None:
        """Measure the current recipe, telling every estimate."""
        try:
            for accuracy, original in self._evaluator.run(plans, stale):
                result = replace(
                    result,
                    accuracy=accuracy,
                    original_accuracy=original,
                    complete=accuracy.complete,
                )
                self._publish(result, plans)
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            self._publish(replace(result, error_message=words, complete=True), plans)

    def _publish(self, result: Result, plans: Mapping[str, Plan]) -> None:
        with self._changed:
            if self._plans is not plans:
                return
            self._result = result
            self._changed.notify_all()
        self._tell(result)

    def _tell(self, result: Result) -> None:
        for observer in list(self._observers):
            observer(result)


def _known_shape(net: nn.Module, data: Any) -> tuple[int, ...] | None:
    return find_input_shape(net, data if hasattr(data, "eval") else None)


def _device(device: str | torch.device) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device: torch sees no GPU here, got {device!r}; use 'auto' or 'cpu'")
    return chosen
