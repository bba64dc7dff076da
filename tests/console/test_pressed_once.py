"""A form that makes something is sent twice: by a second press, a reload, or by going back.
Mirrors src/talktime/console/pressed_once.py."""

import re

import pytest

from talktime.console.cell.models import LicenceGroup, User, WebhookEndpoint
from talktime.console.control_plane.models import ApiKey, Organisation, Switch
from tests.console.opened_forms import OpenedForm
from tests.console.rows import CELL
from tests.console.test_operator_flows import EMAIL, Staff, money, staff
from tests.console.test_pages import words_of

__all__ = ["money", "staff"]

URL = "https://hooks.contoso.example/talktime"


@pytest.fixture
def person(money):
    """Somebody who may do everything, at the organisation and for the operator."""
    return Staff(money, EMAIL).client


def sent_twice(form, **typed):
    """The form is sent again before the first answer is looked at; where both lead."""
    first, second = (form.send(**typed) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"]
    return first.headers["Location"]


def texts_in(response):
    return re.findall(r'value="(tt_[^"]+)"', response.content.decode())


def test_a_second_press_makes_no_second_key_and_its_text_is_shown_still(person, money):
    here = f"/organisations/{money.owner.id}/keys/"
    form = OpenedForm(person, f"{here}new/", "name")
    assert sent_twice(form, name="Portal", scopes=["read"]) == here
    key = ApiKey.objects.get(name="Portal")
    assert len(texts_in(person.get(here))) == 1
    assert sent_twice(OpenedForm(person, f"{here}{key.id}/rotate/", "hours"), hours="0") == here
    assert ApiKey.objects.filter(name="Portal").count() == 2
    assert len(texts_in(person.get(here))) == 1
    assert texts_in(person.get(here)) == []


def test_whoever_goes_back_and_types_something_else_makes_another(person, money):
    form = OpenedForm(person, f"/organisations/{money.owner.id}/keys/new/", "name")
    form.send(name="Portal", scopes=["read"])
    form.send(name="Portal", scopes=["read", "users"])
    assert ApiKey.objects.filter(name="Portal").count() == 2


def test_a_switch_and_its_key_are_made_once(person):
    switches = "/operator/switches/"
    keys = sent_twice(OpenedForm(person, f"{switches}new/", "name"), name="North", operator="us")
    assert Switch.objects.filter(name="North").count() == 1
    form = OpenedForm(person, keys, "name")
    assert sent_twice(form, name="main", scopes=["calls"]) == switches
    key = ApiKey.objects.get(name="main")
    assert len(texts_in(person.get(switches))) == 1
    replaced = OpenedForm(person, f"/operator/keys/{key.id}/rotate/", "overlap")
    assert sent_twice(replaced, overlap="7") == switches
    assert ApiKey.objects.filter(name="main").count() == 2
    assert len(texts_in(person.get(switches))) == 1


def test_a_webhook_is_added_and_its_secret_rotated_once(person, money):
    here = f"/organisations/{money.owner.id}/webhooks/"
    page = sent_twice(OpenedForm(person, f"{here}add/", "url"), url=URL)
    first = WebhookEndpoint.objects.using(CELL).get()
    assert "The signing secret, shown this once" in words_of(person.get(page))
    rotating = OpenedForm(person, page, "pressed")
    rotating.path = f"{page}rotate/"
    sent_twice(rotating)
    second = WebhookEndpoint.objects.using(CELL).get()
    assert second.old_secret == first.secret
    assert "The signing secret, shown this once" in words_of(person.get(page))


def test_a_user_and_a_group_and_an_organisation_are_made_once_and_nothing_is_refused(person, money):
    users = f"/organisations/{money.owner.id}/users/"
    typed = {"name": "lobby@contoso.example", "display_name": "Lobby"}
    page = sent_twice(OpenedForm(person, f"{users}add/", "display_name"), **typed)
    assert page == f"{users}{User.objects.using(CELL).get().id}/"
    page = sent_twice(OpenedForm(person, f"{users}groups/", "name"), name="sales")
    assert page == f"{users}groups/{LicenceGroup.objects.using(CELL).get().id}/"
    typed = {"name": "Fabrikam", "country": "NO", "time_zone": "Europe/Oslo", "currency": "EUR"}
    page = sent_twice(OpenedForm(person, "/operator/organisations/new/", "country"), **typed)
    made = Organisation.objects.get(name="Fabrikam")
    assert page == f"/operator/organisations/{made.id}/"
    another = OpenedForm(person, "/operator/organisations/new/", "country")
    refused = another.send(**{**typed, "currency": "USD"})
    assert (refused.status_code, "There is an organisation" in words_of(refused)) == (422, True)


def test_what_somebody_went_back_for_is_made_once_too(person, money):
    form = OpenedForm(person, f"/organisations/{money.owner.id}/keys/new/", "name")
    for name in ("Portal", "Reports", "Reports"):
        form.send(name=name, scopes=["read"])
    names = ApiKey.objects.filter(name__in=("Portal", "Reports")).values_list("name", flat=True)
    assert sorted(names) == ["Portal", "Reports"]
