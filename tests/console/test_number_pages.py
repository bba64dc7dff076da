"""The operator assigns, reserves and takes back an organisation's numbers. Mirrors
src/talktime/console/users/number_changes.py."""

import re
from contextlib import closing

import pytest

from talktime.console.control_plane.models import Account
from talktime.operations.assign_numbers import assign_number, reserve_number
from talktime.operations.find_numbers import find_number
from tests.console.test_pages import EMAIL, browser, sign_in, words_of
from tests.console.test_users_pages import FRONT, admin, at, audited, holder, money, post
from tests.lively_books import Player
from tests.people import FABRIKAM, PLENTY

__all__ = ["admin", "money"]

FIRST, NEW, OTHER = "+14255550100", "+14255550101", "+14255550102"
TOLL_FREE = "+18005550199"
REFUSED = 422


@pytest.fixture
def operator(money):
    Account.objects.filter(email=EMAIL).update(staff_role="operator", confirmed_by="before")
    client = browser()
    sign_in(client)
    return client


def entry(money, number):
    with closing(money.control()) as control, control.reading():
        return find_number(control, number)


def assign(client, money, *numbers, **more):
    sent = {"kind": "user", "do": "assign", "numbers": "\n".join(numbers), **more}
    return post(client, at(money, "numbers/assign/"), **sent)


def listed(client, money, query=""):
    return words_of(client.get(at(money, f"numbers/{query}")))


def key_of(client, money):
    page = client.get(at(money, "numbers/")).content.decode()
    return re.findall(r'name="pressed" value="(\d+)"', page)[0]


def test_numbers_are_assigned_to_a_user_all_at_once(operator, money):
    done = assign(operator, money, NEW, "+1 (425) 555-0102", user=FRONT)
    assert done.headers["Location"] == at(money, "numbers/?kind=user")
    assert "2 numbers were assigned." in listed(operator, money)
    assert entry(money, OTHER).user_id == holder(money, FRONT).user.id
    assert audited(money) == [("number.assigned", NEW), ("number.assigned", OTHER)]
    assert "No number is like that." in listed(operator, money, "?q=999")
    assert "555-0102" in listed(operator, money, "?q=0102").replace("‑", "-")


def test_what_cannot_be_assigned_is_said_and_stays_in_the_form(operator, money):
    refused = assign(operator, money, NEW, FIRST, over_quota="1")
    assert refused.status_code == REFUSED
    assert f"{FIRST} is in use by this organisation" in words_of(refused)
    page = refused.content.decode()
    assert f"{NEW}\n{FIRST}</textarea>" in page
    assert "<details open><summary>Assign or reserve numbers" in page
    assert 'name="over_quota" value="1" checked' in page
    assert entry(money, NEW).code == "unknown_number"
    assert "nobody's" in words_of(assign(operator, money, NEW, user="nobody's"))
    assert "1 to 100 numbers" in words_of(assign(operator, money))
    assert audited(money) == []


def test_the_quota_refuses_unless_the_operator_wants_more(operator, money):
    """R88: by the tier of the licences; toll and toll-free apart."""
    toll = [f"+1425555010{n}" for n in range(1, 7)]
    refused = assign(operator, money, *toll, kind="toll")
    assert "has 0 of 5 toll numbers, and 6 more are asked for" in words_of(refused)
    assert assign(operator, money, *toll, kind="toll", over_quota="1").status_code == 302
    shown = listed(operator, money, "?kind=toll")
    assert "The users have 2 licences of Teams Phone or Audio Conferencing: they allow 5" in shown
    assert "With 26 licences there can be 10 of each." in shown


def test_a_toll_free_number_waits_for_the_first_funds(operator, money):
    """R89."""
    refused = assign(operator, money, TOLL_FREE, kind="toll_free", over_quota="1")
    assert "Contoso was never funded" in words_of(refused)
    with closing(money.cell()) as cell:
        Player(cell, money.now_ms).fund(money.owner.id, 10_000_000)
    assert assign(operator, money, TOLL_FREE, kind="toll_free").status_code == 302
    assert entry(money, TOLL_FREE).kind == "toll_free"


def test_a_number_is_reserved_and_then_assigned(operator, money):
    """R90."""
    assert assign(operator, money, NEW, do="reserve").status_code == 302
    shown = listed(operator, money)
    assert "1 number is reserved for ten minutes." in shown
    assert re.search(r"Reserved until .* (9:\d\d|10:00) min left", shown)
    assert "User number 2 of" in shown
    assert entry(money, NEW).code == "unknown_number"
    assert assign(operator, money, NEW).status_code == 302
    assert "min left" not in listed(operator, money)
    assert audited(money) == [("number.assigned", NEW), ("number.reserved", NEW)]


def test_a_reservation_is_given_up_by_the_operator(operator, money):
    """R90: the number is anybody's again."""
    assert assign(operator, money, NEW, do="reserve").status_code == 302
    out = {"number": NEW[1:], "kind": "user"}
    assert post(operator, at(money, "numbers/give-up/"), **out).status_code == 302
    shown = listed(operator, money)
    assert "is not reserved any more." in shown
    assert "min left" not in shown
    assert audited(money) == [("number.given_up", NEW), ("number.reserved", NEW)]
    assert post(operator, at(money, "numbers/give-up/"), **out).status_code == 302
    assert "is not reserved any more." not in listed(operator, money)
    wrong = post(operator, at(money, "numbers/give-up/"), number="1", kind="user")
    assert wrong.status_code == REFUSED


def test_a_reservation_that_ran_out_while_the_form_was_open_is_no_hold_on_a_number(operator, money):
    with closing(money.control()) as control, control.transaction():
        long_ago = {"allowance": PLENTY, "now_ms": money.now_ms - 700_000}
        reserve_number(control, money.owner, NEW, **long_ago)
        reserve_number(control, money.owner, OTHER, **long_ago)
        reserve_number(control, FABRIKAM, OTHER, allowance=PLENTY, now_ms=money.now_ms)
    assert "min left" not in listed(operator, money)
    assert assign(operator, money, NEW).status_code == 302
    refused = assign(operator, money, OTHER)
    assert f"{OTHER} is reserved until" in words_of(refused)
    assert entry(money, OTHER).code == "unknown_number"


def test_a_form_that_is_sent_twice_does_its_work_once(operator, money):
    key = key_of(operator, money)
    assert assign(operator, money, NEW, pressed=key).status_code == 302
    assert "1 number was assigned." in listed(operator, money)
    assert assign(operator, money, NEW, pressed=key).status_code == 302
    assert "was assigned" not in listed(operator, money)
    out = {"number": NEW[1:], "kind": "user", "pressed": key_of(operator, money)}
    assert post(operator, at(money, "numbers/release/"), **out).status_code == 302
    assert "was taken out of use." in listed(operator, money)
    assert assign(operator, money, NEW).status_code == 302
    assert post(operator, at(money, "numbers/release/"), **out).status_code == 302
    assert entry(money, NEW).active


def test_a_number_is_taken_out_of_use_and_listed_as_such(operator, money):
    out = {"number": FIRST[1:], "kind": "user"}
    assert post(operator, at(money, "numbers/release/"), **out).status_code == 302
    assert "There are no numbers of this kind." in listed(operator, money)
    assert "Taken out of use" in listed(operator, money, "?state=released&q=0100")
    assert not entry(money, FIRST).active
    assert audited(money) == [("number.released", FIRST)]


def test_the_numbers_of_others_are_out_of_reach(operator, money):
    with closing(money.control()) as control, control.transaction():
        assign_number(control, FABRIKAM, OTHER, allowance=PLENTY, now_ms=0)
    refused = post(operator, at(money, "numbers/release/"), number=OTHER[1:])
    assert f"Contoso has no number {OTHER}" in words_of(refused)
    assert f"{OTHER} is in use by another organisation" in words_of(assign(operator, money, OTHER))
    assert "555-0102" not in listed(operator, money)
    kept = entry(money, OTHER)
    assert (kept.organisation_id, kept.active) == (FABRIKAM.id, True)


def test_members_see_how_many_they_may_have_and_assign_nothing(admin, money):
    shown = listed(admin, money)
    assert "12 are allowed: 110 % of the users' calling plans (2), 10 more, and one" in shown
    assert "New numbers come from the operator." in shown
    assert "Assign or reserve numbers" not in shown
    for path in ("assign", "release"):
        sent = {"numbers": NEW, "number": FIRST[1:], "do": "assign", "kind": "user"}
        assert post(admin, at(money, f"numbers/{path}/"), **sent).status_code == 403
    assert entry(money, FIRST).active
    assert entry(money, NEW).code == "unknown_number"
