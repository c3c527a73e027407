"""What a visitor's page may say to its kernel."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from explorer.serve.messages import DEEPEST, MOST_PARTS, Malformed, allowed, hides, read, sound
from explorer.serve.messages import packed as repacked


def packed(kind="comm_msg", channel="shell", content=None, header=None, buffers=()):
    parts = [header or {"msg_type": kind}, {}, {}, {} if content is None else content]
    encoded = [json.dumps(part).encode() for part in parts]
    return serialize_msg_to_ws_v1([*encoded, *buffers], channel)


def word(number):
    return number.to_bytes(8, "little")


def test_what_jupyter_packs_is_read():
    told = packed(content={"comm_id": "a"}, buffers=[b"\x00\xff", b""])
    message = read(told)
    assert (message.channel, message.kind) == ("shell", "comm_msg")
    assert message.content == {"comm_id": "a"}
    assert deserialize_msg_from_ws_v1(told)[0] == message.channel


@pytest.mark.parametrize(
    "kind", ["comm_msg", "comm_close", "comm_info_request", "kernel_info_request"]
)
def test_what_widgets_need_is_allowed(kind):
    assert allowed(read(packed(kind)))


@pytest.mark.parametrize("channel", ["shell", "control", "stdin", "iopub", "hb"])
@pytest.mark.parametrize(
    "kind",
    [
        "execute_request",
        "Execute_Request",
        "inspect_request",
        "complete_request",
        "history_request",
        "debug_request",
        "shutdown_request",
        "interrupt_request",
        "input_reply",
        "create_subshell_request",
        "",
    ],
)
def test_nothing_else_is(kind, channel):
    assert not allowed(read(packed(kind, channel)))


@pytest.mark.parametrize("channel", ["control", "stdin", "iopub"])
def test_widgets_are_moved_on_the_shell_channel_only(channel):
    assert not allowed(read(packed("comm_msg", channel)))


def test_only_the_channel_of_states_may_be_opened():
    assert allowed(read(packed("comm_open", content={"target_name": "jupyter.widget.control"})))
    for target in ("jupyter.widget", "other", None, ["jupyter.widget.control"]):
        assert not allowed(read(packed("comm_open", content={"target_name": target})))
    assert not allowed(read(packed("comm_open")))


def doubled(header):
    text = [header, b"{}", b"{}", b"{}"]
    return serialize_msg_to_ws_v1(text, "shell")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ('{"channel": "shell"}', "must be binary"),
        (b"", "6 to 64 offsets, got 0"),
        (word(2**62), "6 to 64 offsets"),
        (word(MOST_PARTS + 1) * 100, "6 to 64 offsets, got 65"),
        (word(6) + word(0) * 6, "offsets must rise"),
        (word(6) + word(56) * 5 + word(57), "offsets must rise"),
        (word(6) + word(2**63) * 6, "offsets must rise"),
        (packed() + b"x", "offsets must rise"),
        (packed()[:-1], "offsets must rise"),
        (packed(channel="s\u00e9"), "JSON objects"),
        (doubled(b"[]"), "JSON objects"),
        (doubled(b"\xff"), "JSON objects"),
        (doubled(b"[" * 100_000), "JSON objects"),
        (
            doubled(b'{"msg_type": "comm_msg", "a": ' + b"[" * DEEPEST + b"]" * DEEPEST + b"}"),
            "nest",
        ),
        (doubled(b'{"msg_type": 1}'), "msg_type"),
        (doubled(b'{"msg_type": "comm_msg", "msg_type": "execute_request"}'), "key once"),
    ],
)
def test_what_is_no_message_is_told(told, words):
    with pytest.raises(Malformed, match=words):
        read(told)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(told):
    with pytest.raises(Malformed):
        read(told)


@given(st.data())
def test_a_message_with_bytes_changed_never_runs_code(data):
    told = bytearray(packed("execute_request", content={"code": "1"}))
    for _ in range(data.draw(st.integers(1, 3))):
        told[data.draw(st.integers(0, len(told) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = read(bytes(told))
    except Malformed:
        return
    assert not allowed(message)


def test_sources_and_logs_stay_on_the_server():
    assert hides("execute_input", {"code": "1"})
    assert hides("stream", {"name": "stderr", "text": "Traceback"})
    assert not hides("stream", {"name": "stdout", "text": "1"})
    assert not hides("comm_msg", {"name": "stderr"})


@pytest.mark.parametrize("half", ["\ud800", "a\udfffb", "\udc00\ud800", "\udc80"])
def test_half_a_pair_of_surrogates_is_cleaned(half):
    content = {"comm_id": "a", "data": {"method": "update", "state": {half: [half, {"x": half}]}}}
    told = packed(content=content, header={"msg_type": "comm_msg", "msg_id": half}, buffers=[b"1"])
    message = read(told)
    for text in (json.dumps(message.content, ensure_ascii=False), message.header["msg_id"]):
        assert "\ufffd" in text
        assert text.encode("utf-8")
    assert json.loads(message.parts[3]) == message.content
    assert message.parts[4] == b"1"


def test_whole_pairs_stay_as_they_are():
    told = packed(content={"comm_id": "\U0001f600", "ud800": "\\ud800 is spelled"})
    assert read(told).content == {"comm_id": "\U0001f600", "ud800": "\\ud800 is spelled"}


@given(st.dictionaries(st.text(), st.text()), st.lists(st.binary(), max_size=3))
def test_a_message_is_packed_as_it_was_read(content, buffers):
    told = packed(content=content, buffers=buffers)
    assert repacked(read(told)) == told


HEADER = {"msg_type": "comm_msg", "msg_id": "1"}
UPDATE = {"method": "update", "state": {"value": 1}, "buffer_paths": []}


def an_update(data=UPDATE, comm="a", header=HEADER, buffers=()):
    return read(packed(content={"comm_id": comm, "data": data}, header=header, buffers=buffers))


@pytest.mark.parametrize(
    "message",
    [
        an_update(),
        an_update({"method": "custom", "content": {"event": "click"}}),
        an_update({"method": "request_states"}),
        an_update(UPDATE | {"buffer_paths": [["value"]]}, buffers=[b"1"]),
        an_update(UPDATE | {"state": {"a": [{}]}, "buffer_paths": [["a", 0, "b"]]}, buffers=[b"1"]),
        read(
            packed("kernel_info_request", header={"msg_type": "kernel_info_request", "msg_id": "1"})
        ),
    ],
)
def test_what_pages_say_is_sound(message):
    assert sound(message)


@pytest.mark.parametrize(
    "message",
    [
        an_update(header={"msg_type": "comm_msg"}),
        an_update(header=HEADER | {"msg_id": 1}),
        an_update(header=HEADER | {"msg_id": "1" * 201}),
        an_update(header=HEADER | {"session": []}),
        an_update(comm=[]),
        an_update(comm=""),
        an_update(comm=None),
        an_update(None),
        an_update([]),
        an_update({}),
        an_update({"method": "other"}),
        an_update({"method": "custom", "content": "x"}),
        an_update({"method": "update"}),
        an_update({"method": "update", "state": []}),
        an_update(UPDATE | {"buffer_paths": None}),
        an_update(UPDATE | {"buffer_paths": [["value"]]}),
        an_update(UPDATE | {"buffer_paths": ["value"]}, buffers=[b"1"]),
        an_update(UPDATE | {"buffer_paths": [[]]}, buffers=[b"1"]),
        an_update(UPDATE | {"buffer_paths": [["x", "y"]]}, buffers=[b"1"]),
        an_update(UPDATE | {"state": {"a": []}, "buffer_paths": [["a", 0]]}, buffers=[b"1"]),
        an_update(UPDATE | {"state": {"a": []}, "buffer_paths": [["a", 1e9]]}, buffers=[b"1"]),
        an_update(buffers=[b"1"]),
    ],
)
def test_what_lacks_or_mistakes_a_part_is_not_sound(message):
    assert allowed(message)
    assert not sound(message)
