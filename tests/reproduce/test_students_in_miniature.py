from dataclasses import replace
from statistics import fmean, stdev

import pytest
import torch
from safetensors.torch import load_file

from explorer.reproduce import Digits, Moment, run, write
from explorer.reproduce.ba_caruana import BaCaruanaSettings
from explorer.reproduce.hinton import agreement
from explorer.reproduce.log import on_threads
from explorer.reproduce.reproductions import PLANS
from explorer.train.data_variants import fresh
from explorer.train.settings import TrainSettings
from explorer.zoo import load
from explorer.zoo.architectures import mnist_student


@pytest.fixture(scope="module")
def few():
    return Digits.sample().first(200)


def brief(train, n_epochs=1):
    return replace(train, n_epochs=n_epochs, batch_size=50)


@pytest.fixture(scope="module")
def hinton_records(few):
    settings = PLANS["hinton-mnist"].settings
    settings = replace(settings, train=brief(settings.train, n_epochs=2))
    return list(run("hinton-mnist", digits=few, settings=settings))


@pytest.fixture(scope="module")
def ba_caruana_records(few):
    plan = PLANS["ba-caruana-mnist"].settings
    settings = replace(
        plan,
        n_weights=8_000,
        train=brief(plan.train),
        n_images=150,
        seeds=(3, 4, 5),
    )
    return list(run("ba-caruana-mnist", digits=few, settings=settings))


def share_right(net, split):
    images, labels = split.tensors
    with torch.inference_mode():
        return (net(images).argmax(1) == labels).double().mean().item()


def test_each_epoch_of_both_students_is_told(hinton_records):
    *moments, result = hinton_records
    assert all(isinstance(moment, Moment) for moment in moments)
    assert [m.stage for m in moments] == ["teacher", *["labels"] * 2, *["distill"] * 2]
    assert [m.epoch for m in moments] == [0, 1, 2, 3, 4]
    n_student, n_teacher = 784 * 800 + 800**2 + 8000, 25 * 32 + 25 * 32 * 64 + 1024 * 2048 + 20_480
    assert [m.density for m in moments[1:]] == [n_student / n_teacher] * 4
    assert result.reached["n_weights"] == n_student


def test_the_students_figures_are_those_of_the_networks_kept(hinton_records, few, tmp_path):
    result = hinton_records[-1]
    reached = result.reached
    write(result, tmp_path)
    errors = {}
    for name, net in result.networks.items():
        again, _ = load(name, tmp_path / f"{name}.safetensors")
        assert torch.equal(again.fc2.weight, net.fc2.weight)
        assert {t.dtype for t in load_file(tmp_path / f"{name}.safetensors").values()} == {
            torch.float16
        }
        errors[name] = 1 - share_right(again, few.test)
    assert reached["error_plain"] == pytest.approx(errors["mnist-student"])
    assert reached["error"] == pytest.approx(errors["mnist-student-distilled"])
    assert reached["error_of_plain"] == pytest.approx(reached["error"] / reached["error_plain"])
    assert result.accuracy.top1 == pytest.approx(1 - reached["error"])
    teacher = load("mnist-teacher").net
    assert reached["error_ref"] == pytest.approx(1 - share_right(teacher, few.test))
    assert result.reproduced == (reached["error_of_plain"] <= 0.6)


def test_both_students_start_from_the_same_weights(hinton_records):
    seed = PLANS["hinton-mnist"].settings.train.seed
    first = fresh(mnist_student, seed).state_dict()
    for net in hinton_records[-1].networks.values():
        moved = (net.fc1.weight - first["fc1.weight"]).norm() / first["fc1.weight"].norm()
        assert 0 < moved < 0.5
    assert torch.equal(fresh(mnist_student, seed).fc1.weight, first["fc1.weight"])
    assert not torch.equal(fresh(mnist_student, seed + 1).fc1.weight, first["fc1.weight"])


def test_pairs_are_summed_up_seed_by_seed(ba_caruana_records):
    *moments, result = ba_caruana_records
    assert len(moments) == 1 + 2 * 3
    assert moments[1].stage == "labels, seed 3"
    assert moments[-1].stage == "mimic, seed 5"
    labels, mimic = result.curves["labels"], result.curves["mimic"]
    assert [seed for seed, _ in mimic] == [3, 4, 5]
    gains = [own - plain for (_, plain), (_, own) in zip(labels, mimic, strict=True)]
    reached = result.reached
    assert reached["mean_error_mimic"] == pytest.approx(1 - fmean(y for _, y in mimic))
    assert reached["sd_error_labels"] == pytest.approx(stdev(y for _, y in labels))
    assert reached["mean_error_gain"] == pytest.approx(fmean(gains))
    assert reached["sd_error_gain"] == pytest.approx(stdev(gains))
    assert reached["least_error_gain"] == pytest.approx(min(gains))
    assert reached["n_seeds"] == 3
    assert result.accuracy.top1 == mimic[0][1]


def test_agreement_is_summed_up_too(ba_caruana_records):
    result = ba_caruana_records[-1]
    labels, mimic = (result.curves[f"{stage}, agreement"] for stage in ("labels", "mimic"))
    gains = [own - plain for (_, plain), (_, own) in zip(labels, mimic, strict=True)]
    assert result.reached["mean_agreement_gain"] == pytest.approx(fmean(gains))
    goals = {goal.figure for goal in result.goals}
    assert goals == {"least_error_gain", "least_agreement_gain"}
    least = min(result.reached[figure] for figure in goals)
    assert result.reproduced == (least >= 1e-4)


def test_one_seed_has_no_spread():
    train = TrainSettings()
    with pytest.raises(ValueError, match=r"seeds must be two or more, for a spread; got \(1,\)"):
        BaCaruanaSettings(8000, train, 100, seeds=(1,))


def test_agreement_by_hand():
    images = torch.tensor([[2.0, 1.0], [1.0, 2.0], [3.0, 1.0], [0.0, 5.0]])
    always_first = torch.nn.Linear(2, 2)
    with torch.no_grad():
        always_first.weight.zero_()
        always_first.bias.copy_(torch.tensor([1.0, 0.0]))
    assert agreement(torch.nn.Identity(), always_first, images) == 0.5
    assert agreement(always_first, always_first, images) == 1.0


def test_threads_are_set_only_while_a_record_is_made():
    outer = torch.get_num_threads()
    seen = []

    def records():
        for number in range(2):
            seen.append(torch.get_num_threads())
            yield number

    for _ in on_threads(outer + 1, records()):
        assert torch.get_num_threads() == outer
    assert seen == [outer + 1] * 2
