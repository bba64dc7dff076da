"""Mail about accounts. Mirrors src/talktime/operations/account_words.py."""

import pytest

from talktime.operations.account_words import account_words

INVITED = {
    "link": "https://talktime.example/invitation/x/", "at_ms": "1795428000000",
    "expires_ms": "1796032800000", "organisation": "Contoso", "role": "owner",
    "invited_by": "admin@contoso.example",
}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "until", "clock"),
    [
        ({}, "until 30 Nov 2026, 10:00:00.", "Times are in UTC."),
        ({"time_zone": "Mars/Olympus"}, "until 30 Nov 2026, 10:00:00.", "Times are in UTC."),
        (
            {"time_zone": "Europe/Oslo", "language": "de"},
            "bis 30.11.2026, 11:00:00",
            "Zeiten gelten in Europe/Oslo.",
        ),
    ],
)
def test_a_mail_says_by_which_clock_its_times_are(facts, until, clock):
    told = account_words("invitation", "chef@contoso.example", {**INVITED, **facts})
    for text in told[1:]:
        assert until in text
        assert clock in text
