"""Which notebooks the front page lists."""

import json

from explorer.serve.handlers import Chapter, chapters
from explorer.serve.page import notebook_path


def put(folder, name, **metadata):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({"cells": [], "metadata": metadata}), encoding="utf-8")


def test_the_page_first_then_by_name(tmp_path):
    put(tmp_path, "02_prune.ipynb", title="Prune", description="Fewer weights.")
    put(tmp_path, "app.ipynb", title="Explorer")
    put(tmp_path, "01_anatomy.ipynb")
    assert chapters(tmp_path) == [
        Chapter("app.ipynb", "Explorer", ""),
        Chapter("01_anatomy.ipynb", "Anatomy", ""),
        Chapter("02_prune.ipynb", "Prune", "Fewer weights."),
    ]


def test_what_is_hidden_deeper_or_broken_is_left_out(tmp_path):
    put(tmp_path, ".hidden.ipynb")
    put(tmp_path, "a b.ipynb")
    put(tmp_path / "deeper", "one.ipynb")
    (tmp_path / "broken.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "list.ipynb").write_text("[]", encoding="utf-8")
    (tmp_path / "odd.ipynb").write_text('{"metadata": []}', encoding="utf-8")
    (tmp_path / "notes.txt").write_text("", encoding="utf-8")
    assert chapters(tmp_path) == []


def test_a_name_of_digits_is_kept(tmp_path):
    put(tmp_path, "07.ipynb")
    assert chapters(tmp_path)[0].title == "07"


def test_the_package_lists_its_own_page_first():
    assert chapters(notebook_path().parent)[0].title == "Compression Explorer"
