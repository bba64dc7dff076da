"""Money in, with everything going wrong: a thousand seeded histories here, another thousand in
test_money_in_further.py, so that two processes share them.

A failing seed is named with what happened in it; it replays alone with

    make test ARGS="tests/invariants/test_money_in.py --seed 123"
"""

import pytest

from tests.invariants.money_proof import hold_always, hold_at_the_end
from tests.invariants.money_world import World
from tests.stores import Stores

STEPS = 40
SEEDS = {"sqlite": 100, "postgres": 2}
BLOCKS = 10


def history(stores: Stores, layout: str, seed: int, made: type[World] = World) -> int:
    """Play one history and prove it; how often the process was killed in it."""
    store = stores.make(layout)
    try:
        world = made(store, seed)
        try:
            world.play(STEPS, lambda: hold_always(world))
            world.heal()
            hold_at_the_end(world)
        except BaseException as error:
            error.add_note(f"seed {seed} on {layout}:\n" + "\n".join(world.told))
            raise
        return world.crashes
    finally:
        stores.drop(store)


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("layout", sorted(SEEDS))
def test_what_the_bank_takes_is_what_is_credited_whatever_happens(
    stores: Stores, layout: str, block: int, pytestconfig: pytest.Config
) -> None:
    """R14-R20, D1-D3: after every history, what was charged is what was bought; at most one open
    attempt at any time; no credit without payment, no payment without credit; books clean."""
    chosen = pytestconfig.getoption("--seed")
    count = SEEDS[layout]
    seeds = range(block * count, (block + 1) * count) if chosen is None else [int(chosen)]
    crashes = sum(history(stores, layout, seed) for seed in seeds)
    assert crashes > 0 or chosen is not None
