"""What can be read of a request before anything is decided: its key, its call_id, its body."""

import asyncio
import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from talktime.core.keys import ApiKey
from talktime.core.limits import BODY_S_MAX, CALL_KEY_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.engine.engine import Engine
from talktime.gateways.http.bodies import require_call_id
from talktime.gateways.http.replies import Receive

_BROKEN_ENCODING = re.compile(rb"%(?![0-9A-Fa-f]{2})")
CALL_ID_BYTES_MAX = 3 * CALL_KEY_TEXT_MAX  # each character as %XX


class ClientGone(Exception):
    """The connection was closed before the request was complete."""


def key_of(
    engine: Engine, headers: Iterable[tuple[bytes, bytes]], scope_needed: str
) -> ApiKey | Refusal:
    """The API key that a request carries. Refuses unauthorized, scope_missing, unavailable."""
    sent = b""
    for name, value in headers:
        if name == b"authorization":
            sent = value
            break
    scheme, _, secret = sent.partition(b" ")
    if not sent:
        return Refusal("unauthorized", "the request has no Authorization header")
    if scheme != b"Bearer" and scheme.lower() != b"bearer":
        return Refusal("unauthorized", "the Authorization header is not of the scheme Bearer")
    key = engine.key(secret.strip())
    if key is None:
        if engine.keys.missing:
            return Refusal("unavailable", "the API keys are not loaded yet")
        return Refusal("unauthorized", "the key is not known, or was revoked, or has expired")
    if scope_needed not in key.scopes:
        return Refusal("scope_missing", f"the key lacks the scope {scope_needed!r}")
    return key


def call_id_of(segment: bytes) -> str | Refusal:
    """The call_id of a path's segment, percent-decoded."""
    try:
        if len(segment) > CALL_ID_BYTES_MAX:
            raise ValueError(f"call_id must be 1 to {CALL_KEY_TEXT_MAX} printable ASCII characters")
        plain = _decoded(segment) if b"%" in segment else segment
        call_id = plain.decode("latin-1")
        require_call_id(call_id)
    except ValueError as error:
        return Refusal("invalid_request", str(error))
    return call_id


def _decoded(segment: bytes) -> bytes:
    """The segment without its percent-encoding; ValueError where that is broken."""
    if _BROKEN_ENCODING.search(segment):
        raise ValueError("call_id has a % without two hexadecimal digits; a % itself is %25")
    return unquote_to_bytes(segment)


async def body_of(receive: Receive, bytes_max: int, within_s: int = BODY_S_MAX) -> bytes | Refusal:
    """The whole body. Refuses body_too_large, request_timeout; raises ClientGone."""
    try:
        async with asyncio.timeout(within_s):
            return await _body_of(receive, bytes_max)
    except TimeoutError:
        return Refusal("request_timeout", f"no whole body came within {within_s} seconds")


async def _body_of(receive: Receive, bytes_max: int) -> bytes | Refusal:
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts, size = [body], len(body)
        while message.get("more_body") and size <= bytes_max:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        body = b"".join(parts)
    if len(body) > bytes_max:
        return Refusal("body_too_large", f"a body may have {bytes_max} bytes")
    return body
