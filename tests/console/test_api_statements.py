"""What is on a statement, over the management API: src/talktime/console/api/documents.py."""

from contextlib import closing

from django.test import Client

from talktime.core.limits import PAGE_ROWS_MAX
from tests.console.test_billing_after_use import billed
from tests.console.test_billing_credits import money
from tests.many_usage import multiply_usage

__all__ = ["money"]

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
