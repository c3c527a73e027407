"""Tensors and factors kept on disk by their content."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import platformdirs
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, uint8

from explorer.codec.atomic import remove_leftovers, whole
from explorer.compress.methods.svd import Factors
from explorer.compress.records.record import as_matrix
from explorer.errors import error_message

MAX_BYTES = 2_000_000_000
CHECKSUM = "crc32"

Kept = tuple[dict[str, Tensor], dict[str, str]]


def cache_folder(name: str) -> Path:
    """Return a folder in the user's cache."""
    return Path(platformdirs.user_cache_dir("compression-explorer")) / name


class TensorCache:
    """A folder of files of tensors, named by what they were computed from.

    Several processes may use it at the same time: files appear whole or not at all,
    and one that is missing, cannot be written, or is damaged by as much as a bit, is as if
    it had never been.

    `max_bytes`: when more is kept, the files that were not used for longest are removed. `problem`:
    why the last `put` kept nothing, in words; "" where it did.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.problem = ""

    def path(self, key: str) -> Path:
        """Return where the tensors of a key are kept."""
        return self.folder / f"{key}.safetensors"

    def get(self, key: str) -> Kept | None:
        """Return the tensors and remarks kept under a key, if the file can be read."""
        path = self.path(key)
        try:
            if not path.is_file():
                return None
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                remarks = dict(file.metadata() or {})
        except (OSError, SafetensorError):
            self.forget(key)
            return None
        if remarks.pop(CHECKSUM, None) != _checksum(tensors, remarks):
            self.forget(key)
            return None
        with suppress(OSError):
            os.utime(path)
        return tensors, remarks

    def forget(self, key: str) -> None:
        """Remove what is kept under a key."""
        with suppress(OSError):
            self.path(key).unlink()

    def put(self, key: str, tensors: Mapping[str, Tensor], remarks: dict[str, str]) -> None:
        """Keep tensors under a key; a full or read-only disk is no error, but a `problem`."""
        if sum(t.numel() * t.element_size() for t in tensors.values()) > self.max_bytes:
            return
        header = remarks | {CHECKSUM: _checksum(tensors, remarks)}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self.folder)
            with whole(self.path(key), durable=False) as scratch:
                save_file({n: t.contiguous() for n, t in tensors.items()}, scratch, header)
            self.problem = ""
            self._trim()
        except (OSError, SafetensorError) as error:
            self.problem = f"nothing could be kept in {self.folder}: {error_message(error)}"

    def _trim(self) -> None:
        """Remove the files that were not used for longest until the rest fits."""
        files = []
        for path in self.folder.iterdir():
            with suppress(OSError):
                status = path.stat()
                if path.is_dir():
                    continue
                files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self.max_bytes:
                return
            with suppress(OSError):
                path.unlink()
                total -= size


def _checksum(tensors: Mapping[str, Tensor], remarks: Mapping[str, str]) -> str:
    """Return the CRC-32 of names, remarks and contents."""
    names = {name: (str(tensor.dtype), tuple(tensor.shape)) for name, tensor in tensors.items()}
    found = zlib.crc32(repr((sorted(names.items()), sorted(remarks.items()))).encode())
    for name in sorted(tensors):
        plain = tensors[name].detach().cpu().contiguous().reshape(-1).view(uint8)
        found = zlib.crc32(memoryview(plain.numpy()), found)
    return str(found)


FORMAT = "3"


class FactorCache:
    """Factors in a `TensorCache`, by the content of the weights.

    `folder`: by default ``factors`` in the user's cache folder. `max_bytes`: when more is kept, the
    files that were not used for longest are removed.
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
