"""What one operator gives alone, and what takes two, by the forms of the pages. Mirrors
src/talktime/console/operator/grants_page.py."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from talktime.console.cell.models import GrantRequest, Lot
from talktime.console.control_plane.models import Account, CatalogueRow, LimitRequest
from talktime.core.limits import PAGE_ROWS_MAX
from tests.console.test_operator_flows import CELL, SECOND, Staff, at
from tests.console.test_operator_flows import money as money
from tests.console.test_operator_flows import staff as staff
from tests.console.test_pages import words_of


def test_many_small_grants_need_another_operator_as_one_large_does(money, staff):
    """R12."""
    for number in range(2):
        staff.sure(at(money, "grant/"), amount="200", reason=f"Goodwill {number}")
    assert "You may give US$100.00 alone now" in words_of(staff.get(at(money, "grant/")))
    asked, done = staff.sure(at(money, "grant/"), amount="200", reason="Goodwill 3")
    assert "another operator must approve it" in words_of(asked)
    assert done.status_code == 302
    assert Lot.objects.using(CELL).count() == 2
    form = staff.get(at(money, "adjust/"))
    refused = staff.post(at(money, "adjust/"), form, amount="101", reason="Much")
    assert (refused.status_code, Lot.objects.using(CELL).count()) == (422, 2)


def test_what_is_confirmed_is_the_exact_amount(money, staff):
    for path in ("grant/", "adjust/"):
        asked, _done = staff.sure(at(money, path), amount="12.345", reason="Goodwill")
        assert "Amount US$12.35 (12.345) Reason" in words_of(asked)


def test_a_limit_is_raised_by_two_and_a_file_does_not_raise_it(money, staff):
    """R12."""
    path = "catalogue/currency/new/"
    raised = {"code": "USD", "fields_yaml": "approval_above: '9000'\n"}
    rows = CatalogueRow.objects.filter(kind="currency").count()
    asked = staff.post(path, **raised)
    assert "another operator must approve that" in words_of(asked)
    done = staff.post(path, **raised, confirmed="1")
    assert done["Location"] == "/operator/grants/"
    assert CatalogueRow.objects.filter(kind="currency").count() == rows
    [request] = LimitRequest.objects.all()
    file = SimpleUploadedFile("c.yaml", b"currency:\n  - code: USD\n    approval_above: '9000'\n")
    shown = staff.post("catalogue/import/", staff.get("catalogue/import/"), file=file)
    assert "on the page of the currency" in words_of(shown)
    text = "currency:\n  - code: USD\n    approval_above: '9000'\n"
    sent = staff.post("catalogue/import/", shown, text=text, confirmed="1")
    assert (sent.status_code, "ask for its approval" in words_of(sent)) == (422, True)
    decide = f"limits/{request.id}/"
    staff.post(decide, decision="approve", confirmed="1")
    assert CatalogueRow.objects.filter(kind="currency").count() == rows
    second = Staff(money, SECOND)
    confirm = second.post(decide, second.get("grants/"), decision="approve")
    assert "Approve the limit" in words_of(confirm)
    assert second.post(decide, confirm).status_code == 302
    assert CatalogueRow.objects.filter(kind="currency").count() == rows + 1


def test_a_limit_can_be_rejected(money, staff):
    raised = {"code": "USD", "fields_yaml": "approval_above: '9000'\n", "confirmed": "1"}
    staff.post("catalogue/currency/new/", **raised)
    decide = f"limits/{LimitRequest.objects.get().id}/"
    second = Staff(money, SECOND)
    confirm = second.post(decide, second.get("grants/"), decision="reject")
    assert second.post(decide, confirm).status_code == 302
    assert LimitRequest.objects.get().state == "rejected"


def test_a_grant_behind_a_thousand_others_is_confirmed_before_it_is_given(money, staff):
    staff.sure(at(money, "grant/"), amount="900", reason="Launch")
    requests = GrantRequest.objects.using(CELL)
    row = requests.values().get()
    path = at(money, f"grants/{row['id']}/")
    requests.bulk_create(
        GrantRequest(**row | {"id": row["id"] + n, "idempotency_key": f"later {n}"})
        for n in range(1, PAGE_ROWS_MAX + 1)
    )
    confirm = Staff(money, SECOND).post(path, decision="approve")
    assert "Approve the grant" in words_of(confirm)
    assert not Lot.objects.using(CELL).exists()


def test_a_grant_that_nobody_approved_in_time_waits_no_more(money, staff):
    """R12."""
    staff.sure(at(money, "grant/"), amount="900", reason="Launch")
    second = Staff(money, SECOND)
    assert "1 grant waits for approval" in words_of(second.get(""))
    assert "waits for another operator: Launch" in words_of(second.get(at(money)))
    path = at(money, f"grants/{GrantRequest.objects.using(CELL).get().id}/")
    GrantRequest.objects.using(CELL).update(lasts_until_ms=money.now_ms)
    assert "waits for approval" not in words_of(second.get(""))
    assert "waits for another operator" not in words_of(second.get(at(money)))
    assert "No grant waits" in words_of(second.get("grants/"))
    for sent in ({}, {"confirmed": "1"}):
        said = second.post(path, decision="approve", **sent)
        assert "Nobody decided it before its credits would have expired" in words_of(said)
    assert Lot.objects.using(CELL).count() == 0


def test_an_operator_whom_another_made_approves_nothing_until_a_third_confirms_it(money, staff):
    """R12: a second account is no second pair of eyes."""
    puppet = Staff(money, "puppet@operator.example", "")
    staff.post("staff/", email=puppet.email, role="operator")
    staff.sure(at(money, "grant/"), amount="900", reason="Launch")
    path = at(money, f"grants/{GrantRequest.objects.using(CELL).get().id}/")
    puppet.post(path, decision="approve", confirmed="1")
    assert "Not confirmed" in words_of(staff.get("staff/"))
    staff.post("staff/", confirm=puppet.email)
    assert Account.objects.get(email=puppet.email).confirmed_by == ""
    assert Lot.objects.using(CELL).count() == 0
    Staff(money, SECOND).post("staff/", confirm=puppet.email)
    assert Account.objects.get(email=puppet.email).confirmed_by == SECOND
    puppet.post(path, decision="approve", confirmed="1")
    assert Lot.objects.using(CELL).count() == 1


@pytest.mark.parametrize(
    ("decision", "says", "lots"),
    [
        ("", "Another operator must approve it now.", 0),
        ("approve", f"The credits are in the balance: {SECOND} has approved them.", 1),
        ("reject", f"{SECOND} has rejected it: nothing was given.", 0),
    ],
)
def test_a_grants_form_sent_again_says_what_became_of_it(money, staff, decision, says, lots):
    second = Staff(money, SECOND)
    asked, _done = staff.sure(at(money, "grant/"), amount="900", reason="Launch")
    path = at(money, f"grants/{GrantRequest.objects.using(CELL).get().id}/")
    if decision:
        second.post(path, second.post(path, decision=decision))
    staff.get("grants/")  # the first answer is read
    again = staff.post(at(money, "grant/"), asked)
    assert again.status_code == 302
    assert says in words_of(staff.get("grants/"))
    assert Lot.objects.using(CELL).count() == lots
