"""Sign-in by OpenID Connect. Mirrors src/talktime/console/people/single_sign_on.py."""

import html
import re

import pytest
from allauth.socialaccount.models import SocialAccount

from talktime.console.accounts import create_admin
from talktime.console.control_plane.models import Account, AccountMail, Membership, Organisation
from talktime.console.databases import set_up
from tests.console.conftest import close_connections, settings_in
from tests.console.rows import insert
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of
from tests.console.test_people import post, with_factor
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, identity_provider, query_of


@pytest.fixture
def provider(installation):
    with identity_provider() as provider:
        settings = settings_in(
            installation.data,
            installation.control_plane.url or "",
            TALKTIME_OIDC_ISSUER=provider.issuer,
            TALKTIME_OIDC_CLIENT_ID=CLIENT_ID,
            TALKTIME_OIDC_CLIENT_SECRET=CLIENT_SECRET,
            TALKTIME_OIDC_NAME="Contoso login",
        )
        set_up(settings)
        insert(Organisation)
        create_admin(EMAIL, PASSWORD, 1)
        yield provider
        close_connections()


def through(client, provider, **person):
    """Go to the provider and back as this person."""
    provider.person = {"sub": "1", "email": EMAIL, "email_verified": True, **person}
    page = post(client, "/sign-in/single-sign-on/", next="/account/").content.decode()
    there = html.unescape(re.search(r'content="0; url=([^"]+)"', page)[1])
    asked = query_of(there)
    assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT_ID, "S256")
    back = provider.authorize(asked)
    assert back.startswith("http://localhost/sign-in/single-sign-on/back/?")
    return client.get(back.removeprefix("http://localhost"))


def test_the_account_of_a_verified_address_comes_in_with_its_second_factor(provider):
    assert "Continue with Contoso login" in words_of(browser().get("/sign-in/"))
    client = browser()
    assert through(client, provider, email=EMAIL.upper()).headers["Location"] == "/account/"
    assert client.get("/account/").status_code == 200
    assert AccountMail.objects.filter(kind="single_sign_on_added").count() == 1
    assert sign_in(browser()).status_code == 302  # the password stays
    with_factor()
    guarded = through(browser(), provider)
    assert guarded.headers["Location"] == "/sign-in/second-factor/"
    assert SocialAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ({"email_verified": False}, "vouches for no e-mail address of yours"),
        ({"email": "stranger@contoso.example"}, "There is no account for stranger@contoso.example"),
        ({"email": ""}, "vouches for no e-mail address of yours"),
    ],
)
def test_nobody_else_comes_in_and_no_account_is_made(provider, person, says):
    client = browser()
    refused = through(client, provider, **person)
    assert (refused.status_code, says in words_of(refused)) == (403, True)
    assert client.get("/account/").status_code == 302
    assert (Account.objects.count(), SocialAccount.objects.count()) == (1, 0)


def test_a_closed_account_stays_closed(provider):
    Account.objects.update(is_active=False)
    assert through(browser(), provider).status_code == 403
    Account.objects.update(is_active=True)
    through(browser(), provider)
    Account.objects.update(is_active=False)
    assert through(browser(), provider).headers["Location"] == "/sign-in/closed/"


def test_somebody_invited_gets_an_account_and_the_role(provider):
    owner = browser()
    sign_in(owner)
    post(owner, "/organisations/1/team/invite/", email="new@contoso.example", role="viewer")
    client = browser()
    assert through(client, provider, sub="2", email="new@contoso.example").status_code == 302
    made = Account.objects.get(email="new@contoso.example")
    assert not made.has_usable_password()
    assert Membership.objects.get(account=made).role == "viewer"
    assert client.get("/organisations/1/team/").status_code == 200


def test_a_session_is_not_tied_to_another_sign_in_and_a_wrong_code_is_none(provider):
    client = browser()
    sign_in(client)
    provider.person = {"sub": "9", "email": "evil@contoso.example", "email_verified": True}
    page = post(client, "/sign-in/single-sign-on/", process="connect").content.decode()
    there = html.unescape(re.search(r'content="0; url=([^"]+)"', page)[1])
    back = provider.authorize(query_of(there)).removeprefix("http://localhost")
    assert client.get(back).status_code == 403
    assert SocialAccount.objects.count() == 0
    assert client.get(back).status_code == 403  # the state was used
    assert browser().get("/sign-in/single-sign-on/back/?code=x&state=y").status_code == 403


def test_without_a_provider_there_is_no_such_way_in(installation):
    assert post(browser(), "/sign-in/single-sign-on/").status_code == 404
    assert browser().get("/sign-in/single-sign-on/back/").status_code == 404
    assert "Continue with" not in words_of(browser().get("/sign-in/"))


def test_a_provider_that_is_away_is_told(installation):
    set_up(
        settings_in(
            installation.data,
            installation.control_plane.url or "",
            TALKTIME_OIDC_ISSUER="http://127.0.0.1:1",
            TALKTIME_OIDC_CLIENT_ID="x",
            TALKTIME_OIDC_CLIENT_SECRET="y",
        )
    )
    answer = post(browser(), "/sign-in/single-sign-on/")
    assert (answer.status_code, "did not answer" in words_of(answer)) == (403, True)
    close_connections()
