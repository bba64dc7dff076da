"""Which call of a session id a packet is about. Mirrors src/talktime/gateways/radius/belonging.py.

The running call was asked for 1,000 seconds after the loop's clock began, the client's clock shows
as many seconds as the loop's unless it says otherwise.
"""

import pytest

from talktime.gateways.radius.belonging import LONG_S, SET_S, Life, Moment, belongs_to

EARLIER, RUNNING = 0, 1
STOP = b"of the running call"


def lives(clock_s: float | None = 0) -> list[Life]:
    earlier = Life(100, clock_s=clock_s)
    earlier.note(Moment(200, 0, 90, None if clock_s is None else 200, b"of the earlier call"))
    return [earlier, Life(1_000)]


@pytest.mark.parametrize(
    ("moment", "of"),
    [
        # It was talked for as long as the running call can have been.
        (Moment(1_100, 0, 95, None, STOP), RUNNING),
        (Moment(1_100, 0, 105, None, STOP), RUNNING),
        (Moment(1_100, 0, 106, None, STOP), EARLIER),
        (Moment(11_000, 0, 10_015, None, STOP), RUNNING),
        (Moment(1_100, 50, 55, None, STOP), RUNNING),
        (Moment(1_100, 50, 56, None, STOP), EARLIER),
        # The packet, or what it tells of, is the one that ended the earlier call.
        (Moment(1_100, 0, 90, None, b"of the earlier call"), EARLIER),
        (Moment(1_100, 0, 90, 200, STOP), EARLIER),
        # It happened before the running call by the client's clock.
        (Moment(1_100, 0, 90, 1_090, STOP), RUNNING),
        (Moment(1_100, 0, 10, 946, STOP), RUNNING),
        (Moment(1_100, 0, 10, 944, STOP), EARLIER),
        (Moment(1_100, 0, 0, 500, None), EARLIER),
        (Moment(1_100, 0, 0, 500 - LONG_S, None), RUNNING),
    ],
)
def test_a_packet_is_of_the_running_call_unless_that_cannot_be(moment: Moment, of: int) -> None:
    assert belongs_to(moment, lives()) == of


def test_a_client_whose_clock_is_not_known_is_believed_what_else_it_says() -> None:
    late = Moment(1_100, 0, 10, 500, STOP)
    assert belongs_to(late, lives(clock_s=None)) == RUNNING


def test_a_client_whose_clock_is_hours_off_is_measured_by_what_it_said() -> None:
    earlier, running = Life(100), Life(1_000)
    earlier.note(Moment(200, 0, 90, 200 - 18_000, b"of the earlier call"))
    assert belongs_to(Moment(1_100, 0, 90, 1_100 - 18_000, STOP), [earlier, running]) == RUNNING
    assert belongs_to(Moment(1_100, 0, 90, 300 - 18_000, STOP), [earlier, running]) == EARLIER


def test_a_call_of_which_nobody_knows_when_it_began_is_given_what_comes() -> None:
    [earlier, _] = lives()
    assert belongs_to(Moment(1_100, 0, 3_000, None, STOP), [earlier, Life()]) == RUNNING


def test_when_a_call_began_by_another_clock_than_this_one_is_about_right() -> None:
    [earlier, _] = lives()
    running = Life()
    running.begin(1_000, SET_S)
    assert belongs_to(Moment(1_100, 0, 160, None, STOP), [earlier, running]) == RUNNING
    assert belongs_to(Moment(1_100, 0, 161, None, STOP), [earlier, running]) == EARLIER


def test_of_three_calls_it_is_the_latest_that_can_be() -> None:
    three = [*lives(), Life(2_000)]
    assert belongs_to(Moment(2_100, 0, 600, None, STOP), three) == 1
    assert belongs_to(Moment(2_100, 0, 1_500, None, STOP), three) == 0
    three[1].note(Moment(1_500, 0, 40, None, STOP))
    assert belongs_to(Moment(2_100, 0, 40, None, STOP), three) == 1
