"""Pools of included minutes, for people. Mirrors src/talktime/operations/minute_pools.py."""

from itertools import count

import pytest

from talktime.core.catalogue import Catalogues
from talktime.core.directory import CallingRules, Organisation, User
from talktime.core.meters import COUNTERS
from talktime.core.payers import Payers
from talktime.operations.catalogue_seed import seed_entries
from talktime.operations.execute import execute
from talktime.operations.minute_pools import MinutePool, minute_pools
from talktime.store.users import insert_users
from tests.commands import NOW_MS, authorize, extend, settle
from tests.stores import ADD_WALLET

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CATALOGUE = Catalogues(seed_entries()).in_force(NOW_MS)
CONTOSO = Organisation(1, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")
BUNDLE = frozenset({"MCOTEAMS_ESSENTIALS"})
DOMESTIC = frozenset({"MCOEV", "MCOPSTN1"})
INTERNATIONAL = frozenset({"ENTERPRISEPREMIUM", "MCOPSTN2", "MCOMEETADV"})
EACH_THEIR_OWN = frozenset({"MCOEV", "MCOPSTN8"})
USERS = [("US", DOMESTIC), ("US", BUNDLE), ("PR", DOMESTIC), ("NO", INTERNATIONAL)]
USERS += [("GB", EACH_THEIR_OWN), ("GB", EACH_THEIR_OWN), ("US", frozenset({"MCOPSTN1"}))]

ADD_METER = "INSERT INTO meter (organisation_id, key, used, held, total) VALUES (?, ?, ?, ?, ?)"


@pytest.fixture
def cell(store):
    """Contoso's users, in their cell."""
    cell = store.cell()
    users = [
        User(70 + n, 1, f"user{n}@contoso.example", "User", place, licences, "person", True)
        for n, (place, licences) in enumerate(USERS)
    ]
    with cell.transaction():
        cell.run(ADD_WALLET, [1, "USD"])
        insert_users(cell, users)
    return cell


def pools_of(cell, organisation=CONTOSO):
    with cell.reading():
        return {pool.key: pool for pool in minute_pools(cell, organisation, CATALOGUE, NOW_MS)}


def test_pools_are_by_area_plan_and_counter_and_as_large_as_licences_make_them(cell):
    """R31, R36, R37, R38, R45, R51: PR joins the US, bundles count, a plan without a phone
    licence does not, and nobody counts twice."""
    found = {key: (pool.members, pool.total_s // 60) for key, pool in pools_of(cell).items()}
    month = "2026-01/minutes"
    assert found == {
        f"{month}/MCOMEETADV/all/conference": (1, 60),
        f"{month}/MCOPSTN1/US/domestic": (3, 3000 + 3000 + 1200),
        f"{month}/MCOPSTN2/NO/domestic": (1, 1200),
        f"{month}/MCOPSTN2/NO/international": (1, 600),
        f"{month}/MCOPSTN8/GB/domestic/74": (1, 120),
        f"{month}/MCOPSTN8/GB/domestic/75": (1, 120),
    }


def test_what_is_used_and_held_and_when_it_ran_low_is_told(cell):
    key, ids = "2026-01/minutes/MCOPSTN2/NO/international", count(900).__next__
    payers = Payers(pool=key, free_capability="MCOPSTN2")
    ask = {"payers": payers, "pool_total_s": 36_000}
    with cell.transaction():
        commands = [authorize("C1", **ask), authorize("C2", **ask), extend("C1", used_s=300)]
        execute(cell, [*commands, settle("C1", sequence=2, used_s=301)], NOW_MS, ids)
    assert pools_of(cell)[key] == MinutePool(key, 1, 36_000, 360, 300, None, None)
    assert pools_of(cell)[key].left_s == 35_340


def test_the_minutes_of_a_plan_end_with_its_other_counter_unless_they_are_counted_apart(cell):
    """R42, D12."""
    domestic, abroad = (f"2026-01/minutes/MCOPSTN2/NO/{each}" for each in COUNTERS[:2])
    with cell.transaction():
        cell.run(ADD_METER, [1, abroad, 35_940, 60, 36_000])
    assert [pools_of(cell)[key].ended_by for key in (domestic, abroad)] == ["", ""]
    with cell.transaction():
        cell.run("UPDATE meter SET used = 36000, held = 0 WHERE organisation_id = ?", [1])
    pools = pools_of(cell)
    assert (pools[domestic].left_s, pools[domestic].ended_by) == (0, abroad)
    assert (pools[abroad].left_s, pools[abroad].ended_by) == (0, "")
    apart = CONTOSO._replace(rules=CallingRules(independent_counters=True))
    assert pools_of(cell, apart)[domestic].left_s == 72_000
