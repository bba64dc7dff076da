"""Recipients, webhooks, notices from the shell. Mirrors src/talktime/cli/notices.py and alike."""

import pytest

from talktime.core.ids import EPOCH_MS, Ids
from talktime.core.notices import notice
from talktime.operations.spread_notices import spread_notices
from talktime.operations.sweep import Sweep
from talktime.store.notices import insert_notices

pytestmark = pytest.mark.layouts("sqlite", "postgres")

URL = "https://hooks.contoso.example/talktime"
AT_MS = EPOCH_MS + 86_400_000


@pytest.fixture
def contoso(shell):
    return shell.json("organisation", "create", "Contoso", "--country", "DE", "--time-zone", "UTC")


def told(store, contoso, key="k"):
    """Tell the organisation that its credits are used up."""
    cell, ids = store.cell(), Ids(1, lambda: AT_MS)
    made = notice(int(contoso["id"]), "balance.zero", key, AT_MS, currency="USD", balance_micros=0)
    with cell.transaction():
        insert_notices(cell, [made], ids.next)
    spread_notices(Sweep(cell, lambda: AT_MS, ids.next))
    return cell


def test_recipients_are_added_role_by_role_and_removed_whole(shell, contoso):
    first = shell.json(
        "recipient", "add", "Contoso", "Billing@Contoso.example", "--role", "billing"
    )
    assert first == {
        "email": "billing@contoso.example",
        "roles": ["billing"],
        "language": "en",
        "time_zone": "UTC",
    }
    more = ("--role", "voice", "--language", "de-CH", "--time-zone", "Europe/Zurich")
    second = shell.json("recipient", "add", "Contoso", "billing@contoso.example", *more)
    assert second["roles"] == ["billing", "voice"]
    assert (second["language"], second["time_zone"]) == ("de-CH", "Europe/Zurich")
    assert shell.json("recipient", "list", "Contoso") == {"recipients": [second]}
    assert "billing, voice" in shell("recipient", "list", "Contoso")
    kept = shell.json(
        "recipient", "remove", "Contoso", "billing@contoso.example", "--role", "voice"
    )
    assert kept["roles"] == ["billing"]
    gone = shell("recipient", "remove", "Contoso", "billing@contoso.example")
    assert gone == "billing@contoso.example gets no more mail.\n"
    assert "Nobody gets mail yet" in shell("recipient", "list", "Contoso")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("billing",), "'billing' is no e-mail address"),
        (("a@b.example\nBcc: c@d.example",), "is no e-mail address"),
        (("a@b.example", "--role", "boss"), "a role must be one of billing, voice, admin"),
        (("a@b.example", "--language", "fr"), "the language must be one of en, de"),
        (("a@b.example", "--time-zone", "Mars"), "the time zone must be a name such as"),
    ],
)
def test_a_recipient_that_cannot_be_is_refused_with_the_reason(shell, contoso, words, reason):
    assert reason in shell.error("recipient", "add", "Contoso", *words)
    assert shell.json("recipient", "list", "Contoso") == {"recipients": []}
    assert "unknown_recipient" in shell.error("recipient", "remove", "Contoso", "a@b.example")


def test_the_secret_of_a_webhook_is_shown_when_it_is_made_and_never_again(shell, contoso):
    made = shell.json("webhook", "add", "Contoso", URL, "--kind", "balance.zero")
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["kinds"], made["state"]) == (URL, ["balance.zero"], "active")
    assert "whsec_" not in shell("webhook", "list", "Contoso")
    assert "secret" not in shell.json("webhook", "list", "Contoso")["endpoints"][0]
    new = shell.json("webhook", "rotate", "Contoso", made["id"])
    assert new["secret"] != made["secret"]
    assert new["old_secret_until"] is not None
    assert "whsec_" in shell("webhook", "rotate", "Contoso", made["id"])
    assert "already_exists" in shell.error("webhook", "add", "Contoso", URL)
    shell("webhook", "disable", "Contoso", made["id"], "--reason", "moving")
    (endpoint,) = shell.json("webhook", "list", "Contoso")["endpoints"]
    assert (endpoint["state"], endpoint["detail"]) == ("disabled", "moving")
    assert shell.json("webhook", "enable", "Contoso", made["id"])["state"] == "active"
    assert shell("webhook", "remove", "Contoso", made["id"]) == f"{URL} is told nothing more.\n"
    assert shell.json("webhook", "list", "Contoso") == {"endpoints": []}
    for command in ("rotate", "enable", "remove", "deliveries"):
        assert "unknown_endpoint" in shell.error("webhook", command, "Contoso", made["id"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("http://hooks.contoso.example/",), "must begin with https://"),
        (("https://169.254.169.254/latest",), "is not an address on the internet"),
        (("https://localhost.example:22/",), "port 22 belongs to another service"),
        ((URL, "--kind", "moon.full"), "'moon.full' is no kind of event"),
        ((URL, "--kind", "notices.digest"), "'notices.digest' is no kind of event"),
    ],
)
def test_a_webhook_that_may_not_be_is_refused_with_the_reason(shell, contoso, words, reason):
    assert reason in shell.error("webhook", "add", "Contoso", *words)
    assert shell.json("webhook", "list", "Contoso") == {"endpoints": []}


def test_the_operator_may_let_a_host_within_be_told(shell, contoso, monkeypatch):
    monkeypatch.setenv("TALKTIME_WEBHOOKS_ALLOW", "127.0.0.1:8100")
    assert shell.json("webhook", "add", "Contoso", "http://127.0.0.1:8100/x")["state"] == "active"
    assert "must begin with https" in shell.error(
        "webhook", "add", "Contoso", "http://127.0.0.1:8101/x"
    )


def test_what_was_told_is_listed_with_what_became_of_it_and_can_be_sent_again(
    shell, contoso, store
):
    assert shell("notices", "Contoso") == "Nothing has happened yet.\n"
    shell("recipient", "add", "Contoso", "admin@contoso.example")
    endpoint = shell.json("webhook", "add", "Contoso", URL)
    cell = told(store, contoso)
    (one,) = shell.json("notices", "Contoso")["notices"]
    assert (one["kind"], one["facts"]) == ("balance.zero", {"currency": "USD", "balance_micros": 0})
    mail, hook = one["deliveries"]
    assert (mail["channel"], mail["target"], mail["state"]) == (
        *("mail", "admin@contoso.example"),
        "due",
    )
    assert URL in shell("notices", "Contoso")
    with cell.transaction():
        cell.run("UPDATE delivery SET state = 'failed', due_ms = NULL, detail = 'no', tries = 3")
    assert "no" in shell("webhook", "deliveries", "Contoso", endpoint["id"])
    again = shell.json("webhook", "redeliver", "Contoso", hook["id"])
    assert (again["state"], again["tries"], again["id"]) == ("due", 0, hook["id"])
    (listed,) = shell.json("webhook", "deliveries", "Contoso", endpoint["id"])["deliveries"]
    assert listed["state"] == "due"
    assert "unknown_delivery" in shell.error("webhook", "redeliver", "Contoso", "5")
    shell("recipient", "remove", "Contoso", "admin@contoso.example")
    assert "unknown_recipient" in shell.error("webhook", "redeliver", "Contoso", mail["id"])


def test_a_notice_that_nobody_is_told_of_says_so(shell, contoso, store):
    told(store, contoso)
    assert "nobody is told" in shell("notices", "Contoso")
