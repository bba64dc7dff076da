"""Pools by counts of licences. Mirrors src/talktime/operations/pool_sizes.py."""

from talktime.operations.pool_sizes import after_moves, pool_sizes
from talktime.store.user_search import HeldSet
from tests.people import CATALOGUE, CONTOSO, NOW_MS


def held(licences, users, place="US", active=True):
    return HeldSet(place, "person", active, frozenset(licences.split()), users)


def sizes(*sets):
    return {
        (each.licence, each.area, each.counter): (each.users, each.minutes, each.each)
        for each in pool_sizes(CONTOSO, CATALOGUE, sets, NOW_MS)
    }


def test_pools_grow_with_the_users_that_share_them():
    """R36, R38, R45, R51; those who are switched off have their licences."""
    found = sizes(
        held("MCOEV MCOPSTN5", 60),
        held("MCOEV MCOPSTN5 MCOMEETADV", 40, active=False),
        held("MCOEV MCOPSTN2", 2, "NO"),
        held("MCOMEETADV", 75, "ZW"),
        held("", 9),
    )
    assert found == {
        ("MCOPSTN5", "US", "domestic"): (100, 12_000, False),
        ("MCOPSTN2", "NO", "domestic"): (2, 2_400, False),
        ("MCOPSTN2", "NO", "international"): (2, 1_200, False),
        ("MCOMEETADV", "all", "conference"): (115, 6_900, False),
    }


def test_a_plan_that_is_not_pooled_has_minutes_for_each():
    """R37."""
    assert sizes(held("MCOEV MCOPSTN8", 3)) == {("MCOPSTN8", "US", "domestic"): (3, 120, True)}


def test_moving_users_to_other_licences_resizes_the_pools():
    before = [held("MCOEV MCOPSTN1", 3)]
    moved = after_moves(
        before, [(held("MCOEV MCOPSTN1", 1), held("MCOEV", 1)), (None, held("MCOEV MCOPSTN1", 1))]
    )
    assert sizes(*before) == sizes(*moved)
    assert sizes(*after_moves(before, [(before[0], held("", 3))])) == {}
