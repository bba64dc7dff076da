"""`talktime pools`. Mirrors src/talktime/cli/pools.py."""

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
