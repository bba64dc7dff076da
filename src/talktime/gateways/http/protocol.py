"""HTTP/1.1 connections: requests on one call are answered here, all others by the ASGI application.

A request on a call needs no task, no ASGI message and no future: its head is looked at once, its
body handed to verbs.py, and the answer written when the batch has committed. What is rare goes the
way of all other requests: one that is sent before the last was answered (pipelining), HTTP/1.0,
`Expect`, a query.

A request must arrive within REQUEST_S_MAX: its head whoever it is for, its body too if it is on a
call. Other bodies have UPLOAD_S_MAX from the head's end. What cannot be read is answered 400, but
not in place of an answer that is due: requests that came whole before it are answered first.
A port without calls, of a process that has no engine, is read by the same rules.
"""

from asyncio import AbstractEventLoop, BaseTransport, Event, TimerHandle, Transport
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from talktime.core.limits import BODY_BYTES_MAX, HEAD_BYTES_MAX, REQUEST_S_MAX, UPLOAD_S_MAX
from talktime.core.refusal import Refusal
from talktime.gateways.http.commands import DECODERS
from talktime.gateways.http.connections import NEVER, Connections
from talktime.gateways.http.exchanges import ENDED, Exchange, Heads
from talktime.gateways.http.replies import Answer, refuse
from talktime.gateways.http.verbs import Asked, Verbs, failed

CLOSE = (b"connection", b"close")
_CALLS = [b"", b"v1", b"calls"]


class TooLarge(Exception):
    """Stops the parser: header lines have more bytes than any request needs."""


class PortProtocol(HttpToolsProtocol):
    """One connection. `request_s` is how long a request may take to arrive, `upload_s` a body that
    an application reads. `verbs` is None at a port without calls."""

    known = False

    def __init__(
        self,
        connections: Connections,
        verbs: Verbs | None,
        heads: Heads,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
        request_s: float = REQUEST_S_MAX,
        upload_s: float = UPLOAD_S_MAX,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounded = connections
        self._verbs = verbs
        self._heads = heads
        self._request_s = request_s
        self._upload_s = upload_s
        # What has begun to arrive and is still awaited; whether nothing more is read at all.
        self._in_head = self._unread = self._hurried = self._ending = False
        # Bytes: read since this request began; of the header lines, in a head or after a body,
        # that came whole; of successive reads that brought nothing but such lines.
        self._read_bytes = self._head_bytes = self._line_bytes = 0
        self._lines_only = False
        self._before: RequestResponseCycle | None = None
        self._ended = Event()
        self._due_s = self._timer_s = NEVER
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast(Transport, transport))
        address = self.client[0] if self.client is not None else ""
        if not self._bounded.arrived(self, address, self.loop.time()):
            self.transport.close()
        self._expect_within(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._bounded.gone(self)
        self._ended.set()
        super().connection_lost(exc)

    def idle_until(self) -> float:
        """When it is closed for its silence; NEVER while a request comes or is answered."""
        if self._unread or self._busy() or self.transport.is_closing():
            return NEVER
        return self._due_s

    def awaits_client(self) -> bool:
        """Whether nothing is being decided: a request is to come, or its rest, or its answer is to
        be read."""
        unanswered = self._busy() and not self._unread
        return not unanswered or self.flow.write_paused or self.transport.is_closing()

    def drop(self) -> None:
        """Close it at once. An answer that is not read would keep it open."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        self._lines_only = True
        self._read_bytes = len(data) + (self._read_bytes if self._unread else 0)
        super().data_received(data)
        if self._unread and not self._ending:
            self._await_rest(len(data))

    def _await_rest(self, size: int) -> None:
        """A read of this size has ended within a request."""
        if self._lines_only:
            self._line_bytes += size
            if self._line_bytes > HEAD_BYTES_MAX:
                self.send_400_response("")
                return
        seconds = self._request_s
        if not self._in_head:
            exchange: object = self.cycle
            if type(exchange) is not Exchange:
                seconds = self._upload_s
            elif exchange.refused is not None and not exchange.response_complete:
                exchange.keep_alive = False
                self._answer(exchange, exchange.refused)
        if not self._hurried:
            self._hurried = True
            self._expect_within(seconds)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more; it may still wait for answers."""
        self._ended.set()
        return not self.transport.is_closing() and (self._ending or self._end())

    def send_400_response(self, msg: str) -> None:
        """What came cannot be read. Nothing after it can."""
        if self._ending or self._end() or self.transport.is_closing():
            return
        self._ending = True
        if max(self._head_bytes, self._line_bytes) > HEAD_BYTES_MAX:
            part = "head of the request is" if self._in_head else "trailers of the request are"
            msg = f"The {part} too large."
        if self._answer_begun():
            self.transport.close()
        else:
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = self._unread = True
        self._head_bytes = self._line_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))
        else:
            self._count_lines(len(name) + len(value) + 4)

    def _count_lines(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES_MAX:
            raise TooLarge

    def on_headers_complete(self) -> None:
        if self._ending:
            return
        if self._read_bytes > HEAD_BYTES_MAX:
            lines = sum(len(name) + len(value) + 4 for name, value in self.headers)
            self._count_lines(len(self.url) + lines)
        verbs = self._verbs
        found = self._on_a_call() if verbs is not None else None
        if found is None or verbs is None:
            self._to_application()
        else:
            exchange = Exchange(found[4].decode(), self.parser.should_keep_alive())
            self.cycle = exchange  # type: ignore[assignment]
            self._in_head = False
            asked = verbs.admit(found[4], found[3], self.headers)
            if type(asked) is Asked:
                self.known = True
                exchange.asked = asked
            else:
                exchange.refused = cast(Answer, asked)
        self._in_head = self._lines_only = False
        self._head_bytes = self._line_bytes = 0

    def _to_application(self) -> None:
        """Hand over a request whose head is here; its body has a time of its own."""
        if self._verbs is not None and not self.known:
            self.known = self._verbs.knows(self.headers)
        self._read()
        self._unread = True
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        self._before = self.cycle
        super().on_headers_complete()
        self.scope[ENDED] = self._ended  # type: ignore[literal-required]

    def _on_a_call(self) -> list[bytes] | None:
        """The parts of the path of a request that is answered here; None for any other."""
        cycle: RequestResponseCycle | None = self.cycle
        parts = self.url.split(b"/")
        if (
            len(parts) == 5
            and parts[4] in DECODERS
            and parts[:3] == _CALLS
            and (cycle is None or cycle.response_complete)
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
        self._lines_only = False
        self._line_bytes = 0
        exchange: object = self.cycle
        if type(exchange) is not Exchange:
            super().on_body(body)
        elif exchange.refused is None:
            if type(exchange.content) is bytearray:
                exchange.content += body
            else:
                exchange.content = bytearray(exchange.content + body) if exchange.content else body
            if len(exchange.content) > BODY_BYTES_MAX:
                refusal = Refusal("body_too_large", f"a body may have {BODY_BYTES_MAX} bytes")
                exchange.refused = refuse(refusal, exchange.call_key)
                exchange.content = b""

    def on_message_complete(self) -> None:
        self._lines_only = False
        self._read()
        exchange: object = self.cycle
        if type(exchange) is not Exchange:
            super().on_message_complete()
            if not self._busy():
                self._expect_within(self.timeout_keep_alive)
        elif exchange.response_complete:
            # It was refused before it was whole, and told that it is the last.
            self._ending = True
            self.transport.close()
        elif exchange.refused is not None:
            self._answer(exchange, exchange.refused)
        elif exchange.asked is not None and self._verbs is not None:
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
        if exchange.response_complete:
            return
        if self._verbs is not None:
            self._verbs.count(exchange.name, answer, exchange.begun_s)
        if self.transport.is_closing():
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
        if not exchange.keep_alive and not self._draining(exchange, answer):
            self.transport.close()
        self.on_response_complete()

    def _draining(self, exchange: Exchange, answer: Answer) -> bool:
        """Whether the rest of a refused body is read first: who still sends it would else meet a
        reset, and might lose the answer."""
        return self._unread and exchange.refused is answer

    def _answer_begun(self) -> bool:
        """Whether the request that arrives has been answered, or is being."""
        if self._in_head or not self._unread:
            return False
        return self.cycle.response_complete or self.cycle.response_started

    def _end(self) -> bool:
        """Read no more. True if answers are still due: the last of them closes the connection.

        A request that has not come whole is not among them.
        """
        if self._unread and not self._in_head:
            if not self.pipeline or self.pipeline[0][0] is not self.cycle:
                return False
            self.pipeline.popleft()
            self.cycle = cast(RequestResponseCycle, self._before)
        if not self._busy():
            return False
        self.cycle.keep_alive = False
        self._ending = True
        self._read()
        self.flow.pause_reading()
        return True

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
        if self.transport.is_closing() or self._due_s == NEVER:
            return
        left_s = self._due_s - self.loop.time()
        if left_s > 0:
            self._expect_within(left_s)
        elif self._hurried and self.flow.read_paused:
            # It is not read, so that nothing more can have come.
            self._expect_within(self._request_s)
        elif self._hurried:
            self._too_late()
        elif self._busy():
            self._expect_within(self.timeout_keep_alive)
        else:
            self.transport.close()

    def _too_late(self) -> None:
        """A request has begun, and its rest does not come."""
        if self._end():
            return
        if self._answer_begun():
            self.transport.close()
            return
        seconds = self._request_s
        exchange: object = self.cycle
        if self._in_head or type(exchange) is not Exchange:
            if not self._in_head:
                seconds = self._upload_s
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            exchange = Exchange("none", False)
            self.cycle = exchange  # type: ignore[assignment]
        detail = f"no whole request came within {seconds:g} seconds"
        self._answer(exchange, refuse(Refusal("request_timeout", detail), exchange.call_key))


def protocol_of(
    connections: Connections, verbs: Verbs | None = None, **seconds: Any
) -> Callable[..., PortProtocol]:
    """What makes a protocol for each connection, for uvicorn's `http`; `seconds` are its limits."""
    return partial(PortProtocol, connections, verbs, Heads(), **seconds)
