"""Resuming: from a run to a checkpoint, and back; records of a run that can be resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import torch
from torch import Tensor

from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.train.checkpoint import Checkpoint
from explorer.train.record import Progress, TrainRecord
from explorer.train.run import Run

RANDOM = ("drawn", "now", "dropout")
FREE = ("report_every",)


def record_of(run: Run, validation: Accuracy | Score | None = None) -> TrainRecord:
    """Report where a run stands, with its checkpoint on demand."""
    return run.record(validation, lambda: checkpoint_of(run))


def checkpoint_of(run: Run) -> Checkpoint:
    """Copy the state of a run. `run`: between two steps."""
    tensors = {f"net.{k}": v for k, v in run.net.state_dict().items()}
    for i, parameter in enumerate(_parameters(run)):
        for key, value in run.optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{i}.{key}"] = value
    tensors |= {f"along.{k}": v for k, v in run.objective.trained.state_dict().items()}
    tensors |= _constraints(run)
    tensors |= {f"rng.{name}": getattr(run.progress, name) for name in RANDOM}
    numbers = [f.name for f in fields(Progress) if f.name not in RANDOM]
    meta = {
        **_identity(run),
        "progress": {name: getattr(run.progress, name) for name in numbers},
        "stage": run.stage,
        "seconds_before": run.seconds_before,
    }
    return Checkpoint({name: t.detach().clone() for name, t in tensors.items()}, meta)


def go_on(run: Run, checkpoint: Checkpoint) -> None:
    """Put a run where a checkpoint was taken.

    `run`: made with the same network architecture, data, settings, penalties, masks, groups and
    objective. Raises ValueError if any of these differ; the message names it. Raises TypeError if
    `checkpoint` is none.
    """
    if not isinstance(checkpoint, Checkpoint):
        raise TypeError(f"resume must be a Checkpoint; got {type(checkpoint).__name__}")
    _check_same(run, checkpoint)
    with torch.no_grad():
        try:
            run.net.load_state_dict(checkpoint.part("net"))
        except RuntimeError as error:
            raise ValueError(f"resume: the checkpoint is of another network: {error}") from error
        run.objective.trained.load_state_dict(checkpoint.part("along"))
        for name, codebook in checkpoint.part("codebook").items():
            run.centroids[name].values.copy_(codebook)
    _load_optimizer(run, checkpoint.part("optimizer"))
    run.stage = checkpoint.stage
    run.seconds_before = float(checkpoint.meta["seconds_before"])
    drawn, now, dropout = (checkpoint.tensors[f"rng.{name}"] for name in RANDOM)
    run.redraw(Progress(drawn, now, dropout, **checkpoint.meta["progress"]))


def _parameters(run: Run) -> list[Tensor]:
    return [p for group in run.optimizer.param_groups for p in group["params"]]


def _constraints(run: Run) -> dict[str, Tensor]:
    found = {f"mask.{name}": mask for name, mask in run.masks.items()}
    for name, centroids in run.centroids.items():
        found[f"codes.{name}"] = centroids.codes
        found[f"codebook.{name}"] = centroids.values
    return found


def _identity(run: Run) -> dict[str, Any]:
    """Return what must be the same for a run to go on as if nothing had happened."""
    settings = {k: v for k, v in asdict(run.settings).items() if k not in FREE}
    return {
        "settings": settings,
        "penalties": [repr(penalty) for penalty in run.penalties],
        "samples": run.samples.n,
        "targets": run.objective.identity,
    }


def _check_same(run: Run, checkpoint: Checkpoint) -> None:
    for name, own in _identity(run).items():
        if own != checkpoint.meta.get(name):
            here, there = _differing(own, checkpoint.meta.get(name))
            raise ValueError(
                f"resume: {name} differ from the checkpoint's {there}; got {here}. Go on with "
                "the same, or start a new run from the checkpoint's network"
            )
    masks = dict(run.masks)
    codes = {name: centroids.codes for name, centroids in run.centroids.items()}
    for what, tensors, kind in (("masks", masks, "mask"), ("groups", codes, "codes")):
        kept = checkpoint.part(kind)
        same = tensors.keys() == kept.keys()
        if not same or not all(torch.equal(tensors[k], kept[k]) for k in kept):
            raise ValueError(f"resume: {what} differ from the checkpoint's; pass the same")


def _differing(own: Any, other: Any) -> tuple[Any, Any]:
    """Return the entries in which two mappings differ; anything else whole."""
    if not (isinstance(own, Mapping) and isinstance(other, Mapping)):
        return own, other
    keys = [key for key in own if own[key] != other.get(key)]
    return {key: own[key] for key in keys}, {key: other.get(key) for key in keys}


def _load_optimizer(run: Run, tensors: Mapping[str, Tensor]) -> None:
    parameters = _parameters(run)
    for name, value in tensors.items():
        number, _, key = name.partition(".")
        run.optimizer.state[parameters[int(number)]][key] = value.clone()
