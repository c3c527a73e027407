"""Bytes of compressed weights by general coders."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from functools import cached_property, partial

from torch import Tensor

from explorer.bench.peers.contest import Outcome
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort
from explorer.codec.file import write_record
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.records.record import Record

SPARSITY, N_CLUSTERS = 0.9, 32
ZSTD_LEVEL, GZIP_LEVEL = 19, 9


class Sample:
    """Weights of the largest layer, pruned and shared: dense, packed, and coded by us."""

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    @cached_property
    def packed(self) -> Record:
        """Kept positions, and codes of a fixed width."""
        return Prune(sparsity=SPARSITY)(self.weights).then(Share(n_clusters=N_CLUSTERS))

    @cached_property
    def n_coded_bytes(self) -> int:
        """Bytes after our entropy coding."""
        return sum(map(len, write_record(self.packed.then(Entropy("ans")))))

    def dense_bytes(self) -> bytes:
        """Return the restored weights as they are in memory."""
        return self.packed.restore().numpy().tobytes()

    def packed_bytes(self) -> bytes:
        """Return the fields that our file holds without entropy coding."""
        return b"".join(write_record(self.packed))


def outcomes(subject: Subject, effort: Effort) -> Iterator[Outcome]:
    """Code the largest layer, or as many of its first weights as `effort` allows."""
    flat = subject.layers[subject.largest].source.view(-1)[: effort.n_sample]
    sample = Sample(flat.contiguous())
    steps = f"Prune({SPARSITY}) + Share({N_CLUSTERS})"
    what = f"{flat.numel():,} weights of {subject.largest} after {steps}"
    for name, package, code in (
        (f"zstd -{ZSTD_LEVEL}", "zstandard", _zstd),
        (f"gzip -{GZIP_LEVEL}", "gzip", partial(gzip.compress, compresslevel=GZIP_LEVEL)),
    ):
        for source, read in (
            ("dense float32", sample.dense_bytes),
            ("our packed codes", sample.packed_bytes),
        ):
            yield Outcome(
                f"{name} of {source}",
                package,
                f"bytes of {what}",
                f"bytes with {steps} + Entropy('ans')",
                partial(_coded, code, read),
                lambda: float(sample.n_coded_bytes),
            )


def _coded(code: Callable[[bytes], bytes], read: Callable[[], bytes]) -> float:
    return float(len(code(read())))


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(data)
