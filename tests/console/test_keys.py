"""API keys in the console. Mirrors src/talktime/console/keys."""

import re
from contextlib import closing

import pytest
from django.test import Client

from talktime.console.accounts import create_admin
from talktime.operations.keys import list_own_keys
from tests.console.money import Money
from tests.console.test_pages import EMAIL, browser, sign_in, words_of


@pytest.fixture
def money(installation):
    return Money(installation)


@pytest.fixture
def admin(money):
    create_admin(EMAIL, "seven green bottles", money.owner.id)
    client = browser()
    sign_in(client)
    return client


def keys_of(money):
    with closing(money.control()) as control, control.reading():
        return list_own_keys(control, money.owner.id)


def send(client, path, **fields):
    """Send a page's form as a browser does."""
    page = client.get(path).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    return client.post(path, {"csrfmiddlewaretoken": token, **fields}, follow=True)


def text_in(response):
    return re.search(r'value="(tt_[^"]+)"', response.content.decode())[1]


def wallet(money, text):
    client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {text}"})
    return client.get(f"/api/v1/organisations/{money.owner.id}/wallet").status_code


def test_a_key_is_shown_once_opens_the_api_is_rotated_and_revoked(money, admin):
    here = f"/organisations/{money.owner.id}/keys/"
    assert "No keys yet" in words_of(admin.get(here))
    made = send(admin, f"{here}new/", name="Portal", scopes=["read"], days="30")
    text = text_in(made)
    assert "shown this once" in words_of(made)
    assert "tt_" not in admin.get(here).content.decode()
    assert wallet(money, text) == 200
    [key] = keys_of(money)
    assert (key.name, key.scopes, key.expires_ms is not None) == ("Portal", {"read"}, True)
    new_text = text_in(send(admin, f"{here}{key.id}/rotate/", hours="0"))
    assert (wallet(money, text), wallet(money, new_text)) == (401, 200)
    assert admin.get(f"{here}{key.id}/rotate/").status_code == 404
    new = keys_of(money)[0]
    assert "opens nothing any more" in words_of(send(admin, f"{here}{new.id}/revoke/"))
    assert wallet(money, new_text) == 401


def test_a_form_that_is_wrong_says_so_and_makes_nothing(money, admin):
    here = f"/organisations/{money.owner.id}/keys/"
    for fields in ({"name": "", "scopes": ["read"]}, {"name": "a"}, {"name": "a", "scopes": "x"}):
        response = send(admin, f"{here}new/", days="0", **fields)
        assert response.status_code == 422
        assert 'role="alert"' in response.content.decode()
    assert keys_of(money) == []
    assert admin.get(f"{here}7/revoke/").status_code == 404
