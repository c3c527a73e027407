"""A Chromium to look at pages with, and the explorer's page to look at.

Needs playwright and a Chromium; neither is imported nor looked for before it is used.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from explorer.bench.hand import measure_drag
from explorer.serve.port import ADDRESS, any_free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chromium", "find_chromium", "measure_drag", "serving", "serving_label"]

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LABEL_SOURCE = """
import ipywidgets as widgets

dial, label = widgets.IntSlider(500, max=1000), widgets.Label("500")
dial.add_class("bench-dial")
label.add_class("bench-label")
dial.observe(lambda change: setattr(label, "value", str(change["new"])), "value")
widgets.VBox([dial, label])
"""
LABEL_PAGE = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "label",
            "metadata": {},
            "outputs": [],
            "source": LABEL_SOURCE,
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def find_chromium() -> str:
    """Return the path of a Chromium.

    Raises
    ------
    FileNotFoundError
        If none is on the search path.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    raise FileNotFoundError(
        "a Chromium is needed to drive the page, found none on PATH: "
        "install the system's package `chromium`"
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless Chromium, and end it."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def serving(model: str | None = None, weights: str | None = None) -> Iterator[str]:
    """Run ``compression-explorer app`` on a free port; give the page's address.

    Parameters
    ----------
    model, weights : str, optional
        Name of the network that the page starts with, and its weights.

    Raises
    ------
    RuntimeError
        If the server ends before it tells its address.
    """
    options = {"--model": model, "--weights": weights}
    given = [word for name, value in options.items() if value for word in (name, value)]
    command = ["-m", "explorer.cli", "app", "--no-browser", "--port", str(any_free_port()), *given]
    with _server(command) as address:
        yield address


@contextmanager
def serving_label() -> Iterator[str]:
    """Serve a page with nothing but a slider and a label that follows it."""
    with TemporaryDirectory() as folder:
        page = Path(folder) / "label.ipynb"
        page.write_text(json.dumps(LABEL_PAGE), encoding="utf-8")
        call = f"serve({any_free_port()}, False, notebook=Path({str(page)!r}))"
        imports = "from pathlib import Path; from explorer.serve.server import serve; "
        with _server(["-c", imports + call]) as address:
            yield address


@contextmanager
def _server(command: list[str]) -> Iterator[str]:
    given = [sys.executable, *command]
    with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield _address(server)
        finally:
            server.terminate()


def _address(server: subprocess.Popen[str]) -> str:
    told = server.stdout.readline() if server.stdout else ""
    for word in told.split():
        if word.startswith(f"http://{ADDRESS}"):
            return word
    raise RuntimeError(f"the server was expected to tell its address, it told {told!r} and ended")
