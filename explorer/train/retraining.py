"""retrain: prune and train in turns, by a density schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.methods.prune import CRITERIA, Prune
from explorer.compress.methods.setting import check_choice, check_count, check_fraction
from explorer.compress.networks.weights import compressible
from explorer.measure.metric import Metric
from explorer.measure.taken_in import taken_in
from explorer.stopping import Stop
from explorer.train.checkpoint import Checkpoint
from explorer.train.masks import pruning_masks
from explorer.train.penalties import Penalty, check_penalties
from explorer.train.resume import go_on, record_of
from explorer.train.run import Run
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings, for_retraining
from explorer.train.training import Records, judged_by, records, validate

Density = float | Mapping[str, float]


def gradual(final: Density, n_stages: int, initial: float = 1.0) -> tuple[Density, ...]:
    """Return densities that fall along a cubic curve: fast at first, slowly at the end.

    The density after stage t of n is ``final + (initial - final) * (1 - t / n) ** 3``.

    Parameters
    ----------
    final : float or mapping of str to float
        Density after the last stage, in [0, 1]; or one for each pattern of layer names.
    n_stages : int
        At least 1.
    initial : float
        Density before the first stage.

    Returns
    -------
    tuple
        One density, or mapping, a stage.

    References
    ----------
    Zhu, Gupta. "To prune, or not to prune: exploring the efficacy of pruning for model
    compression". 2017. arXiv:1710.01878.

    Examples
    --------
    >>> gradual(0.0, n_stages=2)
    (0.125, 0.0)
    """
    if n_stages is None:
        raise TypeError("gradual: n_stages must be an integer; got None")
    check_count("gradual", "n_stages", n_stages, 1, 10_000)
    check_density("gradual", "initial", initial)
    if isinstance(final, Mapping):
        columns = {k: gradual(v, n_stages, initial) for k, v in final.items()}
        return tuple({k: float(v[i]) for k, v in columns.items()} for i in range(n_stages))  # type: ignore[arg-type]
    check_density("gradual", "final", final)
    left = ((1 - t / n_stages) ** 3 for t in range(1, n_stages + 1))
    return tuple(final + (initial - final) * part for part in left)


def stages_of(schedule: Any, layers: Sequence[str]) -> tuple[dict[str, float], ...]:
    """Return the density of each layer that is pruned, stage by stage.

    `schedule`: mapping of str to float, or sequence of these; a density for all layers, or for
    patterns of layer names of which the first that matches wins; one stage, or one after another.
    `layers`: all layers of the network. Raises ValueError if there is no stage, a density is not in
    [0, 1] or rises, or a pattern matches nothing. Raises TypeError if a density is not a number.
    """
    whole = isinstance(schedule, (int, float, Mapping)) or not isinstance(schedule, Sequence)
    found = tuple(_by_layer(item, layers) for item in ([schedule] if whole else schedule))
    if not found:
        raise ValueError("schedule: expected at least one density, got none")
    last: dict[str, float] = {}
    for i, stage in enumerate(found):
        for name, density in stage.items():
            if density > last.get(name, 1.0):
                raise ValueError(
                    f"schedule: density of {name!r} rises from {last[name]:g} to {density:g} at "
                    f"stage {i}; pruned weights do not come back: let densities fall"
                )
        last |= stage
    return found


def _by_layer(item: Any, layers: Sequence[str]) -> dict[str, float]:
    patterns = item if isinstance(item, Mapping) else {"*": item}
    for pattern, density in patterns.items():
        check_density("schedule", "density", density)
        if not any(fnmatchcase(name, pattern) for name in layers):
            raise ValueError(
                f"schedule: pattern {pattern!r} matches no layer; the layers are: "
                f"{', '.join(layers)}"
            )
    firsts = {n: next((p for p in patterns if fnmatchcase(n, p)), None) for n in layers}
    return {name: float(patterns[p]) for name, p in firsts.items() if p is not None}


def check_density(owner: str, name: str, value: Any) -> None:
    """Raise unless `value` is a number in [0, 1]."""
    if value is None:
        raise TypeError(f"{owner}: {name} must be a number in [0, 1]; got None")
    check_fraction(owner, name, value)


N_SALIENCY = 1000
BATCH = 250


def retrain(
    net: nn.Module,
    data: Any,
    schedule: Any,
    settings: TrainSettings | None = None,
    *,
    criterion: str = "magnitude",
    penalties: Iterable[Penalty] = (),
    validation: Any = None,
    resume: Checkpoint | None = None,
    should_stop: Stop | None = None,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
) -> Records:
    """Prune a copy of a network and retrain what is left, stage after stage.

    Static pruning, after training alone, is a single stage with
    ``TrainSettings(n_epochs=0)``; dynamic pruning has several stages, each with retraining.

    Parameters
    ----------
    net : Module
        Left unchanged; its zeros stay zero.
    data : Data, Dataset or pair of Tensor
        As for `train`.
    schedule : float, mapping of str to float, or sequence of these
        Share of the weights that each layer keeps, in [0, 1]: one for all layers, or by
        fnmatch patterns of layer names (layers that match none are not pruned). A sequence
        has one for each stage, falling; `gradual` makes one along a cubic curve.
    settings : TrainSettings, optional
        Of each stage. By default a tenth of the usual learning rate.
    criterion : {"magnitude", "obd", "random"}
        Which weights go, as in `Prune`; "obd" measures saliency on `data` at each stage.
    penalties, validation, should_stop, metric
        As for `train`.
    resume : Checkpoint, optional
        Go on within the stage in which it was taken; all else must be as it was.

    Yields
    ------
    TrainRecord
        At the start of each stage one of the pruned network before retraining, with its
        validation accuracy, then as `train` does; ``record.stage`` counts from 0.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit; at once.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626.

    Zhu, Gupta. "To prune, or not to prune: exploring the efficacy of pruning for model
    compression". 2017. arXiv:1710.01878.
    """
    check_choice("retrain", "criterion", criterion, CRITERIA)
    net = taken_in(net, data, may_write=True)
    stages = stages_of(schedule, list(compressible(net)))
    settings = settings or for_retraining(TrainSettings())
    chain = _Chain(Samples(data), stages, settings, criterion, check_penalties(penalties))
    run = chain.start(net, 0) if resume is None else chain.resumed(net, resume)
    return chain.records(run, judged_by(data, validation, metric), should_stop, resume is None)


class _Chain:
    """The stages, and how to get from one to the next."""

    def __init__(
        self,
        samples: Samples,
        stages: tuple[dict[str, float], ...],
        settings: TrainSettings,
        criterion: str,
        penalties: tuple[Penalty, ...],
    ) -> None:
        self.samples, self.stages, self.settings = samples, stages, settings
        self.criterion, self.penalties = criterion, penalties

    def start(self, net: nn.Module, stage: int) -> Run:
        """Prune a network to a stage's densities, ready to be retrained."""
        steps = {
            _literal(name): [Prune(sparsity=1 - density, criterion=self.criterion)]
            for name, density in self.stages[stage].items()
        }
        return self._run(net, stage, pruning_masks(net, steps, self._batches()))

    def resumed(self, net: nn.Module, checkpoint: Checkpoint) -> Run:
        """Go on from a checkpoint."""
        if not isinstance(checkpoint, Checkpoint):
            raise TypeError(f"resume must be a Checkpoint; got {type(checkpoint).__name__}")
        if checkpoint.stage >= len(self.stages):
            raise ValueError(
                f"resume: the checkpoint is of stage {checkpoint.stage}; the schedule has "
                f"{len(self.stages)} stages"
            )
        run = self._run(net, checkpoint.stage, checkpoint.part("mask"))
        go_on(run, checkpoint)
        return run

    def records(self, run: Run, validation: Any, should_stop: Stop | None, fresh: bool) -> Records:
        """Yield the records of this stage and of all that follow."""
        while True:
            if fresh:
                yield record_of(run, validate(run, validation, should_stop))
            if not run.finished:
                yield from records(run, validation, should_stop)
            last = run.stage == len(self.stages) - 1
            if last or not run.finished or (should_stop and should_stop()):
                return
            spent = run.seconds_before + run.progress.elapsed_s
            run = self.start(run.net, run.stage + 1)
            run.seconds_before, fresh = spent, True

    def _run(self, net: nn.Module, stage: int, masks: Mapping[str, Tensor]) -> Run:
        run = Run(net, self.samples, self.settings, self.penalties, masks)
        run.stage, run.n_stages = stage, len(self.stages)
        run.steps_before = stage * run.n_steps
        run.steps_after = (len(self.stages) - 1 - stage) * run.n_steps
        return run

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield samples for measuring saliency, the same at each stage."""
        generator = torch.Generator().manual_seed(self.settings.seed)
        order = torch.randperm(self.samples.n, generator=generator)[:N_SALIENCY]
        yield from (self.samples.take(chosen) for chosen in order.split(BATCH))


def _literal(name: str) -> str:
    """Escape a layer's name for use as a pattern."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
