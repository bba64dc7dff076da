"""Who was blocked, and when. Mirrors src/talktime/operations/blocked_users.py."""

import pytest

from talktime.core.audit import Actor
from talktime.core.directory import NumberEntry
from talktime.operations.audit import acting
from talktime.operations.blocked_users import blocked_users
from talktime.operations.user_changes import UserChange
from talktime.operations.users import change_user, create_user
from talktime.store.numbers import insert_numbers
from tests.shop import Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
ADMIN = Actor("account", "admin@contoso.example", "192.0.2.7")
DESK, HALL = "desk@contoso.example", "hall@contoso.example"


@pytest.fixture
def shop(store):
    return Shop(store)


def change(shop, name, make=change_user, **more):
    """A user is made or changed by the admin, a second later."""
    shop.now_ms += 1_000
    how = {"next_id": shop.ids.next} if make is create_user else {}
    catalogue = shop.catalogue()
    with acting(ADMIN, lambda: shop.now_ms, shop.ids.next), shop.cell.transaction():
        return make(
            shop.cell, shop.organisation, UserChange(name, **more), catalogue=catalogue, **how
        )


def blocked(shop, **more):
    return blocked_users(shop.control, shop.cell, shop.organisation.id, **more)


def log_of(shop, **more):
    return [(each.name, each.blocked, each.at_ms) for each in blocked(shop, **more)]


def test_each_time_a_user_is_blocked_or_let_call_again_is_kept_for_good(shop):
    """R84: append-only, blocked and unblocked, with when."""
    began_ms = shop.now_ms
    desk = change(shop, DESK, create_user, display_name='Front desk "active": false')
    change(shop, HALL, create_user, active=False)
    change(shop, DESK, active=False)
    change(shop, DESK, display_name="Front desk")
    change(shop, DESK, active=True)
    change(shop, DESK, active=True)
    log = [
        (DESK, False, began_ms + 5_000),
        (DESK, True, began_ms + 3_000),
        (HALL, True, began_ms + 2_000),
    ]
    assert log_of(shop) == log
    assert log_of(shop, limit=1) == log[:1]
    first = blocked(shop, limit=1)[0]
    assert log_of(shop, before=(first.at_ms, first.id)) == log[1:]
    assert log_of(shop, from_ms=began_ms + 2_001) == log[:2]
    now = desk._replace(display_name="Front desk")
    assert (first.actor, first.user, first.digits) == (ADMIN.name, now, "")
    assert blocked_users(shop.control, shop.cell, shop.organisation.id + 1) == []


def test_why_somebody_is_blocked_is_kept_with_that_alone(shop):
    """R84."""
    change(shop, DESK, create_user, reason="made by mistake")
    change(shop, DESK, display_name="Front desk", reason="a new name")
    change(shop, DESK, active=False, reason='lost, with "active": true')
    change(shop, DESK, active=False, reason="still lost")
    change(shop, DESK, active=True)
    change(shop, HALL, create_user, active=False, reason="opens in May")
    assert [(each.name, each.blocked, each.reason) for each in blocked(shop)] == [
        (HALL, True, "opens in May"),
        (DESK, False, ""),
        (DESK, True, 'lost, with "active": true'),
    ]


@pytest.mark.parametrize("reason", ["two\nlines", " around ", "x" * 501])
def test_a_reason_that_cannot_be_kept_is_refused_and_nobody_is_blocked(shop, reason):
    change(shop, DESK, create_user)
    refused = change(shop, DESK, active=False, reason=reason)
    assert refused.code == "invalid_value"
    assert refused.detail.startswith("the reason must be 1 to 500 printable characters")
    assert blocked(shop) == []


def test_the_log_has_the_first_number_in_use_of_the_user(shop):
    desk = change(shop, DESK, create_user, active=False)
    numbers = [
        NumberEntry("14255550100", shop.organisation.id, desk.id, "user", False),
        NumberEntry("14255550102", shop.organisation.id, desk.id, "user", True),
        NumberEntry("14255550101", shop.organisation.id, desk.id, "user", True),
    ]
    with shop.control.transaction():
        insert_numbers(shop.control, numbers)
    assert [each.digits for each in blocked(shop)] == ["14255550101"]
