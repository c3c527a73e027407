"""Any kind of data as batches and as numbered samples; evenly spaced parts of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    TensorDataset,
    default_collate,
)

from explorer.compress.networks.forward import Inputs, first_rows, moved, own_copy, rows, tensors_of
from explorer.measure.labels import class_numbers
from explorer.stopping import Stop, never

LABEL_KEYS = ("labels", "label")
FORMS = (
    "expected pairs (input, class index), or dicts with 'labels' and the network's arguments, "
    "from a Dataset or in batches"
)


def n_samples(data: Any) -> int:
    """Return how many samples there are; 0 where nothing tells."""
    if isinstance(data, DataLoader):
        return len(data.dataset) if hasattr(data.dataset, "__len__") else 0
    if is_pair(data):
        return len(data[1])
    return len(data) if isinstance(data, Dataset) and hasattr(data, "__len__") else 0


def left_out_note(data: Any) -> str:
    """Say how many samples a loader with ``drop_last`` leaves out; "" where it leaves none."""
    if not (isinstance(data, DataLoader) and data.drop_last and data.batch_size):
        return ""
    n = n_samples(data)
    rest = n % data.batch_size
    others = ", others each time" if isinstance(data.sampler, RandomSampler) else ""
    return f"{rest:,} of {n:,} samples are left out by the loader (drop_last){others}" * bool(rest)


def is_indexed(data: Any) -> bool:
    """Whether samples can be taken by number: a dataset with a length that is no stream."""
    return (
        isinstance(data, Dataset)
        and not isinstance(data, IterableDataset)
        and hasattr(data, "__len__")
    )


def is_pair(data: Any) -> bool:
    """Whether data is a pair of tensors: all inputs, and all labels."""
    return (
        isinstance(data, (list, tuple))
        and len(data) == 2
        and all(isinstance(part, Tensor) for part in data)
    )


def batches(data: Any, batch: int) -> Iterator[tuple[Inputs, Tensor]]:
    """Yield batches of inputs and labels, which a network may write into.

    `data`: samples are pairs (input, class index), or dicts with ``"labels"`` (or ``"label"``)
    whose other entries are the network's arguments; batches are such pairs or dicts of tensors, as
    a DataLoader gives them. An input may be a tuple of tensors. `batch`: samples a batch, where
    `data` does not come in batches. Yields: inputs, a Tensor of shape (n, ...), or a tuple or dict
    of them; labels of shape (n,), int64. Raises TypeError if `data` is none of these, or labels are
    no integers. Raises ValueError if labels are not one number a sample.
    """
    check_data(data)
    n = 0
    for item, copied in _parts(data, batch):
        inputs, numbers = labeled(item, n)
        n += len(numbers)
        yield inputs if copied else own_copy(inputs), numbers


def labeled(item: Any, first: int = 0) -> tuple[Inputs, Tensor]:
    """Take a batch apart: inputs, and int64 labels; `first` is its first sample's number."""
    inputs, labels = _pair(item)
    return inputs, class_numbers(labels, first)


def _parts(data: Any, batch: int) -> Iterator[tuple[Any, bool]]:
    """Yield batches as they come, and whether nobody else holds their memory."""
    if isinstance(data, TensorDataset) and len(data.tensors) == 2:
        data = data.tensors
    if is_pair(data):
        inputs, labels = data
        for i in range(0, len(inputs), batch):
            yield (inputs[i : i + batch], labels[i : i + batch]), False
    elif is_indexed(data):
        for i in range(0, len(data), batch):
            yield collated(data[j] for j in range(i, min(i + batch, len(data)))), True
    else:
        yield from _streamed(iter(data), batch)


def _streamed(items: Iterator[Any], batch: int) -> Iterator[tuple[Any, bool]]:
    """Yield the batches of an iterable, putting single samples together."""
    first = next(items, None)
    if first is None:
        return
    rest = chain([first], items)
    if not _is_sample(first):
        yield from ((item, False) for item in rest)
        return
    while some := list(islice(rest, batch)):
        yield collated(some), True


def _is_sample(item: Any) -> bool:
    """Whether an item is one sample: its label is a single number or word."""
    try:
        label = torch.as_tensor(_as_tensor(_pair(item)[1]))
    except (TypeError, ValueError, RuntimeError):
        return isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[1], str)
    return label.ndim == 0


def collated(samples: Iterable[Any]) -> Any:
    """Put single samples together to a batch, in memory of its own."""
    found = [_with_tensors(sample) for sample in samples]
    try:
        return default_collate(found)
    except RuntimeError as error:
        raise ValueError(
            f"data: samples of unequal shapes do not fit in one batch: {error}; pad them, or give "
            "batches of equal ones"
        ) from error


def _with_tensors(sample: Any) -> Any:
    """Make tensors of a sample's lists of numbers, as tokenizers give them, and of its scalars."""
    if isinstance(sample, Mapping):
        return {name: _as_tensor(value) for name, value in sample.items()}
    if isinstance(sample, (list, tuple)) and len(sample) == 2:
        inputs, label = sample
        if isinstance(inputs, Mapping):
            return _with_tensors(inputs), _as_tensor(label)
        return _as_tensor(inputs), _as_tensor(label)
    return sample


def _as_tensor(value: Any) -> Any:
    """Make a tensor of a list of numbers, a number of a scalar of numpy; anything else stays."""
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, (list, tuple)) or any(isinstance(p, Tensor) for p in value):
        return value
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return value


def check_data(data: Any) -> None:
    """Raise TypeError unless `data` is a dataset or an iterable, whatever it holds."""
    if not isinstance(data, Iterable) and not (
        isinstance(data, Dataset) and hasattr(data, "__len__")
    ):
        parts = ". Give one of its parts, such as data.eval" if hasattr(data, "eval") else ""
        raise TypeError(
            "data: expected a Dataset of pairs (input, class index) or a DataLoader; "
            f"got {type(data).__name__}{parts}"
        )


def _pair(item: Any) -> tuple[Inputs, Any]:
    if isinstance(item, Mapping):
        return _named(item)
    if not isinstance(item, (list, tuple)) or len(item) != 2:
        raise TypeError(
            f"data: {FORMS}; got {type(item).__name__}"
            + (f" of {len(item)} parts" if isinstance(item, (list, tuple)) else "")
            + ". Put two tensors together with torch.utils.data.TensorDataset(inputs, labels)"
        )
    inputs, labels = item
    if isinstance(inputs, Mapping):
        inputs = dict(inputs)
    elif isinstance(inputs, (list, tuple)) and any(isinstance(p, Tensor) for p in inputs):
        inputs = tuple(inputs)
    else:
        inputs = _tensor(inputs)
    for tensor in tensors_of(inputs):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"data: expected inputs in a tensor, got {type(tensor).__name__}")
    return inputs, labels


def _tensor(inputs: Any) -> Tensor:
    try:
        return torch.as_tensor(inputs)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"data: expected inputs in a tensor, got {type(inputs).__name__}") from None


def _named(item: Mapping[str, Any]) -> tuple[dict[str, Tensor], Any]:
    """Take a dict apart: its labels, and the tensors that are the network's arguments."""
    key = next((name for name in LABEL_KEYS if name in item), None)
    inputs = {n: v for n, v in item.items() if n != key and isinstance(v, Tensor)}
    if key is None or not inputs:
        known = ", ".join(map(str, item)) or "nothing"
        raise TypeError(f"data: {FORMS}; got a dict with {known}")
    return inputs, item[key]


def first_inputs(data: Any) -> Inputs | None:
    """Return the inputs of the first sample, as a batch of one; None where there is none.

    Of a `Data` its ``eval`` part is looked at. A stream that can be read only once is left alone.
    """
    part = getattr(data, "eval", data)
    if part is None or isinstance(part, Iterator):
        return None
    check_data(part)
    for item, _ in _parts(part, 1):
        return own_copy(first_rows(_pair(item)[0], 1))
    return None


CPU = torch.device("cpu")


class HeldSamples(Dataset):
    """Inputs and labels of some batches, joined. `parts`: batches of equal form, at least one."""

    def __init__(self, parts: list[tuple[Inputs, Tensor]]) -> None:
        self.inputs = _joined([inputs for inputs, _ in parts])
        self.labels = torch.cat([labels for _, labels in parts])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Inputs, Tensor]:
        return rows(self.inputs, i), self.labels[i]


def hold(
    data: Any, n_most: int, most_bytes: int, should_stop: Callable[[], bool]
) -> tuple[HeldSamples, bool] | None:
    """Read a stream up to a number of samples and bytes.

    `n_most`, `most_bytes`: the first batch is kept in any case. `should_stop`: asked before each
    batch. Returns: the samples, and whether they are all there are; None where it was stopped.
    Raises ValueError if there is no sample.
    """
    kept: list[tuple[Inputs, Tensor]] = []
    n = n_bytes = 0
    whole = True
    for inputs, labels in batches(data, 256):
        if should_stop():
            return None
        size = sum(tensor.nbytes for tensor in tensors_of(inputs))
        if n >= n_most or (kept and n_bytes + size > most_bytes):
            whole = False
            break
        kept.append((moved(first_rows(inputs, n_most - n), CPU), labels[: n_most - n].cpu()))
        whole = len(labels) <= n_most - n
        n, n_bytes = n + len(kept[-1][1]), n_bytes + size
    if not n:
        raise ValueError("data: expected at least one labeled sample, got none")
    return HeldSamples(kept), whole


def _joined(parts: list[Inputs]) -> Inputs:
    first = parts[0]
    try:
        if isinstance(first, dict):
            return {name: torch.cat([part[name] for part in parts]) for name in first}
        if isinstance(first, tuple):
            return tuple(torch.cat(list(tensors)) for tensors in zip(*parts, strict=True))
        return torch.cat(parts)
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(
            f"data: batches cannot be joined, for their shapes differ: {error}. Pad the inputs to "
            "one size, or give a Dataset"
        ) from error


def evenly(count: int, most: int) -> np.ndarray:
    """Choose positions from the first to the last, as far apart as whole numbers allow.

    `count`: how many there are. `most`: how many to choose at most. Returns: shape (min(count,
    most),), int64; ascending, each once.

    Examples
    --------
    >>> evenly(9, 3).tolist(), evenly(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)


MOST_SAMPLES = 10_000
MOST_SCORES = 10_000_000
MOST_BYTES = 256_000_000


@dataclass(frozen=True, eq=False)
class EvaluationSubset:
    """Samples that come in the same order each time.

    `samples`: pairs of input and class index; knows its length. `n_total`: samples in all the data;
    0 where nothing tells.
    """

    samples: Dataset[Any]
    n_total: int

    @property
    def n(self) -> int:
        """Samples that are evaluated."""
        return len(self.samples)  # type: ignore[arg-type]


def most_samples(n_classes: int) -> int:
    """Return how many samples are evaluated at most: 10,000, and 10 million scores."""
    return max(1, min(MOST_SAMPLES, MOST_SCORES // n_classes))


def evaluation_subset(
    data: Any, n_most: int = MOST_SAMPLES, should_stop: Stop = never
) -> EvaluationSubset | None:
    """Choose samples.

    Of a dataset that is longer than `n_most`, `n_most` evenly spaced samples are taken, so that
    one that is sorted by class gives all classes. Of an iterable of batches, whose order may
    change, the first ones are kept: `n_most` of them, and 256 MB.

    `data`: a dataset must give the same samples each time. `should_stop`: asked before each batch
    of an iterable. Returns: none where it was stopped. Raises TypeError if `data` is neither, or an
    iterable's inputs are no tensors. Raises ValueError if there is no sample.
    """
    if is_pair(data):
        data = TensorDataset(*data)
    if not is_indexed(data):
        return _first(data, n_most, should_stop)
    n_total = len(data)
    if n_total <= n_most:
        return EvaluationSubset(data, n_total)
    rows = torch.arange(n_most) * n_total // n_most
    if isinstance(data, TensorDataset):
        return EvaluationSubset(TensorDataset(*(tensor[rows] for tensor in data.tensors)), n_total)
    return EvaluationSubset(Subset(data, rows.tolist()), n_total)


def _first(data: Any, n_most: int, should_stop: Stop) -> EvaluationSubset | None:
    """Keep the first samples of an iterable."""
    held = hold(data, n_most, MOST_BYTES, should_stop)
    if held is None:
        return None
    samples, whole = held
    simple = isinstance(samples.inputs, Tensor)
    chosen = TensorDataset(samples.inputs, samples.labels) if simple else samples
    return EvaluationSubset(chosen, len(samples) if whole else n_samples(data))
