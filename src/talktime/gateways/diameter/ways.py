"""The way back to a session's client: for the requests that begin here (Re-Auth-Request)."""

from typing import NamedTuple

from talktime.core.limits import DIAMETER_SESSIONS_CACHED_MAX
from talktime.engine.owners import CallKey
from talktime.gateways.diameter.requests import CreditRequest


class Way(NamedTuple):
    """Through which peer a session's requests came, and who sent them: a relay may stand
    between."""

    peer: str
    host: str
    realm: str


class Ways:
    """The ways of the sessions of late; bounded, the oldest half is forgotten. After a restart, and
    for what was forgotten, any peer of the call's switch is asked.

    >>> ways = Ways(at_most=2)
    >>> for number in range(3):
    ...     said = CreditRequest(session_id=f"s{number}", origin_host="a", origin_realm="r")
    ...     ways.remember(1, "relay", said)
    >>> ways.of((1, "s0")), ways.of((1, "s2"))
    (None, Way(peer='relay', host='a', realm='r'))
    """

    __slots__ = ("_half", "_old", "_same", "_young")

    def __init__(self, at_most: int = DIAMETER_SESSIONS_CACHED_MAX) -> None:
        self._half = max(1, at_most // 2)
        self._young: dict[CallKey, Way] = {}
        self._old: dict[CallKey, Way] = {}
        self._same: Way | None = None

    def of(self, key: CallKey) -> Way | None:
        """The way of a session, if it is remembered."""
        return self._young.get(key) or self._old.get(key)

    def remember(self, switch_id: int, peer: str, request: CreditRequest) -> None:
        """Note which way a request came."""
        way = self._same
        fields = (peer, request.origin_host, request.origin_realm)
        if way != fields:
            # Most sessions come the same way: they share one.
            way = self._same = Way(*fields)
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[switch_id, request.session_id] = way
