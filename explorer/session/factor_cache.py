"""Factors on disk, so that a large layer is decomposed once and not at every start."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from explorer.compress.methods.svd import Factors
from explorer.compress.records.record import as_matrix
from explorer.session.tensor_cache import MAX_BYTES, Kept, TensorCache, cache_folder

FORMAT = "3"


class FactorCache:
    """Factors in a `TensorCache`, by the content of the weights.

    Parameters
    ----------
    folder : Path, optional
        By default ``factors`` in the user's cache folder.
    max_bytes : int
        When more is kept, the files that were not used for longest are removed.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = MAX_BYTES) -> None:
        self._cache = TensorCache(folder or cache_folder("factors"), max_bytes)
        self.folder = self._cache.folder

    @property
    def problem(self) -> str:
        """Why the last factors were not kept, in words; "" where they were."""
        return self._cache.problem

    def path(self, weight: Tensor) -> Path:
        """Return where the factors of these weights are kept."""
        return self._cache.path(_key(weight))

    def get(self, weight: Tensor) -> Factors | None:
        """Return the factors of these very weights, if they are kept and sound."""
        key = _key(weight)
        kept = self._cache.get(key)
        if kept is None:
            return None
        try:
            return _factors(kept, weight)
        except (KeyError, ValueError):
            self._cache.forget(key)
            return None

    def put(self, weight: Tensor, factors: Factors) -> None:
        """Keep exact factors; a full or read-only disk is no error."""
        tensors = {"left": factors.left, "values": factors.values, "right": factors.right}
        remarks = {"squared_norm": factors.squared_norm.hex(), "scale": factors.scale.hex()}
        self._cache.put(_key(weight), tensors, remarks)


def _key(weight: Tensor) -> str:
    content = hashlib.blake2b(digest_size=20)
    content.update(f"{FORMAT} {tuple(as_matrix(weight).shape)}".encode())
    content.update(memoryview(weight.detach().contiguous().view(-1).numpy()))
    return content.hexdigest()


def _factors(kept: Kept, weight: Tensor) -> Factors:
    tensors, remarks = kept
    left, values, right = (tensors[name] for name in ("left", "values", "right"))
    rows, columns = as_matrix(weight).shape
    rank = min(rows, columns)
    if (left.shape, values.shape, right.shape) != ((rows, rank), (rank,), (rank, columns)):
        raise ValueError("factors of another shape")
    if not bool(torch.isfinite(values).all()):
        raise ValueError("factors are not finite")
    norm, scale = (float.fromhex(remarks[name]) for name in ("squared_norm", "scale"))
    return Factors(left, values, right, True, norm, scale)
