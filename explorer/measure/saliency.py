"""Saliency of each weight (Optimal Brain Damage), measured on data and kept on disk."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.curvature import saliencies
from explorer.compress.networks.forward import tensors_of
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.preparation import Progress, unheard
from explorer.measure.data import batches, n_samples
from explorer.measure.disk_cache import TensorCache, cache_folder

BATCH = 200
MAX_SAMPLES = 2000


def network_saliency(
    net: nn.Module, data: Any, progress: Callable[[float], None]
) -> dict[str, Tensor]:
    """Measure the saliency h w^2 / 2 of every compressible weight.

    `net`: left unchanged. `data`: pairs of input and class index; at most the first 2,000 are used.
    `progress`: called with the share of the samples done, in [0, 1]. Returns: by layer, of the
    weight's shape, float32.

    References
    ----------
    LeCun, Denker, Solla. "Optimal brain damage". NeurIPS 1989.
    """
    total = min(n_samples(data) or MAX_SAMPLES, MAX_SAMPLES)
    some = islice(batches(data, BATCH), -(-total // BATCH))
    found = saliencies(net, some, progress=lambda n_done: progress(min(1.0, n_done / total)))
    if not found:
        raise ValueError("data: holds no samples to measure the saliency of weights on")
    return found


FORMAT = "1"


class SaliencyIndex:
    """Saliencies of Optimal Brain Damage, made when first needed and kept on disk.

    `net`: left unchanged. `layers`: its compressible layers. `data`: its ``tune`` part is used
    where it has one. `cache`: by default ``saliency`` in the user's cache folder.
    """

    def __init__(
        self,
        net: nn.Module,
        layers: Mapping[str, IndexedLayer],
        data: Any,
        cache: TensorCache | None = None,
    ) -> None:
        self._net = net
        self._layers = layers
        self._data = getattr(data, "tune", data)
        self._cache = cache or TensorCache(cache_folder("saliency"))
        self._made: dict[str, Tensor] | None = None
        self._lock = threading.Lock()

    @property
    def problem(self) -> str:
        """Why what was measured was not kept on disk, in words; "" where it was."""
        return self._cache.problem

    @property
    def ready(self) -> bool:
        """Whether they are there."""
        return self._made is not None

    def tensors(self) -> Mapping[str, Tensor] | None:
        """Return the saliency of each layer's weights; None where there is no data."""
        if self._data is None:
            return None
        return self.make(unheard)

    def make(self, progress: Progress) -> Mapping[str, Tensor] | None:
        """Measure them, or read them from disk, telling the progress."""
        if self._data is None:
            return None
        with self._lock:
            if self._made is None:
                key = self._key()
                self._made = self._read(key)
            if self._made is None:
                self._made = network_saliency(
                    self._net, self._data, lambda done: progress("Second derivatives", done)
                )
                self._cache.put(key, self._made, {})
            return self._made

    def _read(self, key: str) -> dict[str, Tensor] | None:
        kept = self._cache.get(key)
        if kept is None:
            return None
        shapes = {name: layer.shape for name, layer in self._layers.items()}
        sound = {name: tensor.shape for name, tensor in kept[0].items()} == shapes and all(
            bool(torch.isfinite(tensor).all()) for tensor in kept[0].values()
        )
        return kept[0] if sound else None

    def _key(self) -> str:
        """Hash the weights and the first batch of the data."""
        content = hashlib.blake2b(digest_size=20)
        inputs, labels = next(iter(batches(self._data, BATCH)), ((), torch.empty(0)))
        held = [t for t in self._net.state_dict().values() if isinstance(t, Tensor)]
        tensors = [*held, *tensors_of(inputs), labels]
        content.update(f"{FORMAT} {len(self._layers)}".encode())
        for tensor in tensors:
            plain = tensor.detach().cpu().contiguous().reshape(-1)
            content.update(f"{plain.dtype} {plain.numel()}".encode())
            content.update(plain.view(torch.uint8).numpy().tobytes())
        return content.hexdigest()
