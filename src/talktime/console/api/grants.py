"""`/api/v1/organisations/NAME/grants`: credits that an operator gives. Above a limit another key
must approve them."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from talktime.console.api.doors import Answer, Asked, amount_in, by_operator, door, moves_money
from talktime.core.outcomes import Funded
from talktime.core.refusal import Refusal
from talktime.operations.grants import (
    Giver,
    Grant,
    approval_above,
    approve,
    give,
    list_requests,
    reject,
)
from talktime.operations.money_documents import grant_document, lot_document
from talktime.store.grants import GrantRequest

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SentGrant(Struct, forbid_unknown_fields=True, kw_only=True):
    """A grant as sent; without `expires`, it lasts twelve months."""

    amount: str
    reason: str
    promotional: bool = False
    expires: datetime | None = None


@by_operator
def grants(asked: Asked) -> Answer | Refusal:
    """The grants that wait for a second operator, and those that were decided."""
    found = list_requests(_giver(asked))
    return {"grants": [grant_document(each) for each in found]}


@by_operator
@moves_money
def grant(asked: Asked) -> Answer | Refusal:
    """Give credits, or ask for the approval of a grant above the limit."""
    sent = asked.body(SentGrant)
    if isinstance(sent, Refusal):
        return sent
    amount_micros = amount_in(sent.amount, "amount")
    if isinstance(amount_micros, Refusal):
        return amount_micros
    expires_ms = None
    if sent.expires is not None:
        if sent.expires.tzinfo is None:
            return Refusal("invalid_value", "expires must have an offset: 2027-01-31T12:00:00Z")
        expires_ms = (sent.expires - EPOCH) // timedelta(milliseconds=1)
    new = Grant(amount_micros, sent.reason, asked.actor, asked.key, sent.promotional, expires_ms)
    return _shown(asked, give(_giver(asked), new))


@by_operator
@moves_money
def approved(asked: Asked, grant_id: int) -> Answer | Refusal:
    """Give what another key asked for."""
    return _shown(asked, approve(_giver(asked), grant_id, actor=asked.actor))


@by_operator
@moves_money
def rejected(asked: Asked, grant_id: int) -> Answer | Refusal:
    """Do not give what was asked for."""
    return _shown(asked, reject(_giver(asked), grant_id, actor=asked.actor))


def _giver(asked: Asked) -> Giver:
    counter = asked.counter
    return Giver(
        counter.cell,
        counter.organisation,
        approval_above(asked.catalogue, counter.organisation.currency),
        counter.now_ms,
        counter.next_id,
        counter.seller,
    )


def _shown(asked: Asked, done: Funded | GrantRequest | Refusal) -> Answer | Refusal:
    if isinstance(done, Refusal):
        return done
    if isinstance(done, Funded):
        return {"state": "given", "lot": lot_document(done.lot, asked.counter.now_ms)}
    return grant_document(done)


grants_door = door(GET=grants, POST=grant)
approve_door = door(POST=approved)
reject_door = door(POST=rejected)
