"""Bad packets cannot fill the log."""

from structlog.testing import capture_logs

from talktime.gateways.radius.complaints import KINDS_MAX, Complaints


def test_the_first_of_a_kind_is_told_at_once_the_next_after_a_minute_with_their_number():
    complaints = Complaints()
    with capture_logs() as lines:
        for second in range(130):
            complaints.note("192.0.2.7", "wrong_secret", second)
    assert [line["more"] for line in lines] == [0, 59, 59]
    assert {(line["host"], line["reason"]) for line in lines} == {("192.0.2.7", "wrong_secret")}


def test_only_so_many_kinds_are_told_within_a_minute():
    complaints = Complaints()
    with capture_logs() as lines:
        for number in range(2 * KINDS_MAX):
            complaints.note(f"host {number}", "unknown_client", 1)
        assert len(lines) == KINDS_MAX
        complaints.note("one more", "unknown_client", 62)
    assert len(lines) == KINDS_MAX + 1
