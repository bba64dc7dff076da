"""Money in, with everything going wrong: the thousand histories after those of test_money_in.py,
whose words say how one is replayed."""

import pytest

from tests.invariants.test_money_in import BLOCKS, SEEDS, history
from tests.stores import Stores

COUNT = SEEDS["sqlite"]


@pytest.mark.parametrize("block", range(BLOCKS, 2 * BLOCKS))
def test_what_the_bank_takes_is_what_is_credited_in_further_histories_too(
    stores: Stores, block: int
) -> None:
    """R14-R20, D1-D3: as in test_money_in.py."""
    seeds = range(block * COUNT, (block + 1) * COUNT)
    assert sum(history(stores, "sqlite", seed) for seed in seeds) > 0
