"""What is on a statement, over the management API: src/talktime/console/api/documents.py."""

from contextlib import closing

from django.test import Client

from talktime.console.cell.models import PostStatement
from talktime.core.audit import Actor
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.operations.accounts import put_account, set_staff_role
from talktime.operations.audit import acting
from talktime.operations.four_eyes import confirm_staff
from talktime.operations.keys import create_key
from tests.console.money import SECRETS
from tests.console.test_api_money import BASE, client_of, refused, send
from tests.console.test_billing_after_use import billed
from tests.console.test_billing_credits import money
from tests.many_usage import multiply_usage

__all__ = ["money"]

FIRST, SECOND, THIRD = (f"{name}@operator.example" for name in ("first", "second", "third"))
AT = "/api/v1/organisations/Contoso/statements/2026-10/usage"


def test_the_usage_on_a_statement_comes_in_pages(money):
    billed(money)
    copies = 2 * PAGE_ROWS_MAX
    with closing(money.cell()) as cell:
        multiply_usage(cell, copies)
    api = Client(
        SERVER_NAME="localhost", headers={"authorization": f"Bearer {money.key('billing')}"}
    )
    path, pages = AT, []
    while path:
        page = api.get(path).json()
        assert (page["month"], page["amount"], page["state"]) == ("2026-10", "12.34", "overdue")
        pages.append(page["usage"])
        path = page["next"]
    assert [len(page) for page in pages] == [PAGE_ROWS_MAX, PAGE_ROWS_MAX, 1]
    rows = [row for page in pages for row in page]
    assert len({row["usage_id"] for row in rows}) == copies + 1
    assert {row["callee_number"] for row in rows} == {"+493012345***"}
    two = api.get(f"{AT}?limit=2").json()
    assert two["usage"] == rows[:2]
    assert api.get(two["next"]).json()["usage"] == rows[2:4]
    assert api.get(f"{AT}?cursor=elsewhere").json()["code"] == "invalid_request"
    assert api.get(AT.replace("2026-10", "2026-09")).json()["code"] == "unknown_statement"


def key_of_an_operator_made_in_the_console(money):
    """The text of a key of somebody's whom the first operator made one, and nobody confirmed."""
    maker = acting(Actor("account", SECOND, "here"), lambda: money.now_ms, money.ids, person=SECOND)
    with closing(money.control()) as control, control.transaction(), maker:
        for email, by, by_shell in (
            *((FIRST, "the shell", True), (THIRD, "the shell", True), (SECOND, FIRST, False)),
        ):
            put_account(control, email, "hash", now_ms=money.now_ms, next_id=money.ids)
            set_staff_role(control, email, "operator", by=by, by_shell=by_shell)
        return create_key(
            *(control, None), name="portal", scopes=("operator", "read"), now_ms=money.now_ms,
            next_id=money.ids, entropy=next(SECRETS).to_bytes(32, "big"),
        ).text  # fmt: skip


def test_an_operator_whom_nobody_confirmed_says_of_no_statement_that_it_is_paid(money):
    billed(money)
    api = client_of(key_of_an_operator_made_in_the_console(money))
    path = "/statements/2026-10"
    before = api.get(f"{BASE}{path}").json()
    paid = {"amount": before["left_to_pay"], "note": "bank 4711"}
    refused(send(api, "POST", f"{path}/payments", paid, "key 1"), 403, "approval_needed")
    assert api.get(f"{BASE}{path}").json() == before
    with closing(money.control()) as control, control.transaction():
        confirm_staff(control, SECOND, by=THIRD)
    done = send(api, "POST", f"{path}/payments", paid, "key 1").json()
    assert (done["paid"], done["state"]) == ("12.34", "paid")


def test_a_payment_of_a_statement_is_undone_and_stays_in_the_list(money):
    billed(money)
    with closing(money.control()) as control, control.transaction():
        put_account(control, FIRST, "hash", now_ms=money.now_ms, next_id=money.ids)
    PostStatement.objects.using("cell_main").update(payable_ms=1)
    api, path = client_of(money.key("operator", "read")), "/statements/2026-10"
    left = api.get(f"{BASE}{path}").json()["left_to_pay"]
    paid = {"amount": left, "note": "bank 4711"}
    assert send(api, "POST", f"{path}/payments", paid, "key 1").json()["state"] == "paid"
    [payment] = api.get(f"{BASE}{path}/payments").json()["payments"]
    assert (payment["amount"], payment["detail"], payment["refunded"]) == (left, "bank 4711", "0")
    undo, why = f"{path}/payments/{payment['payment_id']}/undo", {"reason": "came back"}
    done = send(api, "POST", undo, why, "key 2").json()
    assert (done["state"], done["left_to_pay"], done["paid_at"]) == ("blocked", left, None)
    assert send(api, "POST", undo, why, "key 2").json() == {**done, "replayed": True}
    refused(send(api, "POST", undo, why, "key 3"), 409, "payment_not_possible")
    [payment] = api.get(f"{BASE}{path}/payments").json()["payments"]
    assert payment["refunded"] == left
    nowhere = path.replace("2026-10", "2026-09")
    refused(api.get(f"{BASE}{nowhere}/payments"), 404, "unknown_statement")
    refused(send(api, "POST", f"{path}/payments/5/undo", why, "key 4"), 404, "unknown_payment")
