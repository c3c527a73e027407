"""Updates that wait for their kernel: of those that a later one replaces, only the later is kept.

A page may say what its visitor moved faster than the kernel computes. A few messages are on their
way at a time; the others wait here, in order, and an update of a widget that a later one wholly
replaces is dropped, so that the last position of a dial is answered next, however many came before.

Where far more are dropped than a hand makes, the kernel is given few, so that the server keeps up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from explorer.serve.messages import Message

__all__ = ["MOST_SENT", "MOST_WAITING", "Updates"]

MOST_SENT = 4
MOST_WAITING = 256
PATIENCE_S = 20.0
FLOOD_DROPPED, FLOOD_WINDOW_S = 20, 0.1
FLOOD_REST_S, FLOOD_PACE_S = 0.25, 0.2


class _Kept(NamedTuple):
    message: Message
    model: str
    keys: frozenset[str]


class Updates:
    """The messages of one page that wait, and those that its kernel has not answered yet.

    Messages are given on in the order in which they came. What a click or another message may
    depend on is never dropped: an update replaces another only where nothing but updates came
    between the two.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, _Kept] = {}
        self._replaceable: dict[tuple[str, frozenset[str]], int] = {}
        self._sent: dict[str, float] = {}
        self._number = 0
        self._window_since = self._flood_until = self._given_at = -1.0
        self._n_dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether no more should be read from the page for now."""
        return len(self._waiting) >= MOST_WAITING

    def is_flooded(self, now: float) -> bool:
        """Whether far more updates have just been dropped than a hand makes."""
        return now < self._flood_until

    def add(self, message: Message, now: float = 0.0) -> list[Message]:
        """Let a message wait that came at the second `now` of a clock.

        Returns: those that it replaces, which need not be given on any more.
        """
        kept = _kept(message)
        dropped = []
        if kept.keys:
            for other in [other for other in self._replaceable if _replaces(kept, other)]:
                dropped.append(self._waiting.pop(self._replaceable.pop(other)).message)
            self._replaceable[kept.model, kept.keys] = self._number
        else:
            self._replaceable.clear()
        self._waiting[self._number] = kept
        self._number += 1
        self._count(len(dropped), now)
        return dropped

    def _count(self, n_dropped: int, now: float) -> None:
        if now - self._window_since > FLOOD_WINDOW_S:
            self._window_since, self._n_dropped = now, 0
        self._n_dropped += n_dropped
        if self._n_dropped > FLOOD_DROPPED:
            self._flood_until = now + FLOOD_REST_S

    def due(self, now: float) -> Iterator[Message]:
        """Give on what the kernel may be given now.

        `now`: seconds of a clock; what was given on long ago counts as answered.
        """
        self._sent = {key: at for key, at in self._sent.items() if now - at < PATIENCE_S}
        flooded = self.is_flooded(now)
        if flooded and now - self._given_at < FLOOD_PACE_S:
            return
        most = 1 if flooded else MOST_SENT
        while self._waiting and len(self._sent) < most:
            number = next(iter(self._waiting))
            kept = self._waiting.pop(number)
            if self._replaceable.get((kept.model, kept.keys)) == number:
                del self._replaceable[kept.model, kept.keys]
            self._sent[kept.message.header["msg_id"]] = self._given_at = now
            yield kept.message

    def answered(self, message_id: object) -> bool:
        """Note that the kernel is done with a message; tell whether it was one of these."""
        return isinstance(message_id, str) and self._sent.pop(message_id, None) is not None


def _kept(message: Message) -> _Kept:
    data = message.content.get("data", {})
    if message.kind != "comm_msg" or data.get("method") != "update":
        return _Kept(message, "", frozenset())
    return _Kept(message, message.content["comm_id"], frozenset(data["state"]))


def _replaces(kept: _Kept, other: tuple[str, frozenset[str]]) -> bool:
    model, keys = other
    return model == kept.model and keys <= kept.keys
