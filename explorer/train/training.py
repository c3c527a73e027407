"""Training as a generator: a record after each step, stopped by not asking for the next."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

from torch import nn

from explorer.compress.methods.share import Shared
from explorer.measure.accuracy import Accuracy, running_accuracy
from explorer.measure.metric import Metric, MetricRunner, Score, as_metric
from explorer.stopping import Stop, never
from explorer.train.checkpoint import Checkpoint
from explorer.train.masks import Masks
from explorer.train.penalties import Penalty
from explorer.train.record import TrainRecord
from explorer.train.resume import go_on, record_of
from explorer.train.run import Run
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings

Records = Generator[TrainRecord, None, None]


def train(
    net: nn.Module,
    data: Any,
    settings: TrainSettings | None = None,
    *,
    penalties: Iterable[Penalty] = (),
    masks: Masks | None = None,
    groups: Mapping[str, Shared] | None = None,
    validation: Any = None,
    resume: Checkpoint | None = None,
    should_stop: Stop | None = None,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
) -> Records:
    """Train a copy of a classifier, yielding a record after each step.

    Minimizes the mean cross-entropy and the penalties. To pause, ask for no more records;
    to stop, close the generator. The copy is whole at any time, also after an interrupt.

    Parameters
    ----------
    net : Module
        Gives scores of shape (n, n_classes). Left unchanged.
    data : Data, Dataset or pair of Tensor
        Inputs and class numbers; of a `Data` its ``tune`` part. Tensors, and a
        ``TensorDataset``, are indexed directly, which is fastest.
    settings : TrainSettings, optional
    penalties : iterable of Penalty
        Terms added to the loss.
    masks : mapping of str to Tensor, optional
        By layer name, bool, True where a weight may live; the others become zero and stay so.
    groups : mapping of str to Shared, optional
        By layer name, records of ``Share``: these weights share trained values.
    validation : Dataset or iterable of batches, optional
        Judged on at the end of each epoch; by default the ``eval`` part of a `Data`.
    resume : Checkpoint, optional
        Go on from there, bit for bit as if the run had not been interrupted, on the same
        machine with the same number of torch threads; everything else must be as it was.
    should_stop : callable, optional
        Asked before each step and each batch of validation; once it is true, the run ends.
    metric : Metric or callable, optional
        Judges at the end of each epoch in place of validation's samples: called with a copy of
        the network, returns a finite number.

    Yields
    ------
    TrainRecord
        After every ``settings.report_every`` steps, at the end of each epoch, and when
        stopped. With no steps to do, one record.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit; at once. While training, ValueError where the loss is
        NaN or infinite: the last record's network then holds the last good weights.

    References
    ----------
    Robbins, Monro. "A stochastic approximation method". Annals of Mathematical Statistics,
    1951.

    Sutskever, Martens, Dahl, Hinton. "On the importance of initialization and momentum in
    deep learning". ICML 2013.
    """
    settings = settings or TrainSettings()
    run = Run(net, Samples(data), settings, penalties, masks, groups)
    if resume is not None:
        go_on(run, resume)
    return records(run, judged_by(data, validation, metric), should_stop)


def records(run: Run, validation: Any = None, should_stop: Stop | None = None) -> Records:
    """Advance a run to its end, yielding its records; as `train`."""
    if run.finished:
        yield record_of(run, validate(run, validation, should_stop))
        return
    reported = True
    while not run.finished and not (should_stop and should_stop()):
        run.step()
        reported = run.ends_epoch or run.progress.step % run.settings.report_every == 0
        if reported:
            judged = validate(run, validation, should_stop) if run.ends_epoch else None
            yield record_of(run, judged)
    if not reported:
        yield record_of(run)


def validate(run: Run, validation: Any, should_stop: Stop | None) -> Accuracy | Score | None:
    """Judge the network by a metric or on held-out samples; None where stopped, or by nothing."""
    return judged(run.net, validation, should_stop)


def judged(net: nn.Module, validation: Any, should_stop: Stop | None) -> Accuracy | Score | None:
    """Judge a network as `validate` does."""
    if validation is None:
        return None
    if isinstance(validation, MetricRunner):
        return validation.ask(net, should_stop or never)
    last = None
    for accuracy in running_accuracy(net, validation):
        if should_stop and should_stop():
            return None
        last = accuracy
    return last


def judged_by(
    data: Any, validation: Any, metric: Metric | Callable[[nn.Module], Any] | None = None
) -> Any:
    """Return what to judge by: a metric, `validation`, or else the ``eval`` part of a `Data`."""
    judge_by = as_metric(metric)
    if judge_by is not None:
        return MetricRunner(judge_by)
    return validation if validation is not None else getattr(data, "eval", None)
