"""What is handed out: the wheel and the source distribution, and the wheel at work by itself."""

import json
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
MOST_BYTES = 20_000_000
OPTIONAL = ("bench", "cluster", "onnx")
BUILD = """
import sys
from hatchling.build import build_sdist, build_wheel

build_wheel(sys.argv[1])
build_sdist(sys.argv[1])
"""
ALONE = """
import json, sys
from pathlib import Path

sys.path[:0] = [sys.argv[1]]
sys.path.append(sys.argv[2])
import explorer as ex
from explorer.serve.page import SHARE, TEMPLATE, notebook_path
from explorer.views.assets import stylesheet

net, data = ex.load("lenet-300-100")
small = ex.compress(net, [ex.Prune(sparsity=0.9), ex.Share(n_clusters=32)])
print(json.dumps({
    "package": ex.__file__,
    "page": str(notebook_path()),
    "template": (SHARE / "voila" / "templates" / TEMPLATE / "page.js").is_file(),
    "style": len(stylesheet()),
    "size_bytes": small.size_bytes,
    "finished": ex.open("deep-compression-lenet-5").size_bytes,
    "n": len(data.eval),
}))
"""
TEMPLATE = "share/jupyter/voila/templates/compression-explorer"


def run(*command, cwd):
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with a wheel and a source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    run("-c", BUILD, folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def sdist(built):
    (path,) = built.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def contents(wheel):
    """Names in the wheel, with their bytes; what goes beside the package has its own names."""
    with zipfile.ZipFile(wheel) as file:
        return {
            name.partition(".data/data/")[2] or name: file.read(name)
            for name in file.namelist()
            if not name.endswith("/")
        }


def packaged_files():
    for path in sorted((ROOT / "explorer").rglob("*")):
        name = path.relative_to(ROOT)
        if path.is_file() and "__pycache__" not in name.parts:
            yield name


def test_the_wheel_holds_the_whole_package_and_nothing_else(contents):
    etc = ("explorer", "serve", "etc")
    wanted = {str(name) for name in packaged_files() if name.parts[:3] != etc}
    results = {f"explorer/reproduce/results/{p.name}" for p in reproduced()}
    found = {name for name in contents if name.startswith("explorer/")}
    chapters = [path.name for path in (ROOT / "notebooks").glob("*.ipynb")]
    served = {f"explorer/serve/{name}" for name in chapters}
    assert found == wanted | served | results
    beside = {name.split("/")[0] for name in contents if not name.startswith("explorer/")}
    assert {name.rpartition(".")[2] for name in beside} <= {"etc", "share", "dist-info"}


def reproduced():
    return [path for path in (ROOT / "notebooks" / "reproduced").iterdir() if path.is_file()]


@pytest.mark.parametrize(
    "name",
    [
        "explorer/codec/FORMAT.md",
        "explorer/zoo/weights/lenet-300-100.safetensors",
        "explorer/zoo/weights/lenet-5.safetensors",
        "explorer/zoo/compressed/deep-compression-lenet-5.cmpx",
        "explorer/views/styles/colors.css",
        "explorer/views/heat_canvas.js",
        "explorer/serve/app.ipynb",
        "explorer/reproduce/results/deep-compression-lenet-5.json",
        f"{TEMPLATE}/index.html.j2",
        f"{TEMPLATE}/conf.json",
        "etc/jupyter/jupyter_server_config.d/compression-explorer.json",
    ],
)
def test_the_wheel_holds(name, contents):
    assert contents[name]


def test_the_wheel_holds_no_tests_and_no_secrets_of_a_working_tree(contents):
    parts = {part for name in contents for part in PurePosixPath(name).parts}
    assert not parts & {"tests", "__pycache__", ".git", ".venv", "conftest.py"}


def test_what_is_handed_out_is_small(wheel, sdist):
    assert wheel.stat().st_size < MOST_BYTES
    assert sdist.stat().st_size < MOST_BYTES


def test_the_wheel_asks_for_what_the_project_declares(contents):
    (name,) = (name for name in contents if name.endswith("dist-info/METADATA"))
    told = contents[name].decode().split("\n\n")[0].splitlines()
    asked = {line.removeprefix("Requires-Dist: ") for line in told if "Requires-Dist" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {line for line in asked if "extra ==" not in line} == set(project["dependencies"])


def test_the_lowest_versions_that_are_tried_are_those_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(t for name in OPTIONAL for t in extras[name])]
    declared = dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", text).groups() for text in asked)
    lines = (ROOT / "tests" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    tried = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert {name: whole(tried.get(name, "")) for name in declared} == {
        name: whole(version) for name, version in declared.items()
    }


def whole(version):
    """A version with three numbers."""
    return ".".join([*version.split("."), "0", "0"][:3])


def test_the_source_distribution_makes_the_same_wheel(sdist, contents, tmp_path):
    with tarfile.open(sdist) as file:
        file.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    run("-c", BUILD.replace("build_sdist(sys.argv[1])", ""), tmp_path, cwd=tree)
    (again,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(again) as file:
        found = {n.partition(".data/data/")[2] or n: file.read(n) for n in file.namelist()}
    assert found == contents


def test_the_wheel_works_without_the_working_tree(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    packages = sysconfig.get_path("purelib")
    told = run("-I", "-S", "-c", ALONE, tmp_path / "site", packages, cwd=tmp_path)
    found = json.loads(told.splitlines()[-1])
    assert Path(found["package"]).is_relative_to(tmp_path)
    assert Path(found["page"]).is_relative_to(tmp_path)
    assert found["template"]
    assert found["style"] > 10_000
    assert found["n"] == 2000
    assert found["size_bytes"] < 40_000
    assert found["finished"] < 16_000
