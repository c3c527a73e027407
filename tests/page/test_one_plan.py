"""A move of a dial asks once what the recipe asks of the network."""

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.compress.networks import planner

WAIT_S = 60
REMOVAL = ex.PruneNeurons(fraction=0.25)
MOVES = {
    "by layer": ([ex.Prune(sparsity=0.1)], [ex.Prune(sparsity=0.9), ex.Share(4)], 1),
    "over the model": ([], [ex.Prune(sparsity=0.9, scope="model"), ex.Quantize(bits=4)], 1),
    "by saliency": ([ex.Prune(sparsity=0.1, criterion="obd")],) * 2 + (0,),
    "to another saliency": (
        [ex.Prune(sparsity=0.1, criterion="obd")],
        [ex.Prune(sparsity=0.5, criterion="obd")],
        1,
    ),
    "without neurons": ([REMOVAL, ex.Share(4)], [REMOVAL, ex.Share(8)], 2),
}


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()
        inputs = torch.randn(200, 16)
    with torch.no_grad():
        part = TensorDataset(inputs, net(inputs).argmax(1))
    app = ex.Explorer(net, ex.Data(part, part))
    yield app
    app.close()


@pytest.mark.parametrize("move", MOVES)
def test_a_move_resolves_its_recipe_once(app, monkeypatch, move):
    start, end, n_resolved = MOVES[move]
    app.recipe = start
    app.wait(WAIT_S)
    asked, resolved, resolve = [], [], planner.resolve
    ask = planner.Planner._ask

    def counted(steps, *arguments):
        resolved.append(steps)
        return resolve(steps, *arguments)

    def noted(self, recipe):
        asked.append(recipe)
        return ask(self, recipe)

    monkeypatch.setattr(planner, "resolve", counted)
    monkeypatch.setattr(planner.Planner, "_ask", noted)
    app.recipe = end
    result = app.wait(WAIT_S)
    assert result.size_bytes == app.compress().size_bytes
    assert (len(asked), len(resolved)) == (min(n_resolved, 1), n_resolved)
