"""What of a network no step applies to is told wherever its figures are."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from waiting import until

import explorer as ex


class Speaker(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.LSTM(4, 16, batch_first=True), nn.Linear(16, 3)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


SENTENCE = "3.4% of the parameters are under the dials; left alone: rnn (LSTM, 1,408)"


def test_figures_notes_and_page_tell_what_is_left_alone():
    net, recipe = Speaker().eval(), [ex.Prune(sparsity=0.9)]
    small = ex.compress(net, recipe)
    assert small.coverage.n_compressed == 48
    assert small.coverage.n_parameters == sum(p.numel() for p in net.parameters())
    assert small.coverage.left_alone[0] == ("rnn", 1408, "LSTM")
    assert small.notes == {"rnn": "left alone: LSTM, 1,408 parameters"}
    app = ex.Explorer(net)
    app.recipe = recipe
    app.wait(30)
    notes = app.result.notes
    shown = app._figures.notes.value
    app.close()
    assert [note.startswith(SENTENCE.replace("3.4%", f"{48 / 1459:.1%}")) for note in notes] == [
        True
    ]
    assert shown == f"{notes[0]}."


def test_nothing_is_told_of_a_network_that_is_all_under_the_dials():
    session = ex.Session(nn.Sequential(nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10)).eval())
    assert session.figures([]).notes == ()
    session.close()


def test_weights_made_plain_and_scores_that_are_no_numbers_are_told_on_the_page():
    net = nn.Sequential(weight_norm(nn.Linear(40, 30)), nn.Linear(30, 3)).eval()
    with torch.no_grad():
        net[1].bias[0] = torch.inf
    app = ex.Explorer(net, torch.utils.data.TensorDataset(torch.ones(9, 40), torch.zeros(9).long()))
    accuracy = app.wait(30).accuracy
    until(lambda: accuracy.note in app._figures.notes.value)
    shown = app._figures.notes.value
    app.close()
    assert accuracy.top1 == 0
    assert "9 of 9 samples are answered by NaN or infinite scores, from layer 1 (Linear)" in shown
    assert "made plain on a copy: 0" in shown
