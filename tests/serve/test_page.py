"""The page, its template, and how both are packaged."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from explorer.serve import page
from explorer.serve.configuration import configuration

ROOT = Path(__file__).parents[2]
TEMPLATE = page.SHARE / "voila" / "templates" / page.TEMPLATE


def notebook():
    return nbformat.reads(page.notebook_path().read_text(encoding="utf-8"), as_version=4)


def test_the_notebook_is_clean_titled_and_names_the_template():
    found = notebook()
    nbformat.validate(found)
    assert found.metadata.title == "Compression Explorer"
    assert found.metadata.voila.template == page.TEMPLATE
    assert [cell.outputs for cell in found.cells if cell.cell_type == "code"] == [[]]


def test_the_template_is_where_voila_looks_for_it():
    names = {path.name for path in TEMPLATE.iterdir()}
    assert {"conf.json", "index.html.j2", "page.css", "page.js", "skeleton.html"} <= names


def test_the_template_names_no_other_machine():
    for path in TEMPLATE.rglob("*"):
        if path.is_file():
            assert re.search(r"https?:|//[a-z]", path.read_text(encoding="utf-8")) is None, path


def test_a_missing_page_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(page, "__file__", str(tmp_path / "a" / "b" / "page.py"))
    with pytest.raises(FileNotFoundError, match=r"page was expected at .* install"):
        page.notebook_path()


def test_sources_and_tracebacks_stay_on_the_server():
    settings = configuration(1234, open_browser=False)
    assert settings.VoilaConfiguration.strip_sources is True
    assert settings.VoilaConfiguration.show_tracebacks is False
    assert (settings.Voila.ip, settings.Voila.port) == ("127.0.0.1", 1234)
    assert settings.Voila.open_browser is False


def test_the_wheel_holds_the_page_and_the_files_of_jupyter(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        packaged = archive.read("explorer/serve/app.ipynb")
    assert packaged == (ROOT / "notebooks" / "app.ipynb").read_bytes()
    for end in (
        "/data/etc/jupyter/jupyter_server_config.d/compression-explorer.json",
        f"/data/share/jupyter/voila/templates/{page.TEMPLATE}/index.html.j2",
        f"serve/share/jupyter/voila/templates/{page.TEMPLATE}/page.css",
        "explorer/bench/hand.js",
    ):
        assert any(name.endswith(end) for name in names), end
    assert not any(name.startswith(("tests/", "notebooks/")) for name in names)
