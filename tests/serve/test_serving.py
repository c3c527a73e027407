"""A real server under real visitors: who gets in, what is shown, and what is refused."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from urllib.parse import urlsplit

import psutil
import pytest
import tornado.websocket

from explorer.bench.visitor import NotAdmitted, Visitor, cookie_in
from explorer.serve.handlers import RETRY_SECONDS
from explorer.serve.messages import MOST_BYTES

GONE_SECONDS = 30


def answer(root, path, **headers):
    """Status, headers and text; the path is sent as it is, dots and all."""
    connection = http.client.HTTPConnection(urlsplit(root).netloc, timeout=60)
    connection.request("GET", path, headers=headers)
    found = connection.getresponse()
    text = found.read().decode("utf-8", "replace")
    connection.close()
    return found.status, dict(found.getheaders()), text


def kernel_runs(server, kernel_id):
    return answer(server.root, f"/api/kernels/{kernel_id}")[0] == 200


def kernel_of(text):
    return re.search(r'"kernelId": "([0-9a-f-]+)"', text)[1]


def gone(server, *kernel_ids):
    for _ in range(10 * GONE_SECONDS):
        if not any(kernel_runs(server, each) for each in kernel_ids):
            return True
        time.sleep(0.1)
    return False


def end(server, kernel_id, cookie):
    """End a kernel as a page does that is closed; the status of the answer."""
    headers = {"Cookie": f"_xsrf={cookie}"}
    address = f"{server.root}voila/api/shutdown/{kernel_id}"
    data = urllib.parse.urlencode({"_xsrf": cookie}).encode()
    request = urllib.request.Request(address, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request) as told:
            return told.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture
def visiting(server):
    """Run a conversation of a visitor with a kernel, then end the kernel as a closed page does."""

    def run(conversation, page=server.page):
        async def visit():
            visitor = await Visitor.enter(page)
            try:
                return await asyncio.wait_for(conversation(visitor), 30)
            finally:
                await visitor.leave()
                assert (
                    await asyncio.to_thread(end, server, visitor.kernel_id, visitor.cookie) == 204
                )

        return asyncio.run(visit())

    return run


async def still_there(visitor):
    """Turn the dial; True if the label follows."""
    dial, label = visitor.find("dial"), visitor.find("shown")
    await visitor.turn(dial, 7, label)
    return True


def test_the_front_page_lists_the_notebooks(server):
    status, _, text = answer(server.root, "/")
    assert status == 200
    assert text.index('href="/app"') < text.index("A &lt;b&gt;broken&lt;/b&gt; one")
    assert 'href="/voila/render/01_broken.ipynb"' in text
    assert "It fails." in text
    assert "outside" not in text
    assert "inner" not in text


def test_sources_stay_on_the_server(server, visiting):
    async def one_page(visitor):
        return visitor.states

    states = visiting(one_page)
    _, headers, text = answer(server.root, "/app?state=abc")
    assert end(server, kernel_of(text), cookie_in(headers["Set-Cookie"])) == 204
    for shown in (json.dumps(states), text):
        assert "in_the_source" not in shown
        assert "torch" not in shown


def test_an_exception_is_told_in_words(server):
    status, headers, text = answer(server.root, "/voila/render/01_broken.ipynb")
    assert status == 200
    assert end(server, kernel_of(text), cookie_in(headers["Set-Cookie"])) == 204
    assert "could not be made" in text
    for told in ("RuntimeError", "traceback", "Traceback", "ipython-input"):
        assert told not in text


def test_a_kernel_has_one_thread_and_the_server_keeps_its_own(server, visiting):
    async def read(visitor):
        return visitor.states[visitor.find("threads")]["value"]

    assert visiting(read) == "1 1"
    own = psutil.Process(server.pid).environ().get("OMP_NUM_THREADS")
    assert own == os.environ.get("OMP_NUM_THREADS")


@pytest.mark.parametrize(
    "path",
    [
        "/voila/render/../outside.ipynb",
        "/voila/render/..%2Foutside.ipynb",
        "/voila/render/../../../../etc/passwd",
        "/voila/render/%2e%2e/%2e%2e/etc/passwd",
        "/voila/render//etc/passwd",
        "/voila/render/below/inner.ipynb",
        "/voila/render/below%2Finner.ipynb",
        "/voila/render/inner.ipynb",
        "/voila/render/secret.txt",
        "/voila/render/app.ipynb/",
        "/voila/render/app.ipynb%00",
        "/voila/files/secret.txt",
        "/voila/files/secret.py",
        "/voila/files/app.ipynb",
        "/voila/files/../secret.txt",
        "/voila/files/..%2Fsecret.txt",
        "/voila/static/../../../../../../etc/passwd",
        "/voila/static/..%2F..%2F..%2Fetc%2Fpasswd",
        "/voila/templates/../static/conf.json",
        "/voila/templates/..%2F..%2F/static/conf.json",
        "/voila/templates/lab/static/../../../../../etc/passwd",
        "/voila/labextensions/../../../../etc/passwd",
        "/voila/tree",
        "/voila/api/contents/secret.txt",
        "/voila/execution/00000000-0000-0000-0000-000000000000",
        "/api/contents",
        "/api/contents/secret.txt",
        "/api/kernels",
        "/api/sessions",
        "/api/terminals",
        "/terminals/websocket/1",
        "/files/secret.txt",
        "/notebooks/app.ipynb",
        "/lab",
        "/login",
        "/nbconvert/html/app.ipynb",
    ],
)
def test_nothing_else_is_served(server, path):
    status, _, text = answer(server.root, path)
    assert status in {403, 404, 405}
    assert "root:" not in text
    assert "a secret" not in text
    assert "Traceback" not in text


def test_no_kernel_is_started_from_outside(server):
    request = urllib.request.Request(f"{server.root}api/kernels", data=b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError, match=r"403|404|405") as told:
        urllib.request.urlopen(request)
    told.value.close()


def test_one_more_is_told_and_gets_in_when_somebody_leaves(server, most):
    async def all_at_once():
        visitors = await asyncio.gather(*(Visitor.enter(server.page) for _ in range(most)))
        with pytest.raises(NotAdmitted) as refusal:
            await Visitor.enter(server.page)
        await visitors[0].leave()
        for _ in range(10 * GONE_SECONDS):
            try:
                visitors.append(await Visitor.enter(server.page))
                break
            except NotAdmitted:
                await asyncio.sleep(0.1)
        for each in visitors:
            await each.leave()
        return refusal.value, [each.kernel_id for each in visitors]

    refusal, kernel_ids = asyncio.run(all_at_once())
    assert (refusal.status, refusal.retry_after) == (503, str(RETRY_SECONDS))
    assert "All places are taken" in refusal.words
    assert f'<meta http-equiv="refresh" content="{RETRY_SECONDS}">' in refusal.words
    assert len(set(kernel_ids)) == most + 1
    assert gone(server, *kernel_ids)


def test_closing_the_page_ends_the_kernel_at_once(server):
    async def visit():
        visitor = await Visitor.enter(server.page)
        assert await asyncio.to_thread(kernel_runs, server, visitor.kernel_id)
        assert await asyncio.to_thread(end, server, visitor.kernel_id, visitor.cookie) == 204
        assert not await asyncio.to_thread(kernel_runs, server, visitor.kernel_id)
        await visitor.leave()

    asyncio.run(visit())


def test_a_visitor_ends_their_own_kernel_only(server):
    """Neither a made up token, nor one of another visitor, nor one whose mark is changed."""

    async def visit():
        visitor, other = await Visitor.enter(server.page), await Visitor.enter(server.page)
        assert visitor.cookie and visitor.cookie.split("|")[2] != other.cookie.split("|")[2]
        changed = visitor.cookie.replace("|", "|0", 1)
        for cookie in ("", "ab" * 16, other.cookie, changed, "2|00000000|" + "ab" * 32 + "|1"):
            status = await asyncio.to_thread(end, server, visitor.kernel_id, cookie)
            assert status == 403, cookie
        assert await asyncio.to_thread(kernel_runs, server, visitor.kernel_id)
        for each in (visitor, other):
            assert await asyncio.to_thread(end, server, each.kernel_id, each.cookie) == 204
            await each.leave()
        assert await asyncio.to_thread(end, server, visitor.kernel_id, visitor.cookie) == 404

    asyncio.run(visit())


def test_a_page_sets_the_cookie_that_lets_it_end_its_kernel(server):
    _, headers, text = answer(server.root, "/app")
    assert headers["Set-Cookie"].startswith("_xsrf=")
    assert "no-store" in headers["Cache-Control"]
    assert gone(server, kernel_of(text))


def test_code_from_a_visitor_is_not_run(visiting, tmp_path):
    proof = tmp_path / "ran"
    code = f"open({str(proof)!r}, 'w').close(); slider.value = 99"

    async def attack(visitor):
        for channel in ("shell", "control", "stdin"):
            for kind in ("execute_request", "inspect_request", "debug_request"):
                content = {"code": code, "silent": False, "cursor_pos": 1, "detail_level": 0}
                await visitor.send(kind, content, channel=channel)
        await visitor.send("comm_open", {"comm_id": "x", "target_name": "jupyter.widget"})
        return await still_there(visitor)

    assert visiting(attack)
    assert not proof.exists()


def test_an_exception_in_a_callback_stays_on_the_server(visiting):
    async def fail(visitor):
        seen = []
        dial = visitor.find("dial")
        data = {"method": "update", "state": {"value": 13}, "buffer_paths": []}
        asked = await visitor.send("comm_msg", {"comm_id": dial, "data": data})
        while True:
            message = await visitor.receive()
            seen.append(json.dumps(message))
            ended = message["content"].get("execution_state") == "idle"
            if ended and message["parent_header"].get("msg_id") == asked:
                return seen, await still_there(visitor)

    seen, works = visiting(fail)
    assert works
    assert not any("in the traceback" in each or "RuntimeError" in each for each in seen)


@pytest.mark.parametrize(
    ("told", "binary", "code"),
    [
        (b"\x00" * 8, True, 1002),
        ((2**62).to_bytes(8, "little") + b"x" * 64, True, 1002),
        ('{"channel": "shell", "header": {"msg_type": "execute_request"}}', False, 1002),
        (b"\x00" * (MOST_BYTES + 1), True, {1009, None}),
    ],
)
def test_what_is_no_message_or_too_long_ends_the_connection(visiting, told, binary, code):
    async def attack(visitor):
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
            await visitor.socket.write_message(told, binary=binary)
        with pytest.raises(ConnectionError, match="hung up"):
            while True:
                await visitor.receive()
        return visitor.socket.close_code

    assert visiting(attack) in (code if isinstance(code, set) else {code})


def test_another_protocol_is_turned_away(server, visiting):
    async def attack(visitor):
        root = server.root.replace("http", "ws", 1)
        where = f"{root}api/kernels/{visitor.kernel_id}/channels?session_id=other"
        other = await tornado.websocket.websocket_connect(where)
        assert await other.read_message() is None
        other.close()
        return other.close_code

    assert visiting(attack) == 1002
