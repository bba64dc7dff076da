"""Commands of the books, made of what a switch sent."""

from collections.abc import Callable
from typing import Any

import msgspec

from talktime.core.commands import Answer, Authorize, CallCommand, Extend, Settle
from talktime.core.limits import CALL_FUTURE_MS_MAX, CALL_PAST_MS_MAX
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

DECODERS: dict[bytes, Callable[[bytes], Any]] = {
    body.verb.encode(): msgspec.json.Decoder(body).decode
    for body in (AuthorizeBody, AnswerBody, ExtendBody, SettleBody)
}
"""What reads the body of each verb."""


async def command_of(
    engine: Engine, body: Body, call_key: str, switch_id: int
) -> CallCommand | Refusal:
    """The command that a body asks for; or why it cannot even be put to the books."""
    hashed = body_hash(body)
    if isinstance(body, ExtendBody):
        return Extend(
            switch_id,
            call_key,
            body.sequence,
            hashed,
            body.used_seconds,
            body.requested_seconds or 0,
        )
    if isinstance(body, SettleBody):
        return Settle(switch_id, call_key, body.sequence, hashed, body.used_seconds, body.cause)
    if isinstance(body, AuthorizeBody):
        request = _request(body, call_key, body.sequence)
        command = engine.resolve(request, switch_id, hashed)
        if isinstance(command, Refusal):
            return await engine.reconsider(command, request, switch_id, hashed)
        return command
    answered_ms = milliseconds(body.answered_at)
    if answered_ms is not None:
        ahead_ms = answered_ms - engine.clock_ms()
        if not -CALL_PAST_MS_MAX <= ahead_ms <= CALL_FUTURE_MS_MAX:
            detail = "'answered_at' is too far from the service's clock"
            return Refusal("time_out_of_range", detail)
    return Answer(switch_id, call_key, body.sequence, hashed, answered_ms)


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
    )
