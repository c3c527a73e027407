"""Plans of distillation: what they train, tell and hand over."""

import math
import threading
from functools import partial

import pytest
import torch
from sameness import assert_same_outputs, assert_trained_alike
from torch import nn
from torch.utils.data import TensorDataset

from explorer.codec.model import compress
from explorer.experiments.distillation import (
    LABELS,
    STUDENT,
    TEACHER,
    DistillationContext,
    Stage,
    StagedRun,
    finished,
    middle_layer,
    redrawn,
)
from explorer.experiments.experiment import TrainingContext
from explorer.experiments.lessons import NOISY, NOISY_TEACHER, UnseenClass, WrongLabels
from explorer.experiments.students import ShapesCompared, StudentBesideStudent
from explorer.measure.accuracy import evaluate
from explorer.measure.gallery import class_names
from explorer.session.background import State
from explorer.session.training import Training, TrainingLog
from explorer.train.data_variants import corrupt_labels
from explorer.train.distillation import distill
from explorer.train.record import TrainRecord
from explorer.train.settings import TrainSettings
from explorer.train.targets import SoftTargets
from explorer.train.teacher import Answers, answered
from explorer.zoo.loaded import Data
from explorer.zoo.students import two_layers

WAIT_S = 30


def blobs(n, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    centers = 2 * torch.randn(3, 6, generator=torch.Generator().manual_seed(9))
    return TensorDataset(centers[labels] + torch.randn(n, 6, generator=generator), labels)


@pytest.fixture
def data():
    return Data(tune=blobs(128, 1), eval=blobs(90, 2), classes=("a", "b", "c"))


@pytest.fixture
def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3)).eval()


MAKERS = {
    "wide": partial(two_layers, input_shape=(6,), n_classes=3),
    "shallow": lambda n: nn.Sequential(nn.Linear(6, n), nn.ReLU(), nn.Linear(n, 3)),
    "deep": lambda n: two_layers(n, input_shape=(6,), n_classes=3),
}


@pytest.fixture
def pupil(net, data):
    return DistillationContext(net, data, lambda: compress(net, None), makers=MAKERS)


def told(plan, pupil, should_stop=lambda: False):
    log = TrainingLog(plan, pupil.net)
    steps = []
    for moment in plan.events(pupil, should_stop):
        log.add(moment)
        if isinstance(moment.record, TrainRecord):
            steps.append((moment.lane, moment.record.step, moment.record.n_steps))
    return log, steps


def test_students_start_alike_and_one_learns_from_the_teacher(pupil, data):
    plan = StudentBesideStudent(width=8, n_seeds=2, n_epochs=1)
    log, steps = told(plan, pupil)
    assert [step for lane, step, _ in steps if lane == TEACHER] == [0, 1, 2, 2, 3, 4]
    assert {n for _, _, n in steps} == {4}
    assert log.curves().stages == (2,)
    assert log.curves().stage == "seed"
    graduates = log.found[STUDENT]
    assert [(each.name, each.seed) for each in graduates] == [
        (LABELS, 0),
        (TEACHER, 0),
        (LABELS, 1),
        (TEACHER, 1),
    ]
    *_, expected = distill(
        pupil.net,
        pupil.student(8, 1),
        data,
        TrainSettings(1, plan.learning_rate, 64, optimizer="adam", seed=1),
        target=SoftTargets(plan.temperature, plan.mix),
    )
    assert graduates[-1].accuracy == expected.validation
    assert_trained_alike(log.nets()[TEACHER], expected.net)
    assert log.reference == evaluate(pupil.net, data.eval)
    assert set(log.parts()[TEACHER]) == {"soft", "hard"}


@pytest.mark.parametrize(("what", "part"), [("logits", "logits"), ("hints", "hint")])
def test_other_targets(pupil, what, part):
    plan = StudentBesideStudent(width=8, what=what, n_seeds=1, n_epochs=1)
    log, _ = told(plan, pupil)
    assert part in log.parts()[TEACHER]
    assert part not in log.parts()[LABELS]


def test_hints_come_from_a_copy_that_nobody_else_uses(pupil, net):
    asked = []
    net.register_forward_hook(lambda module, *_: asked.append(module is net))
    told(StudentBesideStudent(width=8, what="hints", n_seeds=1, n_epochs=1), pupil)
    assert sum(asked) == 1
    assert len(asked) > 1


def test_kept_logits_are_used_and_asked_for_once(pupil, net, data):
    n_asked = []
    net.register_forward_hook(lambda *_: n_asked.append(1))
    answers = Answers(net, data)
    with_logits = DistillationContext(net, data, pupil.compress, makers=MAKERS, logits=answers.tune)
    log, _ = told(StudentBesideStudent(width=8, n_seeds=2, n_epochs=1), with_logits)
    once = len(n_asked)
    answers.tune()
    assert len(n_asked) == once
    plain, _ = told(StudentBesideStudent(width=8, n_seeds=2, n_epochs=1), pupil)
    assert log.found[STUDENT] == plain.found[STUDENT]


def test_answers_are_asked_for_once_and_again_after_a_stop(net, data):
    n_asked = []
    net.register_forward_hook(lambda *_: n_asked.append(1))
    answers = Answers(net, data)
    assert answers.held_out(lambda: True) is None
    assert n_asked == []
    found = answers.held_out()
    assert answers.held_out() is found
    assert len(n_asked) == 1
    assert torch.equal(found.labels, data.eval.tensors[1])
    assert_same_outputs(found.logits, net(data.eval.tensors[0]).detach())


def test_shapes_are_taught_one_after_the_other(pupil):
    log, steps = told(ShapesCompared(n_weights=16, n_epochs=1), pupil)
    groups = [(each.group, each.name) for each in log.found[STUDENT]]
    assert groups == [(g, n) for g in ("shallow", "deep") for n in (LABELS, TEACHER)]
    assert steps[-1][1:] == (4, 4)
    assert log.curves().stages == (2,)


def test_a_teacher_on_wrong_labels_is_trained_first_and_told_of(pupil, data):
    plan = WrongLabels(noise=0.25, width=8, n_epochs=2)
    log, steps = told(plan, pupil)
    assert [step for lane, step, _ in steps if lane == NOISY_TEACHER] == list(range(13))
    assert [step for lane, step, _ in steps if lane == NOISY] == list(range(12, 17))
    assert {n for _, _, n in steps} == {16}
    found = log.found["labels"][0]
    assert found.corrected.n_corrupted == 32
    assert len(found.pictures) == min(24, found.corrected.n_corrected) > 0
    truth = data.tune.tensors[1]
    for each in found.pictures:
        assert each.true == each.answer == "abc"[truth[each.sample]]
        assert each.label != each.true
        assert each.pixels is None
    assert [each.name for each in log.found[STUDENT]] == [NOISY_TEACHER, NOISY, TEACHER]
    noisy, _ = corrupt_labels(truth, 0.25, 3)
    *_, expected = distill(
        log.nets()[NOISY_TEACHER],
        pupil.student(8, 1),
        (data.tune.tensors[0], noisy),
        plan.settings(2, plan.learning_rate),
        target=plan.target,
    )
    assert_trained_alike(log.nets()[TEACHER], expected.net)


def test_an_unseen_class_is_not_among_the_samples_and_the_student_is_asked(pupil, data):
    log, steps = told(UnseenClass(label=1, width=8, n_epochs=1), pupil)
    assert steps[-1][1:] == (1, 1)
    answers = log.found["answers"][0]
    assert_same_outputs(answers.logits, log.nets()[TEACHER](data.eval.tensors[0]).detach())
    assert (answers.labels == 1).sum() == 30
    with pytest.raises(ValueError, match="no sample is of class 7"):
        told(UnseenClass(label=7), pupil)


def test_a_students_own_shape_is_kept_and_drawn_anew(net, data):
    torch.manual_seed(3)
    own = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    pupil = DistillationContext(net, data, lambda: compress(net, None), makers=MAKERS, own=own)
    assert pupil.student(None, 0) is own
    other = pupil.student(None, 1)
    assert other[0].weight.shape == own[0].weight.shape
    assert not torch.equal(other[0].weight, own[0].weight)
    assert torch.equal(pupil.student(None, 1)[0].weight, other[0].weight)
    assert not torch.equal(redrawn(own)[0].weight, own[0].weight)
    log, _ = told(StudentBesideStudent(width=None, n_seeds=1, n_epochs=1), pupil)
    assert log.found[STUDENT][0].n_weights == 6 * 5 + 5 + 5 * 3 + 3


def test_a_run_that_is_stopped_tells_of_no_student(pupil):
    for plan in (
        StudentBesideStudent(width=8, n_epochs=4),
        WrongLabels(width=8),
        UnseenClass(width=8, label=1),
    ):
        asked = []

        def stop(asked=asked):
            asked.append(1)
            return len(asked) > 6

        log, _ = told(plan, pupil, stop)
        assert STUDENT not in log.found


def test_the_named_network_is_handed_over(pupil):
    plan = StudentBesideStudent(width=8, n_seeds=1, n_epochs=1)
    training = Training(plan, pupil, lambda _: None, lambda _: None)
    with pytest.raises(RuntimeError, match="under way"):
        training.trained()
    training.start()
    assert training.join(WAIT_S) is State.DONE
    expected = training.log.nets()[TEACHER]
    for a, b in zip(training.trained().parameters(), expected.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not [t for t in threading.enumerate() if t.name == "explorer-training"]


def test_what_does_not_fit_is_said(net, data, pupil):
    own = nn.Linear(6, 5).eval()
    wrong = DistillationContext(net, data, pupil.compress, makers=MAKERS, own=own)
    with pytest.raises(ValueError, match="student: it has 5 outputs, the teacher 3"):
        told(StudentBesideStudent(width=None), wrong)
    with pytest.raises(ValueError, match="in train mode"):
        DistillationContext(net.train(), data, pupil.compress)
    net.eval()
    with pytest.raises(TypeError, match="context must be a DistillationContext"):
        context = TrainingContext(net, data, pupil.compress)
        next(StudentBesideStudent().events(context, lambda: False))
    with pytest.raises(ValueError, match="the teacher has none; choose soft"):
        middle_layer(nn.Linear(6, 3), "teacher")
    with pytest.raises(ValueError, match="what must be one of 'soft targets'"):
        StudentBesideStudent(what="dreams")
    with pytest.raises(ValueError, match="temperature must be"):
        UnseenClass(temperature=0.0)
    with pytest.raises(ValueError, match="noise must be in"):
        WrongLabels(noise=1.5)
    with pytest.raises(ValueError, match="n_seeds must be from 1"):
        StudentBesideStudent(n_seeds=0)


def test_a_loss_that_is_not_finite_ends_the_run(pupil):
    with pytest.raises(ValueError, match="not finite"):
        told(StudentBesideStudent(width=8, learning_rate=1e30, n_epochs=4), pupil)


def test_a_course_counts_steps_and_time_of_all_stages():
    def records(n):
        for step in range(n + 1):
            yield TrainRecord(None, step, n, 1, 0.0, {}, 0.0, 0.1, {}, float(step), 9.0)

    course = StagedRun([Stage(2, 1), Stage(3, 2)], n_lanes=2)
    first = list(course.follow(0, {"a": records(2)}))
    second = list(course.follow(1, {"b": records(3), "c": records(3)}))
    assert [moment.record.step for moment in first] == [0, 1, 2]
    assert first[-1].record.remaining_s == pytest.approx(2.0 / 2 * 6 / 2)
    assert second[-1].record.step == 5
    assert second[-1].record.remaining_s == 0.0
    assert second[0].record.stage == 1
    assert not finished({"a": first[-1].record})
    assert not finished({})


def test_names_and_answers_of_odd_data(net, data):
    assert class_names(data, 3) == ("a", "b", "c")
    assert class_names(data, 2) == ("0", "1")
    with pytest.raises(TypeError, match="expected pairs"):
        answered(net, iter([1]))
    with torch.no_grad():
        net[0].bias[0] = math.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        answered(net, data.eval)
