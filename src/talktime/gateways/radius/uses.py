"""The calls that a client's session id has named one after the other, as the books know them: so
every engine finds the same, also after a restart."""

from collections.abc import Sequence, Set
from typing import NamedTuple

from talktime.core.refusal import Refusal
from talktime.engine.engine import Engine
from talktime.gateways.radius.asking import NotDecided
from talktime.gateways.radius.calls import again_of, number_of, used_again
from talktime.store.usage import NamedCall


class Uses(NamedTuple):
    """The last calls of a session id, the earliest first; and the cells that did not answer."""

    calls: Sequence[NamedCall]
    away: Set[str]


async def uses_of(engine: Engine, switch_id: int, session_key: str) -> Uses:
    """The calls that a session id has named, in the cells that answer. Raises NotDecided."""
    found = await engine.named(switch_id, session_key, again_of(session_key))
    if isinstance(found, Refusal):
        raise NotDecided
    calls, away = found
    # One that was begun while a cell was away may have the key of one there: the latest has it.
    last = {call.call_key: call for call in calls}
    return Uses(sorted(last.values(), key=lambda call: _place(session_key, call)), away)


def key_after(session_key: str, uses: Uses) -> str:
    """The key of the next call: the same for all who know of the same ones before."""
    if not uses.calls:
        return session_key
    return used_again(session_key, _place(session_key, uses.calls[-1]) + 1)


def _place(session_key: str, call: NamedCall) -> int:
    """Ids say which was made first, but for two engines whose clocks differ; one that was made
    knowing another has a number above that one's place."""
    return max(call.id, number_of(call.call_key, session_key))
