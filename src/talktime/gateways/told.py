"""What a switch is told of one request, for dialects other than HTTP.

Read from the answer as it is kept, so that the same request again is told the same.
"""

from datetime import datetime

import msgspec

from talktime.engine.reply import Reply


class Price(msgspec.Struct, frozen=True):
    """What a call costs: decimal texts in the currency (ISO 4217), increments in seconds."""

    currency: str = ""
    per_minute: str = "0"
    connection_fee: str = "0"
    first_increment_s: int = 1
    next_increment_s: int = 1
    destination: str = ""


class Balance(msgspec.Struct, frozen=True):
    """What is available in the wallet, as a decimal text."""

    currency: str = ""
    available: str = "0"


class Decision(msgspec.Struct, frozen=True):
    """What most answers of the charging API (charging-api) are asked for: `decision` is granted,
    noted, settled, or refused, then with the refusal's `code` and `detail`. Seconds are whole."""

    decision: str = "refused"
    granted_seconds: int = 0
    final: bool = False
    code: str = ""
    detail: str = ""


class Told(Decision, frozen=True):
    """An answer with what is read of few."""

    valid_until: datetime | None = None
    price: Price | None = None
    balance: Balance | None = None
    billed_seconds: int = 0
    charge: str = "0"
    remedy: str = ""


_decode = msgspec.json.Decoder(Told).decode
_decode_decision = msgspec.json.Decoder(Decision).decode


def decided(reply: Reply) -> Decision:
    """What was decided; the rest of the answer is passed over."""
    return _decode_decision(reply.body)


def told(reply: Reply) -> Told:
    """What came of a request.

    >>> from talktime.engine.reply import refused
    >>> from talktime.core.refusal import Refusal
    >>> told(refused(Refusal("unknown_caller", "nobody"))).code
    'unknown_caller'
    """
    return _decode(reply.body)
