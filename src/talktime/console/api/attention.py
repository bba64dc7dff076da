"""`/api/v1/attention`: payments, paused recharges, refunds and calls without a price of all
organisations that somebody of the operator's looks at, from every cell that answers."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from ninja import Query
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import Amount, AskedPage, IdText, Moment, Page, Shown, listing
from talktime.console.operator.places import all_cells
from talktime.core.directory import Organisation
from talktime.core.keys import OPERATOR
from talktime.core.masking import shown_parties
from talktime.store.attention import (
    failed_payments,
    open_payments,
    open_refunds,
    paused_recharges,
    unpriced_calls,
)
from talktime.store.catalogue import load_catalogues
from talktime.store.database import Connection
from talktime.store.health import organisations_of_ids

attention = Resource(
    "Attention", "What of all organisations waits for the operator.", at_organisation=False
)
Answer = dict[str, Any]
BY = (OPERATOR,)
FAILED = "failed"
State = Annotated[
    Literal["unknown", "declined", "invoiced", "failed"],
    Query(
        description="`unknown`: the provider has not said whether it charged. `declined`: tried "
        "again by a schedule. `invoiced`: the money is to come. `failed`: in the last 7 days."
    ),
]
Kind = Annotated[
    Literal["refund", "chargeback"],
    Query(description="What the operator pays back, or what a cardholder's bank took back."),
]
AWAY = (list[str], Field(description="Cells that do not answer: what is in them is missing."))


class WaitingPayment(Shown):
    """A payment of an organisation's as it stands."""

    payment_id: IdText = Field(validation_alias="id")
    organisation_id: IdText
    organisation: str
    kind: str
    state: str
    amount: Amount = Field(validation_alias="amount_micros")
    currency: str
    po_number: str
    actor: str
    declines: int
    code: str
    detail: str
    next_step: Moment | None = Field(validation_alias="due_ms")
    created: Moment = Field(validation_alias="created_ms")


class PausedRecharge(Shown):
    """An organisation's auto-recharge that is paused, and why."""

    organisation_id: IdText
    organisation: str
    code: str
    detail: str
    since: Moment | None = Field(validation_alias="since_ms")


class WaitingRefund(Shown):
    """A refund that the provider has not confirmed, or a dispute that is not over."""

    refund_id: IdText = Field(validation_alias="id")
    payment_id: IdText
    organisation_id: IdText
    organisation: str
    kind: str
    state: str
    amount: Amount = Field(validation_alias="amount_micros")
    currency: str
    reason: str
    actor: str
    detail: str
    next_step: Moment | None = Field(validation_alias="due_ms")
    created: Moment = Field(validation_alias="created_ms")


class UnpricedCall(Shown):
    """A call that took place and is in no rate card: `unpriced_seconds` of it were free."""

    usage_id: IdText = Field(validation_alias="id")
    organisation_id: IdText
    organisation: str
    rate_card: str
    type: str
    caller: str
    from_number: str | None = Field(serialization_alias="from")
    to_number: str | None = Field(serialization_alias="to")
    began_at: Moment = Field(validation_alias="started_ms")
    talked_seconds: int = Field(validation_alias="used_s")
    unpriced_seconds: int = Field(validation_alias="unpriced_s")


@attention.reads(
    "/attention/payments",
    listing("waiting_payments", WaitingPayment, away=AWAY),
    by=BY,
)
def get_waiting_payments(asked: Asked, page: AskedPage, state: State = "unknown") -> Answer:
    """Payments of all organisations in one state, the oldest first.

    Of those that failed, the latest first.
    """

    def read(cell: Connection) -> list[Any]:
        if state == FAILED:
            return failed_payments(cell, asked.now_ms, page.before, page.limit)
        return open_payments(cell, state, page.after, page.limit)

    return _found(asked, page, "waiting_payments", read, latest_first=state == FAILED)


@attention.reads(
    "/attention/recharges",
    listing("paused_recharges", PausedRecharge, away=AWAY),
    by=BY,
)
def get_paused_recharges(asked: Asked, page: AskedPage) -> Answer:
    """Auto-recharges that wait until somebody of the organisation does its part."""

    def read(cell: Connection) -> list[Any]:
        return paused_recharges(cell, page.after, page.limit)

    return _found(asked, page, "paused_recharges", read, place="organisation_id")


@attention.reads(
    "/attention/refunds",
    listing("waiting_refunds", WaitingRefund, away=AWAY),
    by=BY,
)
def get_waiting_refunds(asked: Asked, page: AskedPage, kind: Kind = "refund") -> Answer:
    """Refunds or disputes of all organisations that are not over, the oldest first."""

    def read(cell: Connection) -> list[Any]:
        return open_refunds(cell, kind, page.after, page.limit)

    return _found(asked, page, "waiting_refunds", read)


@attention.reads(
    "/attention/calls",
    listing("unpriced_calls", UnpricedCall, away=AWAY),
    by=BY,
)
def get_unpriced_calls(asked: Asked, page: AskedPage) -> Answer:
    """Calls of the last 7 days that could not be priced and were free, the latest first."""

    def read(cell: Connection) -> list[Any]:
        return unpriced_calls(cell, asked.now_ms, page.before, page.limit)

    with asked.control.reading():
        catalogue = load_catalogues(asked.control).in_force(asked.now_ms)

    def more(call: Any, owner: Organisation) -> Answer:
        hidden_digits = catalogue.country(owner.country).masked_digits
        parties = shown_parties(call.type, call.from_digits, call.to_digits, hidden_digits)
        return {
            "rate_card": owner.rate_card,
            "from_number": parties.caller or None,
            "to_number": parties.callee or None,
        }

    return _found(asked, page, "unpriced_calls", read, latest_first=True, more=more)


def _found(
    asked: Asked,
    page: Page,
    name: str,
    read: Callable[[Connection], list[Any]],
    *,
    place: str = "id",
    latest_first: bool = False,
    more: Callable[[Any, Organisation], Answer] = lambda _row, _owner: {},
) -> Answer:
    """A page of what is found in all cells, in the order of its place; each with whose it is."""
    rows: list[Any] = []
    with all_cells() as cells:
        for cell in cells.open.values():
            with cell.reading():
                rows += read(cell)
    rows.sort(key=lambda row: int(getattr(row, place)), reverse=latest_first)
    rows = rows[: page.limit]
    with asked.control.reading():
        owners = organisations_of_ids(asked.control, {row.organisation_id for row in rows})
    shown = [
        {
            "currency": owners[row.organisation_id].currency,
            **row._asdict(),
            "organisation": owners[row.organisation_id].name,
            **more(row, owners[row.organisation_id]),
        }
        for row in rows
        if row.organisation_id in owners
    ]
    answer: Answer = asked.page(page, name, rows, lambda row: getattr(row, place))
    return {**answer, name: shown, "away": cells.away}
