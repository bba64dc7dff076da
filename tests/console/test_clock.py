"""The page of the test clock. Mirrors src/talktime/console/start/clock_page.py."""

from dataclasses import replace

import pytest

from talktime.clock import ahead_ms, follow
from talktime.console.control_plane.models import Membership
from tests.console.test_pages import admin, browser, words_of

__all__ = ["admin"]
DAY_MS = 86_400_000


@pytest.fixture
def movable(installation):
    """An installation whose time may be moved."""
    follow(replace(installation, test_clock=True))
    yield installation
    follow(installation)


def post(client, to):
    """Send the form that the page has."""
    page = client.get("/clock/").content.decode()
    token = page.partition('csrfmiddlewaretoken" value="')[2].partition('"')[0]
    return client.post("/clock/", {"csrfmiddlewaretoken": token, "to": to})


def test_an_admin_moves_it_by_a_month_and_every_page_tells_how_far_it_is(admin, movable):
    assert "Test clock: in step with real time. Move it" in words_of(browser().get("/"))
    assert post(admin, "30d").headers["Location"] == "/clock/"
    assert 30 * DAY_MS <= ahead_ms() + 1 <= 30 * DAY_MS + 1_000
    for client, path in ((admin, "/clock/"), (admin, "/organisations/1/"), (browser(), "/")):
        assert "Test clock: 30 days ahead. Move it" in words_of(client.get(path))


def test_an_admin_moves_it_to_a_date(admin, movable):
    assert post(admin, "2060-01-31").status_code == 302
    assert "It shows 2060-01-31T00:0" in words_of(admin.get("/clock/"))


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("2020-01-31", "and only moves forward"),
        ("soon", "'soon' is neither a span nor a time"),
        ("", "'' is neither a span nor a time"),
    ],
)
def test_what_it_cannot_show_is_told_and_nothing_moves(admin, movable, to, says):
    answer = post(admin, to)
    assert answer.status_code == 422
    assert says in words_of(answer)
    assert ahead_ms() == 0


def test_nobody_moves_it_from_another_site_or_without_signing_in(admin, movable):
    assert admin.post("/clock/", {"to": "30d"}).status_code == 403
    assert browser().get("/clock/").headers["Location"] == "/sign-in/?next=/clock/"
    assert ahead_ms() == 0


def test_who_looks_after_nothing_does_not_move_it(admin, movable):
    Membership.objects.all().delete()
    assert admin.get("/clock/").status_code == 404


def test_in_production_there_is_no_such_page_and_no_word_of_it(admin, installation):
    assert admin.get("/clock/").status_code == 404
    assert "clock" not in words_of(admin.get("/organisations/1/")).lower()


@pytest.mark.parametrize("role", ["viewer", "voice_admin"])
def test_who_spends_no_money_sees_it_and_does_not_move_it(admin, movable, role):
    Membership.objects.update(role=role)
    before_ms = ahead_ms()
    page = words_of(admin.get("/clock/"))
    assert "It shows" in page
    assert "To a date" not in page
    assert admin.post("/clock/", {"to": "30d"}).status_code == 403
    assert ahead_ms() == before_ms
