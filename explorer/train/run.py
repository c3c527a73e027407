"""Run: one network trained a step at a time; the last good weights."""

from __future__ import annotations

import functools
import math
import operator
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from explorer.compress.methods.share import Shared
from explorer.compress.networks.forward import Inputs, moved, tensors_of
from explorer.compress.networks.plain import copied, kept_zeros
from explorer.compress.networks.weights import compressible
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.measure.taken_in import taken_in
from explorer.train.centroids import Centroids, check_groups
from explorer.train.checkpoint import Checkpoint
from explorer.train.masks import Masks, check_masks, clear_gradients, clear_pruned
from explorer.train.objective import Batch, CrossEntropy, Objective
from explorer.train.penalties import Penalty, check_penalties
from explorer.train.record import NAN, Progress, TrainRecord
from explorer.train.samples import Samples, check_scores, shifted
from explorer.train.settings import TrainSettings, optimizer_of


class Undo:
    """Copies of a network and its optimizer from just before the last update.

    `optimizer`: its parameters may include some that are not the network's.
    """

    def __init__(self, net: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._net = net
        self._optimizer = optimizer
        self._kept: list[tuple[Tensor, Tensor]] = []
        self._buffers: list[tuple[Tensor, Tensor]] = []
        self._begun: list[tuple[Tensor, Tensor]] = []
        self._progress: Progress | None = None
        self._under_way = False

    def begin(self) -> None:
        """Copy what a forward pass writes to: running means and the like."""
        self._begun = [(buffer, buffer.detach().clone()) for buffer in self._net.buffers()]

    def keep(self, progress: Progress) -> None:
        """Copy what an update writes to, into the memory of the last copies if there are any."""
        tensors = self._tensors()
        with torch.no_grad():
            if [id(t) for t in tensors] == [id(t) for t, _ in self._kept]:
                for tensor, copy in self._kept:
                    copy.copy_(tensor)
            else:
                self._kept = [(t, t.detach().clone()) for t in tensors]
        self._buffers = self._begun
        self._progress = progress
        self._under_way = True

    def completed(self) -> None:
        """Say that the update is done."""
        self._under_way = False

    def put_back(self) -> Progress | None:
        """Undo the last update; return where the run stood before it, None if there was none."""
        if self._progress is None:
            return None
        known = {id(tensor) for tensor, _ in self._kept}
        _copy_back(self._kept + self._buffers)
        for parameter, state in list(self._optimizer.state.items()):
            if any(isinstance(v, Tensor) and id(v) not in known for v in state.values()):
                del self._optimizer.state[parameter]
        self._under_way = False
        return self._progress

    def interrupted(self) -> Progress | None:
        """Undo an update that is under way; otherwise only what a forward pass wrote."""
        if self._under_way:
            return self.put_back()
        _copy_back(self._begun)
        return None

    def _tensors(self) -> list[Tensor]:
        found: list[Tensor] = list(self._net.parameters())
        found += [p for group in self._optimizer.param_groups for p in group["params"]]
        for state in self._optimizer.state.values():
            found += [value for value in state.values() if isinstance(value, Tensor)]
        return list({id(tensor): tensor for tensor in found}.values())


def _copy_back(kept: list[tuple[Tensor, Tensor]]) -> None:
    with torch.inference_mode(False), torch.no_grad():
        for tensor, copy in kept:
            tensor.copy_(copy)


class NotFinite(ValueError):
    """The loss is NaN or infinite."""


def not_finite(inputs: Inputs, step: int, learning_rate: float) -> NotFinite:
    """Make the error for a loss that is not finite.

    `inputs`: the batch. `step`: steps done before it. `learning_rate`: the first one of the run.
    """
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors_of(inputs)):
        return NotFinite(
            f"data: the batch of step {step + 1} holds NaN or infinite inputs; leave them out"
        )
    return NotFinite(
        f"training: the loss is not finite at step {step + 1}; the last good weights are kept. "
        f"Lower the learning rate ({learning_rate:g}) or the penalties"
    )


class Run:
    """A network under training.

    `net`: a copy is trained. `masks`: bool, True where a weight may live. `groups`: layers whose
    weights share values. `objective`: what is minimized; by default the cross-entropy with the
    labels. `net`: the copy. `layers`: its compressible weights. `stage`, `n_stages`,
    `steps_before`, `steps_after`: where the run stands among other stages, and their steps.
    """

    def __init__(
        self,
        net: nn.Module,
        samples: Samples,
        settings: TrainSettings,
        penalties: Iterable[Penalty] = (),
        masks: Masks | None = None,
        groups: Mapping[str, Shared] | None = None,
        objective: Objective | None = None,
    ) -> None:
        if not isinstance(settings, TrainSettings):
            raise TypeError(f"settings must be TrainSettings; got {type(settings).__name__}")
        self.samples, self.settings = samples, settings
        self.penalties = check_penalties(penalties)
        with torch.inference_mode(False):
            first = samples.take(torch.zeros(1, dtype=torch.int64))
            plain = taken_in(net, [first], may_write=True)
            self.net = copied(plain).eval()
            self.layers = compressible(self.net)
            self.masks = check_masks(
                _with_kept(masks, self.layers, plain, groups or {}), self.layers
            )
            shared = check_groups(groups, self.layers, self.masks)
            self.centroids = {n: Centroids.of(self.layers[n], r) for n, r in shared.items()}
            self.objective = objective or CrossEntropy()
            self.objective.begin(self.net, samples, settings)
            self.optimizer = optimizer_of(
                self.net, settings, self.centroids.values(), self.objective.trained
            )
            clear_pruned(self.layers, self.masks, self.optimizer)
        self.stage, self.n_stages, self.steps_before, self.steps_after = 0, 1, 0, 0
        self.seconds_before = 0.0
        self.n_steps = self.n_steps_set = settings.n_steps(samples.n)
        self._generator = torch.Generator().manual_seed(settings.seed)
        state = self._generator.get_state()
        self.progress = Progress(state, state, state, {})
        self._order = torch.empty(0, dtype=torch.int64)
        self._undo = Undo(self.net, self.optimizer)

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.progress.step >= self.n_steps

    @property
    def ends_epoch(self) -> bool:
        """Whether the last step was the last of an epoch, or of the run."""
        whole = self.progress.position == self.settings.steps_an_epoch(self.samples.n)
        return whole or self.finished

    def step(self) -> None:
        """Do one step.

        If it is interrupted, weights and momentum are put back to where they were before; if
        the loss is not finite, to where it last was.

        Raises ValueError if the loss is not finite, or scores and labels do not fit.
        """
        started = time.perf_counter()
        outer = torch.get_rng_state()
        self.net.train()
        try:
            with torch.inference_mode(False), torch.enable_grad():
                self._undo.begin()
                self._start()
                self._advance()
        except NotFinite:
            self.progress = self._undo.put_back() or self.progress
            raise
        except BaseException:
            self.progress = self._undo.interrupted() or self.progress
            raise
        finally:
            torch.set_rng_state(outer)
            self.net.eval()
        spent = time.perf_counter() - started
        self.progress = replace(self.progress, elapsed_s=self.progress.elapsed_s + spent)

    def _start(self) -> None:
        """Draw the order of a new epoch."""
        torch.set_rng_state(self.progress.dropout)
        if self.ends_epoch or self.progress.epoch == 0:
            drawn = self._generator.get_state()
            self._order = torch.randperm(self.samples.n, generator=self._generator)
            self.progress = replace(
                self.progress,
                drawn=drawn,
                now=self._generator.get_state(),
                epoch=self.progress.epoch + 1,
                position=0,
                n_seen=0,
                n_hits=0,
            )

    def _advance(self) -> None:
        before, settings = self.progress, self.settings
        rate = settings.rate_at(before.step, self.samples.n, self.n_steps)
        batch = self._batch(before.position)
        scores = self.objective.scores(self.net, batch)
        if before.position == 0 or self.samples.labels is None:
            known = self.samples.labels if self.samples.labels is not None else batch.labels
            check_scores(scores, known)
        parts = self.objective.parts(scores, batch)
        loss = functools.reduce(operator.add, parts.values())
        terms = [(p.name, p.value(self.layers)) for p in self.penalties]
        total = sum((term for _, term in terms), loss)
        if not math.isfinite(total.item()):
            raise not_finite(batch.inputs, before.step, settings.learning_rate)
        self.net.zero_grad()
        self.objective.trained.zero_grad()
        total.backward()
        self._undo.keep(before)
        self._update(rate)
        penalties: dict[str, float] = {}
        for name, term in terms:
            penalties[name] = penalties.get(name, 0.0) + term.item()
        self.progress = replace(
            before,
            now=self._generator.get_state(),
            dropout=torch.get_rng_state(),
            penalties=penalties,
            step=before.step + 1,
            position=before.position + 1,
            n_seen=before.n_seen + len(batch.labels),
            n_hits=before.n_hits + int((scores.detach().argmax(1) == batch.labels).sum()),
            loss=loss.item(),
            parts={name: part.item() for name, part in parts.items()},
            learning_rate=rate,
        )
        self._undo.completed()

    def _batch(self, position: int) -> Batch:
        size = self.settings.batch_size
        chosen = self._order[position * size : (position + 1) * size]
        inputs, labels = self.samples.take(chosen)
        if self.settings.max_shift:
            inputs = shifted(inputs, self.settings.max_shift, self._generator)
        device = next(self.net.parameters()).device
        return Batch(moved(inputs, device), labels.to(device), chosen)

    def _update(self, rate: float) -> None:
        clear_gradients(self.layers, self.masks)
        for centroids in self.centroids.values():
            centroids.gather(self.settings.weight_decay)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        for centroids in self.centroids.values():
            centroids.write()

    def record(
        self, validation: Accuracy | Score | None, checkpoint: Callable[[], Checkpoint]
    ) -> TrainRecord:
        """Report where the run stands, with what takes a checkpoint of it."""
        now = self.progress
        done, elapsed_s = self.steps_before + now.step, self.seconds_before + now.elapsed_s
        left = self.n_steps - now.step + self.steps_after
        return TrainRecord(
            net=self.net,
            step=done,
            n_steps=done + left,
            epoch=now.epoch,
            loss=now.loss,
            penalties=now.penalties,
            train_accuracy=now.n_hits / now.n_seen if now.n_seen else NAN,
            learning_rate=now.learning_rate,
            density={n: int(w.count_nonzero()) / w.numel() for n, w in self.layers.items()},
            elapsed_s=elapsed_s,
            remaining_s=elapsed_s / done * left if done else 0.0,
            validation=validation,
            stage=self.stage,
            n_stages=self.n_stages,
            parts=now.parts,
            centroids={n: c.values.detach().clone() for n, c in self.centroids.items()},
            _checkpoint=checkpoint,
        )

    def limit(self, n_steps: int) -> None:
        """End the run, and its learning rates, after `n_steps` steps, or as it was to end."""
        self.n_steps = min(n_steps, self.n_steps_set)

    def redraw(self, progress: Progress) -> None:
        """Set the random state, and this epoch's order, to those of a checkpoint."""
        if progress.epoch:
            self._generator.set_state(progress.drawn)
            self._order = torch.randperm(self.samples.n, generator=self._generator)
        self._generator.set_state(progress.now)
        self.progress = progress


def _with_kept(
    masks: Masks | None, layers: Mapping[str, Tensor], net: nn.Module, groups: Iterable[str]
) -> Masks:
    """Add masks of the layers whose zeros a pruning mask had made; groups keep their own zeros."""
    found = dict(masks or {})
    for name in kept_zeros(net) & set(layers) - set(groups):
        living = layers[name].detach() != 0
        found[name] = found[name] & living.to(found[name].device) if name in found else living
    return found
