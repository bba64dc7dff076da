"""Money that an operator gives: promotional credits, goodwill, adjustments. Above a limit a second
operator must approve (four eyes)."""

from collections.abc import Callable
from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.documents import Seller
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    AMOUNT_MICROS_MAX,
    EXPIRES_MS_MAX,
    PAGE_ROWS_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.money import decimal_text, parse_micros
from talktime.core.outcomes import Funded
from talktime.core.refusal import Refusal
from talktime.operations.audit import note, person_of
from talktime.operations.fund import fund_within
from talktime.operations.idempotency import check_key, request_hash
from talktime.operations.input_checks import check_text, first
from talktime.operations.invoices import UNNAMED
from talktime.store import grants as store
from talktime.store.database import Connection
from talktime.store.grants import GrantRequest
from talktime.store.load import LOCK_WALLETS


class Grant(NamedTuple):
    """What is to be given: micros of the wallet's currency, until when (None: twelve months), why
    and by whom."""

    amount_micros: int
    reason: str
    actor: str
    idempotency_key: str
    promotional: bool = False
    lasts_until_ms: int | None = None


class Giver(NamedTuple):
    """Where grants are given: the organisation in its cell, the limit, the time, who sells."""

    cell: Connection
    organisation: Organisation
    approval_above_micros: int
    now_ms: int
    next_id: Callable[[], int]
    seller: Seller = UNNAMED


def approval_above(catalogue: Catalogue, currency: str) -> int:
    """From which amount on, in micros, a grant needs a second operator."""
    return parse_micros(catalogue.currency(currency).approval_above)


def give(giver: Giver, grant: Grant) -> Funded | GrantRequest | Refusal:
    """Put a grant into the wallet, or where it is above the limit, ask for its approval.

    The same key and grant again is the same lot, or the same request. Refuses: invalid_value,
    unknown_organisation, idempotency_key_reused. Source: R12.
    """
    refusal = first(
        check_text("the reason", grant.reason, REASON_TEXT_MAX),
        check_text("the actor", grant.actor, ACTOR_TEXT_MAX),
        check_key(grant.idempotency_key),
        _wrong_amount(giver, grant),
    )
    if refusal is not None:
        return refusal
    with giver.cell.transaction():
        if not giver.cell.rows(LOCK_WALLETS, [[giver.organisation.id]]):
            detail = f"organisation {giver.organisation.id} has no wallet"
            return Refusal("unknown_organisation", detail)
        known = store.request_of_key(giver.cell, giver.organisation.id, grant.idempotency_key)
        if known is not None:
            return known if known.body_hash == request_hash(grant) else _reused(known)
        if grant.amount_micros > giver.approval_above_micros and not store.was_given(
            giver.cell, giver.organisation.id, grant.idempotency_key
        ):
            request = _request(giver, grant)
            store.insert_request(giver.cell, request)
            _note(giver, "grant.asked", request.id, grant.amount_micros, grant.reason)
            return request
        funded = _fund(giver, grant)
        if isinstance(funded, Funded) and not funded.replayed:
            _note(giver, "grant.given", funded.lot.id, grant.amount_micros, grant.reason)
        return funded


def approve(giver: Giver, request_id: int, *, actor: str) -> Funded | Refusal:
    """Give what was asked for: another operator than the one who asked. Again, the same lot, which
    names both.

    Refuses: unknown_payment; approval_needed for the one who asked; payment_not_possible where it
    was rejected; invalid_value.
    """
    with giver.cell.transaction():
        request = _waiting(giver, request_id, actor)
        if isinstance(request, Refusal):
            return request
        if request.state == "rejected":
            return Refusal("payment_not_possible", f"{request.decided_by} has rejected it")
        by = f"{request.asked_by}, approved by {request.decided_by or actor}"
        grant = Grant(
            request.amount_micros,
            request.reason,
            by[:ACTOR_TEXT_MAX],
            f"grant request {request.id}",
            request.promotional,
            request.lasts_until_ms,
        )
        funded = _fund(giver, grant)
        if isinstance(funded, Funded) and request.state == "asked":
            decided = request._replace(
                state="approved", decided_by=actor, decided_ms=giver.now_ms, lot_id=funded.lot.id
            )
            store.decide_request(giver.cell, decided)
            _note(giver, "grant.approved", request.id, request.amount_micros, request.reason)
        return funded


def reject(giver: Giver, request_id: int, *, actor: str) -> GrantRequest | Refusal:
    """Do not give what was asked for.

    Refuses: unknown_payment, approval_needed, invalid_value; payment_not_possible where it was
    approved.
    """
    with giver.cell.transaction():
        request = _waiting(giver, request_id, actor)
        if isinstance(request, Refusal) or request.state == "rejected":
            return request
        if request.state == "approved":
            return Refusal("payment_not_possible", f"{request.decided_by} has approved it")
        decided = request._replace(state="rejected", decided_by=actor, decided_ms=giver.now_ms)
        store.decide_request(giver.cell, decided)
        _note(giver, "grant.rejected", request.id, request.amount_micros, request.reason)
        return decided


def list_requests(giver: Giver) -> list[GrantRequest]:
    """The organisation's requests, the latest first, at most PAGE_ROWS_MAX."""
    with giver.cell.reading():
        return store.requests_of(giver.cell, giver.organisation.id, PAGE_ROWS_MAX)


def _note(giver: Giver, action: str, of_id: int, micros: int, reason: str) -> None:
    owner = giver.organisation
    after: Facts = {"amount_micros": micros, "currency": owner.currency, "reason": reason}
    note(giver.cell, owner.id, action, str(of_id), after=after)


def _waiting(giver: Giver, request_id: int, actor: str) -> GrantRequest | Refusal:
    """The request, under the wallet's lock: nobody else decides it meanwhile."""
    refusal = check_text("the actor", actor, ACTOR_TEXT_MAX)
    if refusal is not None:
        return refusal
    giver.cell.rows(LOCK_WALLETS, [[giver.organisation.id]])
    request = store.request_of_id(giver.cell, giver.organisation.id, request_id)
    if request is None:
        return Refusal("unknown_payment", f"there is no grant request {request_id}")
    if person_of(request.asked_by) == person_of(actor):
        return Refusal("approval_needed", f"{actor} asked for it: another operator decides")
    return request


def _wrong_amount(giver: Giver, grant: Grant) -> Refusal | None:
    if not 0 < grant.amount_micros <= AMOUNT_MICROS_MAX:
        most = decimal_text(AMOUNT_MICROS_MAX)
        return Refusal("invalid_value", f"the amount must be above 0 and at most {most}")
    if grant.lasts_until_ms is not None and grant.lasts_until_ms <= giver.now_ms:
        return Refusal("invalid_value", "the money would have expired before it is there")
    if grant.lasts_until_ms is not None and grant.lasts_until_ms > EXPIRES_MS_MAX:
        return Refusal("invalid_value", "the money must expire before the year 2200")
    return None


def _request(giver: Giver, grant: Grant) -> GrantRequest:
    return GrantRequest(
        giver.next_id(),
        giver.organisation.id,
        "asked",
        grant.amount_micros,
        grant.promotional,
        grant.lasts_until_ms,
        grant.idempotency_key,
        request_hash(grant),
        grant.reason,
        grant.actor,
        giver.now_ms,
    )


def _fund(giver: Giver, grant: Grant) -> Funded | Refusal:
    """In the transaction that is open, with the wallet locked."""
    return fund_within(
        giver.cell,
        giver.organisation,
        amount_micros=grant.amount_micros,
        source="grant",
        reason=grant.reason,
        actor=grant.actor,
        idempotency_key=grant.idempotency_key,
        lasts_until_ms=grant.lasts_until_ms,
        promotional=grant.promotional,
        seller=giver.seller,
        now_ms=giver.now_ms,
        next_id=giver.next_id,
    )


def _reused(known: GrantRequest) -> Refusal:
    detail = f"key {known.idempotency_key!r} asked for another grant before"
    return Refusal("idempotency_key_reused", detail)
