"""The outbox and its deliveries. Mirrors src/talktime/store/notices.py and store/deliveries.py."""

import pytest

from talktime.core.deliveries import Next
from talktime.core.ids import Ids
from talktime.core.notices import notice
from talktime.store import deliveries, notices
from talktime.store.deliveries import Delivery
from tests.store.test_statements import columns_in

pytestmark = pytest.mark.layouts("sqlite", "postgres")
ODD = 'C\u00f4te "d\'Or" \\ {\u6771\u4eac}, null'


def zero(owner, key):
    return notice(owner, "webhook.disabled", key, 5, url=ODD, detail="", endpoint_id=2**62)


def take(cell, now_ms, until_ms, of_each_max):
    """Choose what is due, then take it."""
    ids = deliveries.due_deliveries(
        cell, now_ms, looked_at_max=1_000, of_each_max=of_each_max, rows_max=64
    )
    return deliveries.take_deliveries(cell, ids, now_ms, until_ms)


@pytest.mark.parametrize("table", [notices.OUTBOX, deliveries.DELIVERY], ids=lambda one: one.name)
def test_the_columns_that_are_written_are_those_of_the_migrated_schema(store, table):
    assert set(table.columns) == set(columns_in(store.cell(), table.name))


def test_a_key_is_told_once_in_each_organisation_and_read_back_as_it_was(store):
    cell, ids = store.cell(), Ids(1, lambda: 0)
    with cell.transaction():
        first = [zero(1, "a"), zero(1, "b"), zero(2, "a")]
        assert notices.insert_notices(cell, first, ids.next) == 3
    with cell.transaction():
        assert notices.insert_notices(cell, [zero(1, "b"), zero(1, "c")], ids.next) == 1
        page = notices.notices_to_spread(cell, 10)
        assert [each.notice for each in page] == [*first, zero(1, "c")]
        assert notices.set_spread(cell, page[:2], 9) == 2
        assert notices.set_spread(cell, page[:2], 10) == 0
        assert [each.id for each in notices.notices_to_spread(cell, 10)] == [
            each.id for each in page[2:]
        ]


def test_of_each_target_only_a_few_are_taken_and_nothing_twice(store):
    cell = store.cell()
    rows = [
        Delivery(number, 1, number, "webhook", target, "due", 0, "", number, None)
        for number, target in enumerate(["slow"] * 6 + ["other"], 1)
    ]
    with cell.transaction():
        deliveries.insert_deliveries(cell, rows)
        deliveries.insert_deliveries(cell, rows[:1])
    with cell.transaction():
        taken = take(cell, 100, 500, 4)
        assert [each.id for each in taken] == [1, 2, 3, 4, 7]
        assert {(each.tries, each.tried_ms, each.due_ms) for each in taken} == {(1, 100, 500)}
        again = take(cell, 100, 500, 4)
        assert [each.id for each in again] == [5, 6]
    with cell.transaction():
        sent = Next("sent", 1, "204", None)
        assert deliveries.finish_delivery(cell, taken[0], sent)
        assert not deliveries.finish_delivery(cell, taken[0], sent)
        assert not deliveries.finish_delivery(cell, taken[1]._replace(tries=2), sent)
        assert deliveries.taken_since(cell, 1, 0, 0) is False
        assert [each.id for each in take(cell, 500, 900, 9)] == [2, 3, 4, 5, 6, 7]
