"""Months that are paid after use are closed once, and whole. Mirrors operations/close_month.py."""

import json
import threading

import pytest

from talktime.core.documents import Buyer, Line
from talktime.core.ledger import POST_USAGE, RECEIVABLES, REVENUE
from talktime.core.post_usage import PostStatement, month_end_ms, month_start_ms
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.close_month import close_months
from talktime.operations.documents import list_documents
from talktime.operations.sweep import Sweep
from talktime.store.organisations import insert_organisation
from talktime.store.post_statements import unbilled_by_month
from tests.after_use import DAY_MS, HOUR_MS, AfterUse, organisation

pytestmark = pytest.mark.layouts("sqlite", "postgres")

JAPAN = Rate("81", "Japan", 1_234_567, 0, 60, 60)
END_MS = month_end_ms("2026-11")


@pytest.fixture
def after_use(store):
    return AfterUse(store.cell())


def test_a_statement_is_the_sum_of_its_usage_records(after_use):
    """D14, R75."""
    start_ms = month_start_ms("2026-11")
    after_use.use("a", 61, start_ms)
    after_use.use("b", 600, start_ms + DAY_MS)
    after_use.use("c", 30, start_ms + DAY_MS, JAPAN)
    made = after_use.close("2026-11")
    assert made == PostStatement(
        *(made.id, 7, "2026-11", made.document_id, "due", 12 * 15_000 + 1_234_567, 0),
        *(END_MS + DAY_MS, END_MS + 31 * DAY_MS),
    )
    (document,) = list_documents(after_use.connection, after_use.organisation)
    assert (document.id, document.number, document.facts.kind) == (
        *(made.document_id, 1),
        "statement",
    )
    assert document.facts.lines == (
        Line("Germany", 2, 180_000, 720),
        Line("Japan", 1, 1_234_567, 60),
    )
    assert document.facts.buyer == Buyer("contoso7.example", "contoso7.example")
    assert document.facts.payable_ms == made.payable_ms
    assert after_use.accounts() == {RECEIVABLES: -1_414_567, POST_USAGE: 0, REVENUE: 1_414_567}
    assert after_use.notices() == ["statement.closed"]
    assert after_use.books_hold()


@pytest.mark.parametrize(
    ("at_ms", "months"),
    [
        (month_start_ms("2026-11"), ["2026-11"]),
        (END_MS - 1, ["2026-11"]),
        (END_MS, ["2026-12"]),
        (month_start_ms("2028-02") - 1, ["2028-01"]),
        (month_start_ms("2028-02") + 28 * DAY_MS, ["2028-02"]),
        (month_start_ms("2028-02") + 29 * DAY_MS - 1, ["2028-02"]),
        (month_start_ms("2028-02") + 29 * DAY_MS, ["2028-03"]),
        (month_start_ms("2027-01") - 1, ["2026-12"]),
    ],
)
def test_a_call_is_on_the_statement_of_the_month_in_which_it_began(after_use, at_ms, months):
    """D13: in UTC, on both sides of the boundary, on a leap day too."""
    after_use.use("a", 600, at_ms)
    found = [
        month
        for month in ("2026-10", "2026-11", "2026-12", "2028-01", "2028-02", "2028-03")
        if isinstance(after_use.close(month), PostStatement)
    ]
    assert found == months


def test_a_month_is_not_closed_before_its_hours_have_passed(after_use):
    after_use.use("a", 61, month_start_ms("2026-11"))
    refusal = Refusal("month_open", "2026-11 is closed 24 hours after its end")
    assert after_use.close("2026-11", END_MS + DAY_MS - 1) == refusal
    assert after_use.notices() == []
    assert isinstance(after_use.close("2026-11", END_MS + DAY_MS), PostStatement)


def test_a_month_is_not_closed_while_a_call_of_it_is_open(after_use):
    after_use.use("a", 61, month_start_ms("2026-11"))
    after_use.leave_open("b", END_MS - 1)
    assert after_use.close("2026-11") == Refusal("month_open", "calls of 2026-11 are still open: 1")
    assert after_use.notices() == []
    after_use.expire("b", 7)
    assert after_use.close("2026-11").amount_micros == 30_000


def test_a_call_of_the_next_month_does_not_keep_one_open(after_use):
    after_use.use("a", 61, month_start_ms("2026-11"))
    after_use.leave_open("b", END_MS)
    assert after_use.close("2026-11").amount_micros == 30_000


def test_a_call_that_is_answered_in_the_next_month_is_of_the_month_in_which_it_began(after_use):
    """D13, also where it is the only one: it rang over midnight, and is billed with its month."""
    after_use.leave_open("rang", END_MS - HOUR_MS)
    after_use.now_ms = END_MS + HOUR_MS
    after_use.answer("rang")
    after_use.settle("rang", 2, 61)
    after_use.use("next", 300, END_MS + HOUR_MS)
    assert after_use.close("2026-11").amount_micros == 30_000
    assert unbilled_by_month(after_use.connection, 7) == {"2026-12": 75_000}
    assert after_use.close("2026-12").amount_micros == 75_000
    assert unbilled_by_month(after_use.connection, 7) == {}
    newest, oldest = list_documents(after_use.connection, after_use.organisation)
    assert oldest.facts.lines == (Line("Germany", 1, 30_000, 120),)
    assert newest.facts.lines == (Line("Germany", 1, 75_000, 300),)
    assert after_use.books_hold()


def test_a_month_without_anything_to_pay_makes_no_statement(after_use):
    after_use.use("a", 0, month_start_ms("2026-11"))
    assert after_use.close("2026-11") is None
    assert after_use.notices() == []
    assert list_documents(after_use.connection, after_use.organisation) == []


def test_a_month_is_closed_once(after_use):
    after_use.use("a", 61, month_start_ms("2026-11"))
    made = after_use.close("2026-11")
    assert after_use.close("2026-11", END_MS + 9 * DAY_MS) == made
    assert after_use.notices() == ["statement.closed"]
    assert len(list_documents(after_use.connection, after_use.organisation)) == 1
    assert after_use.books_hold()


def test_what_is_reported_late_is_a_line_of_the_next_statement(after_use):
    after_use.leave_open("less", month_start_ms("2026-11"), 250)
    after_use.leave_open("more", month_start_ms("2026-11"), 60)
    after_use.now_ms += HOUR_MS
    after_use.expire("less", 7)
    after_use.expire("more", 7)
    assert after_use.close("2026-11").amount_micros == 5 * 15_000 + 15_000
    after_use.settle("less", 2, 100)
    after_use.settle("more", 2, 130)
    after_use.use("a", 61, month_start_ms("2026-12"))
    made = after_use.close("2026-12")
    assert made.amount_micros == 2 * 15_000 - 3 * 15_000 + 2 * 15_000
    newest = list_documents(after_use.connection, after_use.organisation)[0]
    assert newest.facts.lines == (
        Line("Germany", 1, 30_000, 120),
        Line("Germany", 0, -15_000, -60, "2026-11"),
    )
    assert after_use.books_hold()


def test_what_was_taken_back_beyond_the_usage_waits_for_the_next_month(after_use):
    after_use.leave_open("less", month_start_ms("2026-11"), 250)
    after_use.now_ms += HOUR_MS
    after_use.expire("less", 7)
    assert after_use.close("2026-11").amount_micros == 75_000
    after_use.settle("less", 2, 100)
    after_use.use("a", 1, month_start_ms("2026-12"))
    assert after_use.close("2026-12") is None
    after_use.use("b", 300, month_start_ms("2027-01"))
    assert after_use.close("2027-01").amount_micros == 75_000 + 15_000 - 45_000
    assert after_use.books_hold()


def test_months_whose_records_are_all_on_statements_are_not_read_again(after_use):
    """What is read under the wallet's lock does not grow with the years."""
    after_use.use("a", 61, month_start_ms("2026-11"))
    after_use.use("b", 61, month_start_ms("2027-01"))
    after_use.use("c", 61, month_start_ms("2027-02"))
    assert unbilled_by_month(after_use.connection, 7) == {
        "2026-11": 30_000,
        "2027-01": 30_000,
        "2027-02": 30_000,
    }
    after_use.close("2027-01")
    assert unbilled_by_month(after_use.connection, 7) == {"2027-02": 30_000}
    assert unbilled_by_month(after_use.connection, 8) == {}


@pytest.mark.parametrize(
    ("currency", "amount_micros", "payable_micros"),
    [("JPY", 2_469_134, 2_000_000), ("KWD", 2_469_134, 2_469_000), ("USD", 2_469_134, 2_470_000)],
)
def test_a_statement_is_exact_and_paid_in_the_currencys_own_units(
    store, currency, amount_micros, payable_micros
):
    """D9, D19."""
    after_use = AfterUse(store.cell(), currency)
    after_use.use("a", 61, month_start_ms("2026-11"), JAPAN)
    made = after_use.close("2026-11")
    assert made.amount_micros == amount_micros
    assert made.to_pay_micros(currency) == payable_micros
    assert after_use.pay("2026-11", payable_micros).state == "paid"
    assert after_use.books_hold()


def test_a_statement_of_less_than_can_be_paid_is_paid(store):
    after_use = AfterUse(store.cell(), "JPY")
    after_use.use("a", 61, month_start_ms("2026-11"))
    made = after_use.close("2026-11")
    assert (made.amount_micros, made.state, made.paid_ms) == (30_000, "paid", END_MS + DAY_MS)
    [(facts,)] = after_use.connection.rows("SELECT facts FROM outbox")
    assert json.loads(facts)["amount_micros"] == 0
    assert after_use.books_hold()


def test_two_who_close_at_once_make_one_statement(store):
    after_use = AfterUse(store.cell())
    after_use.use("a", 61, month_start_ms("2026-11"))
    closers = [AfterUse.__new__(AfterUse) for _ in range(2)]
    made, began = [], threading.Barrier(2)

    def close(number, closer):
        AfterUse.__mro__[1].__init__(closer, store.cell(), END_MS + DAY_MS, number + 1)
        closer.organisation = after_use.organisation
        began.wait()
        made.append(closer.close("2026-11"))

    threads = [threading.Thread(target=close, args=each) for each in enumerate(closers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made[0] == made[1]
    assert len(list_documents(after_use.connection, after_use.organisation)) == 1
    assert after_use.books_hold()


def test_the_job_closes_each_month_for_each_organisation(store):
    after_use = AfterUse(store.cell())
    control = store.control()
    with control.transaction():
        insert_organisation(control, organisation(7), 0)
    for month in ("2026-10", "2026-11", "2026-12"):
        after_use.use(month, 61, month_start_ms(month) + DAY_MS)
    after_use.now_ms = month_end_ms("2026-12") + DAY_MS - 1
    sweep = Sweep(
        after_use.connection,
        after_use.clock_ms,
        after_use.ids.next,
        settings=store.settings,
        control=lambda: control,
    )
    assert close_months(sweep) == (2, (), False)
    after_use.now_ms += 1
    assert close_months(sweep) == (1, (), False)
    assert close_months(sweep) == (0, (), False)
    found = list_documents(after_use.connection, after_use.organisation)
    assert [(each.number, each.facts.month) for each in found] == [
        (3, "2026-12"),
        (2, "2026-11"),
        (1, "2026-10"),
    ]
    assert found[0].facts.seller.name == "Talktime"
    assert after_use.books_hold()


def test_a_wallet_that_no_organisation_names_is_left_alone(store):
    after_use = AfterUse(store.cell())
    after_use.use("a", 61, month_start_ms("2026-11"))
    after_use.now_ms = END_MS + DAY_MS
    sweep = Sweep(
        after_use.connection,
        after_use.clock_ms,
        after_use.ids.next,
        settings=store.settings,
        control=store.control,
    )
    assert close_months(sweep) == (0, (), False)
