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
from urllib.parse import urljoin, urlsplit

import psutil

from explorer.history.state import State
from explorer.serve.access import ADDRESS
from explorer.serve.server import any_free_port
from tests.waiting import until

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
        "JupyterNotebookApp.expose_app_in_browser": True,
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
  while (!app.commands.isEnabled("notebook:run-all-cells"))
    await new Promise((resolve) => setTimeout(resolve, 50));
  await app.commands.execute("notebook:run-all-cells");
}"""


def leave(page):
    """Close a page; JupyterLab is not asked, for it would ask back about a changed notebook."""
    page.close(run_before_unload=not re.search("/lab/|/notebooks/", page.url))


KERNEL = """JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}")
  .kernelId"""


def kernel_of(page):
    """Address at which the server tells of the kernel behind a page; None where there is none."""
    kernel = page.evaluate(KERNEL)
    return kernel and urljoin(page.url, f"/api/kernels/{kernel}")


def status_of(address):
    """What a server answers, as a number."""
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def end(page):
    """Close a page, and wait until its kernel has made its place free."""
    kernel = kernel_of(page)
    page.close(run_before_unload=True)
    if kernel:
        until(lambda: status_of(kernel) == 404)


def kill_kernels(server):
    """Kill the kernels, which the server's forking process has forked, as a full memory does."""
    for each in psutil.Process(server.pid).children(recursive=True):
        if each.ppid() != server.pid:
            each.kill()


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


STILL = """async (quiet) => {
  const app = window.jupyterapp;
  const kernel = app.widgetManagerPromise
    ? (await app.widgetManagerPromise.promise).kernel
    : app.shell.currentWidget.sessionContext.session.kernel;
  await kernel.requestKernelInfo();
  let changed = performance.now();
  const watch = new MutationObserver(() => { changed = performance.now(); });
  watch.observe(document.body, {
    attributes: true, characterData: true, childList: true, subtree: true,
  });
  const end = changed + 30000;
  const rest = () => quiet - (performance.now() - changed);
  do {
    while (rest() > 0) await new Promise((resolve) => setTimeout(resolve, rest()));
    await kernel.requestKernelInfo();
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    if (performance.now() > end) throw new Error("the page does not come to rest");
  } while (rest() > 0);
  watch.disconnect();
}"""


def until_still(page, quiet_ms=350):
    """Wait until Python has answered all that it was asked and nothing in the page changes.

    The time without a change is longer than what bqplot waits before it fits a plot to its place.
    """
    page.evaluate(STILL, quiet_ms)


def until_dial_is_kept(page, percent):
    """Wait until the address holds a dial's sparsity, a text such as "52.0"."""

    def held():
        link = page.evaluate("new URL(location.href).searchParams.get('state')")
        if not link:
            return False
        (_, (prune, *_)), *_ = State.from_link(link).recipe.entries
        return f"{100 * prune.sparsity:.1f}" == percent

    until(held, pause_s=0.1)


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
