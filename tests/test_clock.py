"""The machine's clock, and one that runs ahead of it. Mirrors src/talktime/clock.py."""

import json
import os
import stat
import threading
import time
from dataclasses import replace

import pytest

from talktime.clock import (
    FILE,
    LAST_MS,
    ClockError,
    MovableClock,
    ahead_ms,
    follow,
    movable_clock,
    now_ms,
    real_ms,
)
from talktime.config import settings_from

DAY_MS = 86_400_000
PATIENCE_S = 30


@pytest.fixture
def settings(tmp_path):
    made = settings_from({"TALKTIME_DATA": str(tmp_path), "TALKTIME_TEST_CLOCK": "1"})
    yield made
    follow(replace(made, test_clock=False))


def test_without_a_test_clock_the_file_is_not_read(settings, tmp_path):
    follow(settings)
    movable_clock().move("30d")
    follow(replace(settings, test_clock=False))
    assert ahead_ms() == 0
    assert 0 <= now_ms() - real_ms() <= 1_000
    with pytest.raises(ClockError, match="the test clock is off, as it must be in production"):
        movable_clock()


def test_it_moves_by_days_hours_and_minutes_and_these_add_up(settings):
    follow(settings)
    assert ahead_ms() == 0
    for words, far_ms in (("30d", 30 * DAY_MS), ("12h", 43_200_000), (" 45min ", 2_700_000)):
        before_ms, real = ahead_ms(), real_ms()
        movable_clock().move(words)
        assert before_ms + far_ms <= ahead_ms() + 1 <= before_ms + far_ms + 1_000
        assert now_ms() >= real + before_ms + far_ms


@pytest.mark.parametrize("words", ["2060-01-31", "2060-01-31T00:00Z", "2060-01-31T01:00:00+01:00"])
def test_it_moves_to_a_moment(settings, words):
    follow(settings)
    movable_clock().move(words)
    assert 2_842_732_800_000 <= now_ms() <= 2_842_732_800_000 + 5_000


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("2020-01-01", "only moves forward"),
        ("0d", "only moves forward"),
        ("-3d", "'-3d' is neither a span nor a time"),
        ("tomorrow", "'tomorrow' is neither a span nor a time"),
        ("", "'' is neither a span nor a time"),
        ("99999d", "cannot be moved beyond 2090-01-01T00:00Z"),
        ("9999-12-31", "cannot be moved beyond 2090-01-01T00:00Z"),
        ("2090-01-01T00:01Z", "cannot be moved beyond 2090-01-01T00:00Z"),
    ],
)
def test_what_it_cannot_show_leaves_it_where_it_is(settings, words, says):
    follow(settings)
    movable_clock().move("1d")
    before = ahead_ms()
    with pytest.raises(ClockError, match=says):
        movable_clock().move(words)
    assert ahead_ms() == before


def test_its_file_is_whole_and_for_its_owner_alone(settings, tmp_path):
    follow(settings)
    movable_clock().move_to(LAST_MS)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    kept = json.loads((tmp_path / FILE).read_text())
    assert kept == {"ahead_ms": ahead_ms(), "of": f"sqlite:{tmp_path / 'control.sqlite3'}"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE, "test_clock.lock"]


def test_another_process_sees_it_move_and_reset(settings):
    one, other = MovableClock(settings), MovableClock(settings)
    assert other.ahead_ms() == 0
    one.move("30d")
    wait_until(lambda: other.ahead_ms() == one.ahead_ms() > 0)
    one.move("30d")
    wait_until(lambda: other.ahead_ms() == one.ahead_ms())
    one.reset()
    wait_until(lambda: other.ahead_ms() == 0)


def wait_until(condition):
    """Look again and again, as a process does that asks for the time."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end


def test_several_that_move_it_at_once_all_move_it(settings):
    def move():
        for _ in range(10):
            MovableClock(settings).move("1d")

    threads = [threading.Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ahead = MovableClock(settings).ahead_ms()
    assert 40 * DAY_MS - 1_000 <= ahead <= 40 * DAY_MS + 60_000


def test_the_clock_of_other_books_in_the_same_folder_is_not_theirs(settings):
    MovableClock(settings).move("30d")
    url = "postgresql://talktime@db.contoso.example/talktime"
    other = settings_from(
        {"TALKTIME_DATA": str(settings.data), "DATABASE_URL": url, "TALKTIME_TEST_CLOCK": "1"}
    )
    assert MovableClock(other).ahead_ms() == 0


def test_a_file_that_says_nothing_leaves_the_clock_as_it_is(settings, tmp_path):
    clock = MovableClock(settings)
    clock.move("30d")
    before = clock.ahead_ms()
    for text in ("", "[]", "{}", '{"ahead_ms": null, "of": ""}'):
        (tmp_path / "made").write_text(text)
        os.replace(tmp_path / "made", tmp_path / FILE)
        clock.look()
        assert clock.ahead_ms() == (before if "of" not in text else 0)
