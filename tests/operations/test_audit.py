"""Who changed what stands beside the change. Mirrors src/talktime/operations/audit.py."""

import json

import pytest

from talktime.core.audit import SERVICE, Actor
from talktime.operations.audit import acting, note
from talktime.operations.recharge_settings import RechargePlan, set_alerts, set_recharge
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
ADMIN = Actor("account", "admin@contoso.example", "192.0.2.7")
ENTRIES = "SELECT actor_kind, actor, place, action, before, after FROM audit_entry ORDER BY id"
PLAN = RechargePlan(True, 100 * UNIT, 200 * UNIT)


@pytest.fixture
def shop(store):
    made = Shop(store)
    made.give(500 * UNIT)
    return made


def entries(shop):
    with shop.cell.reading():
        rows = shop.cell.rows(ENTRIES)
    return [(*row[:4], json.loads(row[4]), json.loads(row[5])) for row in rows]


def by(shop, actor=ADMIN):
    return acting(actor, lambda: shop.now_ms, shop.ids.next)


def test_a_change_is_kept_with_who_made_it_and_what_differs(shop):
    with by(shop):
        set_recharge(shop.counter, PLAN, actor="admin", why_not=None)
        set_recharge(
            shop.counter, PLAN._replace(trigger_micros=50 * UNIT), actor="admin", why_not=None
        )
    first, second = entries(shop)
    assert first[:4] == ("account", "admin@contoso.example", "192.0.2.7", "recharge.set")
    assert (first[4], first[5]["trigger_micros"]) == ({}, 100 * UNIT)
    assert second[4:] == ({"trigger_micros": 100 * UNIT}, {"trigger_micros": 50 * UNIT})


def note_and_fail(shop):
    with shop.cell.transaction():
        note(shop.cell, 7, "alerts.set", always=True)
        raise KeyError


def test_what_is_refused_or_rolled_back_is_not_kept(shop):
    with by(shop):
        set_alerts(shop.counter, {-1})
        with pytest.raises(KeyError):
            note_and_fail(shop)
    assert entries(shop) == []


def test_what_the_service_does_by_itself_leaves_no_entry(shop):
    set_alerts(shop.counter, {UNIT})
    with by(shop, SERVICE):
        set_alerts(shop.counter, {2 * UNIT})
    assert entries(shop) == []


def test_what_does_not_differ_is_kept_only_where_it_is_asked_for(shop):
    with by(shop), shop.cell.transaction():
        note(shop.cell, 7, "alerts.set", before={"a": 1}, after={"a": 1})
        note(shop.cell, 7, "alerts.set", before={"a": 1}, after={"a": 1}, always=True)
    ((*_, before, after),) = entries(shop)
    assert (before, after) == ({}, {})
