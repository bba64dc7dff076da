"""Numbers in the databases. Mirrors src/talktime/store/numbers.py."""

import pytest

from talktime.core.directory import NumberEntry
from talktime.store.numbers import (
    Reservation,
    end_reservation,
    insert_numbers,
    numbers_after,
    numbers_counted,
    numbers_of_digits,
    numbers_of_organisation,
    put_reservation,
    reservation_of,
    reservations_counted,
    update_number,
)
from tests.people import CONTOSO, NUMBER

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def pages(read, connection, seen=0):
    return [(page.rows, page.revision) for page in read(connection, seen)]


def test_numbers_are_read_back_as_they_were_written(store):
    control = store.control()
    service = NumberEntry("18005550199", CONTOSO.id, None, "toll_free")
    with control.transaction():
        insert_numbers(control, [NUMBER, service])
    asked = ["18005550199", "14255550100", "1"]
    assert sorted(numbers_of_digits(control, asked)) == [NUMBER, service]
    assert numbers_of_organisation(control, CONTOSO.id, "", 9) == [NUMBER, service]
    assert numbers_of_organisation(control, CONTOSO.id, "14255550100", 9) == [service]
    assert numbers_of_organisation(control, 1, "", 9) == []


def test_a_number_out_of_use_is_seen_as_such(store):
    control = store.control()
    with control.transaction():
        insert_numbers(control, [NUMBER])
    with control.transaction():
        update_number(control, NUMBER._replace(active=False, user_id=None))
    assert pages(numbers_after, control, 1) == [
        ([NumberEntry("14255550100", CONTOSO.id, None, "user", False)], 2)
    ]


def test_a_reservation_is_kept_until_its_time_and_forgotten_with_the_next(store):
    control = store.control()
    first, second = Reservation("1", 7, "user", 500), Reservation("2", 7, "toll", 900)
    with control.transaction():
        put_reservation(control, first, 100)
        put_reservation(control, second, 100)
        put_reservation(control, second._replace(until_ms=950), 100)
    assert reservation_of(control, "1") == first
    assert reservation_of(control, "2") == second._replace(until_ms=950)
    assert reservation_of(control, "3") is None
    assert reservations_counted(control, 7, 499, "") == {"user": 1, "toll": 1}
    assert reservations_counted(control, 7, 499, "2") == {"user": 1}
    assert reservations_counted(control, 7, 500, "") == {"toll": 1}
    assert reservations_counted(control, 8, 0, "") == {}
    with control.transaction():
        end_reservation(control, "3", 500)
    assert reservation_of(control, "1") is None
    with control.transaction():
        end_reservation(control, "2", 500)
    assert reservation_of(control, "2") is None


def test_numbers_in_use_are_counted_by_kind(store):
    control = store.control()
    with control.transaction():
        insert_numbers(
            control,
            [
                NUMBER,
                NUMBER._replace(digits="2"),
                NUMBER._replace(digits="3", kind="toll"),
                NUMBER._replace(digits="4", active=False),
                NUMBER._replace(digits="5", organisation_id=8),
            ],
        )
    assert numbers_counted(control, 7) == {"user": 2, "toll": 1}
