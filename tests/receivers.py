"""What notices are sent to: an HTTP server that keeps webhooks, an SMTP server that keeps mail."""

import email
import email.policy
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller


class Request(NamedTuple):
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Keeps every request; `answer` says with what status and headers the next are answered."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[Request] = []
        self.answer: Callable[[Request], tuple[int, dict[str, str], bytes]] = lambda request: (
            204,
            {},
            b"",
        )
        self.kept = threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def ids(self) -> list[str]:
        """The webhook-id of each request."""
        return [request.headers["webhook-id"] for request in self.requests]

    def answers(self, status: int, **headers: str) -> None:
        """Answer so from now on."""
        self.answer = lambda request: (status, headers, b"")

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no error here."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, body)
        with self.server.kept:
            self.server.requests.append(request)
        status, answered, text = self.server.answer(request)
        self.send_response(status)
        for name, value in answered.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@contextmanager
def receiving(certificate: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port of this machine, over https with a certificate."""
    receiver = Receiver()
    if certificate is not None:
        receiver.socket = certificate.wrap_socket(receiver.socket, server_side=True)
    thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
    thread.start()
    yield receiver
    receiver.shutdown()
    receiver.server_close()
    thread.join()


class Mails:
    """Keeps every mail; `refuse` says with what line a recipient is refused (empty: not)."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse: Callable[[str], str] = lambda address: ""

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        refused = self.refuse(address)
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    @property
    def to(self) -> list[str]:
        """The address of each mail."""
        return [mail["To"] for mail in self.mails]


class _AtAnyPort(Controller):
    """Knows the port that it was given, where it was to take any free one."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Postman:
    """An SMTP server that can go away and come back at the same port."""

    def __init__(self) -> None:
        self.box = Mails()
        self._controller = self._started(0)
        self.port = self._controller.port
        self._up = True

    def _started(self, port: int) -> Controller:
        controller = _AtAnyPort(self.box, hostname="127.0.0.1", port=port)
        controller.start()
        return controller

    def away(self) -> None:
        """Stop: connections are refused."""
        if self._up:
            self._controller.stop()
            self._up = False

    def back(self) -> None:
        """Start again, at the same port."""
        self._controller = self._started(self.port)
        self._up = True

    @property
    def url(self) -> str:
        """Its address as TALKTIME_SMTP_URL has it."""
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def postman() -> Iterator[Postman]:
    """An SMTP server on a free port of this machine."""
    made = Postman()
    yield made
    made.away()
