"""Money in through the sandbox that is built in, with everything going wrong: seeded histories as
in test_money_in.py, proven against what the sandbox itself has charged.

A failing seed is named with what happened in it; it replays alone with

    make test ARGS="tests/invariants/test_sandbox_money_in.py --seed 123"
"""

import pytest

from tests.invariants.sandbox_world import SandboxWorld
from tests.invariants.test_money_in import history
from tests.stores import Stores

SEEDS = {"sqlite": 30, "postgres": 1}
BLOCKS = 4


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("layout", sorted(SEEDS))
def test_what_the_sandbox_charges_is_what_is_credited_whatever_its_switches_do(
    stores: Stores, layout: str, block: int, pytestconfig: pytest.Config
) -> None:
    """R14-R20, D1-D3: as in test_money_in.py, with the provider of the product."""
    chosen = pytestconfig.getoption("--seed")
    count = SEEDS[layout]
    seeds = range(block * count, (block + 1) * count) if chosen is None else [int(chosen)]
    crashes = sum(history(stores, layout, seed, SandboxWorld) for seed in seeds)
    assert crashes > 0 or chosen is not None or count == 1
