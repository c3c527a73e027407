"""A bundled network from what is left, where files of the installation are damaged."""

from __future__ import annotations

from explorer.zoo.bundled import load_bundled, load_net
from explorer.zoo.loaded import Loaded
from explorer.zoo.sample import DIGITS

DAMAGE = (OSError, RuntimeError, ValueError)


def load_spare(name: str) -> Loaded:
    """Load a bundled network with as much as can be read: trained or random, with data or not.

    Parameters
    ----------
    name : str
        A key of `BUNDLED`.

    Returns
    -------
    Loaded
        `data` is None where the sample cannot be read, `trained` is False where the weights
        cannot.
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
