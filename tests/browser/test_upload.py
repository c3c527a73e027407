"""A file opened from the visitor's machine, in parts, and refused before it is sent."""

from pathlib import Path

import pytest
from safetensors.torch import save_file

import explorer as ex
from tests.browser.harness import until_ready, until_still

pytestmark = pytest.mark.browser

SOON_MS = 30_000
CHOOSE = ".ex-file-picker input"


@pytest.fixture(autouse=True)
def at_rest(opened):
    """Begin when what was opened before is shown to the end, for that takes an error away."""
    until_ready(opened.page)
    until_still(opened.page)


@pytest.fixture
def sent(opened):
    """Lengths of what the page sends to Python, from now on, as base64."""
    lengths = []
    network = opened.page.context.new_cdp_session(opened.page)
    network.on(
        "Network.webSocketFrameSent",
        lambda frame: lengths.append(len(frame["response"]["payloadData"])),
    )
    network.send("Network.enable")
    yield lengths
    network.detach()


def until(page, condition, what=None):
    page.wait_for_function(condition, arg=what, timeout=SOON_MS)


def until_error(page, words):
    until(
        page,
        "words => document.querySelector('.ex-status-box .ex-error').textContent.includes(words)",
        words,
    )


def test_weights_of_several_parts_are_shown(opened, sent, tmp_path):
    net = ex.load("lenet-300-100", weights=None).net
    path = tmp_path / "mine.safetensors"
    save_file(net.state_dict(), path)
    assert path.stat().st_size > 1 << 20
    accuracy = ".ex-figure-accuracy .ex-value"
    before = opened.page.locator(accuracy).text_content()
    opened.page.set_input_files(CHOOSE, path)
    until(
        opened.page,
        f"before => document.querySelector('{accuracy}').textContent !== before",
        before,
    )
    until(opened.page, "() => document.querySelector('.ex-status').textContent.includes('2,000')")
    assert opened.page.locator(".ex-status-box .ex-error").text_content() == ""
    assert sum(sent) > path.stat().st_size
    opened.assert_clean()


def test_a_compressed_file_that_the_page_made_opens_again(in_voila, tmp_path):
    small = ex.compress(ex.load("lenet-5").net, [ex.Prune(sparsity=0.9), ex.Quantize(bits=4)])
    path = tmp_path / "small.cmpx"
    small.save(path)
    in_voila.page.set_input_files(CHOOSE, path)
    size = f"{small.size_bytes / 1000:,.1f} KB"
    until(
        in_voila.page,
        "size => document.querySelector('.ex-figure-size .ex-value').textContent === size",
        size,
    )
    in_voila.assert_clean()


def test_a_large_file_is_refused_before_it_is_sent(opened, sent, tmp_path):
    path = Path(tmp_path / "large.safetensors")
    with path.open("wb") as file:
        file.truncate(70_000_000)
    opened.page.set_input_files(CHOOSE, path)
    until_error(opened.page, "large.safetensors has 70.0 MB, more than the 64.0 MB")
    assert sum(sent) < 1_000_000
    opened.assert_clean()


def test_a_pickle_is_refused_in_words(opened, tmp_path):
    path = tmp_path / "net.pt"
    path.write_bytes(b"PK\x03\x04" + bytes(3_000_000))
    opened.page.set_input_files(CHOOSE, path)
    until_error(opened.page, "net.pt is a zip archive, as torch.save writes it")
    opened.assert_clean()


def test_the_button_is_reached_by_keyboard_and_named(opened):
    button = opened.page.get_by_label("Open a file")
    button.focus()
    assert button.evaluate("e => e === document.activeElement")
    assert button.get_attribute("accept") == ".safetensors,.cmpx"
