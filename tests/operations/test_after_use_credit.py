"""A credit that no statement will count any more. Mirrors operations/after_use_credit.py."""

import pytest

from talktime.core.documents import Line
from talktime.core.ledger import DEBT, FUNDING, POST_USAGE, RECEIVABLES, REVENUE
from talktime.core.ledger_sums import money_by_month
from talktime.core.post_usage import month_start_ms
from talktime.operations.after_use_credit import stuck_credit
from talktime.operations.documents import list_documents
from talktime.operations.ledger_sums import sums_of_months
from talktime.operations.statement import statement
from talktime.store.health import credits_after_use, flagged_after, wallets_of
from tests.after_use import DAY_MS, AfterUse, organisation

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CENT = 10_000


@pytest.fixture
def credited(store):
    """Billed 0.08 in November and paid it; 0.045 less was talked, as came out later; prepaid now:
    a credit of 0.045 USD."""
    made = AfterUse(store.cell())
    made.leave_open("less", month_start_ms("2026-11"), 299)
    made.now_ms += DAY_MS
    made.expire("less", 7)
    made.close("2026-11")
    made.pay("2026-11", 8 * CENT)
    made.settle("less", 2, 100)
    made.organisation = organisation(7, model="prepaid")
    return made


def credit(made):
    with made.connection.reading():
        return stuck_credit(made.connection, made.organisation)


def flagged(made):
    """By the list of organisations, by the row of one, by the overview's count."""
    with made.connection.reading():
        [row] = wallets_of(made.connection, [7], 0)
        return (
            flagged_after(made.connection, "credit", 0, 9),
            row.credit,
            credits_after_use(made.connection),
        )


def test_a_late_report_behind_the_last_statement_is_seen(credited):
    assert credit(credited) == 45_000
    assert flagged(credited) == ([7], True, 1)
    assert credited.accounts()[POST_USAGE] == 45_000


def test_the_credit_becomes_a_lot_with_a_credit_note_once(credited):
    done = credited.settle_credit("credits")
    assert (done.paid_out_micros, done.replayed) == (0, False)
    facts = done.document.facts
    assert (facts.kind, facts.amount_micros, facts.reason) == ("credit_note", -45_000, "agreed")
    assert facts.lines == (Line("Germany", 0, -45_000, -180, "2026-11"),)
    assert facts.about.startswith("MAIN-")
    assert credited.settle_credit("credits") == done._replace(replayed=True)
    assert credited.settle_credit("payout").code == "idempotency_key_reused"
    accounts = credited.accounts()
    assert (accounts[POST_USAGE], accounts[RECEIVABLES]) == (0, 5_000)
    assert accounts[facts.lot.id] == 45_000
    assert len(list_documents(credited.connection, credited.organisation)) == 2
    assert (credit(credited), flagged(credited)) == (0, ([], False, 0))
    nothing = credited.settle_credit("credits", "another")
    assert nothing.code == "payment_not_possible"
    assert credited.notices()[-1] == "grant.added"
    assert credited.books_hold()


def test_the_figures_of_all_reports_agree_when_it_becomes_credits(credited):
    credited.settle_credit("credits")
    month = statement(credited.connection, 7, 0, credited.now_ms + 1)
    assert (month.adjustments_micros, month.closing_micros, month.unproven) == (45_000, 45_000, ())
    *_, december = money_by_month(sums_of_months(credited.connection))
    assert (december.adjusted_micros, december.liability_micros) == (45_000, 45_000)
    assert (december.unbilled_micros, december.unpaid_micros) == (0, -5_000)


def test_the_credit_is_paid_out_in_whole_cents(credited):
    """As with a statement, less than a minor unit stays in receivables."""
    done = credited.settle_credit("payout")
    assert (done.paid_out_micros, done.document.facts.amount_micros) == (50_000, -45_000)
    assert done.document.facts.lot is None
    assert credited.accounts() == {
        POST_USAGE: 0,
        REVENUE: 30_000,
        RECEIVABLES: 0,
        FUNDING: -30_000,
    }
    *_, december = money_by_month(sums_of_months(credited.connection))
    assert (december.collected_micros, december.billed_micros) == (30_000, 30_000)
    assert credited.books_hold()


def test_who_is_billed_after_use_has_it_on_the_next_statement(credited):
    credited.organisation = organisation(7)
    assert credit(credited) == 0
    refusal = credited.settle_credit("credits")
    assert refusal.code == "payment_not_possible"
    assert credited.accounts()[POST_USAGE] == 45_000


def test_what_is_settled_is_on_no_later_statement(credited):
    credited.settle_credit("payout")
    credited.organisation = organisation(7)
    credited.use("again", 61, month_start_ms("2026-12") + DAY_MS)
    assert credited.close("2026-12").amount_micros == 30_000
    assert credited.books_hold()


def test_a_debt_is_paid_by_it_first(credited):
    credited.fund(7, 2 * CENT)
    credited.authorize(7, "longer than its money")
    credited.answer("longer than its money")
    credited.settle("longer than its money", 2, 300)
    assert credited.accounts()[DEBT] == -55_000
    credited.settle_credit("credits")
    assert credited.accounts()[DEBT] == -10_000
    assert credited.books_hold()


@pytest.mark.parametrize("given", [{"way": "barter"}, {"reason": ""}, {"key": ""}])
def test_what_is_asked_says_what_it_is(credited, given):
    asked = {"way": "credits", **given}
    assert credited.settle_credit(**asked).code == "invalid_value"
    assert credit(credited) == 45_000
