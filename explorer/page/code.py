"""Copy as Python: what is shown, as code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

from explorer.compress.methods.registry import BUILT_IN
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.experiments.experiment import Experiment
from explorer.history.bookmarks import Bookmark
from explorer.history.state import State
from explorer.reproduce.table import bundled
from explorer.views.export import CodeView
from explorer.zoo import catalog

OWN_NETWORK = "net, data = my_net, my_data  # your network, and its data or None"


def loading_text(name: str, weights: str | None = "default") -> str:
    """Return the line that loads a network of the catalog.

    `name`: as in the catalog; "" stands for a network of one's own. `weights`: as `explorer.load`
    takes them.

    Examples
    --------
    >>> loading_text("lenet-5", None)
    "net, data = ex.load('lenet-5', weights=None)"
    """
    if not name:
        return OWN_NETWORK
    chosen = "" if weights == "default" else f", weights={weights!r}"
    return f"net, data = ex.load({name!r}{chosen})"


def setting_text(setting: Setting) -> str:
    """Return a step with the fields that differ from their defaults.

    A step that is not built in goes by its own name, which `import_lines` imports.

    Examples
    --------
    >>> from explorer.compress.methods.prune import Prune
    >>> setting_text(Prune(sparsity=0.9))
    'ex.Prune(sparsity=0.9)'
    """
    fields = setting.as_dict()
    name = fields.pop("step")
    owner = "ex." if type(setting) in BUILT_IN else ""
    return f"{owner}{name}({', '.join(f'{key}={value!r}' for key, value in fields.items())})"


def import_lines(recipe: Recipe) -> str:
    """Return the lines that import those steps of a recipe that are not built in.

    Of a step that was defined in a notebook or a script, which nothing can import, a comment
    says so.
    """
    lines = []
    for kind in recipe.kinds:
        home, name = kind.__module__, kind.__qualname__
        if kind in BUILT_IN:
            continue
        if home == "__main__" or "." in name:
            lines.append(f"# {kind.__name__} is your own class: run its definition first\n")
        else:
            lines.append(f"from {home} import {name}\n")
    return "".join(sorted(lines))


def recipe_text(recipe: Recipe) -> str:
    """Return a recipe: a list of steps where they are for all layers, else a dict of lists."""
    entries = list(recipe.entries)
    if entries and entries[-1] == ("*", ()):
        entries.pop()
    if all(pattern == "*" for pattern, _ in entries):
        return _list_text(entries[0][1] if entries else (), "")
    lines = [f"    {pattern!r}: {_list_text(steps, '    ')},\n" for pattern, steps in entries]
    return f"{{\n{''.join(lines)}}}"


def _list_text(steps: Steps, indent: str) -> str:
    if not steps:
        return "[]"
    lines = [f"{indent}    {setting_text(step)},\n" for step in steps]
    return f"[\n{''.join(lines)}{indent}]"


def python_text(recipe: Recipe, loading: str, file_name: str) -> str:
    """Return a script that compresses a network by a recipe and writes the file.

    `loading`: what makes ``net`` and ``data``, such as `loading_text` gives. `file_name`: name of
    the compressed file.
    """
    imports = import_lines(recipe)
    above = f"{imports}\n" if imports else ""
    return (
        f"{above}import explorer as ex\n\n{loading}\nrecipe = {recipe_text(recipe)}\n\n"
        f"small = ex.compress(net, recipe, data=data)\nsmall.save({file_name!r})\n"
        'print(f"{small.size_bytes:,} bytes, {small.compression_ratio:.1f} times smaller")\n'
    )


IMPORT = "import explorer as ex\n\n"


def loading_of(state: State) -> str:
    """Return the Python line that makes a state's network, and its data where it has any."""
    if state.model in bundled():
        return f"net, data = ex.open({state.model!r}).restore(), None"
    if state.model not in catalog():
        return OWN_NETWORK
    return loading_text(state.model, None if state.weights == "random" else "default")


def bookmarks_python(bookmarks: Iterable[Bookmark]) -> str:
    """Return a script that compresses the network of each kept state, and writes its file."""
    blocks: list[str] = []
    taken: set[str] = set()
    for item in bookmarks:
        name = _file_name(item.name, taken)
        taken.add(name)
        code = python_text(item.state.recipe, loading_of(item.state), f"{name}.cmpx")
        blocks.append(f"# {item.name}\n{code.removeprefix(IMPORT)}")
    return IMPORT + "\n".join(blocks)


def _file_name(name: str, taken: set[str]) -> str:
    """Return a file name of plain letters, digits and hyphens that is not taken."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "network"
    found, number = plain, 1
    while found in taken:
        number += 1
        found = f"{plain}-{number}"
    return found


_IMPORTS = ("import ", "from ")
PUBLIC = "explorer.experiments"


@dataclass(frozen=True)
class Seen:
    """What is on the screen.

    `tab`: title of the tab that is shown. `loading`: Python that loads the network and its data,
    such as `loading_text` gives. `layer`: the one on screen. `input_shape`: of an input without the
    batch; None where it is not known. `plan`: what a tab on runs would train, as its dials stand.
    `by_metric`: whether a metric judges in place of the data.
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


NOTE = "Run this wherever the explorer is installed: it computes what this tab shows."
OWN = "Put your own network and data in the place of my_net and my_data."


class CodePanel:
    """A button that opens the code of what is shown now. `shown`: returns what is `Seen`."""

    def __init__(self, shown: Callable[[], Seen]) -> None:
        self._shown = shown
        self._view = CodeView(self._asked)
        self.widget = self._view

    @property
    def code(self) -> str:
        """Python that computes what is shown now."""
        return tab_text(self._shown())

    def close(self) -> None:
        """Release the widget."""
        self._view.close()

    def _asked(self) -> None:
        """Open the window; say in words why there is no code."""
        try:
            shown = self._shown()
            note = f"{NOTE} {OWN}" if OWN_NETWORK in shown.loading else NOTE
            self._view.draw(f"Python for the tab {shown.tab}", tab_text(shown), note)
        except Exception as error:
            self._view.draw("Python", "", error=f"{error} ({type(error).__name__})")
