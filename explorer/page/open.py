"""Open a network by name, or a file that a visitor brings; keep what no name brings back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from explorer import zoo
from explorer.codec.file import decode
from explorer.codec.header import MAGIC, DamagedFile, read_entry, read_header
from explorer.codec.model import CompressedModel
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.networks.recipe import Recipe
from explorer.compress.networks.resizing import fit_shapes
from explorer.library import open_model
from explorer.measure.published.results import Story
from explorer.memory_budget import require
from explorer.page.code import OWN_NETWORK, loading_text
from explorer.page.reproduced import story_of
from explorer.reproduce.table import bundled
from explorer.session import Session
from explorer.views.format import size_text
from explorer.zoo.architectures import BUNDLED
from explorer.zoo.meta import hollow_copy, hollow_network
from explorer.zoo.tensor_files import put_tensors, read_tensors

Network = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Opened:
    """A session, and what is known of its network.

    `network`: its name, "" for none, and ``"default"`` or ``"random"`` for its weights. `loading`:
    Python that loads the network and its data. `recipe`: the steps to begin with; None for those
    that are shown already. `story`: how the network came to be, where that is known.
    """

    session: Session
    network: Network = ("", "default")
    loading: str = OWN_NETWORK
    recipe: Recipe | None = None
    story: Story | None = None


def has_name(network: Network) -> bool:
    """Return whether `open_network` takes a network's name and weights."""
    name, weights = network
    return name in zoo.catalog() or (name in bundled() and weights == "default")


def open_network(name: str, weights: str = "default") -> Opened:
    """Open a network by name.

    `name`: of the catalog, or of a file that comes with the package. `weights`: one of "default",
    "random"; never a path. Raises ValueError if there is no such network.
    """
    if not has_name((name, weights)):
        raise ValueError(
            f"network: {name!r:.80} with {weights!r:.20} weights is neither in the catalog nor a "
            "finished file; one that was trained on a page lasts as long as that page: train it "
            "again, or choose a network at the top"
        )
    if name in bundled():
        return _finished(name)
    loaded = zoo.load(name, weights=None if weights == "random" else weights)
    return of_catalog(loaded)


def of_catalog(loaded: zoo.Loaded) -> Opened:
    """Open a network that is loaded; random weights are not judged."""
    weights = "default" if loaded.trained else "random"
    return Opened(
        Session(loaded.net, loaded.data if loaded.trained else None),
        (loaded.name, weights),
        loading_text(loaded.name, weights if loaded.trained else None),
    )


def handed_over(session: Session, picked: zoo.Loaded | None) -> Opened:
    """Return a network that was handed over; random weights that were picked are told."""
    weights = "default" if picked is None or picked.trained else "random"
    name = getattr(session.net, "network_name", "")
    return Opened(session, (name, weights), loading_text(name, weights))


def keeping(recipe: Recipe) -> Recipe:
    """Return the steps of a file's recipe that store its decoded network as it is."""
    return Recipe(
        tuple(
            (pattern, tuple(step for step in steps if not isinstance(step, PruneNeurons)))
            for pattern, steps in recipe.entries
        )
    )


def _finished(name: str) -> Opened:
    model = open_model(name)
    origin = zoo.load(model.network)
    return Opened(
        Session(model.restore(), origin.data, origin=origin.net),
        (name, "default"),
        recipe=keeping(model.recipe),
        story=story_of(name),
    )


COMPRESSED = MAGIC[:4]
MAX_HEADER = 1 << 20
DECODED_TIMES = 16
DECODED_COPIES = 4
KINDS = "a .safetensors file of weights for the network that is shown, or a .cmpx file"
RUNS_CODE = {b"PK\x03\x04": "a zip archive, as torch.save writes it", b"\x80": "a Python pickle"}
Again = Callable[[], Session]


def check_beginning(name: str, beginning: bytes) -> None:
    """Raise ValueError unless a file begins like one that can be opened.

    `name`: what to call it. `beginning`: at least the first nine, where it has as many.
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

    `name`: what to call it. `content`: of a safetensors file with all tensors of the network that
    is shown, or of a compressed one, whose network the catalog knows or is the one that is shown.
    `shown`: left as it is. `limit_bytes`: most bytes of a decoded network. `label`: name of the
    network on the page. Returns: the second makes its session again. Raises ValueError if it is no
    such file, is damaged, does not fit, or holds a NaN; the message says where.
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


LIMIT_BYTES = 256_000_000


class KeptNetworks:
    """What opens networks again, as far as memory goes.

    `limit_bytes`: most bytes of weights that are kept; beyond it the oldest go.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._openers: dict[Network, tuple[Callable[[], Opened], int]] = {}
        self._numbers = count(1)

    def __contains__(self, network: Network) -> bool:
        return network in self._openers

    def keep(self, network: Network, n_bytes: int, opener: Callable[[], Opened]) -> None:
        """Keep what opens a network of so many bytes, unless it is too large."""
        self._openers.pop(network, None)
        self._openers[network] = (opener, n_bytes)
        while sum(size for _, size in self._openers.values()) > self._limit:
            del self._openers[next(iter(self._openers))]

    def new_name(self) -> str:
        """Return a name for a network that was trained here."""
        return f"trained here {next(self._numbers)}"

    def open(self, network: Network) -> Opened:
        """Open a network that is kept, or else one that has a name.

        Raises ValueError if it is neither.
        """
        if network in self._openers:
            return self._openers[network][0]()
        return open_network(*network)
