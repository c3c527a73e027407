"""Plans of training as Python to copy: the same training by the public functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.experiments.dials import BATCH
from explorer.experiments.experiment import Experiment
from explorer.experiments.lessons import DECAY, EPOCHS, WIDER, UnseenClass, WrongLabels
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.experiments.structure import DropNeurons, ShareWhileTraining
from explorer.experiments.students import ShapesCompared, StudentBesideStudent
from explorer.train.penalties import Penalty

TELL = """\
    if record.validation is not None:
        judged.append(record.validation.top1)
        print(f"step {record.step:,}: {record.validation.top1:.2%} right")
"""


def plan_text(plan: Experiment) -> str:
    """Return Python that trains as a plan does, given ``net``, ``data`` and ``recipe``.

    The accuracies on held-out samples are put in a list ``judged``, in the order of the run.

    Parameters
    ----------
    plan : Experiment

    Raises
    ------
    TypeError
        If this kind of plan is not known.
    """
    if type(plan) not in _TEXTS:
        raise TypeError(f"plan: no code is known for a {type(plan).__name__}")
    return "judged = []\n" + _TEXTS[type(plan)](plan)


def _settings(n_epochs: int, rate: float, **more: object) -> str:
    extra = "".join(f", {name}={value!r}" for name, value in more.items())
    return (
        f"settings = ex.TrainSettings(\n"
        f"    n_epochs={n_epochs}, learning_rate={rate!r}, batch_size={BATCH}{extra}\n)\n"
    )


def _penalty(penalty: Penalty) -> str:
    return f"ex.{type(penalty).__name__}(strength={penalty.strength!r})"


def _penalties(plan: Experiment) -> str:
    return f"penalties = ({''.join(f'{_penalty(one)}, ' for one in plan.penalties).strip()})\n"


def _retrain(plan: Retrain) -> str:
    return (
        _settings(plan.n_epochs, plan.learning_rate)
        + _penalties(plan)
        + f"kept = ex.gradual(1 - {plan.sparsity!r}, {plan.n_stages})\n"
        + "for record in ex.retrain(net, data, kept, settings, penalties=penalties):\n"
        + TELL
    )


def _regularize(plan: Regularize) -> str:
    return (
        _settings(plan.n_epochs, plan.learning_rate)
        + _penalties(plan)
        + "for record in ex.train(net, data, settings, penalties=penalties):\n"
        + TELL
    )


def _norms(plan: CompareNorms) -> str:
    return (
        _settings(plan.n_epochs, plan.learning_rate)
        + f"for penalty in ({', '.join(map(_penalty, plan.penalties))}):\n"
        + "    print(penalty)\n"
        + "    for record in ex.train(net, data, settings, penalties=[penalty]):\n"
        + _indented(TELL)
    )


def _share(plan: ShareWhileTraining) -> str:
    steps = f"[ex.Prune(sparsity=0.0), ex.Share(n_clusters={plan.n_clusters})]"
    return (
        _settings(plan.n_epochs, plan.learning_rate, optimizer="adam")
        + f"shared = {steps}\n"
        + "for record in ex.train_shared(net, data, shared, settings):\n"
        + TELL
    )


def _drop(plan: DropNeurons) -> str:
    return (
        _settings(plan.n_epochs, plan.learning_rate)
        + _penalties(plan)
        + "found = ex.drop_neurons(\n"
        + f"    net, data, settings, penalties=penalties, threshold={plan.threshold!r}\n)\n"
        + "for record in found:\n"
        + "    if isinstance(record, ex.TrainRecord):\n"
        + _indented(TELL)
        + "    else:\n"
        + '        print("neurons before and after:", dict(record.neurons))\n'
        + "        judged.append(record.after.top1)\n"
    )


def _recover(plan: Recover) -> str:
    return (
        "from explorer.experiments.recovery import shared_groups\n"
        "small = ex.compress(net, recipe, data=data)\n"
        "groups = shared_groups(small)\n"
        f"for record in ex.recover(small.restore(), data, groups=groups, budget_s={plan.budget_s}):"
        "\n    pass\n"
        "judged.append(ex.evaluate(record.net, data.eval).top1)\n"
        'print(f"step {record.step:,}: {judged[-1]:.2%} right")\n'
    )


_STUDENTS = "import torch\nfrom explorer.experiments.student_networks import makers\n"


def _student(shape: str, size: int | str, seed: int | str) -> str:
    return f"torch.manual_seed({seed})\nstudent = make[{shape}]({size}).eval()\n"


def _taught(data: str = "data", teacher: str = "net") -> str:
    return f"for record in ex.distill({teacher}, student, {data}, settings, target=target):\n{TELL}"


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def _beside(plan: StudentBesideStudent) -> str:
    target, more = repr_target(plan.target), ""
    made = _student("'wide'", plan.width or 0, "seed")
    if plan.width is None:
        made = "student = my_student  # your own\n"
    if plan.what == "hints":
        more = "from explorer.experiments.distillation import middle_layer\n"
        layers = "middle_layer(net, 'teacher'), middle_layer(student, 'student')"
        target = f"ex.Hints({layers}, target={target})"
    settings = _settings(plan.n_epochs, plan.learning_rate, optimizer="adam")
    body = made + settings.replace("\n)", ", seed=seed\n)")
    body += f"for target in (ex.HardLabels(), {target}):\n" + _indented(_taught())
    return (
        f"{_STUDENTS}{more}make = makers(net, data)\n"
        f"for seed in range({plan.n_seeds}):\n{_indented(body)}"
    )


def _shapes(plan: ShapesCompared) -> str:
    body = _student("shape", plan.n_weights, 0)
    body += f"for target in (ex.HardLabels(), {repr_target(plan.target)}):\n" + _indented(_taught())
    return (
        f"{_STUDENTS}make = makers(net, data)\n"
        + _settings(plan.n_epochs, plan.learning_rate, optimizer="adam")
        + "for shape in [name for name in make if name != 'wide']:\n"
        + _indented(body)
    )


def _unseen(plan: UnseenClass) -> str:
    made = _student("'wide'", plan.width or 0, 0)
    if plan.width is None:
        made = "student = my_student  # your own\n"
    return (
        f"{_STUDENTS}from explorer.train.data_variants import without_class\n"
        f"others = without_class(data, {plan.label})\nmake = makers(net, data)\n"
        + made
        + _settings(plan.n_epochs, plan.learning_rate, optimizer="adam")
        + f"target = {repr_target(plan.target)}\n"
        + _taught("others")
    )


def _wrong(plan: WrongLabels) -> str:
    rate = plan.learning_rate
    return (
        f"{_STUDENTS}from explorer.train.data_variants import corrupt_labels\n"
        "from explorer.train.samples import Samples\n"
        "samples = Samples(data)\n"
        "inputs, labels = samples.take(torch.arange(samples.n))\n"
        f"noisy, _ = corrupt_labels(labels, {plan.noise!r}, net(inputs[:1]).shape[1])\n"
        "wrong = ex.Data(torch.utils.data.TensorDataset(inputs, noisy), data.eval)\n"
        "make = makers(net, data)\ntorch.manual_seed(0)\n"
        f"teacher = make['wide']({WIDER * plan.width}).eval()\n"
        + _settings(EPOCHS, rate, optimizer="adam", weight_decay=DECAY)
        + "for record in ex.train(teacher, wrong, settings):\n"
        + TELL
        + "teacher = record.net.eval()\n"
        + _student("'wide'", plan.width, 1)
        + _settings(plan.n_epochs, rate, optimizer="adam")
        + f"for target in (ex.HardLabels(), {repr_target(plan.target)}):\n"
        + _indented(_taught("wrong", "teacher"))
    )


def repr_target(target: object) -> str:
    """Return a target of distillation as Python."""
    return f"ex.{target!r}"


_TEXTS: dict[type[Experiment], Callable[[Any], str]] = {
    Retrain: _retrain,
    Regularize: _regularize,
    CompareNorms: _norms,
    ShareWhileTraining: _share,
    DropNeurons: _drop,
    Recover: _recover,
    StudentBesideStudent: _beside,
    ShapesCompared: _shapes,
    UnseenClass: _unseen,
    WrongLabels: _wrong,
}
