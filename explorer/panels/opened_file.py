"""A file from the visitor's machine, opened: weights for the network shown, or a compressed one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from explorer import zoo
from explorer.codec.file import decode
from explorer.codec.header import MAGIC, DamagedFile, read_entry, read_header
from explorer.codec.model import CompressedModel
from explorer.compress.networks.resizing import fit_shapes
from explorer.memory_budget import require
from explorer.panels.opening import Opened, keeping
from explorer.panels.python_text import OWN_NETWORK, loading_text
from explorer.session import Session
from explorer.views.format import size_text
from explorer.zoo.architectures import BUNDLED
from explorer.zoo.meta import hollow_copy, hollow_network
from explorer.zoo.tensor_files import put_tensors, read_tensors

COMPRESSED = MAGIC[:4]
MAX_HEADER = 1 << 20
DECODED_TIMES = 16
DECODED_COPIES = 4
KINDS = "a .safetensors file of weights for the network that is shown, or a .cmpx file"
RUNS_CODE = {b"PK\x03\x04": "a zip archive, as torch.save writes it", b"\x80": "a Python pickle"}
Again = Callable[[], Session]


def check_beginning(name: str, beginning: bytes) -> None:
    """Raise ValueError unless a file begins like one that can be opened.

    Parameters
    ----------
    name : str
        What to call it.
    beginning : bytes
        At least the first nine, where it has as many.
    """
    if beginning.startswith(COMPRESSED):
        return
    for mark, kind in RUNS_CODE.items():
        if beginning.startswith(mark):
            raise ValueError(
                f"{name} is {kind}, which can run code when it is read, and was not read. Convert "
                "it once: safetensors.torch.save_file(net.state_dict(), 'net.safetensors')."
            )
    if beginning[8:9] != b"{":
        raise ValueError(f"{name} cannot be opened here; choose {KINDS}.")
    if int.from_bytes(beginning[:8], "little") > MAX_HEADER:
        raise ValueError(
            f"{name} has a longer list of tensors than the {size_text(MAX_HEADER)} that are read "
            "here; it is damaged, or not a file of weights."
        )


def open_file(
    name: str, content: bytes, shown: Session, limit_bytes: int, label: str
) -> tuple[Opened, Again]:
    """Open the content of a file; it is never unpickled, and its name never used as a path.

    Parameters
    ----------
    name : str
        What to call it.
    content : bytes
        Of a safetensors file with all tensors of the network that is shown, or of a compressed
        one, whose network the catalog knows or is the one that is shown.
    shown : Session
        Left as it is.
    limit_bytes : int
        Most bytes of a decoded network.
    label : str
        Name of the network on the page.

    Returns
    -------
    Opened, callable
        The second makes its session again.

    Raises
    ------
    ValueError
        If it is no such file, is damaged, does not fit, or holds a NaN; the message says where.
    """
    check_beginning(name, content)
    if content.startswith(COMPRESSED):
        return _compressed(name, content, shown, limit_bytes, label)
    return _weights(name, content, shown, label)


def _weights(name: str, content: bytes, shown: Session, label: str) -> tuple[Opened, Again]:
    architecture = getattr(shown.net, "network_name", "")
    own = sum(tensor.nbytes for tensor in shown.net.state_dict().values())
    require(
        2 * len(content) + DECODED_COPIES * own,
        f"opening {name}",
        "net.load_state_dict(safetensors.torch.load_file(path))",
    )
    tensors = _fitting(_read(name, content), shown.net.state_dict(), name)
    outline = put_tensors(hollow_copy(shown.net), tensors, repr(name))
    net = copy.deepcopy(shown.net)
    net.load_state_dict(outline.state_dict())
    data, metric = shown.data, shown.metric
    if data is None and metric is None and architecture in BUNDLED:
        data = zoo.load(architecture).data

    def again() -> Session:
        return Session(net, data, metric=metric, input_shape=shown.input_shape)

    return Opened(again(), (label, "default"), loading_text(architecture, name)), again


def _read(name: str, content: bytes) -> dict[str, Tensor]:
    """Read tensors from a file of our own naming, which is gone afterwards."""
    with TemporaryDirectory(prefix="explorer-") as folder:
        path = Path(folder) / "weights.safetensors"
        path.write_bytes(content)
        try:
            return {key: tensor.clone() for key, tensor in read_tensors(path).items()}
        except ValueError as error:
            words = str(error).replace(repr(str(path)), repr(name))
            raise ValueError(words) from error


def _compressed(
    name: str, content: bytes, shown: Session, limit_bytes: int, label: str
) -> tuple[Opened, Again]:
    try:
        _check_room(content, limit_bytes)
        model = CompressedModel.of(decode(content))
    except DamagedFile as error:
        raise ValueError(f"{name}: {error}") from error
    data, metric, origin = shown.data, shown.metric, shown.origin
    if model.network not in zoo.catalog():
        net = model.restore(shown.net)
        _check_finite(net.state_dict(), name)
        loading = OWN_NETWORK
    else:
        net = _restored(model, name)
        known = zoo.load(model.network) if model.network in BUNDLED else None
        data, metric, origin = (known.data, None, known.net) if known else (None, None, net)
        loading = f"net = ex.open({name!r}).restore()\ndata = None  # your data, or None"
        if known:
            loading = f"_, data = ex.load({model.network!r})\nnet = ex.open({name!r}).restore()"

    def again() -> Session:
        return Session(net, data, metric=metric, origin=origin)

    opened = Opened(again(), (label, "default"), loading, keeping(model.recipe))
    return opened, again


def _check_room(content: bytes, limit_bytes: int) -> None:
    """Raise DamagedFile or ValueError before anything that the header promises is made."""
    try:
        header, _ = read_header(content)
        entries = [read_entry(item) for item in header["tensors"]]
        _ = [entry.n_bytes for entry in entries]
        promised = sum(max(4, entry.dtype.itemsize) * entry.n_numbers for entry in entries)
    except RecursionError as error:
        raise DamagedFile("header is nested too deeply") from error
    if promised > limit_bytes:
        raise DamagedFile(
            f"decoded, its tensors would take {size_text(promised)}, more than the "
            f"{size_text(limit_bytes)} that are opened here; open it in Python: ex.open(path)"
        )
    require(DECODED_COPIES * promised, "what it holds", "ex.open(path)")


def _restored(model: CompressedModel, name: str) -> nn.Module:
    """Fill a network of the catalog with the file's own tensors; no others are made."""
    net, tensors = hollow_network(model.network), model.state_dict()
    if model.source_bytes is not None:
        try:
            fit_shapes(net, tensors)
        except ValueError as error:
            raise ValueError(f"{name} does not fit {model.network}: {error}") from error
    return put_tensors(net, _fitting(tensors, net.state_dict(), name), repr(name))


def _fitting(
    tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], name: str
) -> dict[str, Tensor]:
    """Return tensors in the number formats of a network; those it does not know as they are."""
    _check_finite(tensors, name)
    found = {}
    for key, tensor in tensors.items():
        kind = wanted[key].dtype if key in wanted else tensor.dtype
        if kind.is_floating_point != tensor.is_floating_point() or tensor.is_complex():
            raise ValueError(
                f"{name}: tensor {key!r} is of type {tensor.dtype}, that of the network of type "
                f"{kind}. Give the weights of this very network."
            )
        found[key] = tensor.to(kind)
    return found


def _check_finite(tensors: Mapping[str, Tensor], name: str) -> None:
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"{name}: tensor {key!r} holds NaN or infinity; no recipe is sound for it. Train "
                "again from an earlier checkpoint, or repair these weights."
            )
