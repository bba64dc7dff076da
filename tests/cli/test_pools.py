"""`talktime pools`. Mirrors src/talktime/cli/pools.py."""

from talktime.clock import now_ms
from talktime.core.meters import month_of
from talktime.core.post_usage import month_before, month_start_ms
from talktime.store.organisations import organisation_named
from tests.lively_books import Player

MONTHLY = ("MCOEV", "MCOPSTN1")


def test_the_pools_of_an_organisation_are_shown_with_who_shares_them(shell, contoso):
    licences = [word for code in MONTHLY for word in ("--licence", code)]
    shell.json("user", "create", "Contoso", "sales@contoso.example", *licences)
    [pool] = shell.json("pools", "Contoso")["pools"]
    assert pool["pool"].endswith("/minutes/MCOPSTN1/US/domestic")
    assert {name: value for name, value in pool.items() if name != "pool"} == {
        "area": "US",
        "licence": "MCOPSTN1",
        "description": "Domestic Calling Plan",
        "counter": "domestic",
        "capability": "MCOPSTN1",
        "users": 1,
        "total_seconds": 180_000,
        "used_seconds": 0,
        "held_seconds": 0,
        "left_seconds": 180_000,
        "warned_at": None,
        "used_up_at": None,
        "ended_by": None,
    }


def test_the_pools_of_an_earlier_month_are_shown_as_they_were_used(shell, store, contoso):
    owner = organisation_named(store.control(), "Contoso")
    now = month_of(now_ms())
    month = month_before(now)
    player = Player(store.cell(), month_start_ms(month), 77)
    key = f"{month}/minutes/MCOPSTN1/US/domestic"
    player.call(owner.id, "a", 61, pool=key)
    [pool] = shell.json("pools", "Contoso", "--month", month)["pools"]
    assert (pool["pool"], pool["used_seconds"], pool["total_seconds"]) == (key, 120, 600)
    assert (pool["users"], pool["held_seconds"]) == (0, 0)
    assert shell.json("pools", "Contoso", "--month", now)["pools"] == []
    empty = shell("pools", "Contoso", "--month", "2020-01")
    assert "No included minutes were used in 2020-01." in empty
    assert "2199-01 has not begun" in shell.error("pools", "Contoso", "--month", "2199-01")
    assert "a month is written as" in shell.error("pools", "Contoso", "--month", "2020-13")
