"""What a visitor's page may say to its kernel: move widgets, and nothing that runs code.

Jupyter's kernels run whatever an ``execute_request`` holds. A page of widgets has no need to send
one: it opens one channel to ask for the widgets' states, then tells the kernel what the visitor
moved. All else is refused here, before it is parsed any further.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

__all__ = ["MOST_BYTES", "PROTOCOL", "Malformed", "Message", "allowed", "hides", "read"]

PROTOCOL = "v1.kernel.websocket.jupyter.org"
MOST_BYTES = 8 * 2**20
MOST_PARTS = 64
WORD = 8
N_JSON = 4
ON_SHELL = {"comm_msg", "comm_close", "comm_open", "comm_info_request", "kernel_info_request"}
ON_CONTROL = {"kernel_info_request"}
STATES = "jupyter.widget.control"


class Malformed(ValueError):
    """Bytes that are no message of the protocol."""


@dataclass(frozen=True)
class Message:
    """A message between a page and its kernel.

    Attributes
    ----------
    channel : str
    kind : str
        Its ``msg_type``.
    header, content : dict
    """

    channel: str
    kind: str
    header: dict[str, Any]
    content: dict[str, Any]


def read(told: object) -> Message:
    """Read a message from a websocket.

    Parameters
    ----------
    told : object
        A frame as it was received. Only bytes can be a message: a count of offsets, the
        offsets, then the channel's name and the parts that they delimit, all counts and offsets
        little-endian words of 8 bytes.

    Raises
    ------
    Malformed
        If it is anything else, or a JSON object in it names a key twice.
    """
    if not isinstance(told, bytes):
        raise Malformed("a message must be binary")
    parts = _parts(told)
    try:
        channel = parts[0].decode("ascii")
        header, _, _, content = (_object(part) for part in parts[1 : 1 + N_JSON])
    except (ValueError, RecursionError) as error:
        raise Malformed(f"a message's parts must be JSON objects: {error}") from error
    kind = header.get("msg_type")
    if not isinstance(kind, str):
        raise Malformed("a message's header must say its msg_type")
    return Message(channel, kind, header, content)


def _parts(told: bytes) -> list[bytes]:
    count = int.from_bytes(told[:WORD], "little")
    start = WORD * (count + 1)
    if not N_JSON + 2 <= count <= MOST_PARTS or start > len(told):
        raise Malformed(f"a message must have {N_JSON + 2} to {MOST_PARTS} offsets, got {count}")
    offsets = [int.from_bytes(told[at : at + WORD], "little") for at in range(WORD, start, WORD)]
    if offsets != sorted(offsets) or offsets[0] != start or offsets[-1] != len(told):
        raise Malformed("a message's offsets must rise from its first part to its end")
    return [told[a:b] for a, b in pairwise(offsets)]


def _object(text: bytes) -> dict[str, Any]:
    found = json.loads(text.decode("utf-8"), object_pairs_hook=_without_repeats)
    if not isinstance(found, dict):
        raise Malformed("a message's parts must be JSON objects")
    return found


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


def hides(kind: str, content: dict[str, Any]) -> bool:
    """Tell whether a kernel's message stays on the server: source code, and tracebacks in logs.

    Parameters
    ----------
    kind : str
        Its ``msg_type``.
    content : dict
    """
    return kind == "execute_input" or (kind == "stream" and content.get("name") == "stderr")
