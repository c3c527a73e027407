"""Networks whose weights are computed are made plain where they are taken in."""

import threading

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.compress.networks.plain import copied, plain_network


def _masked(layer):
    return prune.l1_unstructured(layer, "weight", 0.5)


@pytest.fixture(params=[weight_norm, spectral_norm, orthogonal, _masked])
def computed(request):
    torch.manual_seed(0)
    layers = [request.param(nn.Linear(16, 16)) for _ in range(4)]
    return nn.Sequential(*layers).eval()


def test_outputs_stay_and_the_original_is_left_alone(computed):
    x = torch.randn(5, 16)
    before = computed(x)
    plain = plain_network(computed)
    assert type(plain[0]) is nn.Linear
    torch.testing.assert_close(plain(x), before)
    torch.testing.assert_close(computed(x), before)
    assert plain_network(plain) is plain


def test_session_sweep_and_restored_network_agree(computed):
    x = torch.randn(50, 16)
    data = TensorDataset(x, computed(x).argmax(1))
    recipe = [ex.Binarize()]
    small = ex.compress(computed, recipe)
    accuracy = ex.evaluate(small.restore(), data).top1
    assert ex.evaluate(small.restore(computed), data).top1 == accuracy
    assert next(iter(ex.sweep(computed, data, [recipe]))).accuracy.top1 == accuracy
    session = ex.Session(computed, data)
    session.apply(recipe)
    assert session.wait(60).accuracy.top1 == accuracy
    session.close()


def test_zeros_of_a_mask_stay_zero():
    layer = nn.Sequential(_masked(nn.Linear(16, 16)))
    restored = ex.compress(layer, [ex.Share(n_clusters=4)]).restore()
    assert int((restored[0].weight == 0).sum()) == 128


class _Random(nn.Module):
    def forward(self, weight):
        return weight + torch.rand_like(weight)


def test_a_weight_that_changes_is_refused():
    net = nn.Sequential(nn.Linear(4, 4))
    parametrize.register_parametrization(net[0], "weight", _Random())
    with pytest.raises(ValueError, match="make it a plain parameter first"):
        ex.compress(net, [ex.Binarize()])


def test_meta_and_scripted_networks_are_refused_in_words():
    net = nn.Sequential(nn.Linear(4, 4))
    with pytest.raises(ValueError, match="meta device and holds no values"):
        ex.compress(copied(net).to("meta"), [])


def test_locks_are_shared_and_kept_outputs_copied():
    net = nn.Linear(4, 4)
    net.lock, net.kept = threading.Lock(), net(torch.ones(1, 4))
    twin = copied(net)
    assert twin.lock is net.lock
    assert torch.equal(twin.kept, net.kept)
    assert twin.kept is not net.kept


class _Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(50, 16), nn.Linear(16, 50, bias=False)
        self.head.weight = self.table.weight


def test_an_export_of_tied_weights_loads_strictly(tmp_path):
    from safetensors.torch import load_file

    ex.compress(_Tied(), [ex.Quantize(bits=8)]).export_safetensors(tmp_path / "tied.safetensors")
    _Tied().load_state_dict(load_file(tmp_path / "tied.safetensors"))


def test_an_impossible_input_shape_is_an_error():
    net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    with pytest.raises(ValueError, match="input_shape: the network does not take"):
        ex.compress(net, [ex.PruneNeurons(fraction=0.3)], input_shape=(17,))


def test_what_is_left_alone_is_told():
    net = nn.Sequential(nn.Linear(4, 3), nn.LSTM(3, 5))
    found = ex.compress(net, []).coverage
    assert (found.n_compressed, found.n_parameters) == (12, 215)
    assert found.left_alone == (("1", 200, "LSTM"), ("biases and scales", 3, "small"))
    assert "left alone: 1 (LSTM, 200)" in str(found)


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
def test_sparse_weights_are_made_dense(layout):
    net = nn.Sequential(nn.Linear(4, 4))
    dense = net[0].weight.detach()
    net[0].weight = nn.Parameter(dense.to_sparse(layout=layout))
    small = ex.compress(net, [])
    assert small.notes == {"0": "sparse weight made dense"}
    assert torch.equal(small.restore()[0].weight, dense)


class Versioned(nn.Module):
    """Keeps what is no tensor in its state."""

    def __init__(self, version=3):
        super().__init__()
        self.dense, self.out, self.version = nn.Linear(4, 6), nn.Linear(6, 4), version

    def get_extra_state(self):
        return {"version": self.version}

    def set_extra_state(self, state):
        self.version = state["version"]

    def forward(self, x):
        return self.out(torch.relu(self.dense(x)))


def test_extra_state_stays_with_the_network(tmp_path):
    net = Versioned(7).eval()
    small = ex.compress(net, [ex.PruneNeurons(fraction=0.5), ex.Quantize(bits=8)], input_shape=(4,))
    assert small.restore().version == 7
    small.save(tmp_path / "net.cmpx")
    assert ex.open(tmp_path / "net.cmpx").restore(Versioned(5)).version == 5
    session = ex.Session(net)
    assert session.figures([ex.Quantize(bits=8)]).size_bytes > 0
    session.close()


@pytest.mark.parametrize("where", ["whole", "layer", "in place", "layer in place", "twice"])
def test_compiled_networks_are_the_ones_inside(where):
    made = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    expected = {name: value.clone() for name, value in made.state_dict().items()}
    net = made
    if where in ("layer", "twice"):
        net[0] = torch.compile(net[0], backend="eager")
    if where in ("whole", "twice"):
        net = torch.compile(net, backend="eager")
    if where == "in place":
        net.compile(backend="eager")
    if where == "layer in place":
        net[0].compile(backend="eager")
    small = ex.compress(net, [ex.Quantize(bits=8)])
    assert list(small.records) == ["0", "2"]
    assert ("torch.compile" in small.notes.get("0", "")) == (where in ("layer", "twice"))
    assert small.restore().state_dict().keys() == expected.keys()
    assert torch.equal(made.state_dict()["2.weight"], expected["2.weight"])
    shape = ex.compress(net, [ex.PruneNeurons(fraction=0.5)], input_shape=(16,))
    assert shape.restore()[0].out_features == 16


class _Doubled(nn.Module):
    def forward(self, weight):
        return 2 * weight


@pytest.mark.parametrize("how", ["parametrized", "masked"])
def test_tied_computed_weights_stay_tied(how):
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    net[1].weight = net[0].weight
    for layer in net:
        if how == "masked":
            prune.l1_unstructured(layer, "weight", 0.5)
        else:
            parametrize.register_parametrization(layer, "weight", _Doubled())
    small = ex.compress(net, [ex.Quantize(bits=8)])
    restored = small.restore()
    assert list(small.records) == ["0"]
    assert restored[0].weight is restored[1].weight
    assert small.original_bytes == 4 * (64 + 16)


class _MaxNorm(nn.Linear):
    """Holds the norms of its rows down, in place, while it runs."""

    def forward(self, x):
        self.weight.data = torch.renorm(self.weight.data, 2, 0, 0.1)
        return super().forward(x)


def _halve(module, _inputs):
    module.weight.data.mul_(0.5)


def _hooked_linear():
    layer = nn.Linear(6, 4)
    layer.register_forward_pre_hook(_halve)
    return layer


class _Outer(nn.Module):
    """Writes the weight of a plain layer from its own forward, in one of several ways."""

    def __init__(self, way):
        super().__init__()
        self.inner, self.way = nn.Linear(6, 4), way

    def forward(self, x):
        self._write()
        return self.inner(x)

    def _write(self):
        with torch.no_grad():
            if self.way == "data":
                self.inner.weight.data *= 0.5
            elif self.way == "in place":
                self.inner.weight.mul_(0.5)
            elif self.way == "entries":
                self.inner.weight[0] = 1.0
            else:
                for parameter in self.inner.parameters():
                    parameter.copy_(parameter / 2)


class _Clean(nn.Module):
    """Names its layer's weight and works in place, but writes no weight."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(6, 4)

    def forward(self, x):
        return self.inner(x).relu_() + self.inner.weight.norm()


def test_a_network_that_only_names_its_weights_is_taken():
    assert list(ex.compress(_Clean(), [ex.Quantize(bits=8)], data=[torch.zeros(2, 6)]).records)


@pytest.mark.parametrize("way", ["data", "in place", "entries", "parameters"])
def test_a_network_that_writes_a_plain_layers_weight_is_refused(way):
    net = _Outer(way).eval()
    data = TensorDataset(torch.randn(8, 6), torch.zeros(8, dtype=torch.int64))
    before = net.inner.weight.detach().clone()
    for call in (lambda: ex.Session(net, data), lambda: ex.compress(net, [], data=data)):
        with pytest.raises(ValueError, match="'inner' writes its own weight while the network"):
            call()
    assert torch.equal(net.inner.weight, before)


@pytest.mark.parametrize("made", [lambda: _MaxNorm(6, 4), _hooked_linear])
@pytest.mark.parametrize("opened", [ex.compress, ex.sweep, ex.Session])
def test_a_layer_that_writes_its_own_weight_is_refused(made, opened):
    net = nn.Sequential(made()).eval()
    data = TensorDataset(torch.randn(8, 6), torch.zeros(8, dtype=torch.int64))
    before = net[0].weight.detach().clone()
    more = ([],) if opened is ex.compress else ()
    with pytest.raises(ValueError, match="'0' writes its own weight while the network runs"):
        if opened is ex.sweep:
            list(ex.sweep(net, data, [[]]))
        else:
            opened(net, *more, data=data)
    assert torch.equal(net[0].weight, before)
    assert len(list(ex.train(net, data, ex.TrainSettings(n_epochs=1)))) == 1


class _ByInput(nn.Module):
    """Computes its dense layer's weight from its input."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(6, 4)
        self.inner.register_forward_pre_hook(self._scale)
        source = self.inner.weight
        del self.inner.weight
        self.inner.register_parameter("weight_source", source)
        self.inner.weight = source.detach()

    @staticmethod
    def _scale(module, inputs):
        factor = 3.0 if inputs[0].ndim == 2 else 1.0
        module.weight = module.weight_source * factor

    def forward(self, x):
        return self.inner(x)


def test_a_plain_network_that_answers_differently_is_refused():
    data = TensorDataset(torch.randn(8, 6), torch.zeros(8, dtype=torch.int64))
    with pytest.raises(ValueError, match="answers its first input differently"):
        ex.compress(_ByInput(), [], data=data)
    with pytest.raises(ValueError, match="answers its first input differently"):
        ex.compress(_ByInput(), [], input_shape=(6,))
    with pytest.raises(ValueError, match="answers its first input differently"):
        ex.train(_ByInput(), data, ex.TrainSettings(n_epochs=1))
