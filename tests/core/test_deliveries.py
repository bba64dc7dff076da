"""What a delivery becomes after a try. Mirrors src/talktime/core/deliveries.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.deliveries import (
    JITTER_MAX,
    WEBHOOK_DELAYS_S,
    Later,
    Never,
    Next,
    NotTried,
    Sent,
    next_of,
)


def test_the_delays_are_those_of_the_specification():
    hours = [each / 3600 for each in WEBHOOK_DELAYS_S[4:]]
    assert WEBHOOK_DELAYS_S[:4] == (0, 5, 300, 1_800)
    assert hours == [2, 5, 10, 14, 20, 24]


@pytest.mark.parametrize(
    ("outcome", "after"),
    [
        (Sent("204"), Next("sent", 3, "204", None)),
        (Never("550 no"), Next("failed", 3, "550 no", None)),
        (Never("410 Gone", gone=True), Next("failed", 3, "410 Gone", None)),
        (Later("500"), Next("due", 3, "500", 1_801_000)),
        (NotTried("away"), Next("due", 2, "away", 6_000)),
        (Later("a\x00\r\n\u202eb"), Next("due", 3, "a    b", 1_801_000)),
    ],
)
def test_what_came_of_a_try_decides_the_next(outcome, after):
    assert next_of("webhook", outcome, tries=3, now_ms=1_000, jitter=0) == after


@given(
    st.sampled_from(["mail", "webhook"]),
    st.sampled_from(
        [Sent("x"), Later("x" * 900), Later("x", away=True), Never("x"), NotTried("x")]
    ),
    st.integers(1, 40),
    st.integers(0, JITTER_MAX),
)
def test_a_delivery_is_due_again_or_over_and_the_later_the_more_it_was_tried(
    channel, outcome, tries, jitter
):
    after = next_of(channel, outcome, tries=tries, now_ms=0, jitter=jitter)
    assert (after.due_ms is not None) == (after.state == "due")
    assert len(after.detail) <= 500
    if after.due_ms is not None:
        plain = next_of(channel, outcome, tries=tries, now_ms=0, jitter=0)
        assert 0 < plain.due_ms <= after.due_ms <= plain.due_ms * 1.2
