"""What the browser tests share: servers, pages under watch, and what the page shows."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from explorer.serve.port import ADDRESS, any_free_port

ROOT = Path(__file__).parents[2]
READY_MS = 120_000
LOCAL = {ADDRESS, "localhost"}


@dataclass
class Watched:
    """A page, what went wrong in it, and where it asked."""

    page: object
    errors: list = field(default_factory=list)
    outside: list = field(default_factory=list)

    def assert_clean(self):
        assert self.errors == []
        assert self.outside == []


def watch(page):
    """Note errors in the console and requests that leave the machine, from now on."""
    watched = Watched(page)

    def on_console(message):
        if message.type == "error":
            watched.errors.append(f"{message.text} ({message.location['url']})")

    def on_request(request):
        where = urlsplit(request.url)
        if where.scheme not in {"data", "blob"} and where.hostname not in LOCAL:
            watched.outside.append(request.url)

    page.on("console", on_console)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on("request", on_request)
    return watched


@contextmanager
def jupyterlab(folder):
    """Run JupyterLab on a free port, without a token, on the loopback address; give its address."""
    port = any_free_port()
    address = f"http://{ADDRESS}:{port}"
    options = {
        "ServerApp.ip": ADDRESS,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "ServerApp.jpserver_extensions": "explorer.serve=True",
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": True,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.news_url": "None",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--{name}={value}" for name, value in options.items()]
    home = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA")}
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | home | {"PYTHONPATH": python_path}
    log = folder / "jupyterlab.log"
    with (
        log.open("w") as out,
        subprocess.Popen(command, env=environment, stdout=out, stderr=out) as server,
    ):
        try:
            _until_answering(f"{address}/api", server, log)
            yield address
        finally:
            server.terminate()


def _until_answering(address, server, log):
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not answer:\n{log.read_text()[-3000:]}")


RUN_ALL = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  await app.commands.execute("notebook:run-all-cells");
}"""


def leave(page):
    """Close a page; JupyterLab is not asked, for it would ask back about a changed notebook."""
    page.close(run_before_unload="/lab/" not in page.url)


def run_all_cells(page):
    """Run the notebook that JupyterLab has open, once its kernel is there."""
    page.wait_for_function(
        "window.jupyterapp?.shell?.currentWidget?.sessionContext", timeout=READY_MS
    )
    page.evaluate(RUN_ALL)


def until_ready(page):
    """Wait until the explorer shows a first result with its accuracy complete."""
    page.wait_for_selector(".ex-dial-sparsity .noUi-handle", timeout=READY_MS)
    page.wait_for_function(
        """() => /n = /.test(
            document.querySelector(".ex-figure-accuracy .ex-detail")?.textContent)""",
        timeout=READY_MS,
    )
    page.wait_for_selector(".ex-view-sparsity canvas[data-kept]", timeout=READY_MS)


@dataclass(frozen=True)
class Shown:
    """What a reader sees: figures as text, the heatmap's mean, the bars' relative heights."""

    size: str
    size_detail: str
    accuracy: str
    accuracy_detail: str
    sparsity: str
    kept: str
    histogram_caption: str
    bars: tuple


READ = """() => {
  const text = (selector) => document.querySelector(selector)?.textContent ?? null;
  const figure = (name) => [text(`.ex-figure-${name} .ex-value`),
                            text(`.ex-figure-${name} .ex-detail`)];
  const [size, size_detail] = figure("size");
  const [accuracy, accuracy_detail] = figure("accuracy");
  const marks = [...document.querySelectorAll(".ex-view-histogram g.bars, .ex-view-histogram .bar")]
    .map((node) => node.closest("g.bars") ?? node.parentNode.parentNode);
  const last = marks.at(-1);
  const bars = last
    ? [...last.querySelectorAll("rect.bar")].map((bar) => Number(bar.getAttribute("height")))
    : [];
  return {
    size, size_detail, accuracy, accuracy_detail,
    sparsity: figure("sparsity")[0],
    kept: document.querySelector(".ex-view-sparsity canvas").dataset.kept,
    histogram_caption: text(".ex-view-histogram .ex-caption"),
    bars,
  };
}"""


def read(page):
    """Read what the page shows now."""
    found = page.evaluate(READ)
    return Shown(**(found | {"bars": tuple(found["bars"])}))


def plain(markup):
    """Text of a caption, without its markup."""
    return re.sub(r"<[^>]*>", "", markup)
