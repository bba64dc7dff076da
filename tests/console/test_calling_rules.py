"""What holds for all users of an organisation. Mirrors src/talktime/console/users/rules_page.py."""

import json

import pytest

from talktime.console.accounts import create_admin
from talktime.console.control_plane.models import Membership, Organisation
from tests.console.money import Money
from tests.console.opened_forms import OpenedForm
from tests.console.test_key_mail import own_key
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of

NORWAY = {"allowed_countries": "", "blocked_countries": "cu, KP", "spend_limit_micros": "25"}
NATIONAL = "DialoutCPCandPSTNDomestic"
KEPT = {"policy": NATIONAL, "blocked_countries": ["CU", "KP"], "spend_limit_micros": 25_000_000}


@pytest.fixture
def money(installation):
    money = Money(installation)
    create_admin(EMAIL, PASSWORD, money.owner.id)
    return money


def signed_in(money, role):
    Membership.objects.filter(organisation_id=money.owner.id).update(role=role)
    client = browser()
    sign_in(client)
    return client


def at(money):
    return f"/organisations/{money.owner.id}/users/rules/"


def kept(money):
    return json.loads(Organisation.objects.get(id=money.owner.id).calling_rules or "{}")


@pytest.mark.parametrize("role", ["owner", "voice_admin"])
def test_who_looks_after_the_telephones_says_where_users_may_call(money, role):
    """D16: a call to a country that is blocked names who can change that."""
    client = signed_in(money, role)
    form = OpenedForm(client, at(money), "blocked_countries")
    assert form.send(policy=NATIONAL, **NORWAY).status_code == 302
    assert kept(money) == KEPT
    again = OpenedForm(client, at(money), "blocked_countries")
    assert again.fields["blocked_countries"] == ["CU KP"]
    assert again.send(policy="", blocked_countries="", spend_limit_micros="").status_code == 302
    assert kept(money) == {}
    audit = words_of(client.get(f"/organisations/{money.owner.id}/audit/"))
    assert "Blocked countries" in audit


@pytest.mark.parametrize("role", ["billing_admin", "viewer"])
def test_others_of_the_organisation_see_the_rules_and_change_none(money, role):
    client = signed_in(money, role)
    form = OpenedForm(client, at(money), "blocked_countries")
    assert "Owners and voice admins can change them." in words_of(client.get(at(money)))
    assert form.send(**NORWAY).status_code == 403
    assert kept(money) == {}


@pytest.mark.parametrize(
    "typed",
    [
        {"allowed_countries": "SE", "blocked_countries": "SE"},
        {"blocked_countries": "Sweden"},
        {"policy": "none"},
        {"spend_limit_micros": "-1"},
    ],
)
def test_rules_that_cannot_be_are_refused_and_nothing_changes(money, typed):
    form = OpenedForm(signed_in(money, "owner"), at(money), "blocked_countries")
    assert form.send(**typed).status_code == 422
    assert kept(money) == {}


def ask(money, body, key):
    path = "/api/v1/organisations/Contoso/rules"
    headers = {"authorization": f"Bearer {key}"}
    sent = json.dumps(body)
    return browser().patch(path, sent, content_type="application/json", headers=headers)


RULES = {"policy": NATIONAL, "blocked_countries": ["KP", "CU"], "spend_limit": "25"}


def test_an_organisations_key_that_looks_after_users_sets_the_same(money):
    answered = ask(money, RULES, own_key(money, "users").text)
    assert (answered.status_code, kept(money)) == (200, KEPT)


def test_a_key_of_the_operators_sets_all_rules(money):
    answered = ask(money, RULES | {"pay_as_you_go": True}, money.key("billing"))
    assert (answered.status_code, kept(money)) == (200, {**KEPT, "pay_as_you_go": True})


@pytest.mark.parametrize(
    ("body", "scope", "detail"),
    [
        (RULES, "billing", "lacks the scope 'users' for blocked_countries, policy, spend_limit"),
        ({"pay_as_you_go": True}, "users", "the key lacks the scope 'billing' for pay_as_you_go"),
        ({"post_usage_cap": "9"}, "users", "lacks the scope 'billing' for post_usage_cap"),
    ],
)
def test_each_rule_has_its_scope_and_nothing_changes_without(money, body, scope, detail):
    refused = ask(money, body, own_key(money, scope).text)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert detail in refused.json()["detail"]
    assert kept(money) == {}
