"""Multiply-accumulates of whatever a network computes, against counts by hand."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import rnn

from explorer.compress.methods.prune import Prune
from explorer.measure.anatomy import anatomy
from explorer.measure.energy_bill import energy_bills
from explorer.measure.profile import profile
from explorer.session import Session
from explorer.torchvision_import import import_torchvision


class Call(nn.Module):
    """A network that is a function of its modules, parameters and input."""

    def __init__(self, function, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = function

    def forward(self, x):
        return self.function(self, x)


def macs(net, shape):
    rows = profile(net.eval(), shape)
    assert not any(row.uncounted for row in rows)
    on_meta = profile(net.to("meta"), shape)
    assert [row.macs for row in on_meta] == [row.macs for row in rows]
    return {row.name: row.macs for row in rows if row.macs}


def parameter(*shape):
    return nn.Parameter(torch.ones(shape))


def test_lstm_of_three_layers():
    net = nn.LSTM(40, 64, 3, batch_first=True)
    assert macs(net, (10, 40)) == {"": 10 * 4 * 64 * ((40 + 64) + 2 * (64 + 64))}


def test_lstm_of_two_directions():
    net = nn.LSTM(5, 7, 2, bidirectional=True, batch_first=True)
    assert macs(net, (3, 5)) == {"": 3 * 2 * 4 * 7 * ((5 + 7) + (14 + 7))}


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_lstm_with_projection():
    # The state that is fed back has 2 values; each step makes them of 7 by 14 more.
    net = nn.LSTM(5, 7, 2, proj_size=2, batch_first=True)
    assert macs(net, (3, 5)) == {"": 3 * (4 * 7 * ((5 + 2) + (2 + 2)) + 2 * 7 * 2)}


@pytest.mark.parametrize(("kind", "gates"), [(nn.GRU, 3), (nn.RNN, 1)])
def test_gru_and_rnn(kind, gates):
    net = kind(5, 7, 2, bidirectional=True, batch_first=True)
    assert macs(net, (3, 5)) == {"": 3 * 2 * gates * 7 * ((5 + 7) + (14 + 7))}


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTMCell, 4), (nn.GRUCell, 3), (nn.RNNCell, 1)])
def test_cells_called_twice(kind, gates):
    def twice(net, x):
        state = net.cell(x)
        return net.cell(x, state)[0]

    assert macs(Call(twice, cell=kind(5, 7)), (5,)) == {"cell": 2 * gates * 7 * (5 + 7)}


def test_a_packed_sequence_counts_its_own_steps():
    def packed(net, x):
        both = torch.cat([x, x])
        given = rnn.pack_padded_sequence(both, torch.tensor([4, 2]), batch_first=True)
        return net.rnn(given)[1]

    net = Call(packed, rnn=nn.GRU(5, 7, batch_first=True)).eval()
    (row,) = profile(net, (6, 5))
    assert row.macs == (4 + 2) * 3 * 7 * (5 + 7)


def test_attention_of_other_keys_and_values():
    # 4 queries of 8, 6 keys of 5 and values of 3, in 2 heads.
    def attend(net, x):
        keys, values = x.new_zeros(1, 6, 5), x.new_zeros(1, 6, 3)
        return net.attention(x, keys, values)[0]

    net = Call(attend, attention=nn.MultiheadAttention(8, 2, kdim=5, vdim=3, batch_first=True))
    found = macs(net, (4, 8))
    assert found["attention"] == 4 * 8 * 8 + 6 * 5 * 8 + 6 * 3 * 8 + 2 * 4 * 6 * 8
    assert found["attention.out_proj"] == 4 * 8 * 8


@pytest.mark.parametrize("n_layers", [0, 2])
def test_transformer_encoders_in_eval_mode(n_layers):
    layer = nn.TransformerEncoderLayer(8, 2, 32, batch_first=True)
    net = nn.TransformerEncoder(layer, n_layers) if n_layers else layer
    each = 5 * (3 * 8 * 8 + 8 * 8 + 2 * 8 * 32) + 2 * 5 * 5 * 8
    assert sum(macs(net, (5, 8)).values()) == (n_layers or 1) * each


@pytest.mark.parametrize("causal", [False, True])
def test_products_of_queries_keys_and_values(causal):
    def attend(_net, x):
        query = x.unsqueeze(1).expand(1, 3, 5, 8)
        keys, values = query.new_zeros(1, 3, 5, 8), query.new_zeros(1, 3, 5, 4)
        return F.scaled_dot_product_attention(query, keys, values, is_causal=causal)

    assert macs(Call(attend, unused=nn.Linear(1, 1)), (5, 8)) == {"": 3 * 5 * 5 * (8 + 4)}


@pytest.mark.parametrize(
    ("equation", "sizes", "by_hand"),
    [
        ("bi,io->bo", [(4, 3)], 4 * 3),
        ("bi,bi->b", [(1, 4)], 4),
        ("bi,ij,bj->b", [(4, 3), (1, 3)], 4 * 3 + 3),
        ("bi,o->bio", [(5,)], 4 * 5),
        ("bi,hid->bhd", [(2, 4, 3)], 2 * 4 * 3),
    ],
)
def test_einsum(equation, sizes, by_hand):
    parts = {f"p{i}": parameter(*size) for i, size in enumerate(sizes)}
    net = Call(lambda net, x: torch.einsum(equation, x, *net.parameters()), **parts)
    assert macs(net, (4,)) == {"": by_hand}


@pytest.mark.parametrize(
    ("function", "size", "by_hand"),
    [
        (lambda w, x: x @ w, (4, 3), 5 * 4 * 3),
        (lambda w, x: x @ w, (7, 1, 4, 3), 7 * 5 * 4 * 3),
        (lambda w, x: x[0] @ w, (4,), 5 * 4),
        (lambda w, x: torch.mm(x[0], w), (4, 3), 5 * 4 * 3),
        (lambda w, x: torch.mv(x[0], w), (4,), 5 * 4),
        (lambda w, x: torch.dot(x[0, 0], w), (4,), 4),
        (lambda w, x: torch.bmm(x, w), (1, 4, 3), 5 * 4 * 3),
        (lambda w, x: torch.addmm(x.new_zeros(3), x[0], w), (4, 3), 5 * 4 * 3),
        (lambda w, x: torch.baddbmm(x.new_zeros(3), x, w), (1, 4, 3), 5 * 4 * 3),
        (lambda w, x: torch.tensordot(x, w, 2), (5, 4, 3), 5 * 4 * 3),
        (lambda w, x: torch.linalg.multi_dot([x[0], w, w]), (4, 4), 4 * 4 * 4 + 5 * 4 * 4),
        (lambda w, x: F.linear(x, w), (3, 4), 5 * 4 * 3),
        (lambda w, x: F.conv1d(x, w), (3, 5, 2), 3 * 3 * 5 * 2),
        (lambda w, x: F.conv1d(x, w, padding="same"), (3, 5, 3), 4 * 3 * 5 * 3),
        (lambda w, x: F.conv2d(x.unsqueeze(1), w), (3, 1, 2, 2), 4 * 3 * 3 * 2 * 2),
        (lambda w, x: F.conv_transpose1d(x, w, stride=2), (5, 3, 2), 5 * 4 * 3 * 2),
        (lambda w, x: x * w, (5, 4), 0),
    ],
)
def test_functions_with_parameters_outside_of_layers(function, size, by_hand):
    net = Call(lambda net, x: function(net.w, x), w=parameter(*size))
    assert macs(net, (5, 4)) == ({"": by_hand} if by_hand else {})


def test_bilinear_is_two_products():
    net = Call(lambda net, x: net.both(x, x[:, :3]), both=nn.Bilinear(4, 3, 6))
    assert macs(net, (4,)) == {"both": 6 * (4 * 3 + 3)}


def test_work_of_a_container_has_a_row_of_its_own():
    class Scores(nn.Module):
        def forward(self, x):
            return x @ x.transpose(1, 2)

    net = nn.Sequential(nn.Linear(4, 3), Scores()).eval()
    dense, scores = profile(net, (5, 4))
    assert (dense.name, dense.macs, dense.fixed_macs) == ("0", 5 * 4 * 3, 0)
    assert (scores.name, scores.kind, scores.shape, scores.weights) == ("1", "Scores", (), 0)
    assert (scores.macs, scores.fixed_macs, scores.activations) == (75, 75, 25)


def test_a_weight_counts_for_its_layer_however_it_is_used():
    def used(net, x):
        return x.half().float() @ net.layer.weight.double().float().T

    (row,) = profile(Call(used, layer=nn.Linear(4, 3)).eval(), (4,))
    assert (row.name, row.macs, row.fixed_macs) == ("layer", 12, 0)


def test_a_function_with_a_backward_of_its_own_is_counted():
    class Times(torch.autograd.Function):
        @staticmethod
        def forward(_ctx, x, w):
            return x @ w

    net = Call(lambda net, x: Times.apply(x, net.w), w=parameter(4, 3)).eval()
    assert [row.macs for row in profile(net, (4,))] == [12]


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_scripted_parts_are_counted():
    net = Call(
        lambda net, x: net.script(x),
        script=torch.jit.script(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))),
    ).eval()
    assert sum(row.macs for row in profile(net, (4,))) == 12 + 6


@pytest.fixture
def own_operation():
    with torch.library._scoped_library("explorer_tests", "FRAGMENT") as library:
        library.define("twice(Tensor x) -> Tensor")
        library.impl("twice", lambda x: 2 * x, "CompositeExplicitAutograd")
        yield torch.ops.explorer_tests.twice


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: torch.fft.rfft(x).abs(), "aten::_fft_r2c"),
        (lambda x: torch.from_numpy(x.numpy() * 2), "numpy"),
        (lambda x: -torch.ops.explorer_tests.twice(x), "explorer_tests::twice"),
        (torch.linalg.svdvals, "aten::_linalg_svd"),
    ],
)
def test_what_cannot_be_counted_is_told(function, name, own_operation):
    net = nn.Sequential(nn.Linear(4, 3), Call(lambda _net, x: function(x))).eval()
    dense, other = profile(net, (4,))
    assert (dense.macs, dense.uncounted) == (12, ())
    assert (other.name, other.macs, other.uncounted) == ("1", 0, (name,))
    session = Session(net, input_shape=(4,))
    assert session.figures([]).uncounted == (name,)
    session.close()


def test_the_rest_is_in_the_totals_and_no_zero_saves_any_of_it():
    class Speaker(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 10)

        def forward(self, x):
            return self.out(self.rnn(x)[0][:, -1])

    net = Speaker().eval()
    recurrent, dense = 5 * 4 * 8 * (6 + 8), 80
    session = Session(net, input_shape=(5, 6))
    result = session.figures([Prune(sparsity=0.75)])
    session.close()
    assert result.original_macs == sum(row.macs for row in profile(net, (5, 6)))
    assert result.original_macs == recurrent + dense
    assert (result.other_macs, result.original_other_macs) == (recurrent, recurrent)
    assert (result["out"].macs, result.macs) == (20, recurrent + 20)
    assert result.mac_fraction == (recurrent + 20) / (recurrent + dense)


def test_layers_that_share_a_weight_are_multiplied_twice():
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)).eval()
    net[1].weight = net[0].weight
    session = Session(net, input_shape=(4,))
    result = session.figures([Prune(sparsity=0.5)])
    session.close()
    assert (result.original_macs, result.macs) == (32, 16)


def test_one_inference_takes_the_same_energy_wherever_it_is_told():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10)).eval()
    session = Session(net, input_shape=(1, 8, 8))
    result = session.figures([Prune(sparsity=0.9)])
    session.close()
    bills = energy_bills(anatomy(net, (1, 8, 8)), result)
    assert result.energy_pj == bills.after.total_pj
    assert result.original_energy_pj == bills.before.total_pj
    assert bills.before.activations_pj > 0


def test_a_network_whose_layers_changed_is_taken_apart_anew():
    net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)).eval()
    assert anatomy(net, (4,)).macs == 18
    net[0], net[1] = nn.Linear(4, 5), nn.Linear(5, 2)
    assert anatomy(net, (4,)).macs == 30


@pytest.mark.parametrize("name", ["swin_t", "swin_v2_t", "vit_b_32", "convnext_tiny"])
def test_agrees_with_what_torchvision_publishes_of_attention(name):
    models = import_torchvision().models
    weights = models.get_model_weights(name).DEFAULT
    with torch.device("meta"):
        net = models.get_model(name)
    found = profile(net, (3, *itertools.repeat(weights.transforms().crop_size[0], 2)))
    assert sum(row.macs for row in found) / 1e9 == pytest.approx(weights.meta["_ops"], abs=6e-4)


def test_compiled_parts_are_counted():
    inner = torch.compile(nn.Linear(4, 3), backend="eager", fullgraph=True)
    (row,) = profile(Call(lambda net, x: net.inner(x), inner=inner).eval(), (5, 4))
    assert (row.kind, row.macs) == ("Linear", 5 * 4 * 3)
    with pytest.raises(ValueError, match=r"does not take an input of shape \(5, 7\)"):
        profile(nn.Linear(4, 3), (5, 7))
