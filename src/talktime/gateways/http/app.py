"""The charging API as an ASGI application: no framework, for Python's work is the limit.

It says yes and no; it decides nothing. Addresses, refusals and fields are described by openapi.py.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST

from talktime.core.commands import CallCommand
from talktime.core.keys import CALLS, QUOTES
from talktime.core.limits import (
    BATCH_BODY_BYTES_MAX,
    BATCH_REQUESTS_MAX,
    BODY_BYTES_MAX,
)
from talktime.core.refusal import Refusal
from talktime.engine.engine import Engine
from talktime.engine.measures import JobMeasure, publish
from talktime.engine.reply import Reply, refused
from talktime.gateways.http.bodies import MALFORMED, BatchBody, Item, QuoteBody, malformed
from talktime.gateways.http.commands import (
    DECODERS,
    command_of,
    quoted_command,
    reconsidered,
)
from talktime.gateways.http.connections import Connections
from talktime.gateways.http.counts import Counts
from talktime.gateways.http.ending import LongPoll
from talktime.gateways.http.exchanges import ENDED
from talktime.gateways.http.openapi import document
from talktime.gateways.http.replies import (
    JSON,
    Answer,
    Receive,
    Scope,
    Send,
    answer_of,
    refuse,
)
from talktime.gateways.http.requests import ClientGone, body_of, call_id_of, key_of
from talktime.gateways.http.verbs import Verbs, failed

Handler = Callable[[Scope, Receive, bytes], Awaitable[Answer]]

GET, POST = ("GET", "HEAD"), ("POST",)
_YES_NO = ("false", "true")
_decode_batch = msgspec.json.Decoder(BatchBody).decode
_decode_item = msgspec.json.Decoder(Item).decode
_decode_quote = msgspec.json.Decoder(QuoteBody).decode


class Endpoint(NamedTuple):
    """What stands at an address. `name` is its label in the counts."""

    name: str
    methods: tuple[str, ...]
    handler: Handler


class ChargingApi:
    """One application on one engine; it neither starts nor stops the engine."""

    def __init__(
        self,
        engine: Engine,
        jobs: Callable[[], Iterable[JobMeasure]],
        connections: Connections,
    ) -> None:
        self._engine = engine
        self.connections = connections
        self._counts = Counts(engine, jobs, connections)
        publish(self._counts.load_now)
        self.verbs = Verbs(engine, self._counts)
        self._document = document()
        self._long_poll = LongPoll(engine.endings)
        self._verbs = {
            verb: Endpoint(verb.decode(), POST, self._handler_of(verb)) for verb in DECODERS
        }
        self._call = Endpoint("show", GET, self._show)
        self._fixed = {
            b"/v1/calls:batch": Endpoint("batch", POST, self._batch),
            b"/v1/calls:ending": Endpoint("ending", GET, self._ending),
            b"/v1/quotes": Endpoint("quotes", POST, self._quote),
            b"/v1/openapi.json": Endpoint("openapi", GET, self._openapi),
            b"/healthz": Endpoint("healthz", GET, self._healthz),
            b"/readyz": Endpoint("readyz", GET, self._readyz),
            b"/metrics": Endpoint("metrics", GET, self._metrics),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        begun = perf_counter()
        endpoint, segment = self._find(scope)
        try:
            if endpoint is not None and scope["method"] in endpoint.methods:
                answer = await endpoint.handler(scope, receive, segment)
            else:
                answer = _not_handled(endpoint, scope["method"])
        except ClientGone:
            return
        except Exception:  # noqa: BLE001 - failed() logs it
            answer = failed(endpoint.name if endpoint else "")
        self.verbs.count(endpoint.name if endpoint else "none", answer, begun)
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [*answer.headers, (b"content-length", b"%d" % len(answer.body))],
            }
        )
        await send({"type": "http.response.body", "body": answer.body})

    def _find(self, scope: Scope) -> tuple[Endpoint | None, bytes]:
        """The endpoint of an address, and the call_id in it, still percent-encoded."""
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        parts = raw.split(b"/")
        if len(parts) == 5 and parts[2] == b"calls" and parts[1] == b"v1":
            return self._verbs.get(parts[4]), parts[3]
        if len(parts) == 4 and parts[2] == b"calls" and parts[1] == b"v1":
            return self._call, parts[3]
        return self._fixed.get(raw) or self._fixed.get(scope["path"].encode()), b""

    def _handler_of(self, verb: bytes) -> Handler:
        async def handler(scope: Scope, receive: Receive, segment: bytes) -> Answer:
            asked = self.verbs.admit(verb, segment, scope["headers"])
            if isinstance(asked, Answer):
                return asked
            content = await body_of(receive, BODY_BYTES_MAX)
            if isinstance(content, Refusal):
                return refuse(content, asked.call_key)
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

            def tell(answer: Answer) -> None:
                if not answered.done():
                    answered.set_result(answer)

            self.verbs.begin(asked, content, tell)
            return await answered

        return handler

    async def _show(self, scope: Scope, receive: Receive, segment: bytes) -> Answer:
        key = key_of(self._engine, scope["headers"], CALLS)
        if isinstance(key, Refusal):
            return refuse(key)
        call_key = call_id_of(segment)
        if isinstance(call_key, Refusal):
            return refuse(call_key)
        found = await self._engine.show(key.switch_id, call_key)
        return refuse(found, call_key) if isinstance(found, Refusal) else answer_of(200, found)

    async def _ending(self, scope: Scope, receive: Receive, segment: bytes) -> Answer:
        key = key_of(self._engine, scope["headers"], CALLS)
        if isinstance(key, Refusal):
            return refuse(key)
        query = scope.get("query_string", b"")
        ended = scope.get(ENDED) or asyncio.Event()
        found = await self._long_poll.answer(key.switch_id, query, ended)
        # The key may have been revoked while its request waited.
        key = key_of(self._engine, scope["headers"], CALLS)
        for refusal in (key, found):
            if isinstance(refusal, Refusal):
                return refuse(refusal)
        return Answer(200, msgspec.json.encode(found), (JSON,))

    async def _quote(self, scope: Scope, receive: Receive, segment: bytes) -> Answer:
        key = key_of(self._engine, scope["headers"], QUOTES)
        if isinstance(key, Refusal):
            return refuse(key)
        content = await body_of(receive, BODY_BYTES_MAX)
        if isinstance(content, Refusal):
            return refuse(content)
        try:
            body = _decode_quote(content)
        except MALFORMED as error:
            return refuse(malformed(error))
        command = quoted_command(self._engine, body, key.switch_id)
        if isinstance(command, Refusal):
            return refuse(command)
        found = await self._engine.quote(command, body.for_seconds)
        if isinstance(found, Refusal):
            return refuse(found)
        return answer_of(found.status, found.body, code=found.code)

    async def _batch(self, scope: Scope, receive: Receive, segment: bytes) -> Answer:
        key = key_of(self._engine, scope["headers"], CALLS)
        if isinstance(key, Refusal):
            return refuse(key)
        content = await body_of(receive, BATCH_BODY_BYTES_MAX)
        if isinstance(content, Refusal):
            return refuse(content)
        try:
            items = _decode_batch(content).requests
        except MALFORMED as error:
            return refuse(malformed(error))
        if len(items) > BATCH_REQUESTS_MAX:
            detail = f"a batch may have {BATCH_REQUESTS_MAX} requests; this one has {len(items)}"
            return refuse(Refusal("invalid_request", detail))
        commands = [await self._item(item, key.switch_id) for item in items]
        executed = iter(await self._engine.calls([c for c in commands if not isinstance(c, Reply)]))
        answers = [c if isinstance(c, Reply) else next(executed) for c in commands]
        for reply in answers:
            if reply.status >= 400:
                self._counts.refusal(reply.code)
        return answer_of(200, _batch_body(answers))

    async def _item(self, item: msgspec.Raw, switch_id: int) -> CallCommand | Reply:
        """The command of one item of a batch; or its refusal, in place, while the batch goes on."""
        try:
            body = _decode_item(item)
        except MALFORMED as error:
            return refused(malformed(error))
        engine, call_key = self._engine, body.call_id
        command = command_of(engine, body, call_key, switch_id)
        if isinstance(command, Refusal):
            command = await reconsidered(engine, command, body, call_key, switch_id)
            if isinstance(command, Refusal):
                return refused(command, call_key, body.sequence)
        return command

    async def _openapi(self, scope: Scope, receive: Receive, segment: bytes) -> Answer:
        return Answer(200, self._document, (JSON,))

    async def _healthz(self, scope: Scope, receive: Receive, segment: bytes) -> Answer:
        return answer_of(200, '{"status":"ok"}')

    async def _readyz(self, scope: Scope, receive: Receive, segment: bytes) -> Answer:
        waits = list(self._engine.not_ready())
        if not waits:
            return answer_of(200, '{"status":"ready"}')
        return refuse(Refusal("unavailable", f"waiting for: {', '.join(waits)}"))

    async def _metrics(self, scope: Scope, receive: Receive, segment: bytes) -> Answer:
        content_type = (b"content-type", CONTENT_TYPE_LATEST.encode())
        return Answer(200, self._counts.document(), (content_type,))


def _not_handled(endpoint: Endpoint | None, method: str) -> Answer:
    """The answer where nothing stands at the address, or not for this method."""
    if endpoint is None:
        return refuse(Refusal("not_found", "there is nothing at this address"))
    methods = ", ".join((*endpoint.methods, "OPTIONS"))
    allow = (b"allow", methods.encode())
    if method == "OPTIONS":
        return Answer(204, b"", (allow,))
    answer = refuse(Refusal("method_not_allowed", f"use {methods}"))
    return msgspec.structs.replace(answer, headers=(*answer.headers, allow))


def create_app(
    engine: Engine,
    jobs: Callable[[], Iterable[JobMeasure]] = tuple,
    connections: Connections | None = None,
) -> ChargingApi:
    """The charging API on an engine that the caller starts and stops.

    `jobs` tells /metrics how the jobs of this process do, where it has any; `connections` are those
    of its port.
    """
    return ChargingApi(engine, jobs, connections or Connections())


def _batch_body(answers: Sequence[Reply]) -> str:
    parts = [
        f'{{"status":{reply.status},"replayed":{_YES_NO[reply.replayed]},"body":{reply.body}}}'
        for reply in answers
    ]
    return f'{{"answers":[{",".join(parts)}]}}'
