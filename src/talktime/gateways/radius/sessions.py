"""The running calls of RADIUS clients, as far as this process has met them: where each came from,
what it is called there, and when its time is over. Bounded; what is forgotten is found again by the
call's key, or by the next accounting request."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from talktime.core.limits import RADIUS_SESSIONS_MAX
from talktime.core.peers import Peer
from talktime.gateways.radius.belonging import Life
from talktime.gateways.radius.calls import Named, session_of


@dataclass(slots=True)
class Session:
    """One call: how long it was granted in all, what it reported, whether it is over at the
    client, was there before the client began anew (`left`), or is unknown to it when it is to end
    it (`denied`); `asked_by` are the authenticators of the last requests that it was granted to,
    `ends` is the alarm for the end of a last grant, `life` is what tells its packets from those of
    another call with its session id."""

    peer: Peer
    named: Named
    granted_s: int = 0
    used_s: int = 0
    asked_by: tuple[bytes, ...] = ()
    final: bool = False
    over: bool = False
    left: bool = False
    denied: bool = False
    ends: asyncio.TimerHandle | None = None
    life: Life = field(default_factory=Life)

    def let_run(self) -> None:
        """Take the alarm away."""
        if self.ends is not None:
            self.ends.cancel()
            self.ends = None


class Sessions:
    """The calls by switch and key, the latest last."""

    def __init__(self, most: int = RADIUS_SESSIONS_MAX) -> None:
        self._sessions: OrderedDict[tuple[int, str], Session] = OrderedDict()
        self._last: dict[tuple[int, str], str] = {}  # the highest key of each session id
        self._most = most

    def __len__(self) -> int:
        return len(self._sessions)

    def meet(self, peer: Peer, named: Named) -> Session:
        """The session that a packet is about, with what the packet says of it."""
        key = (peer.switch_id, named.call_key)
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = Session(peer, named)
            of = (peer.switch_id, session_of(named.call_key))
            self._last[of] = max(self._last.get(of, ""), named.call_key)
            if len(self._sessions) > self._most:
                self._forget()
            return session
        self._sessions.move_to_end(key)
        if not named.session_id:
            named = named._replace(session_id=session.named.session_id)
        session.peer, session.named = peer, named
        return session

    def begin(self, peer: Peer, named: Named, at_s: float) -> None:
        """A call was granted that had been asked for then (the loop's seconds). One before it that
        had its key, as one that is forgotten had, is nothing to it."""
        before = self._sessions.pop((peer.switch_id, named.call_key), None)
        if before is not None:
            before.let_run()
        self.meet(peer, named).life.begin(at_s)

    def find(self, switch_id: int, call_key: str) -> Session | None:
        """The session of a call, where this process has met it."""
        return self._sessions.get((switch_id, call_key))

    def last_of(self, switch_id: int, session_key: str) -> Session | None:
        """The last call that a session id has named, where this process has met it."""
        last = self._last.get((switch_id, session_key))
        return None if last is None else self.find(switch_id, last)

    def _forget(self) -> None:
        (switch_id, call_key), session = self._sessions.popitem(last=False)
        session.let_run()
        of = (switch_id, session_of(call_key))
        if self._last.get(of) == call_key:
            del self._last[of]

    def leave(self, switch_id: int, client: str, before_s: float) -> None:
        """A client began anew: its session ids of calls that were asked for before then (the loop's
        seconds) may name others from now on."""
        for (whose_id, _), session in self._sessions.items():
            begun_s = session.life.begun_s
            if whose_id == switch_id and session.named.client.name == client:
                session.left |= begun_s is not None and begun_s < before_s

    def close(self) -> None:
        """Take all alarms away."""
        for session in self._sessions.values():
            session.let_run()
