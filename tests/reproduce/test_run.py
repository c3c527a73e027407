from dataclasses import replace
from itertools import pairwise

import pytest
import torch

import explorer as ex
from explorer.compress.networks.weights import compressible
from explorer.reproduce import Digits, Moment, Reproduction, names, run
from explorer.reproduce.log import n_left
from explorer.reproduce.reproductions import PLANS

HAN = [name for name in names() if "han2015" in name or "deep-compression" in name]


@pytest.fixture(scope="module")
def digits():
    return Digits.sample().first(300)


@pytest.fixture(scope="module")
def few(digits):
    return digits.first(128)


def short(settings, **changes):
    """The same settings, one epoch a stage."""
    stages = {
        name: getattr(settings, name, None) for name in ("prune", "share", "train", "retrain")
    }
    brief = {name: replace(stage, n_epochs=1) for name, stage in stages.items() if stage}
    return replace(settings, **brief, **changes)


def told(name, digits, settings):
    *moments, result = run(name, digits=digits, settings=settings)
    assert all(isinstance(moment, Moment) for moment in moments)
    assert isinstance(result, Reproduction)
    assert result.name == name
    assert list(result.history) == moments
    assert moments[0].density == 1.0
    assert all(a.seconds <= b.seconds for a, b in pairwise(moments))
    assert result.seconds >= moments[-1].seconds
    return result


def restored_from_file(result, tmp_path):
    path = tmp_path / "small.cmpx"
    assert result.model.save(path) == result.reached["size_bytes"]
    return ex.open(path).restore()


def share_right(net, split):
    images, labels = split.tensors
    with torch.inference_mode():
        return (net(images).argmax(1) == labels).double().mean().item()


@pytest.mark.parametrize("name", HAN)
def test_pruning_with_retraining_in_miniature(name, few, tmp_path):
    settings = short(PLANS[name].settings)
    result = told(name, few, settings)
    again = restored_from_file(result, tmp_path)
    assert n_left(again) == settings.n_weights == result.reached["n_weights"]
    for weight in compressible(again).values():
        if settings.n_clusters:
            assert len(weight[weight != 0].unique()) <= settings.n_clusters.get("*", 16)
    assert result.accuracy.top1 == pytest.approx(share_right(again, few.test))
    small = result.model.compression_ratio
    n = sum(weight.numel() for weight in compressible(again).values())
    expected = small if settings.n_clusters else n / settings.n_weights
    assert result.reached["rate"] == pytest.approx(expected)
    assert expected > 12


def test_the_record_in_miniature(few, tmp_path):
    settings = short(PLANS["record-lenet-5"].settings, n_weights=1000)
    result = told("record-lenet-5", few, settings)
    again = restored_from_file(result, tmp_path)
    layers = compressible(again)
    assert 0 < n_left(again) <= 1000
    for name, n in settings.n_neurons.items():
        assert 0 < len(layers[name]) <= n
    for weight in layers.values():
        assert len(weight[weight != 0].unique()) <= settings.n_clusters["*"]
    assert result.reached["rate"] == pytest.approx(4 * 431_080 / result.reached["size_bytes"])
    assert result.accuracy.top1 == pytest.approx(share_right(again, few.test))


def test_dropneuron_in_miniature(few, tmp_path):
    plan = PLANS["dropneuron-lenet-5"].settings
    harsh = tuple(replace(p, strength=p.strength * 100) for p in plan.penalties)
    settings = short(plan, n_stages=1, penalties=harsh, threshold=0.05)
    result = told("dropneuron-lenet-5", few, settings)
    again = restored_from_file(result, tmp_path)
    layers = compressible(again)
    assert len(layers["fc1"]) < 500
    assert result.reached["n_units"] == sum(len(weight) for weight in layers.values())
    assert result.reached["n_units_ref"] == 580
    assert result.reached["n_neurons_ref"] == 800 + 500 + 10
    dense = [layers[name] for name in ("fc1", "fc2")]
    left = sum(int(weight.count_nonzero()) for weight in dense)
    assert result.reached["fc_density"] == left / (800 * 500 + 500 * 10)


def test_three_criteria_in_miniature(digits):
    settings = replace(PLANS["obd"].settings, densities=(1.0, 0.2, 0.05), n_saliency=200)
    result = told("obd", digits, settings)
    assert set(result.curves) == {"obd", "magnitude", "random"}
    assert [density for density, _ in result.curves["obd"]] == [1.0, 0.2, 0.05]
    assert len({curve[0][1] for curve in result.curves.values()}) == 1
    assert result.reached["magnitude_above_random"] > 0.1
    means = {name: sum(y for _, y in curve) / 3 for name, curve in result.curves.items()}
    difference = means["obd"] - means["magnitude"]
    assert result.reached["obd_above_magnitude"] == pytest.approx(difference)
    assert result.reproduced == (difference >= 0)
    assert result.model is None


def test_the_parts_of_the_sample_share_no_image():
    digits = Digits.sample()
    parts = [digits.train[0], digits.validation.tensors[0], digits.test.tensors[0]]
    assert [len(part) for part in parts] == [3000, 1000, 1000]
    seen = [{image.numpy().tobytes() for image in part} for part in parts]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


def test_fewer_images_keep_their_labels(digits):
    first = digits.first(50)
    images, labels = first.train
    rows = {image.numpy().tobytes(): int(y) for image, y in zip(*digits.train, strict=True)}
    assert [rows[image.numpy().tobytes()] for image in images] == labels.tolist()


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"one of han2015-lenet-300-100, .*got 'lenet'"):
        run("lenet")


def test_settings_of_another_kind_are_refused(few):
    with pytest.raises(TypeError, match="expected StudentSettings for 'record-lenet-5'; got Drop"):
        run("record-lenet-5", digits=few, settings=PLANS["dropneuron-lenet-5"].settings)
