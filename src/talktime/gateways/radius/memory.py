"""Answers that were just given, for requests that are sent again (RFC 5080 2.2.2).

A client that hears nothing sends the same bytes again, from the same port. It gets the same answer;
while the first is still being decided, the second is passed over.
"""

from collections import OrderedDict
from hashlib import blake2b
from typing import NamedTuple

from talktime.core.limits import RADIUS_ANSWERS_KEPT_MAX

KEPT_S = 30


class Sender(NamedTuple):
    """Where a datagram came from."""

    host: str
    port: int


class Sent(NamedTuple):
    """What makes a request the same: who sent it, to which of the two ports, and its bytes."""

    sender: Sender
    accounting: bool
    digest: bytes


def sent_by(sender: Sender, accounting: bool, data: bytes) -> Sent:
    """A packet as it is remembered."""
    return Sent(sender, accounting, blake2b(data, digest_size=16).digest())


class _Kept(NamedTuple):
    at_s: float
    answer: bytes | None


class Answers:
    """The answers of the last half minute, at most RADIUS_ANSWERS_KEPT_MAX; None for one that is
    being decided."""

    def __init__(self, most: int = RADIUS_ANSWERS_KEPT_MAX) -> None:
        self._kept: OrderedDict[Sent, _Kept] = OrderedDict()
        self._most = most

    def __len__(self) -> int:
        return len(self._kept)

    def known(self, sent: Sent, at_s: float) -> bool:
        """Whether the request came before; if not, it is from now on."""
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if oldest.at_s > at_s - KEPT_S and len(self._kept) < self._most:
                break
            self._kept.popitem(last=False)
        if sent in self._kept:
            return True
        self._kept[sent] = _Kept(at_s, None)
        return False

    def answer(self, sent: Sent) -> bytes | None:
        """What the request was answered; None while it is being decided."""
        return self._kept[sent].answer

    def keep(self, sent: Sent, answer: bytes) -> None:
        """Keep what a request was answered, where it is still remembered."""
        known = self._kept.get(sent)
        if known is not None:
            self._kept[sent] = known._replace(answer=answer)

    def forget(self, sent: Sent) -> None:
        """Let the same request be tried again: nothing came of it."""
        self._kept.pop(sent, None)
