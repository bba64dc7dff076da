"""Ids that sort by time. Mirrors src/talktime/core/ids.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.clock import LAST_MS
from talktime.core.ids import COUNTER_BITS, EPOCH_MS, ID_MAX, NODE_BITS, NODES, Ids, id_in
from talktime.core.ledger import SYSTEM_ACCOUNTS

moments_ms = st.lists(st.integers(EPOCH_MS - 5, EPOCH_MS + 5), min_size=1, max_size=60)


@given(moments_ms)
def test_ids_rise_however_the_clock_steps(clock_ms):
    ids = Ids(NODES - 1, iter(clock_ms).__next__)
    made = [ids.next() for _ in clock_ms]
    assert made == sorted(set(made))
    assert min(made) > max(SYSTEM_ACCOUNTS)


def test_a_millisecond_that_runs_out_of_ids_lends_from_the_next():
    ids = Ids(3, lambda: EPOCH_MS + 1)
    made = [ids.next() for _ in range((1 << COUNTER_BITS) + 1)]
    assert made[-2:] == [
        1 << (NODE_BITS + COUNTER_BITS) | 3 << COUNTER_BITS | (1 << COUNTER_BITS) - 1,
        2 << (NODE_BITS + COUNTER_BITS) | 3 << COUNTER_BITS,
    ]


@given(st.integers(EPOCH_MS, LAST_MS), st.integers(0, NODES - 1))
def test_an_id_of_any_time_is_read_back_from_its_digits(at_ms, node):
    id_ = Ids(node, lambda: at_ms).next()
    assert id_in(str(id_)) == id_


@given(st.text() | st.integers(ID_MAX + 1).map(str))
def test_what_is_no_id_reads_as_none(text):
    assert id_in(text) is None or str(id_in(text)) == text.lstrip("0") or set(text) == {"0"}


def test_two_nodes_never_make_the_same_id():
    one, other = (Ids(node, lambda: EPOCH_MS + 1) for node in (0, 1))
    assert not {one.next() for _ in range(9000)} & {other.next() for _ in range(9000)}


def test_ids_fit_a_signed_64_bit_column_until_2095():
    year_2095_ms = EPOCH_MS + (1 << 41) - 1
    assert Ids(NODES - 1, lambda: year_2095_ms).next() < 1 << 63


@pytest.mark.parametrize("node", [-1, NODES])
def test_a_node_outside_its_bits_is_refused(node):
    with pytest.raises(ValueError, match="a node is 0 to 1023"):
        Ids(node, lambda: EPOCH_MS)
