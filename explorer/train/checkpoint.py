"""A training run on disk: tensors in safetensors, the rest as JSON in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from explorer.codec.atomic import whole

FORMAT = "explorer-training-1"
KEY = "explorer"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All that a run needs to go on: weights, momentum, random state, masks, codebooks.

    Attributes
    ----------
    tensors : mapping of str to Tensor
        ``net.*``, ``optimizer.*``, ``mask.*``, ``codes.*``, ``codebook.*``,
        ``along.*`` (what is trained along with the network), ``rng.*``.
    meta : mapping of str to Any
        Settings, counts and times, as JSON can hold them.
    """

    tensors: Mapping[str, Tensor]
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """Steps done in this stage."""
        return int(self.meta["progress"]["step"])

    @property
    def stage(self) -> int:
        """Stage of pruning and retraining, from 0."""
        return int(self.meta["stage"])

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose names start with ``prefix.``, without it."""
        start = f"{prefix}."
        return {k.removeprefix(start): v for k, v in self.tensors.items() if k.startswith(start)}

    def save(self, path: str | Path) -> None:
        """Write the checkpoint, whole or not at all.

        Parameters
        ----------
        path : str or Path
            Replaced where it exists.

        Raises
        ------
        OSError
            If it cannot be written; what was there before is left as it was.
        """
        from safetensors.torch import save

        data = save(
            {name: tensor.contiguous() for name, tensor in self.tensors.items()},
            metadata={KEY: json.dumps({"format": FORMAT, **self.meta})},
        )
        with whole(path) as scratch:
            scratch.write_bytes(data)

    @classmethod
    def load(cls, path: str | Path) -> Checkpoint:
        """Read a checkpoint.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is damaged, or no checkpoint.
        """
        from safetensors import SafetensorError, safe_open

        if not Path(path).is_file():
            raise FileNotFoundError(f"no checkpoint at {str(path)!r}")
        try:
            with safe_open(path, framework="pt") as file:
                header = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise ValueError(f"checkpoint {str(path)!r} is damaged or none: {error}") from error
        try:
            meta = json.loads(header.get(KEY, "null"))
        except ValueError as error:
            raise ValueError(f"checkpoint {str(path)!r}: its header is no JSON") from error
        if not isinstance(meta, dict) or meta.pop("format", None) != FORMAT:
            raise ValueError(
                f"checkpoint {str(path)!r} is no checkpoint of a training run ({FORMAT})"
            )
        return cls(tensors, meta)
