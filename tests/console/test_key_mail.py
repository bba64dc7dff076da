"""Owners are told of keys, and no key makes keys. Mirrors src/talktime/operations/key_mail.py."""

import json
from contextlib import closing

import pytest
from django.test import Client

from talktime.console.accounts import create_admin
from talktime.console.people.mail import sealed_mail
from talktime.core.audit import Actor
from talktime.operations.account_mail import facts_of, take_mail
from talktime.operations.account_words import account_words
from talktime.operations.audit import acting
from talktime.operations.key_mail import tell_owners
from talktime.operations.keys import ENTROPY_BYTES, create_key
from tests.console.money import SECRETS
from tests.console.test_keys import admin, keys_of, money, send
from tests.console.test_pages import EMAIL

__all__ = ["admin", "money"]

OWN = ("read", "users", "billing", "notices")
DAY_MS = 86_400_000


def told(money):
    """The mail that was written: to whom, of what kind, with which facts; each once."""
    with closing(money.control()) as control:
        taken = take_mail(control, money.now_ms + DAY_MS)
    seal = sealed_mail().seal
    return [(each.to_email, each.kind, facts_of(each, seal)) for each in taken]


def asked(money, key_text, path, **body):
    headers = {"authorization": f"Bearer {key_text}"}
    at = f"/api/v1/organisations/{money.owner.id}/keys{path}"
    client = Client(SERVER_NAME="localhost", headers=headers)
    answer = client.post(at, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def own_key(money, *scopes, expires_ms=None):
    """A key of the organisation's own, made without anybody's being told."""
    with closing(money.control()) as control, control.transaction():
        return create_key(
            *(control, money.owner), name="Portal", scopes=scopes, now_ms=money.now_ms,
            expires_ms=expires_ms, next_id=money.ids,
            entropy=next(SECRETS).to_bytes(ENTROPY_BYTES, "big"),
        )  # fmt: skip


def test_the_owners_are_told_of_a_key_that_is_made_or_rotated_in_the_console(money, admin):
    for name, role in (("second@contoso.example", "owner"), ("bills@contoso.example", "viewer")):
        create_admin(name, "seven green bottles", money.owner.id, role)
    told(money)
    here = f"/organisations/{money.owner.id}/keys/"
    send(admin, f"{here}new/", name="Portal", scopes=["read"], days="30")
    written = told(money)
    assert [mail[:2] for mail in written] == [
        (EMAIL, "key_created"),
        ("second@contoso.example", "key_created"),
    ]
    facts = written[0][2]
    names = ("organisation", "key", "by", "place")
    assert [facts[name] for name in names] == ["Contoso", "Portal", EMAIL, "127.0.0.1"]
    assert facts["link"].endswith(here)
    [key] = keys_of(money)
    send(admin, f"{here}{key.id}/rotate/", hours="0")
    assert [mail[:2] for mail in told(money)] == [
        (EMAIL, "key_rotated"),
        ("second@contoso.example", "key_rotated"),
    ]


def test_the_owners_are_told_of_a_key_that_the_operator_makes_or_rotates(money, admin):
    operators = money.key("operator", "read")
    made = asked(money, operators, "", name="Portal", scopes=["read"])[1]
    [(email, kind, facts)] = told(money)
    assert (email, kind, facts["key"]) == (EMAIL, "key_created", "Portal")
    assert facts["by"].startswith("portal (")
    asked(money, operators, f"/{made['key_id']}/rotate", keep_hours=1)
    assert [mail[:2] for mail in told(money)] == [(EMAIL, "key_rotated")]


def test_a_key_that_was_not_made_is_not_told_of(money, admin):
    operators = money.key("operator")
    assert asked(money, operators, "", name="Portal", scopes=["operator"])[0] == 422
    assert asked(money, operators, "/7/rotate")[1]["code"] == "unknown_key"
    send(admin, f"/organisations/{money.owner.id}/keys/new/", name="", scopes=["read"], days="0")
    assert told(money) == []


def test_a_key_neither_replaces_itself_nor_makes_another_but_may_end_itself(money):
    own = own_key(money, *OWN)
    for path in (f"/{own.key.id}/rotate", ""):
        status, refused = asked(money, own.text, path, name="again", scopes=["read"])
        assert (status, refused["code"]) == (403, "scope_missing")
    assert keys_of(money) == [own.key]
    assert asked(money, own.text, f"/{own.key.id}/revoke")[1]["state"] == "revoked"
    assert asked(money, own.text, f"/{own.key.id}/revoke")[0] == 401


def test_a_key_of_nobodys_organisation_is_not_mailed_about(money, admin):
    with closing(money.control()) as control, control.transaction():
        made = create_key(
            control, None, name="ours", scopes=["read"], now_ms=money.now_ms, next_id=money.ids,
            entropy=next(SECRETS).to_bytes(ENTROPY_BYTES, "big"),
        )  # fmt: skip
        tell_owners(control, made.key, "key_created", sealed_mail())
    assert told(money) == []


def test_somebody_who_may_not_sign_in_is_not_told(money, admin):
    told(money)
    key = own_key(money, "read").key
    with (
        closing(money.control()) as control,
        control.transaction(),
        acting(Actor("shell", "root", "host"), lambda: money.now_ms, money.ids),
    ):
        control.run("UPDATE account SET is_active = ?", [False])
        tell_owners(control, key, "key_created", sealed_mail())
    assert told(money) == []


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "An API key of Contoso was rotated"),
        ("de", "Ein API-Schlüssel von Contoso wurde ausgetauscht"),
    ],
)
def test_the_mail_says_which_key_by_whom_and_where_to_end_it(language, subject):
    facts = {
        "organisation": "Contoso", "key": "Portal", "by": EMAIL, "place": "192.0.2.7",
        "link": "https://talktime.example/keys/", "at_ms": "0", "language": language,
    }  # fmt: skip
    words = account_words("key_rotated", EMAIL, facts)
    assert subject in words.subject.replace("\u2068", "").replace("\u2069", "")
    for said in ("Portal", EMAIL, "192.0.2.7", facts["link"]):
        assert said in words.text
