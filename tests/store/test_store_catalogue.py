"""The catalogue in the database. Mirrors src/talktime/store/catalogue.py and
catalogue_bodies.py."""

import json
from itertools import count

import msgspec
import pytest
from hypothesis import given

from talktime.core.catalogue import Country, Entry, Licence, Minutes, Setting, Value
from talktime.store.catalogue import (
    CATALOGUE,
    CATALOGUE_ROW,
    load_catalogues,
    write_entries,
)
from talktime.store.catalogue_bodies import body_text, parsed_body, value_of
from talktime.store.database import Connection
from talktime.store.directory import lock
from tests import catalogues
from tests.stores import Store

next_id = count(1_001).__next__


def write(control: Connection, new: list[Entry], replaced: list[Entry]) -> None:
    with control.transaction():
        lock(control, CATALOGUE)
        write_entries(control, new, replaced, next_id)


@given(catalogues.entries())
def test_a_body_is_read_back_as_the_value_that_it_was(entry: Entry) -> None:
    assert parsed_body(entry.kind, body_text(entry.value)) == entry.value


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (Country("NO"), '{"code":"NO"}'),
        (Country("NO", credits=False), '{"code":"NO","credits":false}'),
        (Setting("a", ""), '{"name":"a","value":""}'),
        (
            Licence(
                *("L", "n", frozenset({"b", "a"}), ("z", "y"), (frozenset({"d", "c"}),)),
                minutes={"US": Minutes(1), "CA": Minutes(0, 0, 2)},
            ),
            (
                '{"code":"L","name":"n","features":["a","b"],"includes":["z","y"],'
                '"requires":[["c","d"]],"minutes":{"CA":{"conference":2},"US":{"domestic":1}}}'
            ),
        ),
    ],
)
def test_equal_values_have_one_body_without_what_is_default(value: Value, body: str) -> None:
    assert body_text(value) == body


def test_an_entry_that_takes_its_code_out_has_no_body() -> None:
    assert body_text(None) == ""
    assert parsed_body("country", "") is None


@pytest.mark.parametrize(
    "body", ['{"code":"NO","zone_a":"true"}', '{"code":"NO","colour":1}', "{}", '{"code":7}']
)
def test_a_body_that_nobody_here_wrote_is_not_taken(body: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        value_of("country", json.loads(body))


@pytest.mark.layouts("sqlite", "postgres")
def test_entries_are_written_and_others_anew_in_one_revision(store: Store) -> None:
    control = store.control()
    before = load_catalogues(control).entries
    odd = Entry("country", "IS", 5, Country("IS", payg_zone='"Zön\\e" 東京'))
    gone, moved = Entry("country", "SE", 7, None), Entry("country", "NO", 0, Country("NO"))
    write(control, [odd, gone], [moved])
    others = [entry for entry in before if entry[:3] != moved[:3]]
    expected = sorted([*others, odd, gone, moved], key=lambda entry: entry[:3])
    assert sorted(load_catalogues(control).entries, key=lambda entry: entry[:3]) == expected
    revised = "SELECT kind, code, valid_from_ms FROM catalogue_row WHERE revision = 2 ORDER BY code"
    assert control.rows(revised) == [odd[:3], moved[:3], gone[:3]]
    assert control.rows("SELECT value FROM revision WHERE name = 'catalogue'") == [(2,)]


@pytest.mark.layouts("sqlite", "postgres")
def test_the_columns_written_are_the_columns_of_the_catalogue(store: Store) -> None:
    control = store.control()
    if control.dialect == "sqlite":
        found = [name for _, name, *_ in control.rows("PRAGMA table_info(catalogue_row)")]
    else:
        rows = control.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'catalogue_row' "
            "AND table_schema = current_schema() ORDER BY ordinal_position"
        )
        found = [name for (name,) in rows]
    assert found == list(CATALOGUE_ROW.columns)
