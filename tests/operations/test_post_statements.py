"""What is paid of statements, and what is on them. Mirrors operations/post_statements.py."""

import csv
import io
import json

import pytest

from talktime.core.ledger import FUNDING, POST_USAGE, RECEIVABLES, REVENUE
from talktime.core.post_usage import month_start_ms
from talktime.operations.post_statements import (
    COLUMNS,
    csv_pieces,
    json_pieces,
    list_statement_payments,
    list_statements,
    usage_pages,
    usage_row,
)
from tests.after_use import DAY_MS, AfterUse
from tests.lively_books import FRANCE
from tests.many_usage import Peak, multiply_usage

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CENT = 10_000


@pytest.fixture
def after_use(store):
    """A statement of 0.285 USD for 2026-11, of which 0.29 is to be paid."""
    made = AfterUse(store.cell())
    made.use("a", 600, month_start_ms("2026-11"))
    made.use("b", 540, month_start_ms("2026-11"))
    made.close("2026-11")
    return made


def test_a_statement_is_paid_in_parts(after_use):
    part = after_use.pay("2026-11", 20 * CENT, "first")
    assert (part.state, part.paid_micros, part.to_pay_micros("USD")) == ("due", 200_000, 90_000)
    assert after_use.notices() == ["statement.closed"]
    whole = after_use.pay("2026-11", 9 * CENT, "second", "cheque 12")
    assert (whole.state, whole.paid_micros, whole.paid_note) == ("paid", 290_000, "cheque 12")
    assert whole.paid_ms == after_use.now_ms
    assert after_use.notices() == ["statement.closed", "statement.paid"]
    assert after_use.accounts() == {
        POST_USAGE: 0,
        REVENUE: 285_000,
        RECEIVABLES: 5_000,
        FUNDING: -290_000,
    }
    assert after_use.books_hold()


def test_the_same_payment_again_is_recorded_once(after_use):
    first = after_use.pay("2026-11", 20 * CENT)
    assert after_use.pay("2026-11", 20 * CENT) == first
    reused = after_use.pay("2026-11", 9 * CENT)
    assert (reused.code, reused.detail) == (
        "idempotency_key_reused",
        "key 'k' was used for another payment before",
    )
    assert list_statements(after_use.connection, after_use.organisation) == [first]
    assert after_use.books_hold()


@pytest.mark.parametrize(
    ("micros", "detail"),
    [
        (0, "0.29 USD of the statement of 2026-11 is left to pay"),
        (-CENT, "0.29 USD of the statement of 2026-11 is left to pay"),
        (30 * CENT, "0.29 USD of the statement of 2026-11 is left to pay"),
        (5_000, "0.005 is no amount that can be paid in USD"),
    ],
)
def test_an_amount_that_cannot_be_paid_is_refused(after_use, micros, detail):
    refusal = after_use.pay("2026-11", micros)
    assert (refusal.code, refusal.detail) == ("invalid_value", detail)
    assert FUNDING not in after_use.accounts()


def test_a_paid_statement_takes_no_more(after_use):
    after_use.pay("2026-11", 29 * CENT)
    refusal = after_use.pay("2026-11", CENT, "again")
    assert refusal.detail == "0 USD of the statement of 2026-11 is left to pay"
    assert after_use.books_hold()


@pytest.mark.parametrize("given", [{"note": ""}, {"note": "x" * 501}, {"key": ""}])
def test_a_payment_says_what_it_is(after_use, given):
    assert after_use.pay("2026-11", CENT, **given).code == "invalid_value"


@pytest.mark.parametrize("month", ["2026-10", "november", "", "2026-11\x00"])
def test_a_month_without_a_statement_is_refused(after_use, month):
    assert after_use.pay(month, CENT).code == "unknown_statement"


def test_an_export_has_a_row_for_each_usage_record(store):
    """R75: the same fields as a usage report; R78: whom they called is masked."""
    made = AfterUse(store.cell())
    made.use('a "quoted", call', 61, month_start_ms("2026-11"))
    made.use("b", 45, month_start_ms("2026-11") + 1_000, FRANCE)
    statement = made.close("2026-11")
    [usage] = usage_pages(made.connection, made.organisation, statement)
    rows = [usage_row(each, "USD", 3) for each in usage]
    assert [tuple(row) for row in rows] == [COLUMNS, COLUMNS]
    assert rows[0] == {
        "usage_id": str(usage[0].id),
        "kind": "call",
        "call_id": 'a "quoted", call',
        "month": "2026-11",
        "start_time": "2026-11-01T00:00:00Z",
        "end_time": "2026-11-01T00:01:01Z",
        "call_type": "user_out",
        "capability": "MCOPSTNPP",
        "user": "",
        "caller_number": "+14255550100",
        "callee_number": "+4930123***",
        "destination": "Germany",
        "duration_seconds": 61,
        "billed_seconds": 120,
        "included_seconds": 0,
        "connection_fee": "0",
        "charge": "0.03",
        "paid_after_use": "0.03",
        "currency": "USD",
    }
    text = b"".join(csv_pieces([usage], "USD", 3)).decode()
    assert text.count("\r\n") == 3
    assert text.startswith("usage_id,kind,call_id,month,")
    assert '"a ""quoted"", call"' in text
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert read == [{name: str(value) for name, value in row.items()} for row in rows]
    assert sum(each.post_micros for each in usage) == statement.amount_micros


def test_a_file_is_made_page_by_page_and_is_the_same(store):
    """No more than a page of usage is in memory, however long the statement is."""
    made = AfterUse(store.cell())
    for number in range(7):
        made.use(f"call {number}", 61, month_start_ms("2026-11") + number // 2)
    statement = made.close("2026-11")
    [whole] = usage_pages(made.connection, made.organisation, statement)
    pages = [*usage_pages(made.connection, made.organisation, statement, page_records=2)]
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert [each for page in pages for each in page] == whole
    pieces = [*csv_pieces(pages, "USD", 3)]
    assert max(piece.count(b"\r\n") for piece in pieces) <= 3
    assert b"".join(pieces) == b"".join(csv_pieces([whole], "USD", 3))
    rows = [usage_row(each, "USD", 3) for each in whole]
    for some in (pages, []):
        read = json.loads(b"".join(json_pieces(some, {"month": "2026-11"}, "USD", 3)))
        assert read == {"month": "2026-11", "usage": rows if some else []}


def test_a_statement_of_very_many_records_takes_no_more_memory_than_a_page(store):
    made = AfterUse(store.cell())
    made.use("a", 61, month_start_ms("2026-11"))
    statement = made.close("2026-11")
    multiply_usage(made.connection, 4_000)
    for pieces_of in (
        lambda pages: csv_pieces(pages, "USD", 3),
        lambda pages: json_pieces(pages, {"month": "2026-11"}, "USD", 3),
    ):
        with Peak() as peak:
            pages = usage_pages(made.connection, made.organisation, statement, page_records=200)
            sent = sum(len(piece) for piece in pieces_of(pages))
        assert sent > 600_000
        assert peak.bytes < 1_200_000  # all at once are three millions


def test_statements_are_listed_the_newest_first(after_use):
    after_use.use("c", 61, month_start_ms("2026-12"))
    after_use.close("2026-12")
    found = list_statements(after_use.connection, after_use.organisation)
    assert [each.month for each in found] == ["2026-12", "2026-11"]
    page = list_statements(after_use.connection, after_use.organisation, before="2026-12")
    assert [each.month for each in page] == ["2026-11"]


def test_a_payment_of_a_statement_is_undone(after_use):
    """Append-only: the payment stays, its money goes back, the statement is to be paid again."""
    paid = after_use.pay("2026-11", 29 * CENT)
    (payment_id,) = after_use.payment_ids()
    undone = after_use.undo("2026-11", payment_id)
    assert not undone.replayed
    due = paid._replace(state="due", paid_micros=0, paid_ms=None, paid_note="")
    assert undone.statement == due
    assert after_use.accounts()[RECEIVABLES] == -285_000
    assert after_use.accounts()[FUNDING] == 0
    assert after_use.notices()[-1] == "statement.payment_undone"
    again = after_use.undo("2026-11", payment_id)
    assert (again.statement, again.replayed) == (due, True)
    assert after_use.accounts()[FUNDING] == 0
    after_use.now_ms += 1
    once_more = after_use.pay("2026-11", 29 * CENT, "the right one")
    assert once_more.state == "paid"
    assert after_use.notices()[-1] == "statement.paid"
    [first, second] = list_statement_payments(after_use.connection, once_more)
    assert (first.refunded_micros, second.refunded_micros) == (290_000, 0)
    assert after_use.books_hold()


@pytest.mark.parametrize(("days", "state"), [(29, "due"), (31, "overdue"), (45, "blocked")])
def test_an_undone_statement_is_late_by_its_own_day(after_use, days, state):
    after_use.pay("2026-11", 29 * CENT)
    after_use.now_ms += days * DAY_MS
    undone = after_use.undo("2026-11", *after_use.payment_ids())
    assert undone.statement.state == state
    assert undone.statement.payable_ms == undone.statement.closed_ms + 30 * DAY_MS
    assert after_use.books_hold()


def test_a_part_is_undone_by_itself(after_use):
    after_use.pay("2026-11", 20 * CENT, "first")
    after_use.pay("2026-11", 9 * CENT, "second")
    first, second = after_use.payment_ids()
    undone = after_use.undo("2026-11", second)
    assert (undone.statement.state, undone.statement.paid_micros) == ("due", 200_000)
    refusal = after_use.undo("2026-11", second, key="another")
    assert refusal.code == "payment_not_possible"
    assert after_use.undo("2026-11", first, reason="another").code == "idempotency_key_reused"
    assert after_use.undo("2026-11", 4711, key="x").code == "unknown_payment"
    assert after_use.undo("2026-10", first, key="x").code == "unknown_statement"
    assert after_use.undo("2026-11", first, reason="", key="x").code == "invalid_value"
    assert after_use.accounts()[FUNDING] == -200_000
    assert after_use.books_hold()
