"""The pages about notices, as a browser gets them. Mirrors src/talktime/console/notices."""

import html
import re
from contextlib import closing

import pytest

from talktime.config import Settings
from talktime.console.cell.models import Wallet
from talktime.console.control_plane.models import Organisation
from talktime.core.ids import Ids
from talktime.core.notices import notice
from talktime.core.refusal import Refusal
from talktime.operations.endpoints import add_endpoint
from talktime.operations.recipients import add_recipient, remove_recipient
from talktime.operations.sealing import Seal
from talktime.operations.spread_notices import spread_notices
from talktime.operations.sweep import Sweep
from talktime.store.database import connect
from talktime.store.notices import insert_notices
from tests.console.rows import START_MS, insert
from tests.console.test_pages import browser, words_of

LIST = "/organisations/1/notices/"
URL = "https://hooks.contoso.example/talktime"
ODD = '<b onclick="x">"Donaudampfschiff"</b>'


class Told:
    """An organisation's people, programs and notices, written as the shell and the jobs do."""

    def __init__(self, installation: Settings, organisation_id: int = 1) -> None:
        self.cell = connect(installation.cells["main"])
        self.owner = organisation_id
        self.ids = Ids(organisation_id, lambda: START_MS)
        self.seal = Seal(installation.seal_keys())

    def recipient(self, email, language="en-GB", **more):
        with self.cell.transaction():
            added = add_recipient(
                self.cell,
                self.owner,
                email,
                roles=["admin"],
                language=language,
                time_zone="Europe/Oslo",
                now_ms=START_MS,
                next_id=self.ids.next,
            )
        assert not isinstance(added, Refusal), added

    def endpoint(self, url=URL):
        with self.cell.transaction():
            added = add_endpoint(
                self.cell,
                self.owner,
                url,
                actor="operator",
                seal=self.seal,
                now_ms=START_MS,
                next_id=self.ids.next,
                entropy=bytes(32),
            )
        assert not isinstance(added, Refusal), added

    def tell(self, kind="refund.done", key="k", **facts):
        facts = facts or {
            "amount_micros": 5_000_000,
            "currency": "EUR",
            "voided_micros": 5_000_000,
            "debt_micros": 0,
            "reason": ODD,
        }
        with self.cell.transaction():
            insert_notices(
                self.cell, [notice(self.owner, kind, key, START_MS, **facts)], self.ids.next
            )
        spread_notices(Sweep(self.cell, lambda: START_MS, self.ids.next))

    def fail(self):
        with self.cell.transaction():
            self.cell.run(
                "UPDATE delivery SET state = 'failed', due_ms = NULL, detail = '550 unknown', "
                "tries = 2"
            )

    def states(self):
        return [row[0] for row in self.cell.rows("SELECT state FROM delivery ORDER BY id")]


@pytest.fixture
def told(installation, admin):
    made = Told(installation)
    with closing(made.cell):
        yield made


def links(response):
    found = re.findall(rf'href="({LIST}[0-9]+/)"', response.content.decode())
    return list(dict.fromkeys(found))


def test_the_organisations_page_leads_to_its_notices(admin):
    assert f'href="{LIST}"' in admin.get("/organisations/1/").content.decode()
    empty = words_of(admin.get(LIST))
    assert "Nothing to tell yet" in empty
    assert "Nobody is told of anything yet. Add a recipient" in empty


def test_what_was_told_is_listed_with_to_whom_and_how_it_stands(admin, told):
    told.recipient("admin@contoso.example")
    told.endpoint()
    told.tell()
    told.fail()
    page = words_of(admin.get(LIST))
    assert "15 Jan 2027, 09:00:00 A payment was refunded admin@contoso.example" in page
    assert "Failed 550 unknown" in page
    assert URL in page
    who = words_of(admin.get(f"{LIST}recipients/"))
    assert "admin@contoso.example Everything English (United Kingdom) Europe/Oslo" in who


def test_the_list_is_filtered_by_kind_state_and_reader(admin, told):
    told.recipient("admin@contoso.example")
    told.tell()
    told.fail()
    told.endpoint()
    told.tell("balance.zero", "z", currency="EUR", balance_micros=0)

    def found(query):
        return re.findall(
            r'data-label="What">([^<]+)<', admin.get(f"{LIST}?{query}").content.decode()
        )

    zero, refund = "The credits are used up", "A payment was refunded"
    assert found("") == [zero, refund]
    assert found("kind=balance.zero") == [zero]
    assert found("state=failed") == [refund]
    assert found("state=due") == [zero]
    assert found("to=admin@contoso.example") == [zero, refund]
    endpoint_id = told.cell.rows("SELECT id FROM webhook_endpoint")[0][0]
    assert found(f"to={endpoint_id}&kind=refund.done") == []
    assert found("kind=%07") == []


def test_a_mail_is_shown_as_its_reader_sees_it_in_a_frame_that_runs_nothing(admin, told):
    told.recipient("kasse@contoso.example", language="de")
    told.tell()
    (link,) = links(admin.get(LIST))
    page = admin.get(link)
    text = page.content.decode()
    assert '<iframe class="mail" sandbox="allow-popups allow-popups-to-escape-sandbox"' in text
    assert "Zahlung über 5,00" in words_of(page)
    assert ODD not in text
    assert html.escape(ODD) in text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    mail = admin.get(f"{link}mail/")
    assert mail.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = mail.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; sandbox ")
    assert "script" not in policy
    assert mail.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert ODD not in mail.content.decode()
    assert "/organisations/1/" in mail.content.decode()
    assert admin.get(LIST).headers["X-Frame-Options"] == "DENY"


def test_an_event_is_shown_as_the_program_gets_it(admin, told):
    told.endpoint()
    told.tell()
    (link,) = links(admin.get(LIST))
    page = words_of(admin.get(link))
    assert '{"type":"refund.done","timestamp":"2027-01-15T08:00:00Z","data":' in page
    assert admin.get(f"{link}mail/").status_code == 404


def test_a_failed_delivery_is_sent_again_by_its_button(admin, told):
    told.recipient("admin@contoso.example")
    told.tell()
    (link,) = links(admin.get(LIST))
    assert "/again/" not in admin.get(link).content.decode()
    told.fail()
    page = admin.get(link).content.decode()
    token = page.rpartition('csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert admin.post(f"{link}again/").status_code == 403
    assert admin.get(f"{link}again/").status_code == 405
    assert told.states() == ["failed"]
    sent = admin.post(f"{link}again/", {"csrfmiddlewaretoken": token})
    assert (sent.status_code, sent.headers["Location"]) == (302, link)
    assert told.states() == ["due"]
    assert "It is sent again within a moment." in words_of(admin.get(link))


def test_what_cannot_be_sent_again_says_why_and_changes_nothing(admin, told):
    told.recipient("admin@contoso.example")
    told.tell()
    told.fail()
    (link,) = links(admin.get(LIST))
    page = admin.get(link).content.decode()
    token = page.rpartition('csrfmiddlewaretoken" value="')[2].partition('"')[0]
    with told.cell.transaction():
        remove_recipient(told.cell, 1, "admin@contoso.example")
    refused = admin.post(f"{link}again/", {"csrfmiddlewaretoken": token})
    assert refused.status_code == 409
    assert "Admin@contoso.example is no recipient any more." in words_of(refused)
    assert told.states() == ["failed"]
    assert "This address gets no mail any more" in words_of(admin.get(link))


def test_nobody_sees_what_another_organisation_was_told(admin, told, installation):
    insert(Organisation, id=2, name="Fabrikam")
    insert(Wallet, organisation_id=2)
    other = Told(installation, 2)
    other.recipient("admin@fabrikam.example")
    other.tell()
    theirs = other.cell.rows("SELECT id FROM delivery")[0][0]
    other.cell.close()
    for path in (
        *("/organisations/2/notices/", f"/organisations/2/notices/{theirs}/", f"{LIST}{theirs}/"),
        *(f"{LIST}{theirs}/mail/", f"{LIST}5/", f"{LIST}{10**30}/", "/organisations/9/notices/"),
    ):
        assert admin.get(path).status_code == 404, path
    page = admin.get(LIST).content.decode()
    token = admin.cookies["talktime_csrf"].value
    assert "fabrikam" not in page
    headers = {"X-CSRFToken": token}
    assert admin.post(f"{LIST}{theirs}/again/", headers=headers).status_code == 404
    signed_out = browser().get(LIST)
    assert signed_out.headers["Location"] == f"/sign-in/?next={LIST}"


def test_many_notices_come_in_pages(admin, told):
    for number in range(51):
        told.tell(key=str(number))
    first = admin.get(LIST).content.decode()
    older = re.search(r'href="(\?before=[0-9]+)"', first)[1]
    assert first.count('data-label="When"') == 50
    second = admin.get(f"{LIST}{older}").content.decode()
    assert second.count('data-label="When"') == 1
    assert 'href="?">Newest</a>' in second
    for bad in ("?before=x", "?before=" + "9" * 40, "?before=-1"):
        assert admin.get(f"{LIST}{bad}").content.decode().count('data-label="When"') == 50


def test_a_cell_that_is_away_is_said_to_be(admin):
    Organisation.objects.update(cell="elsewhere")
    response = admin.get(LIST)
    assert response.status_code == 503
    assert "does not answer" in words_of(response)
