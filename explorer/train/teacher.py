"""A teacher's answers, asked for once and kept."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import Inputs, call, device_of, moved, scores_of, tensors_of
from explorer.compress.networks.weights import check_module
from explorer.stopping import Stop, never
from explorer.train.samples import Samples

BATCH, ANSWERS_BATCH = 500, 250
MOST_ANSWERS = 10_000
MOST_NUMBERS = 2**22


def teacher_logits(teacher: nn.Module, data: Any) -> Tensor:
    """Return a network's logits for all samples, to hand to `distill`.

    Parameters
    ----------
    teacher : Module
        In eval mode; gives scores of shape (n, n_classes). Left unchanged.
    data : Data, Dataset or pair of Tensor
        Inputs and class numbers; of a `Data` its ``tune`` part.

    Returns
    -------
    Tensor, shape (n, n_classes)
        In the order of the data, on the CPU.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, part of the teacher is in train mode, or its logits are
        NaN or infinite.
    """
    check_teacher(teacher)
    return joined(list(answers(teacher, Samples(data))))


def answers(teacher: nn.Module, samples: Samples) -> Iterator[Tensor]:
    """Yield the logits batch after batch, each on the CPU; of large inputs fewer at a time."""
    numbers = torch.arange(samples.n)
    size = sum(tensor.numel() for tensor in tensors_of(samples.take(numbers[:1])[0]))
    for chosen in numbers.split(max(1, min(BATCH, MOST_NUMBERS // max(1, size)))):
        yield ask(teacher, samples.take(chosen)[0]).cpu()


def joined(parts: list[Tensor]) -> Tensor:
    """Return batches of logits as one tensor that gradients may flow around."""
    with torch.inference_mode(False):
        return check_logits("teacher: its logits", torch.cat(parts).clone())


def ask(teacher: nn.Module, inputs: Inputs) -> Tensor:
    """Return the logits for a batch, without a gradient.

    Raises ValueError if the teacher fails on the inputs, or gives no scores.
    """
    with torch.no_grad():
        return forward(teacher, moved(inputs, device_of(teacher)), "teacher")


def forward(net: nn.Module, inputs: Inputs, whose: str) -> Tensor:
    """Return a network's scores, shape (n, n_classes).

    Raises ValueError if it fails on the inputs, or gives something else.
    """
    try:
        output = call(net, inputs)
    except (RuntimeError, IndexError) as error:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors_of(inputs))
        raise ValueError(f"data: the {whose} fails on inputs of shape {shapes}: {error}") from error
    try:
        found = scores_of(output)
    except TypeError as error:
        raise ValueError(f"{whose}: {error}") from error
    if found.ndim != 2 or len(found) != len(tensors_of(inputs)[0]):
        raise ValueError(
            f"{whose}: expected scores of shape (n, n_classes) for a batch; got "
            f"{tuple(found.shape)}"
        )
    return found


def check_teacher(teacher: Any) -> None:
    """Raise unless `teacher` is a module in eval mode throughout."""
    check_module(teacher, "teacher")
    training = [name or "itself" for name, module in teacher.named_modules() if module.training]
    if training:
        more = f" and {len(training) - 3} more" if len(training) > 3 else ""
        raise ValueError(
            f"teacher: {', '.join(training[:3])}{more} in train mode; its answers would be "
            "random: call teacher.eval()"
        )


def check_logits(name: str, logits: Any, n: int | None = None) -> Tensor:
    """Return logits; raise unless they are finite numbers of shape (n, n_classes)."""
    if not isinstance(logits, Tensor) or not logits.is_floating_point():
        got = logits.dtype if isinstance(logits, Tensor) else type(logits).__name__
        raise TypeError(f"{name} must be a floating-point tensor; got {got}")
    if logits.ndim != 2 or (n is not None and len(logits) != n):
        rows = "n" if n is None else n
        raise ValueError(
            f"{name} must be of shape ({rows}, n_classes), one row a sample; got "
            f"{tuple(logits.shape)}"
        )
    bad = int((~torch.isfinite(logits)).any(1).sum())
    if bad:
        raise ValueError(
            f"{name} are NaN or infinite for {bad} of {len(logits)} samples; leave these out or "
            "use another teacher"
        )
    return logits.detach()


def digest(tensors: Iterable[Tensor]) -> str:
    """Return a short digest of tensors' values, to tell whether they are the same."""
    found = hashlib.blake2b(digest_size=8)
    for tensor in tensors:
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return found.hexdigest()


class Teacher:
    """A teacher's logits for the samples of a run.

    `logits`: shape (n, n_classes), as `teacher_logits` gives them.
    """

    def __init__(self, net: nn.Module, samples: Samples, logits: Tensor | None) -> None:
        check_teacher(net)
        self.net, self.samples = net, samples
        self.given = logits is not None
        self._logits = None if logits is None else check_logits("logits", logits, samples.n).cpu()
        self._digests: dict[str, str] = {}

    @property
    def digests(self) -> dict[str, str]:
        """Digests of the teacher's weights, and of the logits that were given."""
        if not self._digests:
            self._digests["teacher"] = digest([*self.net.parameters(), *self.net.buffers()])
            if self.given and self._logits is not None:
                self._digests["logits"] = digest([self._logits])
        return self._digests

    def n_classes(self, inputs: Inputs) -> int:
        """Return how many scores the teacher gives; asked with `inputs` where none are kept."""
        logits = self.ask(inputs) if self._logits is None else self._logits
        return logits.shape[1]

    def ask(self, inputs: Inputs) -> Tensor:
        """Return the logits for inputs that may be none of the samples; as `ask`."""
        return check_logits("teacher: its logits", ask(self.net, inputs))

    def prepare(self, should_stop: Stop | None = None) -> bool:
        """Ask for the logits of all samples unless they are there; False where stopped."""
        found: list[Tensor] = []
        if self._logits is None:
            for part in answers(self.net, self.samples):
                if should_stop and should_stop():
                    return False
                found.append(part)
            self._logits = joined(found)
        return True

    def kept(self, chosen: Tensor) -> Tensor:
        """Return the logits of the samples of these numbers, shape (n_chosen, n_classes)."""
        if self._logits is None:
            raise ValueError("the teacher was not asked yet: call prepare() first")
        return self._logits[chosen]


@dataclass(frozen=True, eq=False)
class Answered:
    """Samples with a network's logits for them.

    `logits`: shape (n, n_classes); of the first n samples. `labels`: shape (n,), int64.
    """

    samples: Samples
    logits: Tensor
    labels: Tensor

    @property
    def n(self) -> int:
        """Samples that were asked for."""
        return len(self.labels)

    def inputs(self, chosen: Tensor) -> Tensor:
        """Return the inputs of these numbers, shape (n_chosen, ...)."""
        return self.samples.take(chosen)[0]


def answered(net: nn.Module, data: Any, should_stop: Stop = never) -> Answered | None:
    """Ask a network for its logits, for at most 10,000 samples.

    `net`: in eval mode; gives scores of shape (n, n_classes). `should_stop`: asked between batches.
    Returns: none where it was stopped. Raises TypeError, ValueError if an argument does not fit,
    part of the network is in train mode, or its logits are NaN or infinite.
    """
    check_teacher(net)
    samples = Samples(data)
    found: list[Tensor] = []
    labels: list[Tensor] = []
    for chosen in torch.arange(min(samples.n, MOST_ANSWERS)).split(ANSWERS_BATCH):
        if should_stop():
            return None
        inputs, own = samples.take(chosen)
        found.append(ask(net, inputs).cpu())
        labels.append(own.cpu().to(torch.int64))
    logits = check_logits("the network's logits", torch.cat(found).clone())
    return Answered(samples, logits, torch.cat(labels))


class Answers:
    """What a network answers to the samples of some data.

    `net`: its weights must not change meanwhile.
    """

    def __init__(self, net: nn.Module, data: Any) -> None:
        self._net, self._data = net, data
        self._lock = threading.Lock()
        self._held_out: Answered | None = None
        self._tune: Tensor | None = None

    @property
    def known(self) -> Answered | None:
        """Those to samples held out; None before they were asked for."""
        return self._held_out

    def held_out(self, should_stop: Stop = never) -> Answered | None:
        """Ask for those to samples held out, once; None where it was stopped."""
        with self._lock:
            if self._held_out is None:
                data = getattr(self._data, "eval", self._data)
                self._held_out = answered(self._net, data, should_stop)
            return self._held_out

    def tune(self) -> Tensor:
        """Ask for those to samples that are trained on, once; shape (n, n_classes)."""
        with self._lock:
            if self._tune is None:
                self._tune = teacher_logits(self._net, self._data)
            return self._tune
