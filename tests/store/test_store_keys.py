"""Switches and keys in the control plane. Mirrors src/talktime/store/keys.py."""

import pytest

from talktime.core.keys import ApiKey
from talktime.store.keys import (
    Switch,
    insert_key,
    insert_switch,
    key_of_hash,
    key_of_id,
    keys_after,
    keys_by_id,
    keys_of_switch,
    switch_named,
    switch_of_id,
    switches_by_name,
    update_key,
)
from talktime.store.revisions import revisions

pytestmark = pytest.mark.layouts("sqlite", "postgres")

SWITCH = Switch(3, "Oslo 1", "Contoso Voice", 5)
KEY = ApiKey(4, SWITCH.id, "main", "ab" * 32, frozenset({"calls", "quotes"}), None, None)


def pages(connection, seen=0):
    return [(page.rows, page.revision) for page in keys_after(connection, seen)]


def test_a_switch_is_found_by_its_id_and_its_keys_newest_first(store):
    control = store.control()
    other = SWITCH._replace(id=5, name="Bergen 1")
    with control.transaction():
        insert_switch(control, SWITCH)
        insert_switch(control, other)
        insert_key(control, KEY, 5)
        insert_key(control, KEY._replace(id=6, secret_hash="cd" * 32), 5)
        insert_key(control, KEY._replace(id=7, secret_hash="ef" * 32, switch_id=5), 5)
    assert (switch_of_id(control, 5), switch_of_id(control, 4)) == (other, None)
    assert [key.id for key in keys_of_switch(control, SWITCH.id, 9, 9)] == [6, 4]
    assert [key.id for key in keys_of_switch(control, SWITCH.id, 9, 1)] == [6]
    assert keys_of_switch(control, SWITCH.id, 6, 9) == [KEY]


def test_a_switch_is_found_by_its_name(store):
    control = store.control()
    with control.transaction():
        insert_switch(control, SWITCH)
        insert_switch(control, SWITCH._replace(id=5, name="Bergen 1"))
    assert switch_named(control, "Oslo 1") == SWITCH
    assert switch_named(control, "Oslo") is None
    assert [each.name for each in switches_by_name(control, "", 9)] == ["Bergen 1", "Oslo 1"]
    assert switches_by_name(control, "Bergen 1", 9) == [SWITCH]


def test_a_key_is_read_back_as_it_was_written(store):
    control = store.control()
    limited = KEY._replace(
        id=6, secret_hash="cd" * 32, scopes=frozenset({"quotes"}), expires_ms=9, revoked_ms=8
    )
    with control.transaction():
        insert_key(control, KEY, 5)
        insert_key(control, limited, 5)
    assert key_of_id(control, 4) == KEY
    assert key_of_hash(control, "cd" * 32) == limited
    assert keys_by_id(control, 0, 9) == [KEY, limited]
    assert keys_by_id(control, 4, 9) == [limited]
    assert key_of_id(control, 1) is None
    assert key_of_hash(control, "ef" * 32) is None


def test_a_keys_end_is_seen_after_the_revision_before_it(store):
    control = store.control()
    with control.transaction():
        insert_key(control, KEY, 5)
    revoked = KEY._replace(expires_ms=20, revoked_ms=10)
    with control.transaction():
        update_key(control, revoked)
    assert pages(control) == [([revoked], 2)]
    assert pages(control, 1) == [([revoked], 2)]
    assert pages(control, 2) == []
    assert revisions(control)["keys"] == 2
