"""The requests on one call: from the bytes of a body to the command, and to the answer's bytes.

Plain functions and one callback, no coroutine: an answer is told when the batch that decided it has
committed. protocol.py calls them for nearly all requests, app.py for the others.
"""

import asyncio
from collections.abc import Callable, Iterable
from time import perf_counter

import msgspec
import structlog

from talktime.core.commands import CallCommand
from talktime.core.keys import CALLS
from talktime.core.refusal import Refusal
from talktime.engine.engine import Engine
from talktime.gateways.http.bodies import MALFORMED, Body, malformed
from talktime.gateways.http.commands import DECODERS, command_of, reconsidered
from talktime.gateways.http.counts import Counts
from talktime.gateways.http.replies import Answer, answer_to, refuse
from talktime.gateways.http.requests import call_id_of, key_of

log = structlog.get_logger(__name__)

Tell = Callable[[Answer], None]


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request whose head has been read: which verb, of which switch, on which call."""

    verb: bytes
    switch_id: int
    call_key: str


class Verbs:
    """What answers POST /v1/calls/CALL_ID/VERB. Belongs to the event loop's thread."""

    def __init__(self, engine: Engine, counts: Counts) -> None:
        self._engine = engine
        self._counts = counts
        self._tasks: set[asyncio.Task[None]] = set()

    def admit(
        self, verb: bytes, segment: bytes, headers: Iterable[tuple[bytes, bytes]]
    ) -> Asked | Answer:
        """What a head asks for; or the refusal of its key or its call_id."""
        key = key_of(self._engine, headers, CALLS)
        if isinstance(key, Refusal):
            return refuse(key)
        call_key = call_id_of(segment)
        if isinstance(call_key, Refusal):
            return refuse(call_key)
        return Asked(verb, key.switch_id, call_key)

    def knows(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a head has a switch's key, whatever that may do."""
        key = key_of(self._engine, headers, CALLS)
        return not isinstance(key, Refusal) or key.code == "scope_missing"

    def begin(self, asked: Asked, content: bytes | bytearray, tell: Tell) -> None:
        """Do what was asked with this body; `tell` gets the answer, now or after the commit."""
        verb, switch_id, call_key = asked.verb, asked.switch_id, asked.call_key
        try:
            body: Body = DECODERS[verb](content)
        except MALFORMED as error:
            tell(refuse(malformed(error), call_key))
            return
        command = command_of(self._engine, body, call_key, switch_id)
        if isinstance(command, Refusal):
            self._reconsider(asked, command, body, tell)
        else:
            self._ask(command, tell)

    def count(self, name: str, answer: Answer, begun_s: float) -> None:
        """Count an answered request."""
        if answer.code:
            self._counts.refusal(answer.code)
        self._counts.request(name, answer.status, perf_counter() - begun_s)

    def _ask(self, command: CallCommand, tell: Tell) -> None:
        self._engine.ask(command, lambda reply: tell(answer_to(reply)))

    def _reconsider(self, asked: Asked, refusal: Refusal, body: Body, tell: Tell) -> None:
        engine, call_key = self._engine, asked.call_key

        async def reconsider() -> None:
            try:
                command = await reconsidered(engine, refusal, body, call_key, asked.switch_id)
                if isinstance(command, Refusal):
                    tell(refuse(command, call_key, body.sequence))
                else:
                    self._ask(command, tell)
            except Exception:  # noqa: BLE001 - failed() logs it
                tell(failed(asked.verb.decode()))

        task = asyncio.get_running_loop().create_task(reconsider())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def failed(endpoint: str) -> Answer:
    """The answer to a request that met a bug; the log gets the exception being handled."""
    log.exception("request failed", endpoint=endpoint)
    return refuse(Refusal("unavailable", "this request failed; the service's log says why"))
