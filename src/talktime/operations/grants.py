"""Money that an operator gives: promotional credits, goodwill, adjustments. Above what one person
may give alone (operations/four_eyes.py) a second operator must approve."""

from collections.abc import Callable
from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.documents import Seller
from talktime.core.figures import figures_of
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    AMOUNT_MICROS_MAX,
    EXPIRES_MS_MAX,
    PAGE_ROWS_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.money import decimal_text
from talktime.core.outcomes import Funded
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.eligibility import why_not_enter
from talktime.operations.four_eyes import take, why_not_decide
from talktime.operations.fund import GONE_ALREADY, fund_within
from talktime.operations.idempotency import check_key, request_hash
from talktime.operations.input_checks import check_text, first
from talktime.operations.invoices import UNNAMED
from talktime.store import grants as store
from talktime.store.database import Connection
from talktime.store.four_eyes import Given
from talktime.store.grants import GrantRequest
from talktime.store.load import LOCK_WALLETS
from talktime.store.wallet_shown import debt_of

EXPIRED = "expired"
"""The state of a request that nobody decided in time."""


class Grant(NamedTuple):
    """What is to be given: micros of the wallet's currency, until when (None: as long as what is
    bought), why and by whom; as a grant, or (`source`) an adjustment, or a purchase that was paid
    elsewhere."""

    amount_micros: int
    reason: str
    actor: str
    idempotency_key: str
    promotional: bool = False
    lasts_until_ms: int | None = None
    source: str = "grant"


class Giver(NamedTuple):
    """Where grants are given: the organisation in its cell, the control plane and its catalogue,
    the time, who sells. `by_shell`: who acts has the machine's shell, and needs no confirmation."""

    cell: Connection
    organisation: Organisation
    control: Connection
    catalogue: Catalogue
    now_ms: int
    next_id: Callable[[], int]
    seller: Seller = UNNAMED
    by_shell: bool = False


def give(giver: Giver, grant: Grant) -> Funded | GrantRequest | Refusal:
    """Put a grant into the wallet, or where it is more than the person may give alone, ask for its
    approval.

    The same key and grant again is the same lot, or the same request. Refuses: invalid_value,
    unknown_organisation, idempotency_key_reused; approval_needed for an adjustment of more; for a
    purchase what `why_not_enter` refuses.
    Source: R12.
    """
    refusal = first(
        check_text("the reason", grant.reason, REASON_TEXT_MAX),
        check_text("the actor", grant.actor, ACTOR_TEXT_MAX),
        check_key(grant.idempotency_key),
        _wrong_amount(grant),
    )
    if refusal is not None:
        return refusal
    with giver.cell.transaction():
        before = _before(giver, grant)
    if isinstance(before, GrantRequest | Refusal):
        return before
    with giver.cell.reading():
        refusal = None if before else _why_not_enter(giver, grant)
    if refusal is not None:
        return refusal
    alone = before or _takes(giver, grant)
    with giver.cell.transaction():
        # The same request may have come in between.
        before = _before(giver, grant)
        if isinstance(before, GrantRequest | Refusal):
            return before
        if not (alone or before):
            return _asked(giver, grant)
        funded = _fund(giver, grant)
        if isinstance(funded, Funded) and not funded.replayed:
            about = (funded.lot.id, grant.amount_micros, grant.reason)
            if grant.source == "grant":
                _note(giver, "grant.given", *about)
            else:
                _note(giver, "wallet.funded", *about)
        return funded


def _before(giver: Giver, grant: Grant) -> GrantRequest | Refusal | bool:
    """What this key came to before: a request, or whether there is a lot of it. Under the wallet's
    lock. Refuses: unknown_organisation, idempotency_key_reused."""
    owner = giver.organisation.id
    if not giver.cell.rows(LOCK_WALLETS, [[owner]]):
        return Refusal("unknown_organisation", f"organisation {owner} has no wallet")
    known = store.request_of_key(giver.cell, owner, grant.idempotency_key)
    if known is not None:
        same = known.body_hash == request_hash(grant)
        return _seen(known, giver.now_ms) if same else _reused(known)
    return store.was_given(giver.cell, owner, grant.idempotency_key)


def _takes(giver: Giver, grant: Grant) -> bool:
    owner = giver.organisation
    given = Given(
        *(giver.next_id(), grant.actor, owner.id, grant.idempotency_key, owner.currency),
        *(grant.amount_micros, giver.now_ms),
    )
    return take(giver.control, giver.catalogue, given, by_shell=giver.by_shell)


def _asked(giver: Giver, grant: Grant) -> GrantRequest | Refusal:
    if grant.source == "adjustment":
        detail = "that is more than one person may give alone: ask for a grant instead"
        return Refusal("approval_needed", detail)
    request = _request(giver, grant)
    store.insert_request(giver.cell, request)
    _note(giver, "grant.asked", request.id, grant.amount_micros, grant.reason)
    return request


def approve(giver: Giver, request_id: int, *, actor: str) -> Funded | Refusal:
    """Give what was asked for: another operator than the one who asked. Again, the same lot, which
    names both.

    Refuses: unknown_payment; approval_needed for the one who asked; payment_not_possible where it
    was rejected, or has expired; invalid_value; for a purchase what `why_not_enter` refuses by now.
    """
    refusal = _why_not(giver, request_id, actor)
    if refusal is not None:
        return refusal
    with giver.cell.transaction():
        request = _waiting(giver, request_id)
        if isinstance(request, Refusal):
            return request
        if request.state == "rejected":
            return Refusal("payment_not_possible", f"{request.decided_by} has rejected it")
        if request.state == EXPIRED:
            return _too_late()
        by = f"{request.asked_by}, approved by {request.decided_by or actor}"
        grant = Grant(
            request.amount_micros,
            request.reason,
            by[:ACTOR_TEXT_MAX],
            f"grant request {request.id}",
            request.promotional,
            request.lasts_until_ms,
            request.source,
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
    approved, or has expired.
    """
    refusal = _why_not(giver, request_id, actor)
    if refusal is not None:
        return refusal
    with giver.cell.transaction():
        request = _waiting(giver, request_id)
        if isinstance(request, Refusal) or request.state == "rejected":
            return request
        if request.state == "approved":
            return Refusal("payment_not_possible", f"{request.decided_by} has approved it")
        if request.state == EXPIRED:
            return _too_late()
        decided = request._replace(state="rejected", decided_by=actor, decided_ms=giver.now_ms)
        store.decide_request(giver.cell, decided)
        _note(giver, "grant.rejected", request.id, request.amount_micros, request.reason)
        return decided


def find_request(giver: Giver, request_id: int) -> GrantRequest | Refusal:
    """One request as it stands, `expired` as in `list_requests`. Refuses: unknown_payment."""
    with giver.cell.transaction():
        return _waiting(giver, request_id)


def list_requests(giver: Giver) -> list[GrantRequest]:
    """The organisation's requests, the latest first, at most PAGE_ROWS_MAX. One that nobody decided
    before its credits would have expired is `expired`."""
    with giver.cell.reading():
        found = store.requests_of(giver.cell, giver.organisation.id, PAGE_ROWS_MAX)
    return [_seen(each, giver.now_ms) for each in found]


def _note(giver: Giver, action: str, of_id: int, micros: int, reason: str) -> None:
    owner = giver.organisation
    after: Facts = {"amount_micros": micros, "currency": owner.currency, "reason": reason}
    note(giver.cell, owner.id, action, str(of_id), after=after)


def _why_not(giver: Giver, request_id: int, actor: str) -> Refusal | None:
    """Why somebody may not decide a request: who asked does not change."""
    refusal = check_text("the actor", actor, ACTOR_TEXT_MAX)
    if refusal is not None:
        return refusal
    request = find_request(giver, request_id)
    if isinstance(request, Refusal):
        return request
    with giver.control.transaction():
        return why_not_decide(giver.control, request.asked_by, actor, by_shell=giver.by_shell)


def _waiting(giver: Giver, request_id: int) -> GrantRequest | Refusal:
    """The request, under the wallet's lock: nobody else decides it meanwhile."""
    giver.cell.rows(LOCK_WALLETS, [[giver.organisation.id]])
    request = store.request_of_id(giver.cell, giver.organisation.id, request_id)
    if request is None:
        return Refusal("unknown_payment", f"there is no grant request {request_id}")
    return _seen(request, giver.now_ms)


def _seen(request: GrantRequest, now_ms: int) -> GrantRequest:
    # Not written down: no job is needed for what the clock says.
    until_ms = request.lasts_until_ms
    late = request.state == "asked" and until_ms is not None and until_ms <= now_ms
    return request._replace(state=EXPIRED) if late else request


def _too_late() -> Refusal:
    detail = "nobody decided it before its credits would have expired: ask again"
    return Refusal("payment_not_possible", detail)


def _wrong_amount(grant: Grant) -> Refusal | None:
    if not 0 < grant.amount_micros <= AMOUNT_MICROS_MAX:
        most = decimal_text(AMOUNT_MICROS_MAX)
        return Refusal("invalid_value", f"the amount must be above 0 and at most {most}")
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
        source=grant.source,
    )


def _why_not_enter(giver: Giver, grant: Grant) -> Refusal | None:
    if grant.lasts_until_ms is not None and grant.lasts_until_ms <= giver.now_ms:
        return GONE_ALREADY
    debt_micros = debt_of(giver.cell, giver.organisation.id)
    return why_not_enter(
        *(giver.catalogue, giver.organisation, grant.source, grant.amount_micros, debt_micros)
    )


def _fund(giver: Giver, grant: Grant) -> Funded | Refusal:
    """In the transaction that is open, with the wallet locked."""
    return fund_within(
        giver.cell,
        giver.organisation,
        amount_micros=grant.amount_micros,
        source=grant.source,
        reason=grant.reason,
        actor=grant.actor,
        idempotency_key=grant.idempotency_key,
        lasts_until_ms=grant.lasts_until_ms,
        promotional=grant.promotional,
        why_not=_why_not_enter(giver, grant),
        seller=giver.seller,
        lot_months=figures_of(giver.catalogue.settings).lot_months,
        now_ms=giver.now_ms,
        next_id=giver.next_id,
    )


def _reused(known: GrantRequest) -> Refusal:
    detail = f"key {known.idempotency_key!r} asked for another grant before"
    return Refusal("idempotency_key_reused", detail)
