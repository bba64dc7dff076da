"""Commands put to the engine by coroutines, and what stands for a request that has no JSON."""

import asyncio
import json
from hashlib import blake2b
from typing import Any

from talktime.core.commands import CallCommand
from talktime.core.refusal import Refusal
from talktime.engine.engine import NOT_DECIDED, Engine
from talktime.engine.reply import Reply


class NotDecided(Exception):
    """Nothing could be decided now: the client gets no answer, and sends its request again."""

    STATUSES = NOT_DECIDED


async def asked(engine: Engine, command: CallCommand) -> Reply:
    """What came of a command, after the commit. Raises NotDecided."""
    answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def tell(reply: Reply) -> None:
        if not answered.done():
            answered.set_result(reply)

    engine.ask(command, tell)
    reply = await answered
    if reply.status in NOT_DECIDED:
        raise NotDecided
    return reply


async def shown(engine: Engine, switch_id: int, call_key: str) -> dict[str, Any]:
    """A call as it stands (operations/show_call.py); empty where there is none. Raises
    NotDecided."""
    found = await engine.show(switch_id, call_key)
    if isinstance(found, Refusal):
        if found.kind.status in NOT_DECIDED:
            raise NotDecided
        return {}
    call: dict[str, Any] = json.loads(found)
    return call


def hash_of(*meaning: str | int | None) -> int:
    """64 bits, signed, that stand for what a request means."""
    digest = blake2b(repr(meaning).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
