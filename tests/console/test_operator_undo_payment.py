"""A payment of a statement that is undone in the console. Mirrors
src/talktime/console/operator/undo_payment_page.py."""

from contextlib import closing

from talktime.console.cell.models import Payment, PostStatement, Refund
from talktime.operations.organisations import find_organisation
from talktime.operations.post_statements import pay_statement
from tests.console.test_billing_after_use import billed
from tests.console.test_operator_flows import CELL, EMAIL, Staff, at
from tests.console.test_operator_flows import money as money
from tests.console.test_operator_flows import staff as staff
from tests.console.test_pages import words_of


def paid(money):
    """A payment of what is left of a statement of October, which was to be paid long ago."""
    with closing(money.cell()) as cell, cell.transaction():
        pay_statement(
            *(cell, money.owner, "2026-10"), amount_micros=10_000_000, note="bank 4711",
            actor=EMAIL, idempotency_key="k", now_ms=money.now_ms, next_id=money.ids,
        )  # fmt: skip
    return Payment.objects.using(CELL).get(kind="statement")


def blocked(money):
    with closing(money.control()) as control, control.reading():
        return find_organisation(control, str(money.owner.id)).rules.post_usage_blocked


def test_a_payment_is_undone_with_a_reason_and_calls_are_blocked_as_before(money, staff):
    billed(money)
    PostStatement.objects.using(CELL).update(payable_ms=1)
    payment = paid(money)
    path = at(money, f"payments/{payment.id}/undo/")
    assert f'href="/operator/{path}"' in staff.get(at(money)).content.decode()
    asked, done = staff.sure(path, reason="Another paid it")
    assert "That day has passed: it is overdue at once" in words_of(asked)
    assert "bank 4711" in words_of(asked)
    assert (done.status_code, staff.post(path, asked).status_code) == (302, 302)
    [refund] = Refund.objects.using(CELL).all()
    assert (refund.amount_micros, refund.actor, refund.reason) == (
        *(10_000_000, EMAIL),
        "Another paid it",
    )
    statement = PostStatement.objects.using(CELL).get()
    assert (statement.state, statement.paid_micros) == ("blocked", 2_340_000)
    assert blocked(money)
    listed = staff.get(at(money))
    assert "US$10.00 Undone" in words_of(listed)
    assert path not in listed.content.decode()
    assert staff.get(path).status_code == 409
    here = f"/organisations/{money.owner.id}"
    seen = words_of(staff.client.get(f"{here}/statements/2026-10/"))
    assert "US$10.00 (bank 4711) Undone" in seen
    seen = words_of(staff.client.get(f"{here}/credits/payments/{payment.id}/"))
    assert "It was undone: the statement is to be paid still." in seen
    assert "Another paid it" in seen


def test_what_is_no_payment_of_a_statement_is_not_undone(money, staff):
    assert staff.get(at(money, "payments/5/undo/")).status_code == 404
    billed(money)
    finance = Staff(money, "finance@operator.example", "finance")
    assert finance.get(at(money, f"payments/{paid(money).id}/undo/")).status_code == 404
