"""Switches and their keys. Mirrors src/talktime/operations/keys.py."""

import hashlib
import json
from itertools import count

import pytest

from talktime.core.directory import Organisation
from talktime.core.keys import ApiKey
from talktime.core.limits import ORGANISATION_KEYS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.keys import (
    create_key,
    create_switch,
    find_key,
    find_switch,
    key_text,
    list_keys,
    list_own_keys,
    list_switches,
    note_use,
    revoke_key,
    rotate_key,
    secret_hash,
)
from talktime.store.keys import Switch, key_of_hash
from tests.contents import control_contents

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_795_428_000_000
SWITCH = Switch(3, "Oslo 1", "Contoso Voice", NOW_MS)
CHANCE, OTHER_CHANCE = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def control(store):
    return store.control()


@pytest.fixture
def next_id():
    return count(100).__next__


@pytest.fixture
def create(control, next_id):
    """Make a key that is in order but for what is said."""

    def create(entropy=CHANCE, **said):
        with control.transaction():
            return create_key(
                control, SWITCH, **({"name": "main"} | said), now_ms=NOW_MS, next_id=next_id,
                entropy=entropy,
            )  # fmt: skip

    return create


@pytest.fixture
def rotate(control, next_id):
    """Replace a key; the old one has an hour, unless something else is said."""

    def rotate(key_id, old_expires_ms=NOW_MS + 3_600_000):
        with control.transaction():
            return rotate_key(
                control, key_id, old_expires_ms=old_expires_ms, now_ms=NOW_MS, next_id=next_id,
                entropy=OTHER_CHANCE,
            )  # fmt: skip

    return rotate


def test_a_keys_text_is_shown_once_and_only_its_hash_is_kept(create, control):
    new = create()
    assert new.text == "tt_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert new.key == ApiKey(
        *(100, 3, "main", hashlib.sha256(new.text.encode()).hexdigest()),
        *(frozenset({"calls", "quotes"}), None, None),
    )
    assert find_key(control, 100) == new.key
    assert key_of_hash(control, secret_hash(new.text)) == new.key
    assert new.text[3:] not in repr(control_contents(control))


def test_a_keys_text_needs_all_its_chance():
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        key_text(bytes(31))


def test_a_key_may_have_one_scope_and_an_end(create, control):
    new = create(scopes=["quotes"], expires_ms=NOW_MS + 1)
    assert new.key.scopes == {"quotes"}
    assert find_key(control, new.key.id).expires_ms == NOW_MS + 1


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"name": ""}, "the key's name must be 1 to 64"),
        ({"name": "a" * 65}, "the key's name must be 1 to 64"),
        ({"scopes": []}, "a key needs a scope: calls, quotes"),
        (
            {"scopes": ["calls", "money"]},
            "a scope must be one of calls, quotes, not",
        ),
        ({"expires_ms": NOW_MS}, "the key would have expired before it is made"),
    ],
)
def test_a_malformed_key_is_refused_and_nothing_is_made(create, control, said, refused):
    before = control_contents(control)
    refusal = create(**said)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == ("invalid_value", refused)
    assert control_contents(control) == before


CONTOSO = Organisation(7, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")


def test_an_organisations_key_has_no_scope_of_a_switch_or_the_operator(control, next_id):
    before = control_contents(control)
    for scope in ("calls", "quotes", "operator"):
        with control.transaction():
            refusal = create_key(
                control, CONTOSO, name="portal", scopes=["read", scope], now_ms=NOW_MS,
                next_id=next_id, entropy=CHANCE,
            )  # fmt: skip
        detail = f"a scope must be one of read, users, billing, notices, not {scope!r}"
        assert refusal == Refusal("invalid_value", detail)
    assert control_contents(control) == before


def test_an_organisations_key_is_known_to_it_alone_and_stays_its_own(control, next_id):
    with control.transaction():
        made = create_key(
            control, CONTOSO, name="portal", scopes=["read"], now_ms=NOW_MS, next_id=next_id,
            entropy=CHANCE,
        )  # fmt: skip
    assert (made.key.switch_id, made.key.organisation_id) == (0, 7)
    before = control_contents(control)
    with control.transaction():
        refusals = [
            revoke_key(control, 100, organisation_id=8, now_ms=NOW_MS),
            rotate_key(
                control, 100, organisation_id=8, old_expires_ms=NOW_MS, now_ms=NOW_MS,
                next_id=next_id, entropy=OTHER_CHANCE,
            ),
        ]  # fmt: skip
    assert refusals == [Refusal("unknown_key", "there is no key 100")] * 2
    assert control_contents(control) == before
    with control.transaction():
        new = rotate_key(
            control, 100, organisation_id=7, old_expires_ms=NOW_MS, now_ms=NOW_MS,
            next_id=next_id, entropy=OTHER_CHANCE,
        )  # fmt: skip
    assert (new.key.organisation_id, new.key.scopes) == (7, frozenset({"read"}))
    assert [key.id for key in list_own_keys(control, 7)] == [new.key.id, 100]
    assert list_own_keys(control, 8) == []


def test_an_organisation_has_so_many_keys_in_use_at_most(control, next_id):
    said = {"name": "portal", "scopes": ["read"], "now_ms": NOW_MS, "next_id": next_id}
    with control.transaction():
        for number in range(ORGANISATION_KEYS_MAX):
            create_key(control, CONTOSO, entropy=number.to_bytes(32, "big"), **said)
        refusal = create_key(control, CONTOSO, entropy=OTHER_CHANCE, **said)
        assert refusal.detail == "an organisation has at most 100 keys in use; revoke one first"
        revoke_key(control, 100, now_ms=NOW_MS)
        assert create_key(control, CONTOSO, entropy=OTHER_CHANCE, **said).key.name == "portal"


def test_the_use_of_a_key_is_kept_once_an_hour(create, control):
    key = create().key
    note_use(control, key, NOW_MS)
    note_use(control, key, NOW_MS + 3_599_999)
    assert find_key(control, key.id).used_ms == NOW_MS
    note_use(control, find_key(control, key.id), NOW_MS + 3_600_000)
    assert find_key(control, key.id).used_ms == NOW_MS + 3_600_000


def test_a_rotated_key_leaves_the_old_one_some_time(create, rotate, control):
    old = create(scopes=["calls"])
    new = rotate(old.key.id)
    assert new.text == key_text(OTHER_CHANCE)
    assert new.key == old.key._replace(id=101, secret_hash=secret_hash(new.text))
    assert find_key(control, 100) == old.key._replace(expires_ms=NOW_MS + 3_600_000)
    assert find_key(control, 101) == new.key


def test_a_rotation_never_lengthens_a_keys_life(create, rotate, control):
    old = create(expires_ms=NOW_MS + 60_000)
    rotate(old.key.id)
    assert find_key(control, old.key.id).expires_ms == NOW_MS + 60_000


def test_a_rotated_key_lives_as_long_as_the_old_one_was_to_and_no_longer(create, control, next_id):
    """A key of an hour does not become one without an end."""
    old = create(expires_ms=NOW_MS + 3_600_000).key
    with control.transaction():
        later_ms = NOW_MS + 3_000_000
        new = rotate_key(
            control, old.id, old_expires_ms=later_ms, now_ms=later_ms, next_id=next_id,
            entropy=OTHER_CHANCE,
        ).key  # fmt: skip
    assert new.expires_ms == later_ms + 3_600_000


def test_a_rotation_with_no_time_left_ends_the_old_key_at_once(create, rotate, control):
    old = create()
    rotate(old.key.id, old_expires_ms=NOW_MS - 1)
    assert not find_key(control, old.key.id).usable(NOW_MS)


def test_a_revoked_key_opens_nothing_and_keeps_its_time(create, control):
    key_id = create().key.id
    with control.transaction():
        revoked = revoke_key(control, key_id, now_ms=NOW_MS + 1)
    assert revoked.revoked_ms == NOW_MS + 1
    assert not revoked.usable(NOW_MS + 1)
    before = control_contents(control)
    with control.transaction():
        assert revoke_key(control, key_id, now_ms=NOW_MS + 2) == revoked
    assert control_contents(control) == before


def test_a_key_that_opens_nothing_is_not_rotated(create, rotate, control):
    key_id = create().key.id
    with control.transaction():
        revoke_key(control, key_id, now_ms=NOW_MS)
    before = control_contents(control)
    assert rotate(key_id) == Refusal(
        "invalid_value", "key 100 is revoked or expired; make a new one instead"
    )
    assert control_contents(control) == before


def test_an_unknown_key_is_neither_found_nor_rotated_nor_revoked(rotate, control):
    before = control_contents(control)
    unknown = Refusal("unknown_key", "there is no key 5")
    assert find_key(control, 5) == unknown
    assert rotate(5) == unknown
    with control.transaction():
        assert revoke_key(control, 5, now_ms=NOW_MS) == unknown
    assert control_contents(control) == before


def test_a_switch_is_made_once(control, next_id):
    with control.transaction():
        switch = create_switch(
            control, name="Oslo 1", operator="Contoso Voice", now_ms=NOW_MS, next_id=next_id
        )
    assert switch == SWITCH._replace(id=100)
    assert find_switch(control, "Oslo 1") == switch
    assert list_switches(control) == [switch]
    before = control_contents(control)
    with control.transaction():
        again = create_switch(control, name="Oslo 1", operator="X", now_ms=1, next_id=next_id)
    assert again == Refusal("already_exists", "there is a switch named 'Oslo 1'")
    assert control_contents(control) == before


@pytest.mark.parametrize(
    ("name", "operator", "refused"),
    [
        ("", "Contoso Voice", "the switch's name must be 1 to 64"),
        ("Oslo\n1", "Contoso Voice", "the switch's name must be 1 to 64"),
        ("Oslo 1", "", "the operator must be 1 to 128"),
    ],
)
def test_a_malformed_switch_is_refused_and_nothing_is_made(
    control, next_id, name, operator, refused
):
    before = control_contents(control)
    with control.transaction():
        refusal = create_switch(
            control, name=name, operator=operator, now_ms=NOW_MS, next_id=next_id
        )
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == ("invalid_value", refused)
    assert control_contents(control) == before


def test_an_unknown_switch_is_not_found(control):
    assert find_switch(control, "Oslo 2") == Refusal(
        "unknown_switch", "no switch is named 'Oslo 2'"
    )


def test_keys_are_listed_oldest_first(create, control):
    first, second = create(), create(OTHER_CHANCE)
    assert list_keys(control) == [first.key, second.key]
    assert list_keys(control, after=first.key.id, limit=1) == [second.key]


def test_a_switch_opens_calls_and_quotes_alone(create):
    for scope in ("read", "billing", "operator"):
        assert create(scopes=["calls", scope]).code == "invalid_value"


def test_a_switchs_key_with_more_keeps_it_until_it_is_replaced(control, create, rotate):
    old = create().key
    for scopes, kept in ((["operator"], None), (["calls", "operator"], {"calls"})):
        with control.transaction():
            control.run("UPDATE api_key SET scopes = ?", [json.dumps(scopes)])
        assert find_key(control, old.id).scopes == set(scopes)
        new = rotate(old.id)
        if kept is None:
            assert new.code == "invalid_value"
        else:
            assert new.key.scopes == kept
