"""What goes wrong under a page in use: said in words, and nothing that was made is lost."""

import errno
import os
import threading
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset, TensorDataset
from waiting import until

import explorer as ex
from explorer.compress.methods.low_rank import LowRank
from explorer.experiments.pruning import Regularize
from explorer.page.topics import TOPICS
from explorer.session.background import BackgroundRun, State
from explorer.views.histogram import HistogramView
from explorer.views.maps import SparsityMapView
from explorer.zoo.loaded import Data

WAIT_S = 60
N_SAMPLES = 300


def network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()


def samples():
    inputs = torch.randn(N_SAMPLES, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return TensorDataset(inputs, network()(inputs).argmax(1))


class Failing(Dataset):
    """Samples of which one cannot be read for a while."""

    def __init__(self, error):
        self.samples, self.error, self.at = samples(), error, 200

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        if self.error is not None and i == self.at:
            raise self.error
        return self.samples[i]


def error(app):
    return app._status.error


def recipe(percent):
    return ex.Recipe.of([ex.Prune(sparsity=percent / 100)])


def turn(app, percent):
    app._recipe_panel.show(recipe(percent))
    app._turned()


@pytest.fixture
def make():
    made = []

    def make(*given, **options):
        made.append(ex.Explorer(*given, **options))
        return made[-1]

    yield make
    for app in made:
        app.close()


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (OSError(errno.EIO, "the disk is gone"), "OSError: [Errno 5] the disk is gone"),
        (MemoryError(), "MemoryError: there is not enough memory"),
        (KeyError("label"), "KeyError: label"),
    ],
)
def test_data_that_fail_half_way_are_told_of_and_the_dials_go_on(raised, words, make):
    data = Failing(raised)
    app = make(network(), data, recipe=recipe(50))
    assert app.wait(WAIT_S).complete
    until(lambda: error(app))
    assert error(app).startswith(f"accuracy could not be measured: {words}")
    turn(app, 80)
    assert app.result.sparsity == pytest.approx(0.8, abs=0.01)
    until(lambda: error(app))
    data.error = None
    turn(app, 90)
    expected = ex.compress(network(), recipe(90))
    result = app.wait(WAIT_S)
    assert result.accuracy == ex.evaluate(expected.restore(), samples())
    assert result.original_accuracy.top1 == 1.0
    until(lambda: app._status.message.endswith("accuracy on 300 images."))
    assert error(app) == ""


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (ZeroDivisionError("no images"), "ZeroDivisionError: no images"),
        (None, "TypeError: metric: expected a finite number, such as 0.98; got None"),
        ("much", "got 'much'"),
        (float("nan"), "got nan"),
        (float("inf"), "got inf"),
        (torch.tensor(0.5), r"got a Tensor of shape (): return float(value)"),
        (SystemExit(1), "RuntimeError: metric: raised SystemExit(1)"),
        (KeyboardInterrupt(), "RuntimeError: metric: raised KeyboardInterrupt"),
    ],
)
def test_a_metric_that_fails_is_told_of_and_the_dials_go_on(told, words, make):
    answers = [told]

    def metric(_net):
        if isinstance(answers[0], BaseException):
            raise answers[0]
        return answers[0]

    app = make(network(), metric=metric, recipe=recipe(50))
    app.wait(WAIT_S)
    until(lambda: words in error(app))
    answers[0] = 0.5
    turn(app, 80)
    assert app.wait(WAIT_S).accuracy.top1 == 0.5
    until(lambda: error(app) == "")


@pytest.mark.parametrize("name", ["1.weight", "3.bias"])
def test_a_network_with_a_nan_is_refused_by_the_name_of_its_tensor(name):
    net = network()
    net.state_dict()[name].view(-1)[2] = float("nan")
    with pytest.raises(ValueError, match=f"{name.split('.')[0]}.*holds NaN"):
        ex.Explorer(net, samples())


@pytest.mark.parametrize("kind", [HistogramView, SparsityMapView])
def test_a_view_that_fails_is_told_of_and_the_others_are_drawn(kind, make, monkeypatch):
    app = make(network(), samples(), recipe=recipe(50))
    app.wait(WAIT_S)
    really, drawn = {HistogramView: HistogramView.draw, SparsityMapView: SparsityMapView.draw}, []

    def note(view, record):
        drawn.append(type(view))
        if type(view) is kind:
            raise IndexError("no bars")
        really[type(view)](view, record)

    for each in really:
        monkeypatch.setattr(each, "draw", note)
    turn(app, 70)
    assert set(drawn) == set(really)
    assert "could not be drawn: no bars (IndexError) (RuntimeError)" in error(app)
    assert app.recipe == recipe(70)
    assert app.result.sparsity == pytest.approx(0.7, abs=0.01)
    monkeypatch.undo()
    turn(app, 75)
    app.wait(WAIT_S)
    until(lambda: error(app) == "")


def test_a_step_that_fails_for_one_layer_names_it_and_the_last_figures_stay(make, monkeypatch):
    app = make(network(), samples(), recipe=recipe(50))
    before = app.wait(WAIT_S)
    really = LowRank.chosen_rank

    def fails(step, factors):
        if factors.left.shape[0] == 6:
            raise ValueError("rank 3 cannot be reached")
        return really(step, factors)

    monkeypatch.setattr(LowRank, "chosen_rank", fails)
    app._recipe_panel.show(ex.Recipe.of([LowRank(rank=3)]))
    app._turned()
    assert error(app) == "layer '3': rank 3 cannot be reached (ValueError)"
    assert app.session.result.size_bytes == before.size_bytes
    monkeypatch.undo()
    app._turned()
    assert error(app) == ""
    assert app.result["3"].steps == ("Rank 3",)


def test_no_memory_in_preparation_is_told_of_and_the_next_turn_works(make, monkeypatch):
    app = make(network(), samples(), recipe=recipe(50))
    app.wait(WAIT_S)

    def full(*_):
        raise MemoryError

    monkeypatch.setattr(app.session, "is_quick", lambda _recipe: False)
    monkeypatch.setattr(app.session, "ready", lambda _recipe: False)
    monkeypatch.setattr(app.session, "prepare", full)
    turn(app, 60)
    until(lambda: error(app))
    assert error(app).startswith("there is not enough memory for this; what was reached is kept")
    assert error(app).endswith("(MemoryError)")
    assert app._status.progress is None
    monkeypatch.undo()
    turn(app, 65)
    assert app.wait(WAIT_S).sparsity == pytest.approx(0.65, abs=0.01)
    until(lambda: error(app) == "")


def test_a_full_disk_is_told_of_when_a_file_is_made(make, monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    app = make(network(), samples(), recipe=recipe(50))
    app.wait(WAIT_S)
    app._topics.topic = next(topic for topic in TOPICS if topic.title == "Combine")
    view = app._topics["Combine"]["Export"].view
    monkeypatch.setattr(Path, "write_bytes", full)
    view._asked("cmpx")
    box = view._view._box
    until(lambda: box.error)
    assert "No space left on device" in box.error
    assert not box.busy
    monkeypatch.undo()
    view._asked("cmpx")
    until(lambda: box.message.endswith("bytes"))
    assert box.error == ""


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, MemoryError])
def test_a_run_that_is_interrupted_has_ended_and_another_can_begin(raised):
    def records():
        yield 1
        raise raised

    taken, states = [], []
    run = BackgroundRun(taken.append, lambda run: states.append(run.state))
    run.start(records())
    assert run.join(WAIT_S) is State.FAILED
    assert isinstance(run.error, raised)
    assert taken == [1]
    run.start(iter([2]))
    assert run.join(WAIT_S) is State.DONE


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (KeyboardInterrupt, "it was interrupted; what was reached is kept"),
        (MemoryError, "there is not enough memory for this; what was reached is kept"),
    ],
)
def test_interrupted_training_keeps_the_last_good_weights(raised, words, make, monkeypatch):
    part = samples()
    data = Data(TensorDataset(*part[:200]), TensorDataset(*part[200:]))
    app = make(network(), data, recipe=recipe(0))
    app.wait(WAIT_S)
    app._topics.open("Train")
    train = app._topics["Train"]
    steps, good = [], []

    def interrupted(really):
        def step(optimizer, *given):
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            steps.append(None)
            if len(steps) == 9:
                good.extend(p.detach().clone() for p in parameters)
                parameters[0].data.fill_(float("nan"))
                raise raised
            return really(optimizer, *given)

        return step

    for kind in (torch.optim.SGD, torch.optim.Adam):
        monkeypatch.setattr(kind, "step", interrupted(kind.step))
    train.setup.plan = Regularize(n_epochs=50)
    train.start()
    running = train.training
    assert running.join(WAIT_S) is State.FAILED
    until(lambda: train.setup._bar._status.error.startswith(words))
    assert good
    (net,) = running.log.nets().values()
    tensors = list(net.parameters())
    assert all(any(torch.equal(kept, tensor) for tensor in tensors) for kept in good)
    assert all(bool(tensor.isfinite().all()) for tensor in tensors)
    assert app.recipe == recipe(0)
    train.use_trained()
    assert app.wait(WAIT_S).accuracy.n == 100
    assert app.state.model == "trained here 1"


def test_samples_that_fail_in_training_are_told_of_and_nothing_is_lost(make):
    tune = Failing(OSError(errno.EIO, "the disk is gone"))
    app = make(network(), Data(tune, samples()), recipe=recipe(50))
    before = app.wait(WAIT_S)
    state = app.state
    app._topics.open("Train")
    train = app._topics["Train"]
    train.setup.plan = Regularize(n_epochs=2)
    train.start()
    assert train.training.join(WAIT_S) is State.FAILED
    until(lambda: train.setup._bar._status.error == "[Errno 5] the disk is gone")
    assert app.result.accuracy == before.accuracy
    assert app.state.same_work(state)
    tune.error = None
    train.start()
    assert train.training.join(WAIT_S) is State.DONE
    until(lambda: train.setup._bar._status.error == "")


def test_a_metric_goes_with_a_network_that_was_trained_here(make):
    app = make(network(), metric=lambda net: float(net[3].bias[0] > 5), recipe=recipe(0))
    assert app.wait(WAIT_S).accuracy.top1 == 0.0
    net = network()
    net[3].bias.data[0] = 9.0
    app._use(net, recipe(0))
    assert app.wait(WAIT_S).accuracy.top1 == 1.0


def test_the_address_holds_the_last_of_many_turns(make):
    app = make(network(), samples(), recipe=recipe(0))
    for percent in range(0, 90, 3):
        turn(app, percent)
    last = app.state
    until(lambda: app._keeper._address.link != "")
    until(lambda: ex.State.from_link(app._keeper._address.link).recipe == last.recipe)


def open_files():
    return {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.exists()}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of open files here")
def test_closing_while_all_is_busy_leaves_no_thread_and_no_file():
    part = samples()
    data = Data(TensorDataset(*part[:200]), TensorDataset(*part[200:]))
    threads, files = set(threading.enumerate()), open_files()
    app = ex.Explorer(network(), data, recipe=recipe(50))
    app._topics.open("Train")
    train = app._topics["Train"]
    train.setup.plan = Regularize(n_epochs=50_000)
    train.start()
    app._topics.topic = next(topic for topic in TOPICS if topic.title == "Combine")
    turn(app, 80)
    app.close()
    assert {thread.name for thread in set(threading.enumerate()) - threads} == set()
    assert {name for name in open_files() - files if name.startswith("/")} == set()
