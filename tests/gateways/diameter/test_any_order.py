"""However a call's requests are cut, repeated and ordered, the same is booked."""

from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateways.diameter.asked import INITIAL, TERMINATION, UPDATE, credit
from tests.gateways.diameter.serving import CALLEE, CALLER, charging
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite")
CREDITS_S = 1_000_000

reports = st.lists(st.integers(0, 40), min_size=1, max_size=6)


def test_any_split_repetition_and_order_of_updates_books_the_same(store: Store) -> None:
    with charging(store, seconds=CREDITS_S) as served:
        client, numbers, spent = served.client(), count(1), [0]

        @settings(max_examples=60, deadline=None)
        @given(reports, st.integers(0, 9), st.randoms(use_true_random=False))
        def one_call(used: list[int], last: int, chance: Random) -> None:
            session = f"s;{next(numbers)}"
            first = credit(
                session, INITIAL, 0, asked=300, calling=f"tel:{CALLER}", called=f"tel:{CALLEE}"
            )
            updates = [
                credit(session, UPDATE, at, used=seconds, asked=300)
                for at, seconds in enumerate(used, start=1)
            ]
            updates += [update for update in updates if chance.random() < 0.4]
            chance.shuffle(updates)
            ended = credit(session, TERMINATION, len(used) + 1, used=last)
            for message in (first, *updates, ended, ended):
                assert client.ask(message).result_code == 2001
            seconds = sum(used) + last
            assert served.usage(session) == ([("call", seconds, seconds * 1_000)])
            spent[0] += seconds
            assert served.balance_s() == (CREDITS_S - spent[0], 0)

        one_call()
        assert served.faults() == []
