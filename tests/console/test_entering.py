"""Forms that are sent too late, and addresses of forms that are opened. Mirrors
src/talktime/console/entering.py."""

import pytest
from django.test import RequestFactory

from talktime.console.accounts import create_admin
from talktime.console.control_plane.models import Account
from talktime.console.entering import came_from
from tests.console.money import Money
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of


@pytest.fixture
def money(installation):
    return Money(installation)


@pytest.fixture
def team(money):
    """The address of the team of the organisation that somebody looks after."""
    create_admin(EMAIL, PASSWORD, money.owner.id)
    return f"/organisations/{money.owner.id}/team/"


def test_a_form_sent_after_the_sign_in_has_ended_leads_back_to_its_page(team):
    client = browser()
    token = client.get("/sign-in/").content.decode().partition('csrfmiddlewaretoken" value="')[2]
    asked = {"email": "colleague@contoso.example", "role": "viewer"}
    asked["csrfmiddlewaretoken"] = token.partition('"')[0]
    late = client.post(f"{team}invite/", asked, headers={"referer": f"http://localhost{team}"})
    assert late.headers["Location"] == f"/sign-in/?next={team}&again=1"
    page = client.get(late.headers["Location"])
    assert "You are not signed in any more, and nothing was done." in words_of(page)
    assert f'name="next" value="{team}"' in page.content.decode()
    page = client.get(f"/sign-in/?next={team}")
    assert "not signed in any more" not in words_of(page)


def test_a_page_that_looks_again_by_itself_goes_to_sign_in_whole(team):
    headers = {"referer": f"http://localhost{team}", "hx-request": "true"}
    part = browser().get(f"{team.removesuffix('team/')}now/", headers=headers)
    assert (part.status_code, part.content) == (204, b"")
    assert part.headers["HX-Redirect"] == f"/sign-in/?next={team}"


def test_a_page_that_is_opened_without_a_sign_in_is_opened_after_it(team):
    assert browser().get(f"{team}?a=1").headers["Location"] == f"/sign-in/?next={team}%3Fa%3D1"


@pytest.mark.parametrize(
    ("referer", "place"),
    [
        ("http://localhost/a/?b=1", "/a/?b=1"),
        ("https://other.example/a/", "/"),
        ("//other.example/a/", "/"),
        ("", "/"),
    ],
)
def test_whoever_signs_in_comes_back_to_pages_of_ours_alone(referer, place):
    request = RequestFactory().post("/x", HTTP_REFERER=referer, SERVER_NAME="localhost")
    assert came_from(request) == place


def test_the_address_of_a_form_that_is_opened_says_what_to_do(team):
    client = browser()
    sign_in(client, EMAIL)
    opened = client.get(f"{team}invite/")
    assert (opened.status_code, opened.headers["Allow"]) == (405, "POST")
    assert "A form is sent to it. Go back to the page with the form" in words_of(opened)
    assert Account.objects.count() == 1
