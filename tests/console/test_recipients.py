"""Who gets mail, in the console. Mirrors src/talktime/console/notices/recipients.py."""

from contextlib import closing

from talktime.console.cell.models import Delivery, Outbox, Recipient
from talktime.console.control_plane.models import Membership
from tests.console.rows import CELL
from tests.console.test_notices import Told
from tests.console.test_pages import words_of

LIST = "/organisations/1/notices/recipients/"
FORM = {"roles": ["billing", "voice"], "language": "de-CH", "time_zone": "Europe/Zurich"}
READER = "kasse@contoso.example"


def post(client, path, **fields):
    token = client.cookies["talktime_csrf"].value
    return client.post(path, fields, headers={"X-CSRFToken": token})


def kept():
    rows = Recipient.objects.using(CELL).order_by("email", "role")
    return [(each.email, each.role, each.language, each.time_zone) for each in rows]


def test_a_recipient_is_added_changed_and_removed(admin):
    assert "Nobody gets mail yet" in words_of(admin.get(LIST))
    added = post(admin, f"{LIST}add/", email=" Kasse@Contoso.example", **FORM)
    assert (added.status_code, added.headers["Location"]) == (302, LIST)
    assert kept() == [
        (READER, "billing", "de-CH", "Europe/Zurich"),
        (READER, "voice", "de-CH", "Europe/Zurich"),
    ]
    words = words_of(admin.get(LIST))
    assert f"{READER} Billing Voice German (Switzerland) Europe/Zurich Send a test" in words
    edit = f"{LIST}edit/?email={READER}"
    assert 'value="voice" id="id_roles_1" checked' in admin.get(edit).content.decode()
    fields = {"roles": ["admin"], "language": "en-GB", "time_zone": "Europe/Oslo"}
    assert post(admin, edit, person=READER, **fields).status_code == 302
    assert kept() == [(READER, "admin", "en-GB", "Europe/Oslo")]
    assert post(admin, f"{LIST}remove/", person=READER).status_code == 302
    assert kept() == []
    assert post(admin, f"{LIST}remove/", person=READER).status_code == 404


def test_what_cannot_be_is_said_at_the_field_and_nothing_is_kept(admin):
    for wrong in ({"email": "x"}, {"roles": []}, {"time_zone": "Mars"}, {"email": "a@b"}):
        page = post(admin, f"{LIST}add/", **{"email": READER, **FORM, **wrong})
        assert page.status_code == 422
        assert 'role="alert"' in page.content.decode()
    assert kept() == []


def test_a_test_goes_to_one_reader_and_says_what_it_is(admin, installation):
    told = Told(installation)
    with closing(told.cell):
        told.recipient(READER, language="de")
        told.recipient("admin@contoso.example")
        told.endpoint()
    sent = post(admin, f"{LIST}test/", person=READER)
    assert sent.status_code == 302
    (delivery,) = Delivery.objects.using(CELL).all()
    assert (delivery.target, delivery.state) == (READER, "due")
    assert Outbox.objects.using(CELL).get().kind == "notice.test"
    page = words_of(admin.get(sent.headers["Location"]))
    assert "A test is on its way." in page
    assert "A test: nothing has happened." in page
    assert "Test: Mitteilungen für Contoso kommen an" in page
    again = post(admin, f"{LIST}test/", person=READER)
    assert again.status_code == 422
    assert "A test was sent there within this minute already" in words_of(again)
    assert Delivery.objects.using(CELL).count() == 1


def test_a_viewer_sees_who_is_told_and_changes_nothing(admin, installation):
    told = Told(installation)
    with closing(told.cell):
        told.recipient(READER)
    Membership.objects.update(role="viewer")
    page = admin.get(LIST)
    assert READER in words_of(page)
    assert "Send a test" not in words_of(page)
    for path in ("add/", "edit/", "remove/", "test/"):
        assert post(admin, f"{LIST}{path}", person=READER, email=READER, **FORM).status_code == 403
    assert len(kept()) == 1


def test_the_levels_of_a_low_balance_are_offered_to_those_who_may_set_them(admin):
    for role, offered in (("billing_admin", True), ("voice_admin", False), ("viewer", False)):
        Membership.objects.update(role=role)
        page = admin.get(LIST).content.decode()
        assert ("/credits/alerts/" in page) == offered, role
        assert "Balance falls below" in page
