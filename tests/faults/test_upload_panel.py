"""The button that opens a file: sizes first, then parts, then the network, or words."""

import threading
import time

import pytest
import torch
from safetensors.torch import save
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.codec.file import encode
from explorer.page import upload as upload_panel
from explorer.page.upload import UploadPanel, plain_name, upload_limit

WAIT_S = 60
PART = 700


def network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()


def data():
    inputs = torch.randn(60, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return TensorDataset(inputs, network()(inputs).argmax(1))


class Browser:
    """Answers as the button does in a browser."""

    def __init__(self, panel, monkeypatch):
        self.widget, self.asked, self.content, self.changed = panel.widget, [], b"", None
        monkeypatch.setattr(panel.widget, "send", self._receive)

    def tell(self, buffers=(), **content):
        self.widget._handle_custom_msg(content, [memoryview(part) for part in buffers])

    def choose(self, name, content, size=None):
        self.content = content
        self.tell(type="begin", name=name, size=len(content) if size is None else size)

    def _receive(self, content):
        if content["type"] == "stop":
            return
        offset = content["offset"]
        self.asked.append(offset)
        part = self.content[offset : offset + PART]
        self.tell([part if self.changed is None else self.changed], type="part", offset=offset)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(upload_panel, "PART_BYTES", PART)
    monkeypatch.setattr("explorer.views.browser.PART_BYTES", PART)


@pytest.fixture
def app():
    app = ex.Explorer(network(), data(), recipe=[ex.Prune(sparsity=0.5)])
    app.wait(WAIT_S)
    yield app
    app.close()


@pytest.fixture
def opened():
    return threading.Event()


@pytest.fixture
def panel(app, opened):
    def show(found, again):
        app._keeper.keep(found, again)
        app._adopt(found)
        opened.set()

    def fail(words):
        app.show_error(words)
        opened.set()

    status = app._status
    panel = UploadPanel(lambda: app.session, status.work, show, fail, limit_bytes=20_000)
    yield panel
    panel.close()


@pytest.fixture
def browser(panel, monkeypatch):
    return Browser(panel, monkeypatch)


def test_weights_are_sent_in_parts_and_shown(app, browser, opened):
    content = save(network(1).state_dict())
    browser.choose("C:\\nets\\mine.safetensors", content)
    assert opened.wait(WAIT_S)
    assert browser.asked == list(range(0, len(content), PART))
    assert app._status.error == ""
    assert app.state.model == "mine.safetensors (opened here, 1)"
    assert torch.equal(app.session.net[1].weight, network(1)[1].weight)
    expected = ex.compress(network(1), [ex.Prune(sparsity=0.5)])
    assert app.wait(WAIT_S).accuracy == ex.evaluate(expected.restore(), data())


def test_history_leads_back_and_forth(app, browser, opened):
    browser.choose("mine.cmpx", encode(ex.compress(network(1), [ex.Quantize(bits=3)])))
    assert opened.wait(WAIT_S)
    assert app.recipe == ex.Recipe.of([ex.Quantize(bits=3)])
    app._keeper.history.buttons._handle_custom_msg({"type": "undo"}, [])
    assert app.recipe == ex.Recipe.of([ex.Prune(sparsity=0.5)])
    assert torch.equal(app.session.net[1].weight, network()[1].weight)
    app._keeper.history.buttons._handle_custom_msg({"type": "redo"}, [])
    assert app.state.model == "mine.cmpx (opened here, 1)"
    assert app._status.error == ""


@pytest.mark.parametrize(
    ("name", "content", "size", "n_asked", "words"),
    [
        ("big.cmpx", b"", 20_001, 0, "big.cmpx has 20.0 KB, more than the 20.0 KB that are opened"),
        ("big.cmpx", b"", 1 << 62, 0, "more than the 20.0 KB that are opened here. Run the expl"),
        ("empty.cmpx", b"", 0, 0, "empty.cmpx is empty."),
        ("empty.cmpx", b"", -5, 0, "empty.cmpx is empty."),
        ("../../../etc/net.pt", b"\x80\x02" + bytes(5000), 5002, 1, "net.pt is a Python pickle"),
        ("net.pt", b"PK\x03\x04" + bytes(5000), 5004, 1, "net.pt is a zip archive"),
        ("cut.cmpx", b"CMPX" + bytes(50), 5000, 1, "cut.cmpx changed while it was sent"),
        ("bad.cmpx", b"CMPX\x01" + bytes(2000), 2005, 3, "bad.cmpx could not be opened. bad"),
    ],
)
def test_a_refused_file_leaves_the_page_as_it_is(
    name, content, size, n_asked, words, app, browser, opened
):
    before, session = app.state, app.session
    browser.choose(name, content, size)
    assert opened.wait(WAIT_S)
    assert app._status.error.startswith(words) or words in app._status.error
    assert "etc" not in app._status.error
    assert len(browser.asked) == n_asked
    assert (app.state, app.session) == (before, session)
    app.recipe = [ex.Prune(sparsity=0.75)]
    assert app.wait(WAIT_S).sparsity == pytest.approx(0.75, abs=0.01)
    assert app._status.error == ""


@pytest.mark.parametrize(
    "content",
    [
        {"type": "part", "offset": 0},
        {"type": "part", "offset": 999},
        {"type": "part", "offset": "0"},
        {"type": "begin", "name": 3, "size": 5},
        {"type": "begin", "name": "x", "size": True},
        {"type": "begin", "name": "x", "size": 1e300},
        {"type": "lost", "words": "why"},
        {"type": None},
        {},
    ],
)
def test_messages_that_no_button_sends_change_nothing(content, app, panel, opened):
    panel.widget._handle_custom_msg(content, [memoryview(b"CMPX")])
    panel.widget._handle_custom_msg(content, [])
    assert not opened.is_set()
    assert panel._incoming is None


def test_a_part_that_is_too_long_is_refused(app, browser, opened):
    browser.changed = b"CMPX" + bytes(50_000)
    browser.choose("mine.cmpx", bytes(5000))
    assert "mine.cmpx changed while it was sent; open it again." in app._status.error


def test_a_file_that_the_browser_loses_is_said(app, panel, monkeypatch):
    monkeypatch.setattr(panel.widget, "send", lambda content: None)
    panel.widget._handle_custom_msg({"type": "begin", "name": "a.cmpx", "size": 50}, [])
    panel.widget._handle_custom_msg({"type": "lost", "words": "NotReadableError"}, [])
    assert app._status.error.startswith("a.cmpx could not be read on (NotReadableError)")
    assert panel._incoming is None


def test_no_memory_is_said(app, browser, opened, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(upload_panel, "open_file", full)
    browser.choose("mine.cmpx", b"CMPX" + bytes(50))
    assert opened.wait(WAIT_S)
    words = "mine.cmpx could not be opened. there is not enough memory for this"
    assert app._status.error.startswith(words)


def test_a_file_that_is_chosen_later_wins(app, browser, panel, opened, monkeypatch):
    begun, hold, closed, really = threading.Event(), threading.Event(), [], upload_panel.open_file

    def slowly(name, *rest):
        found = really(name, *rest)
        if name == "first.safetensors":
            begun.set()
            hold.wait(WAIT_S)
            close = found[0].session.close
            monkeypatch.setattr(found[0].session, "close", lambda: (closed.append(name), close()))
        return found

    monkeypatch.setattr(upload_panel, "open_file", slowly)
    browser.choose("first.safetensors", save(network(1).state_dict()))
    assert begun.wait(WAIT_S)
    browser.choose("second.safetensors", save(network(2).state_dict()))
    hold.set()
    assert opened.wait(WAIT_S)
    assert app.state.model.startswith("second.safetensors")
    assert closed == ["first.safetensors"]


def test_closing_while_a_file_is_opened_leaves_no_thread(app, browser, panel, monkeypatch):
    begun = threading.Event()

    def slowly(*_):
        begun.set()
        time.sleep(0.2)
        raise ValueError("too late")

    monkeypatch.setattr(upload_panel, "open_file", slowly)
    browser.choose("mine.cmpx", b"CMPX" + bytes(50))
    assert begun.wait(WAIT_S)
    panel.close()
    assert "explorer-upload" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("told", "n_bytes"), [(None, 64_000_000), ("", 64_000_000), ("2.5", 2_500_000), ("0", 0)]
)
def test_the_limit_is_told_by_the_environment(told, n_bytes, monkeypatch):
    monkeypatch.delenv("EXPLORER_MAX_UPLOAD_MB", raising=False)
    if told is not None:
        monkeypatch.setenv("EXPLORER_MAX_UPLOAD_MB", told)
    assert upload_limit() == n_bytes
    panel = UploadPanel(print, print, print, print)
    assert ("ex-hidden" in panel.widget._dom_classes) is (n_bytes == 0)
    panel.close()


@pytest.mark.parametrize("told", ["much", "-1", "nan", "inf"])
def test_a_limit_that_is_no_number_is_refused(told, monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_UPLOAD_MB", told)
    with pytest.raises(ValueError, match="EXPLORER_MAX_UPLOAD_MB must be a number of megabytes"):
        upload_limit()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("net.cmpx", "net.cmpx"),
        ("/etc/passwd", "passwd"),
        ("..", ".."),
        ("a/", "file"),
        ("\u202enet\u200b.cmpx", "net.cmpx"),
        ("x" * 5000 + ".cmpx", "x" * 75 + ".cmpx"),
    ],
)
def test_names_are_shown_short_and_plain(name, shown):
    assert plain_name(name) == shown
