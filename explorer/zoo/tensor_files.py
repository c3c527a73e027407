"""Safetensors files, mapped into memory; weights in half precision."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from explorer.codec.atomic import whole


def to_half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Round floating-point tensors to half precision; others stay as they are.

    Returns: float16, to the nearest, ties to even; contiguous. Raises ValueError if a value is too
    large for half precision, whose greatest is 65,504.
    """
    halves = {}
    for name, tensor in tensors.items():
        half = tensor.detach().half() if tensor.is_floating_point() else tensor.detach()
        if bool(half.isinf().any()) and not bool(tensor.isinf().any()):
            raise ValueError(
                f"tensors: {name} holds {tensor.abs().max().item():g}, and half precision ends at "
                "65,504; keep these weights in single precision"
            )
        halves[name] = half.contiguous()
    return halves


def from_half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give half-precision tensors as float32; others are handed through, not copied."""
    return {
        name: tensor.float() if tensor.dtype == torch.float16 else tensor
        for name, tensor in tensors.items()
    }


def rounded(net: nn.Module) -> nn.Module:
    """Return a copy of a network whose weights are what half precision keeps of them.

    `net`: left unchanged. Returns: in float32, in the mode of `net`.
    """
    twin = copy.deepcopy(net)
    twin.load_state_dict(from_half(to_half(net.state_dict())))
    return twin


N_NAMED = 3


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Read a safetensors file; pages are fetched when used and shared between processes.

    `path`: ends in ``.safetensors``. Other formats may run code when read, so they are refused.
    Returns: tensors on the CPU. Writing into one does not change the file. Raises ValueError if the
    name ends otherwise, or the file is damaged. Raises FileNotFoundError if there is no such file.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(
            f"weights: expected a file ending in .safetensors, got {str(path)!r}; other formats "
            "can run code when read. Convert it once: "
            "safetensors.torch.save_file(net.state_dict(), 'net.safetensors')."
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"weights: no file {str(path)!r}. Give the path of a safetensors file, "
            "relative to the working directory or absolute."
        )
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(
            f"weights: {str(path)!r} is not a readable safetensors file ({error}). Write it again."
        ) from error


def put_tensors(net: nn.Module, tensors: Mapping[str, Tensor], source: str) -> nn.Module:
    """Make a network hold the given tensors themselves, without copying them.

    `net`: changed in place; may be on the meta device. Every tensor that ``net.state_dict()`` names
    is replaced. Counters of batch normalization may be missing from `tensors`; they become 0.
    `source`: what to call the tensors in an error. Returns: `net`. Raises ValueError if names or
    shapes differ from the network's.
    """
    wanted = net.state_dict()
    given = OrderedDict(tensors)
    for name in wanted:
        if name.endswith("num_batches_tracked"):
            given.setdefault(name, torch.zeros((), dtype=torch.int64))
    problems = [
        f"{what}: {_some(names)}"
        for what, names in {
            "not in the file": [name for name in wanted if name not in given],
            "not in the network": [name for name in given if name not in wanted],
            "of another shape": [
                f"{name} (expected {tuple(wanted[name].shape)}, got {tuple(given[name].shape)})"
                for name in wanted
                if name in given and wanted[name].shape != given[name].shape
            ],
        }.items()
        if names
    ]
    if problems:
        raise ValueError(
            f"weights: {source} does not fit the network; tensors {'; '.join(problems)}. "
            "Give the weights of this very network, or load the network they belong to."
        )
    # Some torchvision networks read the layout's version from here.
    given._metadata = wanted._metadata  # type: ignore[attr-defined]
    net.load_state_dict(given, assign=True)
    return net


def keep_tensors(net: nn.Module, path: Path) -> bool:
    """Write a network's tensors to a safetensors file, whole or not at all.

    `path`: its folder is made if need be. Returns: false if the file could not be written: no room,
    or no permission.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path, durable=False) as scratch:
            save_file({k: v.contiguous() for k, v in net.state_dict().items()}, scratch)
    except (OSError, SafetensorError):
        return False
    return True


def _some(names: list[str]) -> str:
    more = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
    return ", ".join(names[:N_NAMED]) + more
