"""The compressed model: its tensors, its exact size on disk, its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from explorer.codec import export, file
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.compressed import CompressedTensors, compress_planned
from explorer.compress.networks.layer import index_layers
from explorer.compress.networks.plain import plain_network
from explorer.compress.networks.planner import Planner, Saliency, unknown
from explorer.compress.networks.recipe import Recipe


@dataclass(frozen=True, eq=False)
class CompressedModel(CompressedTensors):
    """A compressed network that knows the size of its file.

    ``model["fc1"]`` is the record of a layer: ``restore()`` and ``size_bits``.
    """

    @classmethod
    def of(cls, tensors: CompressedTensors) -> CompressedModel:
        """Make the model from its tensors."""
        return cls(**{field.name: getattr(tensors, field.name) for field in fields(tensors)})

    @cached_property
    def size_bytes(self) -> int:
        """Bytes of the file: compressed layers, untouched tensors, header and checksums."""
        entries = file.entries_of(self)
        return file.file_bytes(entries, self.recipe, self.network, self.source_bytes)

    @property
    def compression_ratio(self) -> float:
        """Bytes of the original tensors / bytes of the file."""
        return self.original_bytes / self.size_bytes

    def save(self, path: str | Path) -> int:
        """Write the model to a file, whole or not at all.

        Parameters
        ----------
        path : str or Path
            Usually ending in ``.cmpx``; an existing file is replaced.

        Returns
        -------
        int
            Bytes written, the same as `size_bytes`.

        Raises
        ------
        TypeError
            If `path` is none.
        OSError
            If it cannot be written; what was there stays.
        """
        return file.save(self, path)

    def export_safetensors(self, path: str | Path) -> int:
        """Write the decoded dense weights as a safetensors file; return its bytes.

        Parameters
        ----------
        path : str or Path
            Usually ending in ``.safetensors``; an existing file is replaced.
        """
        return export.save_safetensors(self, path)

    def export_onnx(self, path: str | Path, input_shape: tuple[int, ...] | None = None) -> int:
        """Write the restored network as an ONNX file; return its bytes.

        Parameters
        ----------
        path : str or Path
            Usually ending in ``.onnx``; an existing file is replaced.
        input_shape : tuple of int, optional
            One input without the batch; by default what the network says of itself.

        Raises
        ------
        ValueError
            If the input's shape, or the network's architecture, is not known.
        """
        module = self.restore()
        shape: Any = input_shape or getattr(module, "input_shape", None)
        return export.save_onnx(module, shape, path)

    def with_template(self, template: nn.Module) -> CompressedModel:
        """Return the same model for an architecture to restore into."""
        return replace(self, template=template)


def compress(
    net: nn.Module,
    recipe: Any,
    *,
    network: str | None = None,
    input_shape: tuple[int, ...] | None = None,
    saliency: Callable[[], Saliency | None] = unknown,
) -> CompressedModel:
    """Compress a network by a recipe, given what `explorer.library.compress` finds by itself.

    `network`: the catalog's name; by default what `net` says of itself. `input_shape`: one input
    without the batch; by default what `net` says of itself. `saliency`: gives what losing each
    weight costs, by layer, which ``Prune(criterion="obd")`` needs.
    """
    net = plain_network(net)
    name = getattr(net, "network_name", "") if network is None else network
    shape = input_shape or getattr(net, "input_shape", None)
    planner = Planner(net, index_layers(net), shape, saliency)
    return CompressedModel.of(compress_planned(net, planner.plan(Recipe.of(recipe)), name))


def read(path: str | Path, methods: Iterable[type[Setting]] = ()) -> CompressedModel:
    """Read a compressed file; as `explorer.codec.file.read`."""
    return CompressedModel.of(file.read(path, methods))
