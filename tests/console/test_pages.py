"""The console's pages, as a browser gets them. Mirrors src/talktime/console/start."""

import asyncio
import html
import re

import httpx
import pytest
from django.db import connections
from django.test import Client

from talktime.console.accounts import create_admin
from talktime.console.asgi import application
from talktime.console.cell.models import Wallet
from talktime.console.control_plane.models import Account, Organisation
from talktime.console.databases import set_up
from talktime.console.migrate import migrate
from tests.console.audited import AuditedClient
from tests.console.conftest import settings_in
from tests.console.rows import insert
from tests.stores import template_name

EMAIL, PASSWORD = "admin@contoso.example", "seven green bottles"


def browser(**headers):
    return AuditedClient(
        SERVER_NAME="localhost",
        enforce_csrf_checks=True,
        headers={"accept-language": "en-GB", **headers},
    )


def words_of(response):
    """What a reader sees of the page, in one line."""
    page = response.content.decode().replace("<wbr>", "")
    text = re.sub(r"<head>.*?</head>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(text).split())


def sign_in(client, email=EMAIL, password=PASSWORD, **more):
    token = client.get("/sign-in/").content.decode().partition('csrfmiddlewaretoken" value="')[2]
    form = {"csrfmiddlewaretoken": token.partition('"')[0], "username": email, **more}
    return client.post("/sign-in/", {**form, "password": password})


@pytest.fixture
def admin(installation):
    insert(Organisation)
    create_admin(EMAIL, PASSWORD, 1)
    client = browser()
    assert sign_in(client).headers["Location"] == "/organisations/"
    return client


def test_anyone_sees_what_this_is_and_the_ways_in(installation):
    response = browser().get("/")
    assert response.status_code == 200
    links = re.findall(r'<li><a href="([^"]+)"', response.content.decode())
    assert links == ["/sign-in/", "/v1/openapi.json", "/readyz"]
    assert "Working: all databases answer." in words_of(response)


def test_every_page_forbids_what_is_not_ours(installation):
    for path in ("/", "/sign-in/", "/static/talktime/talktime.css", "/nowhere"):
        headers = browser().get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
    assert browser().get("/").headers["X-Frame-Options"] == "DENY"


def test_a_wrong_password_and_an_unknown_address_get_the_same_page(admin):
    unknown = sign_in(browser(), email="nobody@contoso.example")
    wrong = sign_in(browser(), password="eight green bottles")
    closed = Account.objects.get()
    closed.is_active = False
    closed.save()
    inactive = sign_in(browser())
    assert words_of(unknown) == words_of(wrong) == words_of(inactive)
    assert "The e-mail address or the password is not right." in words_of(wrong)
    assert [one.status_code for one in (unknown, wrong, inactive)] == [200, 200, 200]


def test_an_address_is_known_however_it_is_typed(admin):
    assert sign_in(browser(), email="ADMIN@Contoso.example").status_code == 302


def test_a_form_without_its_token_is_refused(admin):
    response = browser().post("/sign-in/", {"username": EMAIL, "password": PASSWORD})
    assert response.status_code == 403
    assert "The form has expired" in words_of(response)


def test_a_form_that_has_expired_leads_back_to_its_page_and_to_no_other_place(admin):
    here = "http://localhost/sign-in/?next=/organisations/1/"
    expired = browser(referer=here).post("/sign-in/", {"username": EMAIL})
    assert f'href="{here}">Open the page anew</a>' in expired.content.decode()
    elsewhere = browser(referer="http://evil.example/sign-in/").post("/sign-in/", {})
    assert elsewhere.status_code == 403
    assert "Open the page anew</a>" not in elsewhere.content.decode()


def test_signing_in_leads_only_to_pages_of_this_service(admin):
    there = sign_in(browser(), next="/organisations/1/")
    assert there.headers["Location"] == "/organisations/1/"
    elsewhere = sign_in(browser(), next="https://evil.example/")
    assert elsewhere.headers["Location"] == "/organisations/"


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(admin):
    for name in ("talktime_session", "talktime_csrf"):
        cookie = admin.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", "")


def test_a_page_for_admins_sends_others_to_sign_in(installation):
    response = browser().get("/organisations/1/")
    assert response.headers["Location"] == "/sign-in/?next=/organisations/1/"


def test_signing_out_ends_the_session(admin):
    assert admin.post("/sign-out/").status_code == 403
    page = admin.get("/organisations/1/").content.decode()
    token = page.partition('csrfmiddlewaretoken" value="')[2].partition('"')[0]
    out = admin.post("/sign-out/", {"csrfmiddlewaretoken": token})
    assert out.headers["Location"] == "/"
    assert admin.get("/organisations/1/").status_code == 302


def test_an_admin_of_one_organisation_lands_on_its_page(admin):
    assert admin.get("/organisations/").headers["Location"] == "/organisations/1/"


def test_an_admin_of_several_chooses_and_sees_no_others(admin):
    for number in (2, 3):
        insert(Organisation, id=number, name=f"Contoso {number}")
        insert(Wallet, organisation_id=number)
    create_admin(EMAIL, PASSWORD, 2)
    client = browser()
    sign_in(client)
    listed = words_of(client.get("/organisations/"))
    assert "Contoso Owner · NO · EUR Contoso 2 Owner · NO · EUR" in listed
    assert "Contoso 3" not in listed
    assert client.get("/organisations/2/").status_code == 200
    assert client.get("/organisations/3/").status_code == 404


def test_a_cell_that_no_longer_exists_here_gets_a_page_that_says_so(admin):
    Organisation.objects.update(cell="elsewhere")
    response = admin.get("/organisations/1/")
    assert response.status_code == 503
    assert "The balance cannot be shown just now" in words_of(response)


def test_a_cell_that_is_away_is_said_and_comes_back_by_itself(
    new_cluster, tmp_path, connections_closed
):
    cluster = new_cluster()
    far = cluster.create_database("far")
    migrate(settings_in(tmp_path, TALKTIME_CELLS=f"main={far}"))
    insert(Organisation)
    insert(Wallet)
    create_admin(EMAIL, PASSWORD, 1)
    client = browser()
    sign_in(client)
    assert client.get("/organisations/1/").status_code == 200
    connections.close_all()
    cluster.stop()
    away = client.get("/organisations/1/")
    assert away.status_code == 503
    assert "Contoso The balance cannot be shown" in words_of(away)
    start = client.get("/")
    assert start.status_code == 200
    assert "Not working: a database does not answer." in words_of(start)
    connections.close_all()
    cluster.start()
    assert client.get("/organisations/1/").status_code == 200


def test_a_control_plane_that_is_away_is_said_on_every_page(
    new_cluster, tmp_path, connections_closed
):
    cluster = new_cluster()
    set_up(settings_in(tmp_path, cluster.create_database("control", template_name("postgres"))))
    insert(Organisation)
    create_admin(EMAIL, PASSWORD, 1)
    client = browser()
    sign_in(client)
    connections.close_all()
    cluster.stop()
    response = client.get("/organisations/1/")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
    assert "The service is away" in words_of(response)
    assert "Not working: a database does not answer." in words_of(client.get("/"))


def test_a_page_that_does_not_exist_says_so(installation):
    response = browser().get("/nowhere")
    assert response.status_code == 404
    assert "There is no such page" in words_of(response)


def test_a_nul_character_is_refused_at_the_door(installation):
    for path in ("/organisations/?q=%00", "/nowhere/%00"):
        response = browser().get(path)
        assert response.status_code == 400
        assert "This request cannot be answered" in words_of(response)
    assert browser().post("/sign-in/", {"login": "a\0"}).status_code == 400
    refused = browser().get("/api/v1/organisations?cursor=%00")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


def test_a_name_this_service_does_not_have_is_refused(installation):
    response = Client(SERVER_NAME="evil.example").get("/")
    assert response.status_code == 400
    assert "This request cannot be answered" in words_of(response)
    refused = Client(SERVER_NAME="evil.example").get("/api/v1/organisations")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "TALKTIME_URL" in refused.json()["detail"]


def test_pages_and_files_are_served_by_asgi(installation):
    async def fetch():
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [
                await client.get(path)
                for path in ("/", "/static/talktime/talktime.css", "/static/talktime/icon.svg")
            ]

    page, style, icon = asyncio.run(fetch())
    assert [one.status_code for one in (page, style, icon)] == [200, 200, 200]
    kinds = [one.headers["Content-Type"].partition(";")[0] for one in (page, style, icon)]
    assert kinds == ["text/html", "text/css", "image/svg+xml"]
    assert style.text.startswith("/*")
