"""Plans of training, and runs of them in the background."""

import copy
import math
import threading

import pytest
import torch
from sameness import assert_trained_alike
from torch import nn
from torch.utils.data import TensorDataset

from explorer.codec.model import compress
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.compress.networks.weights import compressible
from explorer.experiments.experiment import OFF, Event, TrainingContext
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.experiments.structure import DropNeurons, ShareWhileTraining
from explorer.measure.accuracy import Accuracy, evaluate
from explorer.session import Session
from explorer.session.background import State, one_thread
from explorer.session.live_recovery import LiveRecovery
from explorer.session.training import Training, TrainingLog
from explorer.train.neurons import Dropped
from explorer.train.retraining import retrain
from explorer.train.settings import TrainSettings
from explorer.zoo.loaded import Data

WAIT_S = 30


def blobs(n, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    centers = 2 * torch.randn(3, 6, generator=torch.Generator().manual_seed(9))
    return TensorDataset(centers[labels] + torch.randn(n, 6, generator=generator), labels)


@pytest.fixture
def data():
    return Data(tune=blobs(128, 1), eval=blobs(90, 2))


@pytest.fixture
def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3)).eval()


@pytest.fixture
def trainee(net, data):
    steps = [Prune(sparsity=0.5), Share(n_clusters=4)]
    return TrainingContext(net, data, lambda: compress(net, steps))


def never():
    return False


def told(plan, trainee, should_stop=never):
    log, moments = TrainingLog(plan, trainee.net), list(plan.events(trainee, should_stop))
    for moment in moments:
        log.add(moment)
    return log, moments


def test_retraining_in_stages_as_the_engine_does_it_beside_pruning_at_once(trainee):
    plan = Retrain(sparsity=0.8, n_stages=2, n_epochs=2)
    log, moments = told(plan, trainee)
    settings = TrainSettings(2, plan.learning_rate, 64)
    expected = list(retrain(trainee.net, trainee.data, (0.3, 0.2), settings))
    assert len(moments) == 1 + len(expected)
    assert_trained_alike(log.nets()[""], expected[-1].net)
    pruned = compress(trainee.net, [Prune(sparsity=0.8)]).restore()
    assert log.reference.top1 == evaluate(pruned, trainee.data.eval).top1
    curves = log.curves()
    assert curves.stages == (4,)
    assert curves.n_steps == 8
    # 0.3 and 0.2 of 72 and 36 weights are 22 and 11, then 14 and 7.
    assert curves.density[""].values[[0, -1]].tolist() == [33 / 108, 21 / 108]
    assert len(curves.held_out[""].steps) == 2 * (1 + 2)


def test_penalties_that_are_off_are_left_out(trainee):
    plan = Regularize(l1=1e-3, n_epochs=1)
    assert [p.name for p in plan.penalties] == ["L1"]
    assert Regularize(l1=OFF).penalties == ()
    log, _ = told(plan, trainee)
    assert set(log.penalties()) == {"L1"}
    assert log.curves().held_out[""].steps.tolist() == [0, 2]
    assert log.accuracies()[""][0] == evaluate(trainee.net, trainee.data.eval)


def test_two_norms_on_the_same_batches(trainee):
    plan = CompareNorms(strength=1e-2, n_epochs=3)
    log, moments = told(plan, trainee)
    assert [m.lane for m in moments] == ["L1", "L2"] * (len(moments) // 2)
    first = {m.lane: m.record.loss for m in moments if m.record.step == 1}
    assert first["L1"] == pytest.approx(first["L2"], rel=1e-5)
    nets = log.nets()
    sums = {k: sum(w.abs().sum() for w in compressible(n).values()) for k, n in nets.items()}
    assert sums["L1"] < sums["L2"]


def test_shared_values_move_and_compress_to_themselves(trainee):
    plan = ShareWhileTraining(n_clusters=4, n_epochs=2)
    log, _ = told(plan, trainee)
    paths = log.centroid_paths("0")
    assert paths.values.shape[1] == 4
    assert (paths.values[0] != paths.values[-1]).any()
    assert log.centroid_paths("nowhere") is None
    net = log.nets()[""]
    kept = compress(net, plan.recipe_after(trainee.recipe)).restore()
    for a, b in zip(net.parameters(), kept.parameters(), strict=True):
        assert torch.equal(a, b)


def test_neurons_are_dropped_at_the_end(trainee):
    log, moments = told(DropNeurons(li=0.1, lo=0.1, learning_rate=0.05, n_epochs=20), trainee)
    dropped = moments[-1].record
    assert isinstance(dropped, Dropped)
    before, after = dropped.neurons["0"]
    assert after < before == 12
    assert log.nets()[""][0].out_features == after
    assert dropped.before == dropped.after


def test_recovery_keeps_zeros_and_shared_values(trainee):
    log, moments = told(Recover(budget_s=0.5), trainee)
    small = trainee.compress().restore()
    assert isinstance(moments[0].record, Accuracy)
    assert log.accuracies()[""][0] == evaluate(small, trainee.data.eval)
    assert moments[-1].record.validation is not None
    for name, weight in compressible(log.nets()[""]).items():
        assert torch.equal(weight == 0, compressible(small)[name] == 0)
        assert len(weight[weight != 0].unique()) <= 4


def test_the_recipe_after_recovery_keeps_what_was_recovered(trainee):
    log, _ = told(Recover(budget_s=0.5), trainee)
    steps = [PruneNeurons(fraction=0.2), Prune(sparsity=0.5), Share(n_clusters=4), Entropy()]
    recipe = Recover().recipe_after(Recipe.of({"0": steps, "*": [Prune(sparsity=0.5)]}))
    assert recipe.steps_for("0") == (Prune(sparsity=0.0), Share(n_clusters=4), Entropy())
    assert recipe.steps_for("2") == (Prune(sparsity=0.0),)
    kept = compress(log.nets()[""], recipe).restore()
    for a, b in zip(log.nets()[""].parameters(), kept.parameters(), strict=True):
        assert torch.equal(a, b)


def test_recovery_refuses_steps_that_training_would_undo(net, data):
    trainee = TrainingContext(net, data, lambda: compress(net, [LowRank(rank=2)]))
    with pytest.raises(ValueError, match=r"training would undo the step .*: use Prune"):
        list(Recover().events(trainee, never))


@pytest.mark.parametrize(
    "plan",
    [Retrain(), Regularize(), CompareNorms(), ShareWhileTraining(), DropNeurons(), Recover()],
    ids=lambda plan: plan.title,
)
def test_a_plan_leaves_the_network_alone_and_stops_when_told(plan, trainee):
    before = copy.deepcopy(trainee.net.state_dict())
    asked = iter(range(10**6))
    moments = list(plan.events(trainee, lambda: next(asked) > 12))
    assert len(moments) < 60
    assert all(isinstance(moment, Event) for moment in moments)
    for name, tensor in trainee.net.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Retrain(sparsity=95), r"Retrain: sparsity must be in \[0, 1\]; got 95"),
        (lambda: Retrain(n_stages=0), "Retrain: n_stages must be from 1"),
        (lambda: Recover(budget_s=0), "Recover: budget_s must be finite and positive; got 0"),
        (lambda: Regularize(l1=-1.0), "Regularize: l1 must be finite and at least 0"),
    ],
)
def test_bad_dials_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_data_without_two_parts_are_refused(net):
    with pytest.raises(ValueError, match="data: there is none to train on"):
        TrainingContext(net, None, never)
    with pytest.raises(ValueError, match="training needs samples apart from those"):
        TrainingContext(net, blobs(9, 1), never)


class Watched:
    def __init__(self, plan, trainee):
        self.states, self.n_heard = [], 0
        self.training = Training(plan, trainee, self.heard, self.changed)

    def heard(self, training):
        self.n_heard += 1

    def changed(self, training):
        self.states.append(training.state)


def test_a_run_in_the_background_to_its_end(trainee):
    watched = Watched(Regularize(n_epochs=2), trainee)
    training = watched.training
    with pytest.raises(RuntimeError, match="training is under way"):
        training.trained()
    training.start()
    assert training.join(WAIT_S) is State.DONE
    assert watched.states == [State.RUNNING, State.DONE]
    assert watched.n_heard >= 1
    log, _ = told(Regularize(n_epochs=2), trainee)
    assert_trained_alike(training.trained(), log.nets()[""])
    assert training.trained() is not log.nets()[""]


def begin(plan, trainee):
    """Start a run, and wait until it has done steps."""
    begun = threading.Event()

    def heard(training):
        if training.log.newest is not None and training.log.newest.step:
            begun.set()

    training = Training(plan, trainee, heard, lambda _training: None)
    training.start()
    assert begun.wait(WAIT_S)
    return training


def test_paused_the_network_can_be_used_and_stopped_it_stays(trainee):
    training = begin(Regularize(n_epochs=20_000), trainee)
    training.pause()
    assert training.still
    training.stop()
    assert training.join(WAIT_S) is State.STOPPED
    record = training.log.newest
    assert 0 < record.step < record.n_steps
    assert evaluate(training.trained(), trainee.data.eval).n == 90


def test_neurons_are_dropped_also_when_stopped_early(trainee):
    training = begin(DropNeurons(n_epochs=20_000), trainee)
    training.stop()
    assert training.join(WAIT_S) is State.STOPPED
    assert training.log.dropped is not None


def test_a_loss_that_is_no_number_ends_the_run_in_words(trainee):
    watched = Watched(Regularize(l1=0.1, learning_rate=1e30, n_epochs=5), trainee)
    watched.training.start()
    assert watched.training.join(WAIT_S) is State.FAILED
    assert "the loss is not finite" in str(watched.training.error)
    for tensor in watched.training.trained().parameters():
        assert bool(torch.isfinite(tensor).all())


def test_closed_nobody_is_told(trainee):
    watched = Watched(Regularize(n_epochs=20_000), trainee)
    watched.training.start()
    watched.training.close()
    watched.training.join(WAIT_S)
    assert State.STOPPED not in watched.states


def test_one_thread_here_and_as_many_as_before_elsewhere():
    before, seen = torch.get_num_threads(), []

    def work():
        with one_thread():
            seen.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert seen == [1, before]
    assert torch.get_num_threads() == before


def test_live_recovery_tells_how_accuracy_comes_back_once_for_each_result(net, data):
    with torch.no_grad():
        net[2].weight.mul_(3)
    session = Session(net, data)
    session.apply([Prune(sparsity=0.6)])
    result, heard, done = session.wait(WAIT_S), [], threading.Event()

    def hear(recovered):
        heard.append(recovered)
        if recovered.elapsed_s >= 0.2:
            done.set()

    recovery = LiveRecovery(hear, heard.append)
    recovery.start(session, result, Recover(budget_s=0.5))
    recovery.start(session, result, Recover(budget_s=0.5))
    assert done.wait(WAIT_S)
    recovery.stop()
    recovery.close()
    assert heard[0].before.top1 == result.accuracy.top1
    assert math.isfinite(heard[-1].now.top1)
    session.close()


def test_live_recovery_says_what_it_cannot_do(net, data):
    session, failed = Session(net, data), []
    session.apply([LowRank(rank=2)])
    told_of = threading.Event()
    recovery = LiveRecovery(lambda _r: None, lambda error: (failed.append(error), told_of.set()))
    recovery.start(session, session.wait(WAIT_S), Recover())
    assert told_of.wait(WAIT_S)
    assert "training would undo the step" in str(failed[0])
    recovery.close()
    session.close()
