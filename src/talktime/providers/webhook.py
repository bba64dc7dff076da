"""Webhooks by the Standard Webhooks specification (standardwebhooks.com), to checked addresses.

A name is resolved once, and the connection goes to the address that was looked at: a name that
stands for something else a moment later gains nothing. Redirects are not followed.
"""

import base64
import hashlib
import hmac
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from ipaddress import ip_address
from queue import Empty, Queue
from typing import Any

import httpcore
import httpx

from talktime import __version__
from talktime.core.deliveries import Later, Never, Outcome, Sent
from talktime.core.limits import WEBHOOK_ANSWER_BYTES_MAX, WEBHOOK_ANSWER_KEPT_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.endpoints import SECRET_PREFIX
from talktime.operations.outward import Target, is_public, target_of
from talktime.providers.network_words import network_words

TIMEOUT_S = 15.0
"""For all of it: the name, the connection, the whole answer."""
Resolve = Callable[[str, int], list[str]]
GONE = 410


def resolved(host: str, port: int) -> list[str]:
    """The addresses that a name stands for now. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def in_time(resolve: Callable[[], list[str]], seconds: float) -> list[str]:
    """What a name stands for, where that is found in time; the system's own limit may be minutes.
    Raises TimeoutError, and what `resolve` raises."""
    found: Queue[list[str] | Exception] = Queue()

    def look() -> None:
        try:
            found.put(resolve())
        except Exception as error:  # noqa: BLE001 - raised by whoever waits
            found.put(error)

    threading.Thread(target=look, name="resolve", daemon=True).start()
    try:
        result = found.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result


@cache
def authorities() -> ssl.SSLContext:
    """Whose certificates are believed: read once, for it takes a while."""
    return httpx.create_ssl_context(trust_env=False)


def signatures(secrets: Iterable[str], message_id: str, timestamp_s: int, body: bytes) -> str:
    """The header that proves a message, one signature for each secret."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    made = []
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
        digest = hmac.digest(key, signed, hashlib.sha256)
        made.append(f"v1,{base64.b64encode(digest).decode()}")
    return " ".join(made)


class Webhooks:
    """Sends webhooks. May be used by several threads at once; each message has its own connection.

    `allowed_hosts` are those that the operator lets be called without https and at private
    addresses; `resolve` says what a name stands for.
    """

    def __init__(
        self,
        allowed_hosts: Sequence[str] = (),
        *,
        resolve: Resolve = resolved,
        trusted: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._allowed_hosts = frozenset(allowed_hosts)
        self._resolve = resolve
        self._trusted = trusted or authorities()
        self._timeout_s = timeout_s

    def send(
        self, url: str, message_id: str, body: bytes, secrets: Sequence[str], now_s: int
    ) -> Outcome:
        """Send one message; what came of it. Never raises for what the network does."""
        target = target_of(url, self._allowed_hosts)
        if isinstance(target, Refusal):
            return Never(target.detail)
        until = time.monotonic() + self._timeout_s
        try:
            addresses = in_time(lambda: self._resolve(target.host, target.port), self._timeout_s)
        except TimeoutError:
            return Later(f"{target.host} was not found within {self._timeout_s:g} s", away=True)
        except (OSError, UnicodeError) as error:
            return Later(f"{target.host} cannot be found: {network_words(error)}", away=True)
        refused = not addresses or not all(may_be_called(each, target) for each in addresses)
        if refused:
            return Later(f"{target.host} stands for no address on the internet")
        headers = {
            "content-type": "application/json",
            "user-agent": f"Talktime/{__version__}",
            "accept-encoding": "identity",
            "webhook-id": message_id,
            "webhook-timestamp": str(now_s),
            "webhook-signature": signatures(secrets, message_id, now_s, body),
        }
        try:
            return self._post(url, headers, body, addresses, until)
        except (httpcore.TimeoutException, httpx.TimeoutException):
            return Later(f"no answer within {self._timeout_s:g} s", away=True)
        except (httpcore.ConnectError, httpcore.NetworkError, OSError) as error:
            return Later(f"the connection failed: {network_words(error)}", away=True)
        except (httpcore.ProtocolError, httpx.HTTPError, httpx.InvalidURL) as error:
            return Later(f"the answer is no HTTP: {error}")

    def _post(
        self, url: str, headers: dict[str, str], body: bytes, addresses: list[str], until: float
    ) -> Outcome:
        transport = _Pinned(addresses, self._trusted, until)
        with (
            httpx.Client(
                transport=transport,
                timeout=self._timeout_s,
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream("POST", url, headers=headers, content=body) as response,
        ):
            status = response.status_code
            answer = self._read(response)
        if 200 <= status < 300:
            return Sent(f"{status}", answer=answer)
        if status == GONE:
            return Never("410 Gone", gone=True, answer=answer)
        if 300 <= status < 400:
            return Later(f"{status}: redirects are not followed", answer=answer)
        said = f"{status} {httpx.codes.get_reason_phrase(status)}".strip()
        return Later(said, answer=answer)

    def _read(self, response: httpx.Response) -> str:
        """Read the answer, as far as an answer may be long; what it says is kept for people."""
        received, first = 0, b""
        for chunk in response.iter_raw():
            received += len(chunk)
            first += chunk[: WEBHOOK_ANSWER_KEPT_TEXT_MAX - len(first)]
            if received > WEBHOOK_ANSWER_BYTES_MAX:
                break
        text = first.decode(errors="replace")
        return "".join(each if each.isprintable() or each == "\n" else " " for each in text).strip()


def may_be_called(address: str, target: Target) -> bool:
    """Whether a name that stands for this address may be called."""
    try:
        return target.allowed or is_public(ip_address(address))
    except ValueError:
        return False


class _Pinned(httpx.BaseTransport):
    """Connects to the addresses that were looked at, whatever the request's name stands for now.

    The name is still what the Host header says, and what the certificate is checked for.
    """

    def __init__(self, addresses: list[str], trusted: ssl.SSLContext, until: float) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted, network_backend=_Checked(addresses, until), retries=0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on a new connection."""
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                str(request.url),
                headers=request.headers.raw,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Any:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _Checked(httpcore.NetworkBackend):
    """Opens connections to these addresses alone, and lets all take so long at most."""

    def __init__(self, addresses: list[str], until: float) -> None:
        self._addresses = addresses
        self._until = until
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the addresses that answers."""
        failed: Exception = httpcore.ConnectError("no address")
        for address in self._addresses:
            try:
                stream = self._plain.connect_tcp(
                    address, port, left_s(self._until, timeout), local_address, socket_options
                )
            except httpcore.ConnectError as error:
                failed = error
            else:
                return _Bounded(stream, self._until)
        raise failed


class _Bounded(httpcore.NetworkStream):
    """A connection on which nothing goes on after its end, however slowly bytes come."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, left_s(self._until, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, left_s(self._until, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, left_s(self._until, timeout))
        return _Bounded(stream, self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def left_s(until: float, timeout_s: float | None) -> float:
    """How long may still be waited. Raises httpcore.ReadTimeout where no time is left."""
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("out of time")
    return left if timeout_s is None else min(left, timeout_s)
