"""The catalog of networks, `load`, and a fallback where the installation is damaged."""

from __future__ import annotations

import difflib
from pathlib import Path

from explorer.zoo.architectures import BUNDLED
from explorer.zoo.bundled import load_bundled, load_net
from explorer.zoo.loaded import Data, Loaded
from explorer.zoo.mnist import DIGITS
from explorer.zoo.torchvision_networks import load_torchvision, torchvision_names

DAMAGE = (OSError, RuntimeError, ValueError)


def load_spare(name: str) -> Loaded:
    """Load a bundled network with as much as can be read: trained or random, with data or not.

    `name`: a key of `BUNDLED`. Returns: `data` is None where the sample cannot be read, `trained`
    is False where the weights cannot.
    """
    try:
        return load_bundled(name)
    except DAMAGE:
        pass
    try:
        net, source = load_net(name, "default")
        trained = True
    except DAMAGE:
        net, source = load_net(name, None)
        trained = False
    return Loaded(net, None, name, source, trained, DIGITS)


def catalog() -> tuple[str, ...]:
    """Give the names that `load` takes.

    Returns: the bundled networks, then torchvision's classification networks. Needs no connection.
    """
    return (*BUNDLED, *torchvision_names())


def load(
    name: str,
    weights: str | Path | None = "default",
    *,
    download: bool = False,
    data: Data | None = None,
) -> Loaded:
    """Load a network by name, with data to judge it on if there are any.

    `name`: one of `catalog`. `weights`: one of "default"}, path or None; ``"default"``: trained
    weights, bundled or published; published ones are downloaded on first use. A path ending in
    ``.safetensors``: that file. None: random weights, the same each time. `download`: for the
    bundled networks: judge on MNIST's 10,000 test images, downloaded on first use, instead of 2,000
    bundled ones. Others have no data to download, so there it is an error. `data`: your own, in
    place of what comes with the name. Returns: ``net, data = load(name)`` takes it apart. `net` is
    in eval mode; `data` is None for torchvision's networks unless given. Raises ValueError if the
    name is unknown, or a file of weights has another format or does not fit the network. Raises
    TypeError if `weights` is neither text, a path nor None. Raises FileNotFoundError if there is no
    such file of weights. Raises WeightsUnavailable if published weights are neither kept nor can be
    downloaded. Raises DataUnavailable if the bundled sample is damaged, or the test images are
    neither kept nor can be downloaded.

    Examples
    --------
    >>> net, data = load("lenet-300-100")
    >>> len(data.eval)
    2000
    """
    if not (weights is None or isinstance(weights, (str, Path))):
        raise TypeError(
            'weights: expected "default", None or the path of a .safetensors file, '
            f"got {type(weights).__name__}. To use a network of your own, hand it over as it is: "
            "Explorer(net, data)."
        )
    if name in BUNDLED:
        return load_bundled(name, weights, data, download=download)
    if name not in torchvision_names():
        raise ValueError(_unknown(name))
    if download:
        raise ValueError(
            f"download: expected False for {name!r}, which has no data to download, got True. "
            "Leave it out: published weights are downloaded on first use anyway. "
            "Data of your own: load(name, data=...)."
        )
    return load_torchvision(name, weights, data)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(str(name).lower(), catalog())
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"name: expected one of catalog(), got {name!r}.{hint} catalog() lists all names."
