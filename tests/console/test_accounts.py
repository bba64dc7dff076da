"""Accounts that sign in. Mirrors src/talktime/console/accounts.py."""

import pytest

from talktime.console.accounts import AccountError, create_admin
from talktime.console.control_plane.models import Account, Membership, Organisation
from tests.console.rows import insert

EMAIL, PASSWORD = "admin@contoso.example", "seven green bottles"


def test_an_admin_is_made_with_an_account_and_a_membership(installation):
    insert(Organisation)
    account_id = create_admin(" Admin@Contoso.example ", PASSWORD, 1)
    account = Account.objects.get()
    assert (account.id, account.email, account.is_active) == (account_id, EMAIL, True)
    assert account.check_password(PASSWORD)
    assert PASSWORD not in account.password
    member = Membership.objects.get()
    assert (member.account_id, member.organisation_id, member.role) == (account_id, 1, "owner")


def test_making_an_admin_again_sets_the_password_and_doubles_nothing(installation):
    insert(Organisation)
    insert(Organisation, id=2, name="Contoso Two")
    first = create_admin(EMAIL, PASSWORD, 1)
    assert create_admin(EMAIL.upper(), "eight green bottles", 1) == first
    assert create_admin(EMAIL, "eight green bottles", 2) == first
    known = Account.objects.get()
    assert known.check_password("eight green bottles")
    create_admin(EMAIL, "eight green bottles", 1)
    assert Account.objects.get().password == known.password  # else sessions would end
    members = Membership.objects.order_by("organisation_id")
    assert [one.organisation_id for one in members] == [1, 2]


@pytest.mark.parametrize(
    ("email", "password", "organisation_id", "says"),
    [
        ("front desk", PASSWORD, 1, "Enter a valid email address."),
        (EMAIL, "short", 1, "at least 10 characters"),
        (EMAIL, "password123", 1, "too common"),
        (EMAIL, PASSWORD, 2, "There is no organisation 2."),
    ],
)
def test_an_admin_that_cannot_be_made_leaves_nothing_behind(
    installation, email, password, organisation_id, says
):
    insert(Organisation)
    with pytest.raises(AccountError, match=says):
        create_admin(email, password, organisation_id)
    assert (Account.objects.count(), Membership.objects.count()) == (0, 0)
