"""A pretended Stripe on a port of this machine: keys, versions, idempotency, faults, webhooks.

What a request does is in `stripe_account.py`.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from talktime.providers.payment_stripe import API_VERSION
from tests.providers.stripe_account import Account, Answer, invalid

SECRET_KEY = "sk_test_51NeverShownToAnybody"
RESTRICTED_KEY = "rk_test_51MayDoNothing"
WEBHOOK_SECRET = "whsec_NeverShownEither"
WAIT_S = 30

PART = re.compile(r"\[([^\]]*)\]")
Reply = tuple[int, dict[str, Any] | bytes, dict[str, str]]


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Form fields as Stripe reads them: `a[b]=1` is {"a": {"b": "1"}}; lists have numbers."""
    read: dict[str, Any] = {}
    for name, value in pairs:
        first, *rest = [name.partition("[")[0], *PART.findall(name)]
        place = read
        for step in rest:
            place, first = place.setdefault(first, {}), step
        place[first] = value
    return read


@dataclass
class Kept:
    """What was asked under an idempotency key, and answered; no answer while it is under way."""

    asked: tuple[str, str]
    reply: Reply | None = None


@dataclass
class Stripe:
    """The pretended Stripe. `faults`: what goes wrong with the next requests, one each."""

    url: str = ""
    account: Account = field(default_factory=Account)
    faults: list[str] = field(default_factory=list)
    requests: list[tuple[str, str, str | None, dict[str, Any]]] = field(default_factory=list)
    """Method, path, idempotency key and parameters of each request that came."""
    headers: list[dict[str, str]] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    """Set: who is kept waiting waits no longer."""
    held: threading.Event = field(default_factory=threading.Event)
    """Set when a request is held in its middle."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, method: str, target: str, headers: dict[str, str], body: str) -> Reply | None:
        """Answer one request; None: the connection ends without an answer."""
        parts = urlsplit(target)
        path = parts.path.removeprefix("/v1/")
        params = nested(parse_qsl(body if method == "POST" else parts.query))
        key = headers.get("idempotency-key")
        with self._lock:
            self.requests.append((method, path, key, params))
            self.headers.append(headers)
            fault = self.faults.pop(0) if self.faults else ""
        refused = self._at_the_door(headers, fault)
        if refused is not None:
            return refused
        if fault == "silence before":
            self.over.wait(WAIT_S)
            return None
        reply = self._once(method, path, params, body, key, fault)
        if fault == "silence after":
            self.over.wait(WAIT_S)
        return None if fault in ("silence after", "cut off after") else reply

    def _at_the_door(self, headers: dict[str, str], fault: str) -> Reply | None:
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if given == RESTRICTED_KEY:
            said = f"The provided key '{given[:8]}*****{given[-4:]}' has not the permissions."
            return 403, {"error": {"type": "invalid_request_error", "message": said}}, {}
        if given != SECRET_KEY:
            said = f"Invalid API Key provided: {given[:8]}******{given[-4:]}"
            return 401, {"error": {"type": "invalid_request_error", "message": said}}, {}
        if headers.get("stripe-version") != API_VERSION:
            return 400, invalid("Invalid Stripe API version").body, {}
        if fault == "429":
            said = "Request rate limit exceeded."
            return 429, {"error": {"type": "invalid_request_error", "message": said}}, {}
        if fault == "lock timeout":
            said = "This object cannot be accessed right now because another request uses it."
            error = {"type": "invalid_request_error", "code": "lock_timeout", "message": said}
            return 409, {"error": error}, {}
        return None

    def _once(
        self, method: str, path: str, params: dict[str, Any], body: str, key: str | None, fault: str
    ) -> Reply:
        if method != "POST" or key is None:
            return self._run(method, path, params, fault)
        with self._lock:
            known = self.kept.get(key)
            if known is None:
                self.kept[key] = Kept((path, body))
            elif known.asked != (path, body):
                said = "Keys for idempotent requests can only be used with the same parameters."
                return 400, {"error": {"type": "idempotency_error", "message": said}}, {}
            elif known.reply is None:
                said = "There is currently another in-progress request using this Idempotent Key."
                error = {"type": "idempotency_error", "code": "idempotency_key_in_use"}
                return 409, {"error": {**error, "message": said}}, {}
            else:
                status, answer, _ = known.reply
                return status, answer, {"Idempotent-Replayed": "true"}
        if fault == "hold":
            self.held.set()
            self.over.wait(WAIT_S)
        reply = self._run(method, path, params, fault)
        with self._lock:
            # What was refused before anything was done is not kept.
            if reply[0] in (400, 404):
                del self.kept[key]
            else:
                self.kept[key].reply = reply
        return reply

    def _run(self, method: str, path: str, params: dict[str, Any], fault: str) -> Reply:
        if fault == "500 before":
            return 500, {"error": {"type": "api_error", "message": "Something failed."}}, {}
        try:
            with self._lock:
                answer = json.loads(json.dumps(self.account.do(method, path, params)))
        except Answer as refused:
            return refused.status, refused.body, {}
        if fault == "500 after":
            return 500, {"error": {"type": "api_error", "message": "Something failed."}}, {}
        if fault == "nonsense":
            return 200, b"<html>a proxy's page</html>", {}
        return 200, answer, {}

    def webhook(
        self, kind: str, about: dict[str, Any], at_s: int, secret: str = WEBHOOK_SECRET
    ) -> tuple[bytes, dict[str, str]]:
        """A signed event: body and headers."""
        event = {"id": self.account.new_id("evt"), "object": "event", "type": kind}
        body = json.dumps({**event, "data": {"object": about}})
        signed = stripe.WebhookSignature.generate_signature_header(body, secret, at_s)
        return body.encode(), {"Stripe-Signature": signed}


@contextmanager
def running_stripe() -> Iterator[Stripe]:
    """A pretended Stripe on a free port."""
    stripe_ = Stripe()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = stripe_.reply(self.command, self.path, headers, body)
            self.close_connection = True
            if reply is None:
                return
            status, answer, more = reply
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        stripe_.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield stripe_
        finally:
            stripe_.over.set()
            server.shutdown()
            thread.join()
