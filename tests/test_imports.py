"""Imports point one way, and ``import explorer`` stays light."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from explorer import extend

PACKAGE = Path(__file__).parents[1] / "explorer"
EXAMPLE = Path(__file__).parent / "example_method"
ORDER = [
    "stopping",
    "memory_budget",
    "errors",
    "torchvision_import",
    "compress",
    "codec",
    "measure",
    "train",
    "experiments",
    "history",
    "session",
    "page",
    "extend",
    "chapters",
    "commands",
    "cli",
]
ROOMS = {
    "coding": {"coding", "kernels"},
    "kernels": {"kernels"},
    "records": {"records", "coding", "kernels"},
    "methods": {"methods", "records", "coding", "kernels"},
    "networks": {"networks", "methods", "records", "coding", "kernels"},
}
RANK = {name: rank for rank, name in enumerate(ORDER)} | {"sweep": ORDER.index("train")}
ASIDE = {
    "zoo": {"zoo", "memory_budget", "stopping", "codec", "measure", "torchvision_import"},
    "closing": {"closing"},
    "widgets": {"widgets"},
    "views": {"views", "widgets", "compress", "codec", "measure", "train", "sweep"},
    "controls": {"controls", "widgets", "compress"},
    "library": {"library", "codec", "compress", "measure", "reproduce", "session", "zoo"},
    "reproduce": {"reproduce", "compress", "codec", "measure", "train", "zoo"},
    "serve": {"serve", "memory_budget"},
    "bench": {"bench", "serve", *RANK} - {"cli", "page", "chapters"},
}
BESIDE = {"experiments": {"zoo", "library"}}
WIDGETS = {"ipywidgets", "bqplot", "anywidget", "traitlets"}
WITH_WIDGETS = {"closing", "widgets", "views", "controls", "page", "chapters"}
WITH_WIDGETS |= {"serve"}
HEAVY = {"torchvision", "numba", "bqplot", "faiss", "dask", "sklearn", "pandas", "voila", "torch"}
HEAVY |= {"torch_pruning", "constriction", "onnx", "latex2mathml", "mlxtend", "scipy", "numpy"}
HEAVY |= {"ipywidgets", "anywidget", "distributed", "safetensors", "jupyterlab"}
UNTIL_NEEDED = {"onnx", "onnxscript", "dask", "distributed", "sklearn", "faiss", "torch_pruning"}
UNTIL_NEEDED |= {"torchvision", "constriction", "kmeans1d", "pandas", "voila", "jupyterlab", "mypy"}
UNTIL_NEEDED |= {"ipywidgets", "anywidget", "bqplot", "latex2mathml", "zstandard"}
FIRST_USE = """
import explorer as ex
session = ex.Session(*ex.load("lenet-300-100"))
session.apply([ex.Prune(sparsity=0.9), ex.Share(n_clusters=8)])
session.wait(60)
session.close()
"""


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def annotations_only(tree):
    """Nodes that run only for a type checker."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }


def imported(source):
    """Names of the modules that a source imports, in functions too."""
    tree = ast.parse(source)
    skipped = annotations_only(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import: {ast.unparse(node)}"
            if node.module == "explorer":
                yield from (f"explorer.{alias.name}" for alias in node.names)
            else:
                yield node.module


def modules():
    """Every module of the package by its name, with its syntax tree."""
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def arrows(trees):
    """What each module imports of the package, in functions and for types too."""
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                named = [f"{node.module}.{alias.name}" for alias in node.names]
                named = [each if each in trees else node.module for each in named]
            else:
                continue
            yield from ((name, each) for each in named if each in trees and each != name)


def circle(trees):
    """The modules of one circle, or none."""
    sorter = TopologicalSorter()
    for name, target in arrows(trees):
        sorter.add(name, target)
    try:
        sorter.prepare()
    except CycleError as error:
        return sorted(set(error.args[1]))
    return []


def room_of(module):
    parts = module.split(".")
    return parts[2] if parts[1:2] == ["compress"] and len(parts) > 3 else None


def test_no_module_imports_itself_by_way_of_others():
    assert circle(dict(modules())) == []


@pytest.mark.parametrize(
    "closing",
    [
        "import explorer.a",
        "from explorer import a",
        "from explorer.a import name",
        "def f():\n    from explorer.a import name",
        "if TYPE_CHECKING:\n    from explorer.a import Name",
    ],
)
def test_a_circle_is_found_in_functions_and_among_types(closing):
    sources = {"explorer": "", "explorer.a": "from explorer import b", "explorer.b": closing}
    trees = {name: ast.parse(source) for name, source in sources.items()}
    assert circle(trees) == ["explorer.a", "explorer.b"]


def test_rooms_of_compression_stand_on_each_other():
    trees = dict(modules())
    wrong = [
        (name, target)
        for name, target in arrows(trees)
        if (room := room_of(name)) and (room_of(target) or room) not in ROOMS[room]
    ]
    assert wrong == []
    assert {room_of(name) for name in trees} - {None} == set(ROOMS)


def may_look_aside(part):
    return RANK[part] >= RANK["page"]


def breaches(part, source):
    """Imports that `part` of the package may not make."""
    for module in imported(source):
        top, _, rest = module.partition(".")
        target = rest.split(".")[0]
        if top in WIDGETS and part not in WITH_WIDGETS:
            yield module
        elif top != "explorer" or not rest:
            continue
        elif part in ASIDE:
            if target not in ASIDE[part]:
                yield module
        elif RANK.get(target, -1) > RANK[part] or (
            target in ASIDE.keys() - BESIDE.get(part, set()) and not may_look_aside(part)
        ):
            yield module


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*/*.py")), ids=str)
def test_imports_point_one_way(path):
    assert list(breaches(part_of(path), path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("compress", "from explorer.codec import pack"),
        ("measure", "def f():\n    import explorer.session"),
        ("session", "from explorer.views.parts import card"),
        ("views", "from explorer.controls import dial"),
        ("views", "from explorer import session"),
        ("zoo", "from explorer.compress.methods.prune import Prune"),
        ("codec", "import ipywidgets"),
    ],
)
def test_an_import_the_wrong_way_is_found(part, source):
    assert len(list(breaches(part, source))) == 1


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("codec", "from explorer.compress.methods.prune import Prune"),
        ("page", "from explorer.views.parts import card\nimport ipywidgets"),
        ("compress", "if TYPE_CHECKING:\n    from explorer.session import Session"),
    ],
)
def test_an_import_the_right_way_is_let_through(part, source):
    assert list(breaches(part, source)) == []


@pytest.mark.parametrize("path", sorted(EXAMPLE.glob("powers*.py")), ids=lambda path: path.name)
def test_a_package_of_ones_own_needs_one_module_of_this(path):
    used = {name for name in imported(path.read_text(encoding="utf-8")) if "explorer" in name}
    assert used == {"explorer.extend"}


@pytest.mark.parametrize("name", extend.__all__)
def test_what_packages_are_made_of_is_there(name):
    assert name in dir(extend)
    assert getattr(extend, name)


def loaded_by(statement):
    listing = f"{statement}; import sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_is_light():
    loaded = loaded_by("import explorer")
    assert "explorer" in loaded
    assert loaded & (HEAVY | WIDGETS) == set()


def test_a_first_session_loads_what_it_needs_and_no_more():
    loaded = loaded_by(f"exec({FIRST_USE!r})")
    assert {"explorer", "torch", "numba"} <= loaded
    assert loaded & UNTIL_NEEDED == set()


@pytest.mark.parametrize("module", ["cli", "serve", "serve.server"])
def test_servers_and_the_command_line_start_light(module):
    loaded = loaded_by(f"import explorer.{module}")
    assert "explorer" in loaded
    assert loaded & (HEAVY | WIDGETS - {"traitlets"}) <= {"voila"}
