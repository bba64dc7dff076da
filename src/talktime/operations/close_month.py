"""Close a month: what is paid after use is put on a statement, once (D14, R75)."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from talktime.config import Settings
from talktime.core.directory import Organisation
from talktime.core.documents import Line, Seller, number_text, statement_of_month
from talktime.core.ledger import POST_USAGE, RECEIVABLES, Transfer
from talktime.core.limits import CLOSE_BATCH_MAX
from talktime.core.meters import post_usage_key
from talktime.core.post_usage import (
    DAY_MS,
    DUE,
    PAID,
    Deadlines,
    PostStatement,
    last_closed_month,
    month_before,
    month_end_ms,
    payable_micros,
    statement_notice,
)
from talktime.core.refusal import Refusal
from talktime.operations.billing_profiles import buyer_of, seller_of
from talktime.operations.documents import issue
from talktime.operations.sweep import Sweep, Swept
from talktime.store import post_statements as store
from talktime.store.database import Connection, Outage
from talktime.store.notices import insert_notices
from talktime.store.organisations import organisation_of_id
from talktime.store.post_statements import UnbilledSum

LATE_MONTHS = 12
"""So long after a month, late reports of its calls are looked for."""
CATCH_UP_MONTHS = 3
"""After downtime, so many months are closed each for itself."""


class Terms(NamedTuple):
    """On which terms statements are made: by whom, and when they are to be paid."""

    seller: Seller
    deadlines: Deadlines = Deadlines()


def deadlines_of(settings: Settings) -> Deadlines:
    """When statements are made, are to be paid, and block calls, as it is set."""
    return Deadlines(settings.close_hours, settings.pay_days, settings.block_days)


def close_month(
    cell: Connection,
    organisation: Organisation,
    month: str,
    terms: Terms,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> PostStatement | Refusal | None:
    """Make the organisation's statement of a month (2026-11), of all usage records of that month
    or before that are paid after use and on no statement yet; the one there is, where there is one.

    Corrections of earlier months are lines of their own. None where nothing is to be paid: what
    was taken back beyond that stays for the next month. The caller opens and commits the
    transaction; the wallet is locked here. Refuses: unknown_organisation; month_open while the
    month is not over by the hours of the terms, or a call of it is still open.
    """
    currency = store.lock_wallet(cell, organisation.id)
    if currency is None:
        detail = f"organisation {organisation.id} has no wallet in this cell"
        return Refusal("unknown_organisation", detail)
    made = store.statement_of_month(cell, organisation.id, month)
    if made is not None:
        return made
    refusal = _still_open(cell, organisation.id, month, terms.deadlines, now_ms)
    if refusal is not None:
        return refusal
    months = [m for m in store.unbilled_by_month(cell, organisation.id) if m <= month]
    sums = [
        each
        for one in sorted(months, reverse=True)
        for each in store.unbilled(cell, organisation.id, one)
    ]
    if sum(each.post_micros for each in sums) <= 0:
        return None
    return _made(cell, organisation, month, terms, sums, currency, now_ms, next_id)


def _still_open(
    cell: Connection, organisation_id: int, month: str, deadlines: Deadlines, now_ms: int
) -> Refusal | None:
    if month > last_closed_month(now_ms, deadlines):
        detail = f"{month} is closed {deadlines.close_hours} hours after its end"
        return Refusal("month_open", detail)
    running = store.open_calls_before(cell, organisation_id, month_end_ms(month))
    if running:
        return Refusal("month_open", f"calls of {month} are still open: {running}")
    return None


def _made(
    cell: Connection,
    organisation: Organisation,
    month: str,
    terms: Terms,
    sums: list[UnbilledSum],
    currency: str,
    now_ms: int,
    next_id: Callable[[], int],
) -> PostStatement:
    statement_id = next_id()
    billed = sum(
        store.bill_usage(cell, organisation.id, one, statement_id)
        for one in {each.month for each in sums}
    )
    if billed != sum(each.records for each in sums):
        raise RuntimeError(f"{billed} usage records were billed, other than were added up")
    payable_ms = now_ms + terms.deadlines.pay_days * DAY_MS
    facts = statement_of_month(
        month,
        currency,
        _lines(sums, month),
        terms.seller,
        buyer_of(cell, organisation),
        organisation.time_zone,
        payable_ms,
    )
    document = issue(cell, organisation.id, facts, now_ms=now_ms, next_id=next_id)
    amount_micros = facts.amount_micros
    free = payable_micros(amount_micros, currency) == 0
    statement = PostStatement(
        *(statement_id, organisation.id, month, document.id, PAID if free else DUE),
        *(amount_micros, 0, now_ms, payable_ms),
        paid_ms=now_ms if free else None,
    )
    store.insert_statement(cell, statement)
    store.insert_transfer(
        cell,
        Transfer(
            *(statement_id, organisation.id, RECEIVABLES, POST_USAGE),
            *(amount_micros, "statement", None, now_ms),
        ),
    )
    number = number_text(organisation.cell, document.number)
    told = statement_notice("closed", statement, currency, number, now_ms)
    insert_notices(cell, [told], next_id)
    return statement


def _lines(sums: Iterable[UnbilledSum], month: str) -> list[Line]:
    return [
        Line(
            each.destination or "Free",
            each.calls,
            each.post_micros,
            each.billed_s,
            each.month if each.month != month else "",
        )
        for each in sums
    ]


def close_months(sweep: Sweep) -> Swept:
    """Close the months that are over, for every organisation of a cell that has something to pay
    after use; counts the statements made. Each is a transaction of its own. Raises Outage."""
    if sweep.settings is None or sweep.control is None:
        raise ValueError("statements are made with the settings and the control plane")
    settings, control = sweep.settings, sweep.control()
    deadlines = deadlines_of(settings)
    terms = Terms(seller_of(settings), deadlines)
    latest = last_closed_month(sweep.clock_ms(), deadlines)
    made, failures = 0, list[str]()
    for back in range(CATCH_UP_MONTHS, -1, -1):
        month = month_before(latest, back)
        late = range(LATE_MONTHS + 1 if back == 0 else 1)
        keys = [post_usage_key(month_before(month, more)) for more in late]
        after_id, full = 0, True
        while full and not sweep.stopping():
            with sweep.connection.reading():
                ids = store.wallets_to_close(
                    sweep.connection, keys, month, after_id, CLOSE_BATCH_MAX
                )
            for organisation_id in ids:
                made += _closed(sweep, control, organisation_id, month, terms, failures)
            full = len(ids) == CLOSE_BATCH_MAX
            after_id = ids[-1] if ids else after_id
    return Swept(made, tuple(failures))


def _closed(
    sweep: Sweep,
    control: Connection,
    organisation_id: int,
    month: str,
    terms: Terms,
    failures: list[str],
) -> int:
    with control.reading():
        organisation = organisation_of_id(control, organisation_id)
    if organisation is None:
        return 0  # its wallet was made, and the organisation never was
    try:
        with sweep.connection.transaction():
            made = close_month(
                sweep.connection,
                organisation,
                month,
                terms,
                now_ms=sweep.clock_ms(),
                next_id=sweep.next_id,
            )
    except Outage:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the other statements are made
        failures.append(f"statement of {organisation.name} for {month}: {error!r}")
        return 0
    return int(isinstance(made, PostStatement))
