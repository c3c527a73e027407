"""What is measured in the background: kept, paused, stopped, and on how many samples."""

import threading

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from explorer.compress.networks.recipe import Recipe
from explorer.library import compress
from explorer.measure.accuracy import evaluate
from explorer.session import samples
from explorer.session.background import State
from explorer.session.samples import part_of
from explorer.session.survey import FitJob, MethodsJob, SensitivityJob, Survey
from explorer.sweep.dials import DIALS
from explorer.sweep.measurement import Measurement
from explorer.sweep.methods import METHODS
from explorer.sweep.solver import Budget
from explorer.zoo.loaded import Data

WAIT_S = 30
ORIGINAL_BYTES = 4321


def made_net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 5)).eval()


def made_data(n=200):
    inputs = torch.randn(n + 64, 6, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        labels = made_net()(inputs).argmax(1)
    return Data(TensorDataset(inputs[n:], labels[n:]), TensorDataset(inputs[:n], labels[:n]))


class Told:
    """A survey, and what it told."""

    def __init__(self, data):
        self.states, self.heard = [], 0
        self.survey = Survey(made_net(), data, ORIGINAL_BYTES, self.hear, self.change)

    def hear(self, _survey):
        self.heard += 1

    def change(self, survey):
        self.states.append(survey.state)

    def run(self, job):
        self.survey.start(job)
        return self.survey.join(WAIT_S)


@pytest.fixture
def told():
    made = Told(made_data())
    yield made
    made.survey.close()
    made.survey.join(WAIT_S)


def count_points(monkeypatch):
    recipes = []
    measure = Measurement.point

    def point(self, key, recipe):
        recipes.append(recipe)
        return measure(self, key, recipe)

    monkeypatch.setattr(Measurement, "point", point)
    return recipes


def test_sensitivities_are_measured_and_kept(told, monkeypatch):
    recipes = count_points(monkeypatch)
    assert told.run(SensitivityJob("bits")) is State.DONE
    survey = told.survey
    values = DIALS["bits"].values
    assert set(survey.sensitivities) == {("bits", n, v) for n in ("0", "2") for v in values}
    assert survey.progress.done == survey.progress.total == 2 * len(values)
    found = survey.sensitivities["bits", "2", 2].point
    small = compress(made_net(), found.recipe)
    assert found.size_bytes == small.size_bytes
    assert found.original_bytes == ORIGINAL_BYTES
    assert found.accuracy.top1 == evaluate(small.restore(), made_data().eval).top1
    n_measured = len(recipes)
    assert told.run(SensitivityJob("bits")) is State.DONE
    assert len(recipes) == n_measured
    assert told.states == [State.RUNNING, State.DONE] * 2
    assert told.heard >= 1


def test_methods_with_retraining(told):
    assert told.run(MethodsJob()) is State.DONE
    assert set(told.survey.curves) == {
        (m.name, value, False) for m in METHODS.values() for value in m.values
    }
    told.survey.start(MethodsJob(retrained=True))
    while not any(again for _, _, again in list(told.survey.curves)):
        threading.Event().wait(0.02)
    told.survey.stop()
    assert told.survey.join(WAIT_S) is State.STOPPED


def test_a_budget_is_fitted_and_later_predicted_at_once(told):
    budget = Budget(size_bytes=700)
    assert told.survey.predict(budget) is None
    assert told.run(FitJob(budget)) is State.DONE
    fitted = told.survey.fits[budget]
    assert fitted.met
    assert fitted.point.size_bytes <= 700
    assert fitted.point.original_bytes == ORIGINAL_BYTES
    choice, accuracy = told.survey.predict(Budget(size_bytes=650))
    assert choice.size_bytes <= 650
    assert 0 < accuracy <= 1
    assert {dial for dial, _, _ in told.survey.sensitivities} == {"density", "k"}


def test_pausing_holds_and_stopping_keeps(told):
    survey = told.survey
    first, go_on = threading.Event(), threading.Event()

    def hear(_survey):
        first.set()
        go_on.wait(WAIT_S)

    survey._heard = hear
    survey.start(SensitivityJob())
    assert first.wait(WAIT_S)
    survey.pause()
    go_on.set()
    survey._heard = lambda _survey: None
    assert survey.state is State.PAUSED
    assert len(survey.sensitivities) == 1
    survey.stop()
    assert survey.join(WAIT_S) is State.STOPPED
    assert len(survey.sensitivities) == 1
    survey.start(SensitivityJob())
    assert survey.join(WAIT_S) is State.DONE
    assert len(survey.sensitivities) == 2 * len(DIALS["density"].values)


def test_a_new_job_ends_the_one_before(told):
    for _ in range(3):
        told.survey.start(MethodsJob())
        told.survey.start(SensitivityJob("k"))
    assert told.survey.join(WAIT_S) is State.DONE
    assert len(told.survey.sensitivities) == 2 * len(DIALS["k"].values)
    assert told.survey.job == SensitivityJob("k")
    assert not [t for t in threading.enumerate() if t.name == "explorer-training"]


def test_what_goes_wrong_is_told(told):
    told.survey._data = [(torch.zeros(3, 99), torch.zeros(3, dtype=torch.long))]
    assert told.run(SensitivityJob("k")) is State.DONE
    words = {p.point.error_message.partition(":")[0] for p in told.survey.sensitivities.values()}
    assert words == {"ValueError"}
    assert told.run(FitJob(Budget(size_bytes=700))) is State.FAILED
    assert "none of them has an accuracy" in str(told.survey.error)


def test_a_job_that_fails_at_once():
    told = Told("nonsense")
    assert told.run(MethodsJob(retrained=True)) is State.FAILED
    assert "needs samples apart" in str(told.survey.error)
    assert not told.survey.can_train


def test_after_closing_nobody_is_told():
    told = Told(made_data())
    told.survey.start(MethodsJob())
    told.survey.close()
    told.survey.join(WAIT_S)
    assert State.DONE not in told.states


class Numbers(Dataset):
    """A data set that is no tensor."""

    def __len__(self):
        return 5000

    def __getitem__(self, index):
        return torch.full((6,), float(index)), index % 5


def test_large_data_are_thinned_evenly(monkeypatch):
    monkeypatch.setattr(samples, "_seconds_a_sample", lambda _net, _data: 1e-3)
    part = part_of(made_net(), Numbers())
    assert (part.n, part.n_total, len(part.eval)) == (500, 5000, 500)
    assert [part.eval[i][0][0].item() for i in (0, 1, 499)] == [0.0, 10.0, 4999.0]
    monkeypatch.setattr(samples, "_seconds_a_sample", lambda _net, _data: 1e-6)
    assert part_of(made_net(), Numbers()).n == 2000
    tensors = TensorDataset(torch.arange(3000.0)[:, None].expand(-1, 6), torch.arange(3000) % 5)
    part = part_of(made_net(), tensors)
    assert isinstance(part.eval, TensorDataset)
    assert part.eval.tensors[0][[0, -1], 0].tolist() == [0.0, 2999.0]


def test_small_data_and_streams_are_taken_whole():
    data = made_data()
    part = part_of(made_net(), data)
    assert part.eval is data.eval
    assert part.measured_on is part
    batches = [(torch.zeros(3, 6), torch.zeros(3, dtype=torch.long))]
    part = part_of(made_net(), batches)
    assert part.eval is batches
    assert (part.n, part.n_total) == (0, 0)
    assert part.measured_on is batches


def test_the_whole_network_is_measured_once(told, monkeypatch):
    recipes = count_points(monkeypatch)
    told.run(SensitivityJob())
    assert recipes.count(Recipe()) == 1
