"""What a visitor's page may say to its kernel: move widgets, and nothing that runs code.

Jupyter's kernels run whatever an ``execute_request`` holds. A page of widgets has no need to send
one: it opens one channel to ask for the widgets' states, then tells the kernel what the visitor
moved. All else is refused here, before it is parsed any further. Text that no encoding can hold
(half of a pair of surrogates, which browsers let through) is cleaned: the kernel could not tell it
back.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

__all__ = [
    "MOST_BYTES",
    "PROTOCOL",
    "Malformed",
    "Message",
    "allowed",
    "hides",
    "packed",
    "read",
    "sound",
]

PROTOCOL = "v1.kernel.websocket.jupyter.org"
MOST_BYTES = 8 * 2**20
MOST_PARTS = 64
WORD = 8
N_JSON = 4
DEEPEST = 40
LONGEST_ID = 200
ON_SHELL = {"comm_msg", "comm_close", "comm_open", "comm_info_request", "kernel_info_request"}
ON_CONTROL = {"kernel_info_request"}
STATES = "jupyter.widget.control"
NEEDED = ("msg_id", "msg_type")
TEXTS = (*NEEDED, "session", "username", "version", "date")
HALF_PAIR = re.compile("[\ud800-\udfff]")
REPLACED = "\ufffd"


class Malformed(ValueError):
    """Bytes that are no message of the protocol."""


@dataclass(frozen=True)
class Message:
    """A message between a page and its kernel.

    `kind`: its ``msg_type``. `parts`: header, parent header, metadata, content, then buffers, as a
    kernel may be given them.
    """

    channel: str
    kind: str
    header: dict[str, Any]
    content: dict[str, Any]
    parts: tuple[bytes, ...] = ()

    @property
    def n_buffers(self) -> int:
        """How many buffers come with it."""
        return len(self.parts) - N_JSON


def read(frame: object) -> Message:
    """Read a message from a websocket.

    `frame`: a frame as it was received. Only bytes can be a message: a count of offsets, the
    offsets, then the channel's name and the parts that they delimit, all counts and offsets
    little-endian words of 8 bytes. Raises Malformed if it is anything else, or a JSON object in it
    names a key twice.
    """
    if not isinstance(frame, bytes):
        raise Malformed("a message must be binary")
    parts = _parts(frame)
    try:
        channel = parts[0].decode("ascii")
        found = [_object(part) for part in parts[1 : 1 + N_JSON]]
    except (ValueError, RecursionError) as error:
        raise Malformed(f"a message's parts must be JSON objects: {error}") from error
    header, _, _, content = found
    kind = header.get("msg_type")
    if not isinstance(kind, str):
        raise Malformed("a message's header must say its msg_type")
    texts = [
        part if _is_plain(part) else json.dumps(each).encode()
        for part, each in zip(parts[1:], found, strict=False)
    ]
    return Message(channel, kind, header, content, (*texts, *parts[1 + N_JSON :]))


def packed(message: Message) -> Any:
    """Return a message as a websocket carries it: `read` gives the same message."""
    parts = [message.channel.encode("ascii"), *message.parts]
    start = WORD * (len(parts) + 2)
    offsets = [start]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    words = (each.to_bytes(WORD, "little") for each in (len(offsets), *offsets))
    return b"".join([*words, *parts])


def _parts(frame: bytes) -> list[bytes]:
    count = int.from_bytes(frame[:WORD], "little")
    start = WORD * (count + 1)
    if not N_JSON + 2 <= count <= MOST_PARTS or start > len(frame):
        raise Malformed(f"a message must have {N_JSON + 2} to {MOST_PARTS} offsets, got {count}")
    offsets = [int.from_bytes(frame[at : at + WORD], "little") for at in range(WORD, start, WORD)]
    if offsets != sorted(offsets) or offsets[0] != start or offsets[-1] != len(frame):
        raise Malformed("a message's offsets must rise from its first part to its end")
    return [frame[a:b] for a, b in pairwise(offsets)]


def _object(text: bytes) -> dict[str, Any]:
    found = json.loads(text.decode("utf-8"), object_pairs_hook=_without_repeats)
    if not isinstance(found, dict):
        raise Malformed("a message's parts must be JSON objects")
    if text.count(b"[") + text.count(b"{") > DEEPEST and _depth(found) > DEEPEST:
        raise Malformed(f"a message must be nested {DEEPEST} levels at most")
    cleaned: dict[str, Any] = found if _is_plain(text) else _clean(found)
    return cleaned


def _is_plain(text: bytes) -> bool:
    """Tell whether JSON surely spells no surrogate; only an escape can."""
    return b"\\u" not in text or re.search(rb"\\u[dD][89a-fA-F]", text) is None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return HALF_PAIR.sub(REPLACED, value)
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in value.items()}
    return value


def _depth(value: Any) -> int:
    """Return how many objects and lists lie in each other, without recursion."""
    level, depth = [value], 0
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [
            inner for each in level for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return depth


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a JSON object must name each key once")
    return found


def allowed(message: Message) -> bool:
    """Tell whether a visitor's page may send this message.

    It may set what widgets hold, tell them of clicks, ask which there are, and open the one
    channel that tells their states. It may not make widgets, run code, or end the kernel.
    """
    if message.channel == "control":
        return message.kind in ON_CONTROL
    if message.channel != "shell" or message.kind not in ON_SHELL:
        return False
    return message.kind != "comm_open" or message.content.get("target_name") == STATES


def sound(message: Message) -> bool:
    """Tell whether an allowed message has all that a kernel reads of it, of the right kinds.

    A widget's message names its widget and holds a dict with a known method; an update holds a
    dict of state, and as many buffers as it has places for them.
    """
    header, content = message.header, message.content
    for key in TEXTS:
        value = header.get(key, None if key in NEEDED else "")
        if not isinstance(value, str) or len(value) > LONGEST_ID:
            return False
    if not message.kind.startswith("comm_") or message.kind == "comm_info_request":
        return True
    comm, data = content.get("comm_id"), content.get("data", {})
    if not isinstance(comm, str) or not 0 < len(comm) <= LONGEST_ID or not isinstance(data, dict):
        return False
    return message.kind != "comm_msg" or _sound_data(data, message.n_buffers)


def _sound_data(data: dict[str, Any], n_buffers: int) -> bool:
    method = data.get("method")
    if method in ("request_state", "request_states"):
        return True
    if method == "custom":
        return isinstance(data.get("content"), dict)
    places, state = data.get("buffer_paths", []), data.get("state")
    if method != "update" or not isinstance(state, dict) or not isinstance(places, list):
        return False
    return len(places) == n_buffers and all(_leads_into(state, place) for place in places)


def _leads_into(state: dict[str, Any], place: Any) -> bool:
    """Tell whether a buffer's place is there, but for its last step."""
    if not isinstance(place, list) or not place:
        return False
    inner: Any = state
    for number, step in enumerate(place):
        is_last = number == len(place) - 1
        if isinstance(inner, dict) and isinstance(step, str):
            inner = None if is_last else inner.get(step)
        elif isinstance(inner, list) and type(step) is int and 0 <= step < len(inner):
            inner = inner[step]
        else:
            return False
    return True


def hides(kind: str, content: dict[str, Any]) -> bool:
    """Tell whether a kernel's message stays on the server: source code, and tracebacks in logs.

    `kind`: its ``msg_type``.
    """
    return kind == "execute_input" or (kind == "stream" and content.get("name") == "stderr")
