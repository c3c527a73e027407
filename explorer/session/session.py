"""The session: one network, its data, and the recipe that is tried on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from explorer.codec.model import CompressedModel
from explorer.compress.recipe import Recipe
from explorer.measure.behavior import Behavior
from explorer.measure.breakdown import Breakdown, breakdown
from explorer.measure.result import Result
from explorer.measure.rounds import Stop
from explorer.measure.speed import Speed
from explorer.measure.waterfall import Waterfall
from explorer.session.behavior import Behaviors
from explorer.session.close_up import CloseUp
from explorer.session.evaluation import Evaluation
from explorer.session.prefix_cache import BUDGET_BYTES, never
from explorer.session.preparation import Progress, unheard
from explorer.session.speed import network_speed, product_speed
from explorer.session.subjects import Subjects
from explorer.session.surroundings import chosen_device, known_shape
from explorer.session.trial import Trial
from explorer.session.words import in_words
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
    origin : Module, optional
        What `net` was before it was trained further, or lost neurons by training: size and
        accuracy are compared with it. It has the same layers; by default `net` itself.
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
        origin: nn.Module | None = None,
        device: str | torch.device = "auto",
        activation_bytes: int = BUDGET_BYTES,
    ) -> None:
        self.net = net
        self.origin = net if origin is None else origin
        self.data = data
        self.metric = metric
        self.device = chosen_device(device)
        shape = input_shape or known_shape(net, data)
        self._subjects = Subjects(
            net,
            data,
            shape,
            lambda: Evaluation(data, metric, activation_bytes),
            self.device,
            origin,
        )
        self._original = self._subjects.original
        _check_numbers(net)
        self._behaviors = Behaviors(self._subjects.first, data, self.device)
        self._changed = threading.Condition()
        self._observers: list[Observer] = []
        self._recipe = Recipe()
        self._trial: Trial | None = None
        self._result: Result | None = None
        self._closed = False
        self._worker = LatestWins("explorer-evaluation")
        self._factor_worker = LatestWins("explorer-factors")

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the compressible layers, in the network's order."""
        return tuple(self._original.layers)

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Shape of one input without the batch; None if it is not known."""
        return self._subjects.input_shape

    def matrix_shape(self, layer: str) -> tuple[int, int]:
        """Return (rows, columns) of a layer's matrix (out, in * kh * kw)."""
        rows, columns = self._original.layers[layer].matrix.shape
        return rows, columns

    @property
    def recipe(self) -> Recipe:
        """The recipe that was last applied or submitted."""
        return self._recipe

    @property
    def result(self) -> Result:
        """The latest figures; accuracy grows until ``result.complete``."""
        current = self._current()
        return self._result or current.result

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
        return self._plan(Recipe.of(recipe)).result

    def _plan(self, recipe: Recipe) -> Trial:
        task = self._subjects.task(recipe)
        return Trial(recipe, task, *task.subject.plan(recipe, task.steps))

    def submit(self, recipe: Any) -> Result:
        """Take up a recipe: figures at once; weights and accuracy in the background.

        A recipe that is still being evaluated is dropped. Observers are called with
        each new result, from the background thread.

        Returns
        -------
        Result
            With accuracy missing until the first estimate.
        """
        trial = self._adopt(Recipe.of(recipe))
        self._worker.submit(lambda stale: self._evaluate(trial, stale))
        self._refine(trial)
        return trial.result

    def apply(self, recipe: Any) -> Result:
        """Rewrite the layers whose steps changed; accuracy follows in the background.

        Returns
        -------
        Result
            Without accuracy; `wait` returns it.
        """
        trial = self._adopt(Recipe.of(recipe))
        trial.task.subject.evaluator.rewrite(trial.plans, never)
        self._worker.submit(lambda stale: self._evaluate(trial, stale))
        return trial.result

    def _adopt(self, recipe: Recipe) -> Trial:
        """Plan a recipe and take it up as the current one."""
        trial = self._plan(recipe)
        judge = self._subjects.first.evaluator
        result = replace(
            trial.result, original_accuracy=judge.original, complete=not judge.possible
        )
        trial = replace(trial, result=result)
        with self._changed:
            self._recipe, self._trial, self._result = recipe, trial, result
            self._changed.notify_all()
        return trial

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
        """
        if layer not in self._original.layers:
            raise KeyError(f"layer {layer!r} is not one of {', '.join(self.layers)}")
        trial = self._current()
        indexed = trial.task.subject.layers[layer]
        row = trial.result[layer]
        return CloseUp(indexed, self._subjects.first.layers[layer], trial.plans[layer], row)

    def breakdown(self) -> Breakdown:
        """Return what the bytes of the current recipe's file are spent on."""
        trial = self._current()
        network = trial.task.subject.network
        return breakdown(network, trial.plans, trial.result.size_bytes)

    def waterfall(self) -> Waterfall:
        """Return the bytes of the file after each step of the current recipe."""
        trial = self._current()
        stages = [("Original", trial.result.original_bytes)]
        for recipe in trial.recipe.prefixes():
            steps = max((steps for _, steps in recipe.entries), key=len)
            stages.append((steps[-1].describe(), self.figures(recipe).size_bytes))
        return Waterfall(tuple(stages))

    def original_shape(self, layer: str) -> tuple[int, ...]:
        """Return the shape that a layer's weights had to begin with."""
        return tuple(self._subjects.first.layers[layer].shape)

    def network_speed(self, should_stop: Stop = never) -> Speed | None:
        """Time one inference of the original and of the compressed network.

        Parameters
        ----------
        should_stop : callable
            Asked between runs.

        Returns
        -------
        Speed or None
            None where the shape of an input is not known, or it was stopped.
        """
        shape = self._subjects.input_shape
        if shape is None:
            return None
        small = self.compress().restore(factored=True)
        return network_speed(self.net, small, shape, should_stop)

    def product_speed(self, layer: str, should_stop: Stop = never) -> Speed | None:
        """Time the product of a layer's matrix in small integers; None if it was stopped."""
        return product_speed(self._current().task.subject.layers[layer].matrix, should_stop)

    @property
    def has_labels(self) -> bool:
        """Whether there is labeled data, so that answers can be compared."""
        return self._behaviors.possible

    def behavior(self, should_stop: Stop = never) -> Behavior | None:
        """Compare what the original and the compressed network answer to the data.

        Parameters
        ----------
        should_stop : callable
            Asked between batches.

        Returns
        -------
        Behavior or None
            None without data, or where it was stopped.
        """
        return self._behaviors.of(self._current(), should_stop)

    def ready(self, recipe: Any) -> bool:
        """Whether the figures of a recipe are there at once, with nothing to prepare.

        Parameters
        ----------
        recipe : Recipe, list of Setting, or dict of patterns
        """
        return self._subjects.ready(Recipe.of(recipe))

    def is_quick(self, recipe: Any) -> bool:
        """Whether what a recipe needs is made in less than about half a second."""
        return self._subjects.is_quick(Recipe.of(recipe))

    def prepare(self, recipe: Any, progress: Progress = unheard) -> None:
        """Make the indexes, and first factors, that the figures of a recipe need.

        Parameters
        ----------
        recipe : Recipe, list of Setting, or dict of patterns
        progress : callable
            Called with what is worked on, in words, and the share done, in [0, 1].
        """
        self._subjects.prepare(Recipe.of(recipe), progress)

    def _current(self) -> Trial:
        if self._trial is None:
            self.submit(self._recipe)
        assert self._trial is not None
        return self._trial

    def _refine(self, trial: Trial) -> None:
        """Replace randomized factors by exact ones in the background, then tell."""
        rough = trial.task.subject.preparation.rough(trial.task.steps)
        if not rough:
            return

        def work(stale: Stale) -> None:
            for layer in rough:
                if stale():
                    return
                layer.refine_factors()
                if self._recipe == trial.recipe:
                    self._tell(self.submit(trial.recipe))

        self._factor_worker.submit(work)

    def compress(self) -> CompressedModel:
        """Return the compressed model of the current recipe, ready to save."""
        return self._subjects.compress(self._recipe)

    def compressed_net(self) -> nn.Module:
        """Return the module that is evaluated; it changes with the next recipe."""
        return self._current().task.subject.evaluator.copy.net

    def close(self) -> None:
        """Stop the background work; whoever waits for it is told."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.close()
        self._factor_worker.close()
        self._observers.clear()

    def _evaluate(self, trial: Trial, stale: Stale) -> None:
        """Measure a recipe, telling every estimate."""
        judge, result = self._subjects.first.evaluator, trial.result
        try:
            judge.judge_original(stale)
            for accuracy in trial.task.subject.evaluator.run(trial.plans, stale):
                result = replace(
                    result,
                    accuracy=accuracy,
                    original_accuracy=judge.original,
                    complete=accuracy.complete,
                )
                self._publish(result, trial)
        except Exception as error:
            words = f"{type(error).__name__}: {in_words(error)}"
            self._publish(replace(result, error_message=words, complete=True), trial)

    def _publish(self, result: Result, trial: Trial) -> None:
        with self._changed:
            if self._trial is not trial:
                return
            self._result = result
            self._changed.notify_all()
        self._tell(result)

    def _tell(self, result: Result) -> None:
        for observer in list(self._observers):
            observer(result)


def _check_numbers(net: nn.Module) -> None:
    """Raise ValueError where a bias or the like holds NaN; weights are checked on their own."""
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point() and bool(tensor.isnan().any()):
            raise ValueError(
                f"net: {name} holds NaN, so that its answers mean nothing. Train again from an "
                "earlier checkpoint, or repair it"
            )
