"""Which users are found, on both databases. Mirrors src/talktime/operations/find_users.py."""

from itertools import count

import pytest

from talktime.operations.csv_rows import RowErrors
from talktime.operations.find_users import Sought, all_found, find_users
from talktime.operations.licence_groups import create_group
from talktime.operations.users import UserRow, put_users
from tests.people import CATALOGUE, CONTOSO, FABRIKAM, ODD_TEXT, change

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def people(store):
    cell = store.cell()
    ids = count(1).__next__
    with cell.transaction():
        create_group(
            cell, CONTOSO, name="a.b", licences=frozenset({"MCOMEETADV"}),
            catalogue=CATALOGUE, next_id=ids,
        )  # fmt: skip
        groups = {CONTOSO: frozenset({"a.b"}), FABRIKAM: frozenset()}
        for owner in groups:
            rows = [
                change("ann", "MCOEV MCOPSTN1", display_name=ODD_TEXT),
                change("bob", "MCOEV", display_name="Ökonomie", usage_location="DE"),
                change("cid", "", active=False, join=groups[owner]),
                change("dot", "PHONESYSTEM_VIRTUALUSER", kind="resource_account"),
            ]  # fmt: skip
            put_users(
                *(cell, owner, [UserRow(at, row) for at, row in enumerate(rows)], RowErrors()),
                catalogue=CATALOGUE,
                next_id=ids,
            )
    return cell


FOUND = {
    Sought(): "ann bob cid dot",
    Sought("O"): "ann bob dot",
    Sought("Ök"): "bob",
    Sought("東京"): "ann",
    Sought('"'): "ann",
    Sought("%"): "",
    Sought(licence="MCOEV"): "ann bob",
    Sought(licence="MCO"): "",
    Sought(licence="none"): "",
    Sought("b", licence="MCOEV"): "bob",
    Sought(group="a.b"): "cid",
    Sought("x", group="a.b"): "",
    Sought(group="axb"): "",
    Sought(usage_location="DE"): "bob",
    Sought(kind="resource_account"): "dot",
    Sought(active=False): "cid",
    Sought(active=True, licence="MCOMEETADV"): "",
    Sought(lacking=True): "",
    Sought("\0"): "",
}


def test_users_are_found_by_what_is_asked_and_no_others(people):
    for sought, names in FOUND.items():
        with people.reading():
            found = find_users(people, CONTOSO, sought, catalogue=CATALOGUE, limit=9)
        assert [each.user.name for each in found] == names.split(), sought
        assert {each.user.organisation_id for each in found} <= {CONTOSO.id}


def test_pages_follow_each_other_by_name(people):
    for sought in (Sought(), Sought(kind="person", usage_location="US"), Sought("n")):
        with people.reading():
            whole = list(all_found(people, CONTOSO, sought, catalogue=CATALOGUE, at_most=9))
            first = find_users(people, CONTOSO, sought, catalogue=CATALOGUE, limit=1)
            after = first[0].user.name
            rest = find_users(people, CONTOSO, sought, catalogue=CATALOGUE, after=after, limit=9)
        assert [*first, *rest] == whole
