"""What a batch of calls gives occasion to tell, written with it."""

import json
from dataclasses import replace

import pytest

from talktime.core.meters import month_of
from talktime.core.payers import Payers
from talktime.operations.execute import execute
from talktime.store.database import Connection
from talktime.store.users import insert_users
from tests.commands import NOW_MS, authorize, fund
from tests.lively_books import Player
from tests.people import FRONT_DESK
from tests.stores import Store

TOLD = "SELECT kind, key, facts FROM outbox ORDER BY id"
MONTH = month_of(NOW_MS)
POOL = "2026-01/minutes/P/US/domestic"


def told(cell: Connection) -> list[tuple[str, str, dict[str, object]]]:
    return [(kind, key, json.loads(facts)) for kind, key, facts in cell.rows(TOLD)]


@pytest.mark.layouts("sqlite", "postgres")
def test_a_pool_used_to_80_percent_and_whole_is_told_once_each(store: Store) -> None:
    """R27: 600 s of minutes; the second call crosses both."""
    store.add_wallet(1, cell="main")
    player = Player(store.cell())
    for number, used_s in enumerate((420, 60, 120, 60)):
        player.call(1, f"c{number}", used_s, pool=POOL)
    kinds = [
        (key.rpartition("/")[2], facts["used_s"])
        for kind, key, facts in told(player.connection)
        if kind == "pool.warning"
    ]
    assert kinds == [("80", 480), ("100", 600)]


@pytest.mark.layouts("sqlite", "postgres")
def test_who_reaches_the_spend_limit_is_told_by_name_once_a_month(store: Store) -> None:
    """R50, D4: each refused call would tell again; one notice is kept."""
    store.add_wallet(7, cell="main")
    cell, ids = store.cell(), iter(range(10**6, 2 * 10**6))
    limited = Payers(spending=f"{MONTH}/spending/{FRONT_DESK.id}", spend_limit_micros=5)
    with cell.transaction():
        insert_users(cell, [FRONT_DESK])
    commands = [fund(10_000_000, "k", organisation_id=7)]
    commands += [
        replace(authorize(f"c{n}", organisation_id=7, payers=limited), user_id=FRONT_DESK.id)
        for n in range(3)
    ]
    with cell.transaction():
        done = execute(cell, commands, NOW_MS, lambda: next(ids))
    assert [each.status for each in done] == [200, 403, 403, 403]
    [(kind, key, facts)] = told(cell)
    assert (kind, facts["user"], facts["limit_micros"]) == (
        "spend_limit.reached",
        FRONT_DESK.display_name,
        5,
    )
    assert key == f"spend_limit.reached/{MONTH}/{FRONT_DESK.id}"
