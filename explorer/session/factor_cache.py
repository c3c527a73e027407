"""Factors on disk, so that a large layer is decomposed once and not at every start."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import platformdirs
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from explorer.compress.factors import Factors
from explorer.compress.weights import as_matrix

MAX_BYTES = 2_000_000_000
FORMAT = "1"


class FactorCache:
    """A folder of factors, one file each, named by the content of the weights.

    Several processes may use it at the same time: files appear whole or not at all,
    and one that is missing, damaged or cannot be written is as if it had never been.

    Parameters
    ----------
    folder : Path, optional
        By default ``factors`` in the user's cache folder.
    max_bytes : int
        When more is kept, the files that were not used for longest are removed.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = MAX_BYTES) -> None:
        root = Path(platformdirs.user_cache_dir("compression-explorer"))
        self.folder = folder or root / "factors"
        self.max_bytes = max_bytes

    def path(self, weight: Tensor) -> Path:
        """Return where the factors of these weights are kept."""
        content = hashlib.blake2b(digest_size=20)
        content.update(f"{FORMAT} {tuple(as_matrix(weight).shape)}".encode())
        content.update(memoryview(weight.detach().contiguous().view(-1).numpy()))
        return self.folder / f"{content.hexdigest()}.safetensors"

    def get(self, weight: Tensor) -> Factors | None:
        """Return the factors of these very weights, if they are kept and sound."""
        path = self.path(weight)
        if not path.is_file():
            return None
        try:
            factors = _read(path, weight)
        except (OSError, SafetensorError, KeyError, ValueError):
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        return factors

    def put(self, weight: Tensor, factors: Factors) -> None:
        """Keep exact factors; a full or read-only disk is no error."""
        tensors = {"left": factors.left, "values": factors.values, "right": factors.right}
        size = sum(t.numel() * t.element_size() for t in tensors.values())
        if size > self.max_bytes:
            return
        scratch = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, scratch = tempfile.mkstemp(dir=self.folder, suffix=".part")
            os.close(handle)
            save_file(tensors, scratch, {"squared_norm": repr(factors.squared_norm)})
            Path(scratch).replace(self.path(weight))
            self._trim()
        except (OSError, SafetensorError):
            if scratch is not None:
                Path(scratch).unlink(missing_ok=True)

    def _trim(self) -> None:
        """Remove the files that were not used for longest until the rest fits."""
        files = []
        for path in self.folder.iterdir():
            with suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self.max_bytes:
                return
            with suppress(OSError):
                path.unlink()
                total -= size


def _read(path: Path, weight: Tensor) -> Factors:
    with safe_open(path, framework="pt") as file:
        left, values, right = (file.get_tensor(name) for name in ("left", "values", "right"))
        norm = float((file.metadata() or {})["squared_norm"])
    rows, columns = as_matrix(weight).shape
    rank = min(rows, columns)
    if (left.shape, values.shape, right.shape) != ((rows, rank), (rank,), (rank, columns)):
        raise ValueError("factors of another shape")
    if not bool(torch.isfinite(values).all()):
        raise ValueError("factors are not finite")
    return Factors(left, values, right, True, norm)
