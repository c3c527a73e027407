"""What kept activations save when only a late layer changes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import TensorDataset

from explorer.bench.rows import BenchRow, Finding, Skipped
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Job, Timing, alternate
from explorer.compress.prune import Prune
from explorer.measure.profile import input_shape
from explorer.session.session import Session

N_SAMPLES = 32
PATIENCE_S = 120.0


def late_change(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time a new value of the last layer, and of the first, up to the complete accuracy.

    Yields
    ------
    BenchRow or Skipped
        The first layer's as a multiple of the last one's: what is saved. Images are
        noise, which takes as long as any other.
    """
    shape = input_shape(subject.net, subject.data)
    if shape is None:
        yield Skipped(subject.name, "accuracy", "the shape of an input is not known")
        return
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(N_SAMPLES, *shape, generator=generator)
    session = Session(subject.net, TensorDataset(images, torch.zeros(N_SAMPLES, dtype=torch.int64)))
    try:
        last = _changes(session, session.layers[-1], effort)
        first = _changes(session, session.layers[0], effort)
    finally:
        session.close()
    n_runs = min(first.n_runs, last.n_runs)
    first, last = (Timing(timing.seconds[:n_runs]) for timing in (first, last))
    yield BenchRow.of(
        subject.name,
        "accuracy",
        f"a change in {session.layers[0]}, {N_SAMPLES} images, to complete accuracy",
        first,
        f"the same for a change in {session.layers[-1]}",
        last,
    )


def _changes(session: Session, layer: str, effort: Effort) -> Timing:
    """Time one new value of a layer after the other, two of them to warm up."""

    def change(number: int) -> None:
        session.submit({layer: [Prune(sparsity=0.3 + 0.01 * (number % 50))]})
        session.wait(PATIENCE_S)

    change(49)
    return alternate({layer: Job(change)}, effort)[layer]
