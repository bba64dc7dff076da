"""Who changed what from the shell. Mirrors src/talktime/cli/audit.py."""

import getpass
from socket import gethostname

import pytest

from docs.generate import commands
from talktime.clock import follow, real_ms
from talktime.config import settings_from
from tests.after_use import DAY_MS
from tests.cli.audited_stories import STORIES, WORD, World

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CALLS = ("authorize", "answer", "extend", "settle")
READER = "billing@contoso.example"
COUNT = "SELECT COUNT(*) FROM audit_entry"
CHANGES = """
organisation create Fabrikam --country US
organisation change Contoso --inactive
organisation change Contoso --active --blocked-countries CU
organisation move Fabrikam --yes
recipient add Contoso billing@contoso.example
recipient remove Contoso billing@contoso.example
webhook add Contoso https://hooks.contoso.example/talktime
webhook rotate Contoso {webhook}
webhook disable Contoso {webhook}
webhook enable Contoso {webhook}
webhook remove Contoso {webhook}
payment-method add-invoice Contoso --agreement EA-1
payment-method first Contoso {method}
purchase start Contoso 200 --method {method}
purchase cancel Contoso {payment} --reason mistake
purchase start Contoso 300 --method {method}
purchase receipt Contoso {payment} --reference bank
refund start Contoso {payment} 10 --reason goodwill --reference bank
payment-method remove Contoso {method}
recharge set Contoso --below 10 --amount 100
recharge off Contoso
alerts set Contoso 20 10
grant give Contoso 5 --reason goodwill
fund Contoso 50 --reason order
take-back Contoso {lot} 5 --reason mistake
billing-profile set Contoso --legal-name Contoso
invoice skip-to MAIN-001000 --reason restored
key create portal --operator Contoso
peer create diameter SBC p.example.net --realm example.net --address 192.0.2.10
peer revoke {peer}
key rotate {key}
key revoke {key}
catalogue set setting default_policy value=DialoutCPCandPSTNDomestic --valid-from 2090-01-01
provider set sandbox
user create Contoso desk@contoso.example --licence MCOEV
user change Contoso desk@contoso.example --display-name Desk
group create Contoso sales
group change Contoso sales --add-licence MCOEV
group join Contoso sales desk@contoso.example
group leave Contoso sales desk@contoso.example
group delete Contoso sales
number create Contoso +14255550177 --kind toll
number attach Contoso +14255550177 --attached bridge
number release Contoso +14255550177
number reserve Contoso +14255550178
number give-up Contoso +14255550178
admin create owner@contoso.example --organisation Contoso
staff add ops@operator.example
staff remove ops@operator.example
catalogue withdraw special_prefix 44843 --valid-from 2090-01-01
grant give Contoso 600 --reason launch
grant reject Contoso {grant} --actor second
number reserve Contoso +14255550123
"""
READING = {
    *("audit", "call show", "catalogue export", "check-books", "jobs", "licensing", "notices"),
    *(
        "calls",
        "pools",
        "quote",
        "wallet",
        "statement",
        "purchase terms",
        "invoice pdf",
        "user check",
    ),
    *("user export", "post-statement export", "webhook deliveries", "number quota"),
    *(f"attention {of_what}" for of_what in ("payments", "recharges", "refunds", "calls")),
}
"""Commands that change nothing; so do all that are called list or show."""
SERVING = {"serve", "migrate", "replay", "usage rebuild", *(f"call {verb}" for verb in CALLS)}
"""Commands that serve, or speak as a switch does."""


def test_every_command_reads_or_is_looked_at_for_what_it_keeps():
    lines = [line.split() for line in CHANGES.strip().splitlines()]
    named = {" ".join(words) for words, _ in commands()}
    changing = {
        name for name in named for line in lines if line[: len(name.split())] == name.split()
    }
    reading = {name for name in named if name in READING or name.endswith((" list", " show"))}
    assert named == changing | reading | SERVING | set(STORIES)
    assert not changing & (reading | SERVING | set(STORIES))


def words_of(line, known):
    return [word.format(**known) for word in line.split()]


def test_every_change_from_the_shell_is_kept_with_who_made_it(shell, store, contoso):
    known = {}
    connections = [store.control(), store.cell()]
    for line in CHANGES.strip().splitlines():
        before = sum(each.rows(COUNT)[0][0] for each in connections)
        said = shell.json(*words_of(line, known))
        after = sum(each.rows(COUNT)[0][0] for each in connections)
        assert after > before, f"{line} is not kept"
        name = line.split()[0]
        if isinstance(said, dict):
            known["webhook"] = said.get("id", "") if name == "webhook" else known.get("webhook", "")
            known["method"] = said.get("method_id") or known.get("method", "")
            known["payment"] = said.get("payment_id") or known.get("payment", "")
            known["lot"] = said.get("lot_id") or known.get("lot", "")
            known["grant"] = said.get("grant_id") or known.get("grant", "")
            known["peer"] = said.get("id", "") if name == "peer" else known.get("peer", "")
            known["key"] = said.get("id", "") if name == "key" else known.get("key", "")
    (newest, *_) = shell.json("audit")["changes"]
    assert newest["action"] == "number.reserved"
    kept = {"kind": "shell", "name": getpass.getuser(), "place": gethostname()}
    assert newest["actor"] == kept


def in_days(facts):
    """The facts, with where the test clock stood as days ahead of the machine's."""
    if "shown_ms" not in facts:
        return facts
    return {"days_ahead": round((facts["shown_ms"] - real_ms()) / DAY_MS)}


@pytest.fixture
def machines_clock():
    """What a command of this process followed is not followed by the next test."""
    yield
    follow(settings_from({}))


@pytest.mark.parametrize("command", STORIES)
@pytest.mark.usefixtures("contoso", "machines_clock")
def test_a_change_that_follows_others_is_kept(command, shell, store, tmp_path, monkeypatch):
    story = STORIES[command]
    words = story.prepare(World(shell, store, tmp_path, monkeypatch))
    before = {each["id"] for each in shell.json("audit")["changes"]}
    shell(*command.split(), *words)
    made = [each for each in shell.json("audit")["changes"] if each["id"] not in before]
    [kept] = made
    action, subject, was, is_ = story.kept
    assert (kept["action"], kept["subject"]) == (action, words[1] if subject == WORD else subject)
    assert (in_days(kept["before"]), in_days(kept["after"])) == (was, is_)
    actor = {"kind": "shell", "name": getpass.getuser(), "place": gethostname()}
    assert kept["actor"] == actor


def test_the_log_is_of_an_organisation_or_of_all_and_filtered(shell, contoso):
    shell("recipient", "add", "Contoso", READER)
    shell("alerts", "set", "Contoso", "20")
    shell("organisation", "create", "Fabrikam", "--country", "US")
    actions = [each["action"] for each in shell.json("audit", "Contoso", "--last", "2")["changes"]]
    assert actions == ["alerts.set", "recipient.set"]
    every = {each["subject"] for each in shell.json("audit")["changes"]}
    assert {"Fabrikam", READER} <= every
    (one,) = shell.json("audit", "Contoso", "--action", "alerts.set")["changes"]
    assert (one["before"], one["after"]) == ({"below_micros": []}, {"below_micros": ["20000000"]})
    text = shell("audit", "Contoso", "--action", "alerts.set")
    assert "Low-balance alerts were changed" in text
    assert "below: - > 20" in text
    assert "nothing fits" in shell("audit", "Contoso", "--actor", "nobody at all")
    assert shell.json("audit", "Contoso", "--to", "2026-01-01") == {"changes": []}
    assert "unknown_organisation" in shell.error("audit", "Nobody")


def test_a_refused_change_is_not_kept(shell, store, contoso):
    before = store.cell().rows(COUNT)
    shell.error("recipient", "add", "Contoso", "x")
    shell.error("recharge", "set", "Contoso", "--below", "10", "--amount", "1")
    assert store.cell().rows(COUNT) == before
