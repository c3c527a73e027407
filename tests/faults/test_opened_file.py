"""Files from a visitor's machine: opened where they fit, refused in words where they do not."""

import pickle
import struct
import zlib

import pytest
import torch
from safetensors.torch import save
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer import zoo
from explorer.codec.file import encode
from explorer.codec.header import MAGIC, as_text, deflated
from explorer.page import open as opened_file
from explorer.page.open import check_beginning, open_file
from explorer.zoo.meta import hollow_network

ROOM = 100_000_000
NAME = "mine.any"


class Tied(nn.Module):
    """Two layers that share their weights."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 6)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(x))


def network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()


def data():
    inputs = torch.randn(60, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return TensorDataset(inputs, network()(inputs).argmax(1))


def opened(content, shown, room=ROOM):
    found, again = open_file(NAME, content, shown, room, "label")
    assert found.network == ("label", "default")
    return found, again


def compressed(tensors, network="", filled=True):
    """A file with a header of our own, and zeros for the tensors."""
    header = {"network": network, "recipe": {"version": 1, "layers": {"*": []}}}
    text = deflated(as_text(header | {"tensors": tensors}).encode())
    start = MAGIC + struct.pack("<I", len(text)) + text + struct.pack("<I", zlib.crc32(text))
    sections = [bytes(4 * torch.Size(tensor[1]).numel()) for tensor in tensors if filled]
    return start + b"".join(part + struct.pack("<I", zlib.crc32(part)) for part in sections)


@pytest.fixture
def shown():
    session = ex.Session(network(), data())
    yield session
    session.close()


@pytest.fixture
def lenet():
    session = ex.Session(*ex.load("lenet-300-100"))
    yield session
    session.close()


def test_weights_take_the_place_of_those_shown(shown):
    before = {key: tensor.clone() for key, tensor in shown.net.state_dict().items()}
    found, again = opened(save(network(1).state_dict()), shown)
    for session in (found.session, again()):
        result = session.submit([ex.Prune(sparsity=0.5)])
        expected = ex.compress(network(1), [ex.Prune(sparsity=0.5)])
        assert result.size_bytes == expected.size_bytes
        assert session.wait(60).accuracy == ex.evaluate(expected.restore(), data())
        session.close()
    assert all(torch.equal(before[key], tensor) for key, tensor in shown.net.state_dict().items())


def test_weights_in_half_precision_are_used_in_single(shown):
    halves = {key: tensor.half() for key, tensor in network(1).state_dict().items()}
    found, _ = opened(save(halves), shown)
    weight = found.session.net[1].weight
    assert weight.dtype == torch.float32
    assert torch.equal(weight, halves["1.weight"].float())
    found.session.close()


def test_layers_that_share_weights_go_on_sharing():
    session = ex.Session(Tied())
    tensors = {key: tensor.clone() + 1 for key, tensor in session.net.state_dict().items()}
    found, _ = opened(save(tensors), session)
    assert found.session.net.b.weight is found.session.net.a.weight
    assert found.session.layers == session.layers == ("a",)
    for each in (session, found.session):
        each.close()


def test_weights_of_a_network_shown_untrained_are_judged_on_its_data():
    loaded = zoo.load("lenet-300-100")
    session = ex.Session(zoo.load("lenet-300-100", weights=None).net)
    found, _ = opened(save(loaded.net.state_dict()), session)
    found.session.submit([])
    assert found.session.wait(60).accuracy == ex.evaluate(loaded.net, loaded.data.eval)
    assert found.loading == "net, data = ex.load('lenet-300-100', weights='mine.any')"
    for each in (session, found.session):
        each.close()


@pytest.mark.parametrize(
    "recipe",
    [
        [ex.Prune(sparsity=0.9), ex.Share(n_clusters=16)],
        {"fc3": [], "*": [ex.PruneNeurons(fraction=0.5), ex.Quantize(bits=4)]},
    ],
)
def test_a_compressed_file_opens_beside_the_network_that_it_was_made_of(recipe, shown):
    loaded = zoo.load("lenet-300-100")
    small = ex.compress(loaded.net, recipe)
    found, again = opened(encode(small), shown)
    for session in (found.session, again()):
        result = session.submit(found.recipe)
        assert result.size_bytes <= small.size_bytes + 100
        assert result.original_bytes == small.original_bytes
        assert session.wait(60).accuracy == ex.evaluate(small.restore(), loaded.data.eval)
        assert session.result.original_accuracy == ex.evaluate(loaded.net, loaded.data.eval)
        session.close()
    assert "ex.open('mine.any').restore()" in found.loading


def test_a_compressed_file_of_a_network_without_a_name_fits_the_one_shown(shown):
    small = ex.compress(network(1), [ex.Share(n_clusters=4)])
    found, _ = opened(encode(small), shown)
    assert torch.equal(found.session.net[1].weight, small.restore()[1].weight)
    assert found.session.data is shown.data
    assert found.session.origin is shown.net
    found.session.close()


def test_a_small_file_that_names_a_large_network_makes_none(shown, monkeypatch):
    made = []

    def note(name):
        made.append(hollow_network(name))
        return made[0]

    monkeypatch.setattr(opened_file, "hollow_network", note)
    content = compressed([["features.0.weight", [1, 3, 3, 3], "float32"]], "vgg16")
    with pytest.raises(ValueError, match=r"'mine\.any' does not fit the network; tensors not in"):
        opened(content, shown)
    assert made[0].classifier[0].weight.is_meta


HEADER = save(network().state_dict())[8:]
LONG_HEADER = struct.pack("<Q", 1 << 40) + HEADER
NAN = {"3.bias": torch.full((6,), float("nan"))}
INFINITE = {"1.weight": torch.full((12, 16), float("inf"))}


def changed(**tensors):
    return save(network().state_dict() | tensors)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "mine.any cannot be opened here; choose a .safetensors file"),
        (b"GIF89a" + bytes(40), "mine.any cannot be opened here"),
        (pickle.dumps(network().state_dict()), "is a Python pickle, which can run code when"),
        (b"PK\x03\x04" + bytes(99), "is a zip archive, as torch.save writes it, which can run"),
        (LONG_HEADER, "has a longer list of tensors than the 1,048.6 KB that are read here"),
        (save(network().state_dict())[:-9], "'mine.any' is not a readable safetensors file"),
        (save(network().state_dict())[:60], "'mine.any' is not a readable safetensors file"),
        (struct.pack("<Q", 2) + b"{}", "does not fit the network; tensors not in the file: 1.w"),
        (changed(**NAN), "mine.any: tensor '3.bias' holds NaN or infinity"),
        (changed(**INFINITE), "mine.any: tensor '1.weight' holds NaN or infinity"),
        (changed(more=torch.zeros(3)), "tensors not in the network: more. Give the weights"),
        (changed(**{"3.bias": torch.zeros(7)}), r"3.bias \(expected \(6,\), got \(7,\)\)"),
        (changed(**{"3.bias": torch.zeros(6).long()}), "'3.bias' is of type torch.int64, that of"),
        (b"CMPX", "mine.any: written by another version of the format"),
        (MAGIC + b"\xff" * 30, "mine.any: cut short: the header should have 4294967295 bytes"),
        (compressed([["1.weight", [12, 16], "float32"]])[:-3], "the tensors should take"),
        (compressed([["1.weight", [12, 16], "float32"]]), "net does not fit this file"),
        (compressed([["fc1.bias", [300], "float32"]], "lenet-300-100"), "tensors not in the file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_what_cannot_be_opened_is_refused_in_words(content, words, shown):
    before = shown.submit([ex.Prune(sparsity=0.5)])
    with pytest.raises(ValueError, match=words) as caught:
        opened(content, shown)
    assert "/tmp" not in str(caught.value) and "explorer-" not in str(caught.value)
    assert shown.wait(60).size_bytes == before.size_bytes


def test_a_compressed_file_with_a_nan_is_refused(lenet):
    small = ex.compress(lenet.net, [])
    bias = small.untouched["fc2.bias"]
    bias[3] = float("nan")
    with pytest.raises(ValueError, match=r"tensor 'fc2\.bias' holds NaN or infinity"):
        opened(encode(small), lenet)


def test_bombs_are_refused_by_what_they_promise(shown):
    layout = {"kind": "low_rank", "rank": 1}
    layout |= {"left": {"kind": "dense"}, "right": {"kind": "dense"}}
    content = compressed([["1", [30_000, 30_000], "float32", layout]], filled=False)
    with pytest.raises(ValueError, match=r"would take 3\.60 GB, more than the 100\.0 MB"):
        opened(content, shown)


def test_any_beginning_is_judged_without_reading_on():
    check_beginning("x", b"CMPX")
    check_beginning("x", struct.pack("<Q", 30) + b"{")
    with pytest.raises(ValueError, match="x cannot be opened here"):
        check_beginning("x", b"C")
