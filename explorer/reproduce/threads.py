"""How many threads torch uses, for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")


@contextmanager
def threads(n_threads: int) -> Iterator[None]:
    """Let torch use so many threads inside the block."""
    outer = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(outer)


def on_threads(n_threads: int, records: Iterable[T]) -> Iterator[T]:
    """Hand records through; torch uses so many threads while one is made, and only then."""
    iterator = iter(records)
    while True:
        with threads(n_threads):
            try:
                record = next(iterator)
            except StopIteration:
                return
        yield record
