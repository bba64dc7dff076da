"""Catching up without a flood of mail. Mirrors src/talktime/jobs/notices.py."""

import pytest

from talktime.operations.deliveries import redeliver
from talktime.operations.recipients import remove_recipient
from talktime.operations.spread_notices import spread_notices
from tests.notice_office import DAY_MS, HOUR_MS, Office
from tests.receivers import postman, receiving

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def office(store):
    with postman() as server, receiving() as receiver:
        yield Office(store, server, receiver)


def test_late_mail_that_was_overtaken_is_dropped_with_the_reason(office):
    office.recipient()
    office.endpoint()
    facts = {"currency": "EUR", "lot_id": 5, "remaining_micros": 1_000_000, "lots": 1}
    expires_ms = office.now_ms + DAY_MS
    for days, ago_ms in ((30, 30 * HOUR_MS), (7, 20 * HOUR_MS), (1, 2 * HOUR_MS)):
        office.tell("lot.expiring", f"{days}", ago_ms, **facts, expires_ms=expires_ms, days=days)
    office.zero("old zero", 5 * HOUR_MS)
    office.have(5_000_000)
    office.zero("new zero", HOUR_MS // 2)
    office.run()
    mails = [each for each in office.deliveries() if "@" in each[0]]
    assert [each[1::2] for each in mails] == [
        ("dropped", "overtaken: lot.expiring followed"),
        ("dropped", "overtaken: lot.expiring followed"),
        ("sent", "taken for billing@contoso.example"),
        ("dropped", "overtaken: there are credits again"),
        ("sent", "taken for billing@contoso.example"),
    ]
    assert len(office.receiver.ids) == 5


def test_after_a_week_of_downtime_there_is_one_digest_for_each_reader(office):
    office.recipient("billing@contoso.example", "billing")
    office.recipient("phones@contoso.example", "voice")
    for day in range(7, 2, -1):
        office.tell(
            "grant.added",
            f"grant {day}",
            day * DAY_MS + HOUR_MS,
            amount_micros=1,
            currency="EUR",
            reason="gift",
            expires_ms=office.now_ms,
        )
    office.tell(
        "pool.warning",
        "p",
        4 * DAY_MS,
        pool="2026-11/minutes/A/US/domestic",
        used_s=80,
        total_s=100,
        percent=80,
    )
    office.zero("fresh", HOUR_MS)
    office.run()
    office.run()
    mails = {(mail["To"], mail["Subject"].partition(":")[0]) for mail in office.server.box.mails}
    assert mails == {
        ("billing@contoso.example", "Contoso"),
        ("billing@contoso.example", "Contoso has no credits left"),
        ("phones@contoso.example", "Contoso"),
        ("phones@contoso.example", "Contoso has no credits left"),
    }
    assert len(office.server.box.mails) == 4
    digests = {
        mail["To"]: mail.get_body(("plain",)).get_content()
        for mail in office.server.box.mails
        if "since" in mail["Subject"]
    }
    assert "not sent one by one (6):" in digests["billing@contoso.example"]
    assert "- Credits were given (5×)" in digests["billing@contoso.example"]
    for reader in ("billing@contoso.example", "phones@contoso.example"):
        assert "- Included minutes are being used up" in digests[reader]
    assert "given" not in digests["phones@contoso.example"]
    dropped = [each for each in office.deliveries() if each[1] == "dropped"]
    assert len(dropped) == 7
    assert {each[3] for each in dropped} == {"more than three days late: named in a digest"}


def test_a_mail_server_that_was_away_for_a_week_gets_one_digest_too(office):
    office.recipient()
    for number in range(100):
        office.tell(
            "grant.added",
            f"grant {number}",
            amount_micros=1,
            currency="EUR",
            reason="gift",
            expires_ms=office.now_ms,
        )
    office.server.away()
    office.run()
    office.wait(7 * DAY_MS)
    office.run()
    assert {each[1:3] for each in office.deliveries()} == {("due", 0)}
    office.wait(60_000)
    office.server.back()
    office.run()
    office.wait(60_000)
    office.run()
    (mail,) = office.server.box.mails
    assert "not sent one by one (100):" in mail.get_body(("plain",)).get_content()


def test_mail_to_somebody_who_is_no_recipient_any_more_is_not_sent(office):
    office.recipient()
    office.zero()
    spread_notices(office.sweep())
    with office.cell.transaction():
        assert remove_recipient(office.cell, 7, "billing@contoso.example") is None
    office.run()
    assert office.server.box.mails == []
    assert office.one_delivery().state == "dropped"
    assert office.one_delivery().detail == "this address is no recipient of it any more"


def test_a_mail_is_sent_again_by_hand_even_if_it_is_old_or_overtaken(office):
    office.recipient()
    office.zero(ago_ms=5 * HOUR_MS)
    office.have(1)
    office.run()
    assert office.one_delivery().state == "dropped"
    office.wait(9 * DAY_MS)
    dropped = office.one_delivery()
    with office.cell.transaction():
        again = redeliver(office.cell, 7, dropped.id, now_ms=office.now_ms)
    assert (again.state, again.tries) == ("due", 0)
    office.run()
    assert office.one_delivery().state == "sent"
    assert len(office.server.box.mails) == 1
