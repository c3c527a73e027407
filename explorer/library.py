"""Networks compressed, and compressed files opened, with all that they need found for them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import nn

from explorer.codec import model
from explorer.codec.atomic import checked_path
from explorer.codec.model import CompressedModel
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.layer import index_layers


def compress(
    net: nn.Module,
    recipe: Any,
    *,
    data: Any = None,
    input_shape: tuple[int, ...] | None = None,
    network: str | None = None,
) -> CompressedModel:
    """Compress a network by a recipe; the network itself is left unchanged.

    Parameters
    ----------
    net : Module
        Any network with dense or convolutional layers.
    recipe : list of Setting, dict of str to list of Setting, Recipe, or None
        Ordered steps for all layers, or for fnmatch patterns over torch's qualified
        layer names, of which the first that matches wins.
    data : Data, Dataset or iterable of batches, optional
        Samples to tune on, which ``Prune(criterion="obd")`` needs. Of a `Data` its
        ``tune`` part is used.
    input_shape : tuple of int, optional
        One input without the batch, which `PruneNeurons` needs; by default that of
        the data, or what `net` says of itself.
    network : str, optional
        The catalog's name of the architecture, kept in the file so that it can be
        rebuilt; by default what `net` says of itself.

    Returns
    -------
    CompressedModel

    Raises
    ------
    TypeError, ValueError
        If the recipe or a weight tensor is not valid; the message names it.

    Examples
    --------
    >>> from torch import nn
    >>> from explorer.compress.methods.prune import Prune
    >>> small = compress(nn.Linear(100, 10), [Prune(sparsity=0.9)])
    >>> small[""].size_bits < 32 * 1000
    True
    """
    from explorer.measure.profile import input_shape as known_shape
    from explorer.measure.saliency import SaliencyIndex
    from explorer.measure.taken_in import taken_in

    net = taken_in(net, data, input_shape)
    saliency = SaliencyIndex(net, index_layers(net), data).tensors
    shape = input_shape or known_shape(net, data)
    return model.compress(net, recipe, network=network, input_shape=shape, saliency=saliency)


def open_model(path: str | Path, methods: Iterable[type[Setting]] = ()) -> CompressedModel:
    """Open a compressed file.

    Parameters
    ----------
    path : str or Path
        A file that ``CompressedModel.save`` wrote, or the name of one that comes with the
        package, such as ``"deep-compression-lenet-5"``.
    methods : iterable of type of Setting, optional
        Methods of your own that the file was made by. Those that installed packages name by
        entry points are found without.

    Returns
    -------
    CompressedModel
        Restores by itself where the catalog knows its network; otherwise pass a
        module to ``restore``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    explorer.codec.header.DamagedFile
        If the file is damaged; a kind of ValueError.
    """
    from explorer.reproduce.table import bundled, bundled_file

    if not checked_path(path).is_file():
        if str(path) not in bundled():
            known = ", ".join(bundled()) or "none"
            raise FileNotFoundError(
                f"no compressed file at {str(path)!r}; those that come with the package: {known}"
            )
        path = bundled_file(str(path))
    return _with_architecture(model.read(path, methods))


def _with_architecture(opened: CompressedModel) -> CompressedModel:
    from explorer import zoo
    from explorer.zoo.meta import hollow_network

    if opened.network not in zoo.catalog():
        return opened
    return opened.with_template(hollow_network(opened.network))
