"""The calls that a client's session id has named one after the other, as the books know them: each
call's key is made of the one before, so that every engine finds the same, also after a restart."""

from datetime import datetime
from typing import NamedTuple

from talktime.core.limits import RADIUS_USES_READ_MAX
from talktime.engine.engine import Engine
from talktime.gateways.radius.asking import shown
from talktime.gateways.radius.calls import used_again

OPEN = "open"


class Use(NamedTuple):
    """A call of a session id: its key and what it is in the books, where `state` is empty for one
    that nobody has asked for; and when it began (RFC 3339)."""

    call_key: str
    state: str
    started_at: str

    @property
    def begun_ms(self) -> int:
        """When it began; of one that is in the books."""
        return int(datetime.fromisoformat(self.started_at).timestamp()) * 1000


async def use_of(engine: Engine, switch_id: int, call_key: str) -> Use:
    """A call as the books have it. Raises NotDecided."""
    call = await shown(engine, switch_id, call_key)
    return Use(call_key, call.get("state", ""), call.get("started_at", ""))


async def use_after(engine: Engine, switch_id: int, session_key: str, last: Use) -> Use:
    """The next call that a session id names: after `last` and all that are over, the one that runs
    or the first that is still to be asked for. Raises NotDecided."""
    for _ in range(RADIUS_USES_READ_MAX):
        key = used_again(session_key, last.call_key, last.started_at)
        last = await use_of(engine, switch_id, key)
        if last.state in ("", OPEN):
            break
    return last


async def uses_since(engine: Engine, switch_id: int, session_key: str, call_key: str) -> list[Use]:
    """The calls of a session id that were asked for since this one, the latest last: none while it
    runs. Raises NotDecided."""
    found = [await use_of(engine, switch_id, call_key)]
    while found[-1].state not in ("", OPEN) and len(found) <= RADIUS_USES_READ_MAX:
        after = used_again(session_key, found[-1].call_key, found[-1].started_at)
        found.append(await use_of(engine, switch_id, after))
    return [use for use in found[1:] if use.state]
