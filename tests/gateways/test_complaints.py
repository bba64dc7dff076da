"""What others do cannot fill the log. Mirrors src/talktime/gateways/complaints.py."""

from talktime.core.limits import COMPLAINTS_CACHED_MAX
from talktime.gateways.complaints import Complaints


def test_the_first_of_a_kind_is_told_at_once_the_next_after_a_minute_with_their_number():
    complaints = Complaints()
    told = [complaints.note("192.0.2.7", "wrong_secret", second) for second in range(130)]
    assert [more for more in told if more is not None] == [0, 59, 59]


def test_only_so_many_kinds_are_told_within_a_minute():
    complaints = Complaints()
    told = [
        complaints.note(f"host {n}", "unknown_client", 1) for n in range(2 * COMPLAINTS_CACHED_MAX)
    ]
    assert told == [0] * COMPLAINTS_CACHED_MAX + [None] * COMPLAINTS_CACHED_MAX
    assert complaints.note("one more", "unknown_client", 62) == 0
