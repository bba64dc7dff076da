"""Commands of the books, made of what a switch sent."""

from collections.abc import Callable
from typing import Any

import msgspec

from talktime.core.commands import Answer, Authorize, CallCommand, Extend, Settle
from talktime.core.refusal import Refusal
from talktime.engine.engine import Engine
from talktime.gateways.http.bodies import (
    AnswerBody,
    AuthorizeBody,
    Body,
    ExtendBody,
    QuoteBody,
    SettleBody,
    body_hash,
    milliseconds,
)
from talktime.operations.resolve import CallRequest

DECODERS: dict[bytes, Callable[[bytes | bytearray], Any]] = {
    body.verb.encode(): msgspec.json.Decoder(body).decode
    for body in (AuthorizeBody, AnswerBody, ExtendBody, SettleBody)
}
"""What reads the body of each verb."""


def command_of(engine: Engine, body: Body, call_key: str, switch_id: int) -> CallCommand | Refusal:
    """The command that a body asks for; or why it cannot even be put to the books."""
    hashed = body_hash(body)
    if isinstance(body, ExtendBody):
        asked_s = body.requested_seconds or 0
        return Extend(switch_id, call_key, body.sequence, hashed, body.used_seconds, asked_s)
    if isinstance(body, SettleBody):
        return Settle(switch_id, call_key, body.sequence, hashed, body.used_seconds, body.cause)
    if isinstance(body, AuthorizeBody):
        return engine.resolve(_request(body, call_key, body.sequence), switch_id, hashed)
    return Answer(switch_id, call_key, body.sequence, hashed, milliseconds(body.answered_at))


async def reconsidered(
    engine: Engine, refusal: Refusal, body: Body, call_key: str, switch_id: int
) -> CallCommand | Refusal:
    """What becomes of a refusal: an authorize may repeat one that was answered before."""
    if not isinstance(body, AuthorizeBody):
        return refusal
    request = _request(body, call_key, body.sequence)
    return await engine.reconsider(refusal, request, switch_id, body_hash(body))


def quoted_command(engine: Engine, body: QuoteBody, switch_id: int) -> Authorize | Refusal:
    """The authorize that a quote asks about: of a call that no switch can have."""
    return engine.resolve(_request(body, "", 0), switch_id, 0)


def _request(body: AuthorizeBody | QuoteBody, call_key: str, sequence: int) -> CallRequest:
    return CallRequest(
        call_key,
        sequence,
        body.type,
        body.from_,
        body.to,
        body.user,
        body.organizer,
        body.service_number,
        milliseconds(body.at),
        body.requested_seconds or 0,
        (body.conference_id or "") if isinstance(body, AuthorizeBody) else "",
    )
