"""What a tab shows, as Python to copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from explorer.compress.networks.recipe import Recipe
from explorer.experiments.experiment import Experiment
from explorer.panels.python_text import import_lines, recipe_text

_IMPORTS = ("import ", "from ")
PUBLIC = "explorer.experiments"


@dataclass(frozen=True)
class Seen:
    """What is on the screen.

    Attributes
    ----------
    tab : str
        Title of the tab that is shown.
    loading : str
        Python that loads the network and its data, such as `loading_text` gives.
    recipe : Recipe
    layer : str
        The one up close.
    input_shape : tuple of int or None
        Of one input without the batch; None where it is not known.
    plan : Experiment or None
        What a tab on runs would train, as its dials stand.
    by_metric : bool
        Whether a metric judges in place of the data.
    """

    tab: str
    loading: str
    recipe: Recipe
    layer: str
    input_shape: tuple[int, ...] | None = None
    plan: Experiment | None = None
    by_metric: bool = False


def tab_text(shown: Seen) -> str:
    """Return a script that loads the network, and computes the tab's figures.

    Parameters
    ----------
    shown : Seen

    Examples
    --------
    >>> from explorer.compress.methods.prune import Prune
    >>> recipe = Recipe.of([Prune(sparsity=0.9)])
    >>> seen = Seen("Prune", "net, data = ex.load('lenet-5')", recipe, "fc1")
    >>> tab_text(seen).splitlines()[0]
    'import explorer as ex'
    """
    make = _TEXTS.get(shown.tab, _layer)
    body = make(shown) if shown.plan is None else experiment_text(shown.plan, shown.by_metric)
    loading = shown.loading
    if shown.by_metric:
        loading += OWN_METRIC
        for text, judged in _BY_METRIC.items():
            body = body.replace(text, judged)
    imports, body = _imports_apart(import_lines(shown.recipe) + body)
    recipe = recipe_text(shown.recipe)
    return f"{imports}\n\n{loading}\nrecipe = {recipe}\n\n{body}"


def experiment_text(experiment: Experiment, by_metric: bool = False) -> str:
    """Return Python that runs an experiment, given ``net``, ``data`` and ``recipe``."""
    kind = type(experiment)
    home = PUBLIC if kind.__module__.startswith(f"{PUBLIC}.") else kind.__module__
    settings = {each.name: getattr(experiment, each.name) for each in fields(experiment)}
    lines = "".join(f"    {name}={value!r},\n" for name, value in settings.items())
    more, student = ", metric=metric" if by_metric else "", ""
    if settings.get("width", 0) is None:
        more, student = f"{more}, student=student", "student = my_student  # your own\n"
    return (
        f"from {home} import {kind.__name__}\n{student}"
        f"experiment = {kind.__name__}(\n{lines})\n"
        f"for event in experiment.run(net, data, recipe=recipe{more}):\n"
        "    if event.accuracy is not None:\n"
        "        print(event)\n"
    )


def _imports_apart(text: str) -> tuple[str, str]:
    """Return the lines that import, with that of the explorer, and all others."""
    lines = text.splitlines(keepends=True)
    imports = sorted(line.rstrip() for line in lines if line.startswith(_IMPORTS))
    own = ["import explorer as ex", *(line for line in imports if "explorer" in line)]
    others = [line for line in imports if "explorer" not in line]
    groups = ["\n".join(group) for group in (others, own) if group]
    rest = "".join(line for line in lines if not line.startswith(_IMPORTS))
    return "\n\n".join(groups), rest.lstrip("\n")


def _layer(shown: Seen) -> str:
    """Compress the network, and look at one layer and at the accuracy."""
    more = _LAYER_FIGURES.get(shown.tab, "")
    if any(step.role == "removes" for step in shown.recipe.steps_for(shown.layer)):
        more = ""
    return _LAYER.format(layer=shown.layer, more=more.format(layer=shown.layer))


def _anatomy(shown: Seen) -> str:
    told = "" if shown.input_shape is None else _PROFILE.format(shape=shown.input_shape)
    return told + _LAYERS


def _as_it_is(text: str) -> Callable[[Seen], str]:
    return lambda _shown: text


OWN_METRIC = "\nmetric = my_metric  # your function, or ex.Metric(function, name=...)"
_BY_METRIC = {
    "ex.Session(net, data)": "ex.Session(net, data, metric=metric)",
    "ex.sweep(net, data, [recipe])": "ex.sweep(net, data, [recipe], metric=metric)",
    "ex.method_curves(net, data)": "ex.method_curves(net, data, metric=metric)",
    'dial="density")': 'dial="density", metric=metric)',
    "{point.accuracy.top1:.1%} right": "{point.accuracy.name} {point.accuracy.value:g}",
    "{found.point.accuracy.top1:.1%} right": "{found.point.accuracy.value:g}",
    """\
if data is not None:
    accuracy = ex.evaluate(small.restore(), getattr(data, "eval", data))
    print(f"{accuracy.top1:.1%} of {accuracy.n:,} samples right")
""": """\
score = ex.evaluate(small.restore(), metric=metric)
print(f"{score.name}: {score.value:g}")
""",
}
_LAYER = """\
small = ex.compress(net, recipe, data=data)
layer = small[{layer!r}]
weight = layer.restore()
zeros = (weight == 0).float().mean().item()
print(f"{layer}: {{layer.size_bits / 8:,.0f}} bytes, {{zeros:.1%}} zeros")
{more}print(f"all: {{small.size_bytes:,}} bytes, {{small.compression_ratio:.1f}} times smaller")
if data is not None:
    accuracy = ex.evaluate(small.restore(), getattr(data, "eval", data))
    print(f"{{accuracy.top1:.1%}} of {{accuracy.n:,}} samples right")
"""
_LAYER_FIGURES = {
    "Quantize": """\
original = net.get_submodule({layer!r}).weight
error = ((weight - original).norm() / (original.norm() or 1)).item()
print(f"{{len(weight.unique()):,}} different values, relative error {{error:.4f}}")
""",
    "Factorize": """\
import torch
original = net.get_submodule({layer!r}).weight.detach()
spectrum = torch.linalg.svdvals(original.flatten(1))
error = ((weight - original).norm() / (original.norm() or 1)).item()
print(f"largest singular value {{spectrum[0]:.3f}}, relative error {{error:.4f}}")
""",
}
_LAYER_FIGURES["Share"] = _LAYER_FIGURES["Quantize"]
_PROFILE = """\
rows = ex.profile(net, {shape})
for row in rows:
    print(f"{{row.name}}: {{row.weights:,}} weights, {{row.macs:,}} MACs, {{row.bytes:,}} bytes")

"""
_LAYERS = """\
session = ex.Session(net, data)
result = session.figures(recipe)
for layer in result.layers:
    print(f"{layer.name}: {layer.sparsity:.1%} zeros, {layer.size_bits / 8:,.0f} bytes")
if result.energy_pj is not None:
    print(f"{result.energy_pj / 1000:,.0f} nJ an inference, an estimate")
session.close()
"""
_COMBINE = """\
session = ex.Session(net, data)
session.apply(recipe)
stages = session.waterfall().stages
for label, n_bytes in stages:
    print(f"{label}: {n_bytes:,} bytes")
spent = session.breakdown().totals
for role, n_bits in spent.items():
    print(f"{role}: {n_bits / 8:,.0f} bytes")
session.close()

small = ex.compress(net, recipe, data=data)
small.save("network.cmpx")
"""
_COMPARE = """\
points = []
for point in ex.sweep(net, data, [recipe]):
    points.append(point)
    print(f"this recipe: {point.size_bytes:,} bytes, {point.accuracy.top1:.1%} right")
for found in ex.method_curves(net, data):
    point = found.point
    points.append(point)
    print(f"{found.method}: {point.size_bytes:,} bytes, {point.accuracy.top1:.1%} right")
layers = []
for found in ex.sensitivity(net, data, dial="density"):
    layers.append(found)
    print(f"{found.layer}, {found.value:.0%} kept: {found.point.accuracy.top1:.1%} right")
"""
_BEHAVIOR = """\
session = ex.Session(net, data)
session.apply(recipe)
session.wait()
found = session.behavior()
session.close()

same = found.agreement
print(f"{same.share:.1%} of {same.n:,} answers are the same, {same.kl_bits:.4f} bits apart")
for row in found.classes:
    print(f"{row.name}: {row.before:.1%} right before, {row.after:.1%} now")
print(f"{len(found.lost)} lost, {len(found.gained)} gained")
"""
_TEXTS = {
    "Anatomy": _anatomy,
    "Combine": _as_it_is(_COMBINE),
    "Compare": _as_it_is(_COMPARE),
    "Behavior": _as_it_is(_BEHAVIOR),
}
