"""Organisations in the databases. Mirrors src/talktime/store/organisations.py."""

import pytest

from talktime.core.directory import CallingRules
from talktime.store.organisations import (
    first_funded_ms,
    insert_organisation,
    insert_wallet,
    organisation_named,
    organisation_of_id,
    organisations_after,
    organisations_by_name,
    update_organisation,
)
from talktime.store.revisions import DIRECTORY, revisions
from tests.people import CONTOSO, ODD_TEXT

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def pages(read, connection, seen=0):
    return [(page.rows, page.revision) for page in read(connection, seen)]


def test_an_organisation_is_read_back_as_it_was_written(store):
    control = store.control()
    odd = CONTOSO._replace(id=2**62, name=ODD_TEXT)
    with control.transaction():
        insert_organisation(control, odd, 5)
    assert organisation_of_id(control, 2**62) == odd
    assert organisation_named(control, ODD_TEXT) == odd
    assert pages(organisations_after, control) == [([odd], 1)]
    assert organisation_of_id(control, 1) is None
    assert organisation_named(control, "contoso") is None


def test_an_organisations_change_is_seen_after_the_revision_before_it(store):
    control = store.control()
    with control.transaction():
        insert_organisation(control, CONTOSO, 5)
    changed = CONTOSO._replace(active=False, rate_card="winter")
    with control.transaction():
        update_organisation(control, changed)
    assert pages(organisations_after, control, 1) == [([changed], 2)]
    assert pages(organisations_after, control, 2) == []
    assert revisions(control)[DIRECTORY] == 2


def test_organisations_are_listed_by_name_a_page_at_a_time(store):
    control = store.control()
    with control.transaction():
        for number, name in enumerate(("b", "c", "a"), 1):
            insert_organisation(control, CONTOSO._replace(id=number, name=name), 5)
    assert [each.name for each in organisations_by_name(control, "", 2)] == ["a", "b"]
    assert [each.name for each in organisations_by_name(control, "b", 2)] == ["c"]


def test_a_new_wallet_is_empty(store):
    cell = store.cell()
    with cell.transaction():
        insert_wallet(cell, 7, "NOK")
    assert cell.rows("SELECT organisation_id, currency, balance_micros FROM wallet") == [
        (7, "NOK", 0)
    ]


def test_an_organisations_rules_are_read_back_as_they_were_written(store):
    control = store.control()
    rules = CallingRules(
        "DialoutCPCandPSTNDomestic", frozenset(("US", "CA")), frozenset(("RU",)), 25_000_000, True,
        10**9, True,
    )  # fmt: skip
    with control.transaction():
        insert_organisation(control, CONTOSO, 5)
        update_organisation(control, CONTOSO._replace(commerce_model="draining", rules=rules))
    read = organisation_of_id(control, CONTOSO.id)
    assert (read.commerce_model, read.rules) == ("draining", rules)
    with control.transaction():
        update_organisation(control, CONTOSO)
    assert control.rows("SELECT calling_rules FROM organisation") == [("{}",)]


def test_a_wallet_says_when_it_was_funded_first(store):
    cell = store.cell()
    with cell.transaction():
        insert_wallet(cell, 7, "NOK")
        assert first_funded_ms(cell, 7) is None
        cell.run("UPDATE wallet SET first_funded_ms = 5")
    assert first_funded_ms(cell, 7) == 5
    assert first_funded_ms(cell, 8) is None
