"""Torchvision's networks, their weights and published accuracy."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from explorer.measure.profile import INPUT_SHAPE_ATTRIBUTE
from explorer.measure.published.networks import PublishedNetwork
from explorer.memory_budget import require
from explorer.torchvision_import import import_torchvision
from explorer.zoo.loaded import Data, Loaded, WeightsUnavailable, cache_folder
from explorer.zoo.tensor_files import keep_tensors, put_tensors, read_tensors


@cache
def published_accuracy() -> tuple[PublishedNetwork, ...]:
    """Read the figures of torchvision's classification networks, with the weights of `load`.

    The first call imports torchvision, which takes seconds; needs no connection.

    Returns: one for each of `torchvision_names`, in that order. A file's bytes are those of
    torchvision's own file, in MiB to three decimals; operations are multiply-accumulates to a
    million.
    """
    models = import_torchvision().models
    return tuple(
        _network(name, models.get_model_weights(name).DEFAULT.meta) for name in torchvision_names()
    )


def _network(name: str, meta: dict) -> PublishedNetwork:
    accuracy = meta["_metrics"]["ImageNet-1K"]
    return PublishedNetwork(
        name=name,
        n_params=meta["num_params"],
        macs=1e9 * meta["_ops"],
        top1=accuracy["acc@1"] / 100,
        top5=accuracy["acc@5"] / 100,
        size_bytes=round(2**20 * meta["_file_size"]),
    )


RANDOM_SEED = 0
BYTES_A_WEIGHT, WEIGHTS_TIMES, BESIDES_BYTES = 4, 3, 100 * 2**20
ONLY_TENSORS_VARIABLE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
WITH_AUXILIARY_OUTPUTS = ("googlenet", "inception_v3")


def torchvision_names() -> tuple[str, ...]:
    """Give the names of torchvision's classification networks, by alphabet.

    Returns: needs no connection.
    """
    models = import_torchvision().models
    return tuple(models.list_models(module=models))


def load_torchvision(
    name: str, weights: str | Path | None = "default", data: Data | None = None
) -> Loaded:
    """Load one of torchvision's classification networks.

    `name`: as in `torchvision_names`. `weights`: one of "default"}, path or None; ``"default"``:
    the published weights that torchvision calls DEFAULT, downloaded on first use, checked against
    their hash, and kept. A path ending in ``.safetensors``: that file, mapped into memory. None:
    random weights, the same each time. `data`: handed through. Returns: with the transforms,
    classes and metadata of the DEFAULT weights. Raises NotEnoughMemory if the process is held to a
    budget that the network and its figures go beyond. Raises WeightsUnavailable if published
    weights are neither kept nor can be downloaded. Raises ValueError, FileNotFoundError if the file
    is missing, has another format or does not fit the network. GoogLeNet and Inception are built
    without their auxiliary outputs, which only training uses, unless the file has them.
    """
    published = import_torchvision().models.get_model_weights(name).DEFAULT
    _check_room(name, published.meta["num_params"])
    transforms = published.transforms()
    if weights is None:
        net, source = _build(name), f"random weights, seed {RANDOM_SEED}"
    elif weights == "default":
        net, source = _published(name, published), f"torchvision {published}"
    else:
        net, source = _from_file(name, weights), str(weights)
    side = transforms.crop_size[0]
    setattr(net, INPUT_SHAPE_ATTRIBUTE, (3, side, side))
    return Loaded(
        net=net.eval(),
        data=data,
        name=name,
        source=source,
        trained=weights is not None,
        classes=tuple(published.meta["categories"]),
        transforms=transforms,
        metadata=published.meta,
    )


def _check_room(name: str, n_weights: int) -> None:
    """Ask for what a network and its first figures take, as measured: index and working copies."""
    is_hollow = torch.empty(0).is_meta
    if not is_hollow:
        require(
            WEIGHTS_TIMES * BYTES_A_WEIGHT * n_weights + BESIDES_BYTES,
            name,
            f"ex.Explorer(*ex.load({name!r}))",
        )


def _build(name: str, auxiliary: bool = False) -> nn.Module:
    models = import_torchvision().models
    options: dict[str, Any] = {}
    if name in WITH_AUXILIARY_OUTPUTS:
        options = {"transform_input": True, "init_weights": True, "aux_logits": auxiliary}
    if name.startswith("vit_"):
        options = {"image_size": models.get_model_weights(name).DEFAULT.meta["min_size"][0]}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        return models.get_model(name, weights=None, **options)


def _from_file(name: str, path: str | Path) -> nn.Module:
    tensors = read_tensors(path)
    auxiliary = any(key.lower().startswith("aux") for key in tensors)
    try:
        with torch.device("meta"):
            net = _build(name, auxiliary)
    except NotImplementedError:
        # Some networks compute with tensors while they are built.
        net = _build(name, auxiliary)
    return put_tensors(net, tensors, repr(str(path)))


def _published(name: str, published: Any) -> nn.Module:
    kept = cache_folder() / "weights" / f"{Path(published.url).stem}.safetensors"
    if kept.is_file():
        with contextlib.suppress(ValueError, OSError):
            return _from_file(name, kept)
    net = _downloaded(name, published)
    if keep_tensors(net, kept):
        return _from_file(name, kept)
    return net


def _downloaded(name: str, published: Any) -> nn.Module:
    try:
        with _tensors_only(), contextlib.redirect_stdout(io.StringIO()):
            get_model = import_torchvision().models.get_model
            return get_model(name, weights=published, progress=False)
    except UnpicklingError as error:
        raise WeightsUnavailable(
            f"The file of published weights of {name!r} kept in {torch.hub.get_dir()}/checkpoints "
            "holds more than tensors, or is damaged, and was not read. Delete it, so that it is "
            f"downloaded again from {published.url}."
        ) from error
    except (OSError, RuntimeError) as error:
        raise WeightsUnavailable(
            f"The published weights of {name!r} could not be fetched from {published.url}: "
            f"{error}. "
            'Connect to a network, or load with weights="file.safetensors" (a file of your own) or '
            "weights=None (random weights)."
        ) from error


@contextlib.contextmanager
def _tensors_only() -> Iterator[None]:
    """Let torch read tensors from published files, and refuse to run code in them."""
    before = os.environ.get(ONLY_TENSORS_VARIABLE)
    os.environ[ONLY_TENSORS_VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[ONLY_TENSORS_VARIABLE]
        else:
            os.environ[ONLY_TENSORS_VARIABLE] = before
