"""HTTP/1.1 connections: requests on one call are answered here, all others by the ASGI application.

A request on a call needs no task, no ASGI message and no future: its head is looked at once, its
body handed to verbs.py, and the answer written when the batch has committed. What is rare goes the
way of all other requests: one that is sent before the last was answered (pipelining), HTTP/1.0,
`Expect`, a query.

A request must arrive within REQUEST_S_MAX: its head whoever it is for, its body too if it is on a
call (the applications limit the bodies that they read).
"""

from asyncio import AbstractEventLoop, BaseTransport, TimerHandle, Transport
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from talktime.core.limits import BODY_BYTES_MAX, HEAD_BYTES_MAX, REQUEST_S_MAX
from talktime.core.refusal import Refusal
from talktime.gateways.http.commands import DECODERS
from talktime.gateways.http.exchanges import Exchange, Heads
from talktime.gateways.http.replies import Answer, refuse
from talktime.gateways.http.verbs import Asked, Verbs, failed

CLOSE = (b"connection", b"close")
NEVER = float("inf")


class SwitchProtocol(HttpToolsProtocol):
    """One connection. `request_s` is how long a request may take to arrive."""

    def __init__(
        self,
        verbs: Verbs,
        heads: Heads,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
        request_s: float = REQUEST_S_MAX,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._verbs = verbs
        self._heads = heads
        self._request_s = request_s
        # What has begun to arrive and is still awaited, and how much of its head has come.
        self._in_head = self._unread = self._hurried = False
        self._head_bytes = 0
        self._due_s = self._timer_s = NEVER
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast(Transport, transport))
        self._expect_within(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._unread:
            if self._in_head:
                self._head_bytes += len(data)
                if self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
                    self.send_400_response("The head of the request is too large.")
            if not self._hurried:
                self._hurried = True
                self._expect_within(self._request_s)

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = self._unread = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        found = self._on_a_call()
        if found is None:
            self._read()
            url, headers, expects = self.url, self.headers, self.expect_100_continue
            super().on_message_begin()
            self.url, self.expect_100_continue = url, expects
            self.headers.extend(headers)
            super().on_headers_complete()
            return
        exchange = Exchange(found[4].decode(), self.parser.should_keep_alive())
        self.cycle = exchange  # type: ignore[assignment]
        asked = self._verbs.admit(found[4], found[3], self.headers)
        if type(asked) is Asked:
            exchange.asked = asked
        else:
            self._answer(exchange, cast(Answer, asked))

    def _on_a_call(self) -> list[bytes] | None:
        """The parts of the path of a request that is answered here; None for any other."""
        parts = self.url.split(b"/")
        if (
            len(parts) == 5
            and parts[4] in DECODERS
            and self.url.startswith(b"/v1/calls/")
            and not self._busy()
            and b"?" not in parts[3]
            and not self.expect_100_continue
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
        ):
            return parts
        return None

    def _busy(self) -> bool:
        """Whether a request has not been answered yet."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def on_body(self, body: bytes) -> None:
        exchange: object = self.cycle
        if type(exchange) is not Exchange:
            super().on_body(body)
        elif not exchange.response_complete:
            if type(exchange.content) is bytearray:
                exchange.content += body
            else:
                exchange.content = bytearray(exchange.content + body) if exchange.content else body
            if len(exchange.content) > BODY_BYTES_MAX:
                refusal = Refusal("body_too_large", f"a body may have {BODY_BYTES_MAX} bytes")
                self._answer(exchange, refuse(refusal, exchange.call_key))

    def on_message_complete(self) -> None:
        self._read()
        exchange: object = self.cycle
        if type(exchange) is not Exchange:
            super().on_message_complete()
        elif exchange.asked is not None and not exchange.response_complete:
            try:
                tell = partial(self._answer, exchange)
                self._verbs.begin(exchange.asked, exchange.content, tell)
            except Exception:  # noqa: BLE001 - failed() logs it
                self._answer(exchange, failed(exchange.name))

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if not self.flow.write_paused:
            self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif not self._hurried:
            self._expect_within(self.timeout_keep_alive)

    def pause_writing(self) -> None:
        """Who does not read the answers is not read either."""
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.flow.resume_reading()

    def _answer(self, exchange: Exchange, answer: Answer) -> None:
        self._verbs.count(exchange.name, answer, exchange.begun_s)
        if exchange.response_complete or self.transport.is_closing():
            return
        exchange.response_complete = True
        headers = answer.headers
        if CLOSE in headers:
            exchange.keep_alive = False
        elif not exchange.keep_alive:
            headers = (*headers, CLOSE)
        head = self._heads.of(self.server_state.default_headers, answer.status, headers)
        body = answer.body
        self.transport.write(b"%s%d\r\n\r\n%s" % (head, len(body), body))
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _read(self) -> None:
        """What had begun to arrive is here."""
        self._unread = False
        if self._hurried:
            self._hurried = False
            self._due_s = NEVER

    def _expect_within(self, seconds: float) -> None:
        """Something must come within so many seconds: a request, or the rest of one.

        The timer that runs is left alone unless it is too late: a request costs none of its own.
        """
        self._due_s = self.loop.time() + seconds
        if self._due_s < self._timer_s:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_s = self._due_s
            self._timer = self.loop.call_at(self._due_s, self._look)

    def _look(self) -> None:
        """The timer's: close what has been silent too long."""
        self._timer, self._timer_s = None, NEVER
        busy = self._busy()
        if self.transport.is_closing() or self._due_s == NEVER:
            return
        left_s = self._due_s - self.loop.time()
        if left_s > 0:
            self._expect_within(left_s)
        elif self._hurried:
            self._too_late(busy)
        elif busy:
            self._expect_within(self.timeout_keep_alive)
        else:
            self.transport.close()

    def _too_late(self, busy: bool) -> None:
        """A request has begun, and its rest does not come."""
        exchange: object = self.cycle
        if self._in_head and busy:
            # The one before it is answered first, and is the last.
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if self._in_head or type(exchange) is not Exchange:
            exchange = Exchange("none", False)
            self.cycle = exchange  # type: ignore[assignment]
        detail = f"no whole request came within {self._request_s:g} seconds"
        self._answer(exchange, refuse(Refusal("request_timeout", detail), exchange.call_key))


def protocol_of(verbs: Verbs, request_s: float = REQUEST_S_MAX) -> Callable[..., SwitchProtocol]:
    """What makes a protocol for each connection, for uvicorn's `http`."""
    return partial(SwitchProtocol, verbs, Heads(), request_s=request_s)
