"""Every address of the console, as everybody. Mirrors src/talktime/console/doors.py.

The addresses are found in the urls themselves, and whom each is for in its view's `door`. A new
page is walked as soon as it is there; it needs a line here only where its address holds a name of a
thing that is not in EXAMPLES.
"""

import re
from typing import NamedTuple

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver

from talktime.console.accounts import create_admin, create_staff
from talktime.console.cell import models as cell
from talktime.console.control_plane import models as control_plane
from talktime.console.control_plane.models import Account
from talktime.console.doors import Door
from talktime.console.roles import MEMBER_PERMISSIONS, SEE, permissions_of
from talktime.console.urls import urlpatterns
from tests.console.rows import CELL, GOOD, alias_of, insert

HERE, ELSEWHERE = 1, 2
PASSWORD = "seven green bottles"
MEMBERS = tuple(MEMBER_PERMISSIONS)
STAFF = ("finance", "operator")
NOBODY, STRANGER = "nobody", "stranger"
EVERYBODY = (*MEMBERS, *STAFF, STRANGER, NOBODY)

# Things of the organisation HERE, by what addresses call them. What is not here is 1, or "x".
EXAMPLES = {
    "organisation_id": HERE,
    "payment_id": GOOD[cell.Payment]["id"],
    "method_id": GOOD[cell.PaymentMethod]["id"],
    "setup_id": GOOD[cell.CardSetup]["id"],
    "delivery_id": GOOD[cell.Delivery]["id"],
    "invitation_id": GOOD[control_plane.Invitation]["id"],
    "lot_id": GOOD[cell.Lot]["id"],
    "user_id": GOOD[cell.User]["id"],
    "usage_id": GOOD[cell.UsageRecord]["id"],
    "call_id": GOOD[cell.UsageRecord]["id"],
    "peer_id": GOOD[control_plane.Peer]["id"],
    "key_id": GOOD[control_plane.ApiKey]["id"],
    "endpoint_id": GOOD[cell.WebhookEndpoint]["id"],
    "group_id": GOOD[cell.LicenceGroup]["id"],
    "view_id": GOOD[cell.SavedView]["id"],
    "number": GOOD[cell.Document]["number"],
    "card_id": GOOD[control_plane.SandboxCard]["id"],
    "charge_id": GOOD[control_plane.SandboxCharge]["id"],
}
# Addresses that are patterns of characters.
WRITTEN = {
    "sign-in/new-password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/": "sign-in/new-password/1-x/",
}
# Who may pass is decided otherwise.
NO_DOOR = {"api/": "opened by keys, whose scopes and organisations have tests of their own"}


class Address(NamedTuple):
    """One pattern of the urls: how it is written, what stands in it, its door."""

    route: str
    door: Door | None
    places: tuple[tuple[str, str], ...]

    def path(self, **given: object) -> str:
        """An address that the pattern fits, with these places, or else the examples."""
        if self.route in WRITTEN:
            return f"/{WRITTEN[self.route]}"
        path = self.route
        for kind, name in self.places:
            example = given.get(name, EXAMPLES.get(name, 1 if kind == "int" else "x"))
            path = path.replace(f"<{kind}:{name}>", str(example))
        return f"/{path}"


def addresses(patterns=urlpatterns, before=""):
    """All patterns, with what comes before them."""
    for each in patterns:
        route = before + str(each.pattern).removeprefix("^").removesuffix("$")
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, route)
        else:
            assert isinstance(each, URLPattern)
            places = tuple(re.findall(r"<(\w+):(\w+)>", route))
            yield Address(route, getattr(each.callback, "door", None), places)


ALL = list(addresses())
WITH_DOORS = [each for each in ALL if each.door is not None]


@pytest.fixture
def world(installation):
    """An organisation with one of everything, people of every role, and another organisation.

    The rows are not what operations would have made of each other: who is let in may find a page
    that makes no sense of them, which is not looked at here.
    """
    for model in GOOD:
        insert(model)
    insert(control_plane.Organisation, id=ELSEWHERE, name="Fabrikam")
    insert(cell.Wallet, organisation_id=ELSEWHERE)
    accounts = {
        role: create_admin(f"{role}@northwind.example", PASSWORD, HERE, role) for role in MEMBERS
    }
    accounts |= {role: create_staff(f"{role}@northwind.example", PASSWORD, role) for role in STAFF}
    accounts[STRANGER] = create_admin("owner@fabrikam.example", PASSWORD, ELSEWHERE)
    spare = create_admin("spare@northwind.example", PASSWORD, HERE, "viewer")
    return {"accounts": accounts, "account_id": spare}


def signed_in(world, role):
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    if role != NOBODY:
        client.force_login(Account.objects.get(id=world["accounts"][role]))
    return client


def all_rows(of=None):
    """All rows of all tables of ours; or those of one organisation."""
    rows = {}
    for model in GOOD:
        found = model.objects.using(alias_of(model))
        names = {field.attname for field in model._meta.fields}
        if of is not None:
            owner = "id" if model is control_plane.Organisation else "organisation_id"
            if owner not in names:
                continue
            found = found.filter(**{owner: of})
        rows[model.__name__, alias_of(model) == CELL] = sorted(map(repr, found.values_list()))
    return rows


def may_pass(door, role):
    """What the door says: in, sign-in, 403 or 404."""
    if door.kind == "anyone":
        return "in"
    if role == NOBODY:
        return "sign-in"
    member, staff = (role if role in MEMBERS else ""), (role if role in STAFF else "")
    permissions = permissions_of(member, staff)
    if door.kind == "organisation":
        if SEE not in permissions:
            return 404
        return "in" if door.may in permissions else 403
    if door.kind == "operator":
        return "in" if door.may in permissions else 404
    return "in"


def asked(client, method, path):
    response = client.generic(method, path)
    there = response.headers.get("Location", "")
    if response.status_code == 302 and there.startswith("/sign-in/?next="):
        return "sign-in", response
    return response.status_code, response


def test_every_address_has_a_door_or_a_reason_to_have_none():
    for each in ALL:
        if each.door is None:
            assert each.route.startswith(tuple(NO_DOOR)), each.route
    assert len(WITH_DOORS) > 50
    for each in WITH_DOORS:
        assert each.door.kind in ("organisation", "operator", "personal", "anyone"), each.route
        if each.door.kind == "organisation":
            assert each.route.startswith("organisations/<int:organisation_id>/"), each.route
        assert "(?P" not in each.route or each.route in WRITTEN, each.route


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("role", EVERYBODY)
def test_a_door_lets_in_those_it_is_for_and_for_others_nothing_changes(world, role):
    client = signed_in(world, role)
    before, let_in = all_rows(), []
    for each in WITH_DOORS:
        for method in each.door.methods:
            expected, path = may_pass(each.door, role), each.path(account_id=world["account_id"])
            if expected == "in":
                let_in.append((method, path, each))
                continue
            status, response = asked(client, method, path)
            assert status == expected, (role, method, path)
            if expected == 404:
                assert b"Contoso" not in response.content, path
    assert all_rows() == before
    for method, path, each in let_in:
        if role != NOBODY and "_auth_user_id" not in client.session:
            client = signed_in(world, role)  # it was signed out on the way
        status, _ = asked(client, method, path)
        if each.door.kind != "anyone":
            # A page that may be looked at may still keep its form for fewer.
            by_itself = refused_by_itself(path) or (method == "POST" and each.door.may == SEE)
            assert status not in (401, 403, "sign-in") or by_itself, (method, path)


def refused_by_itself(path):
    """Pages that ask for the password again, which is no refusal; nobody has a factor to show."""
    return path.startswith("/account/")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_at_ones_own_organisation_nothing_of_another_is_found_or_changed(world):
    client = signed_in(world, STRANGER)
    before = all_rows(of=HERE)
    for each in WITH_DOORS:
        if each.door.kind != "organisation" or len(each.places) < 2:
            continue
        path = each.path(organisation_id=ELSEWHERE, account_id=world["account_id"])
        for method in each.door.methods:
            status, response = asked(client, method, path)
            assert status not in (403, "sign-in"), path
            assert status < 500, (method, path)
            assert b"contoso" not in response.content.lower(), path
    assert all_rows(of=HERE) == before
