"""How often a password may be guessed. Mirrors src/talktime/console/people/sign_in.py and
throttle.py."""

import threading
from typing import ClassVar

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections
from django.test import override_settings

from talktime.console.people import sign_in as page
from talktime.console.people.throttle import EMAIL_GAP_S, WINDOW_S, Throttle
from talktime.core.limits import (
    SIGN_IN_FAILURES_OF_EMAIL_MAX,
    SIGN_IN_FAILURES_OF_PAIR_MAX,
    SIGN_IN_FAILURES_OF_PLACE_MAX,
    SIGN_IN_KEYS_MAX,
)
from tests.console.test_pages import EMAIL, admin, browser, sign_in, words_of

__all__ = ["admin"]

HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"


class Clock:
    """A clock that goes when it is told to."""

    now_s = 1_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return Throttle(clock)


def test_one_place_fails_five_times_with_an_address_and_then_waits(throttle, clock):
    for second in range(SIGN_IN_FAILURES_OF_PAIR_MAX):
        clock.now_s = 1_000.0 + second
        assert throttle.begin(HOME, EMAIL) == 0
    assert throttle.begin(HOME, EMAIL) == WINDOW_S - 4
    assert throttle.begin(ELSEWHERE, EMAIL) == 0
    assert throttle.begin(HOME, "other@contoso.example") == 0
    clock.now_s = 1_000.0 + WINDOW_S
    assert throttle.begin(HOME, EMAIL) == 0
    assert throttle.begin(HOME, EMAIL) == 1


def test_one_place_with_ever_other_addresses_waits_too(throttle):
    for number in range(SIGN_IN_FAILURES_OF_PLACE_MAX):
        assert throttle.begin(HOME, f"{number}@contoso.example") == 0
    assert throttle.begin(HOME, EMAIL) == WINDOW_S
    assert throttle.begin(ELSEWHERE, EMAIL) == 0


def test_an_address_guessed_from_everywhere_is_tried_once_a_minute(throttle, clock):
    throttle.begin(HOME, EMAIL)
    throttle.succeeded(HOME, EMAIL)
    for number in range(SIGN_IN_FAILURES_OF_EMAIL_MAX):
        assert throttle.begin(f"198.51.100.{number}", EMAIL) == 0
    assert throttle.begin(ELSEWHERE, EMAIL) == EMAIL_GAP_S
    assert throttle.begin(HOME, EMAIL) == 0
    clock.now_s += EMAIL_GAP_S
    assert throttle.begin(ELSEWHERE, EMAIL) == 0


def test_all_of_an_ipv6_network_is_one_place(throttle):
    for number in range(SIGN_IN_FAILURES_OF_PAIR_MAX):
        assert throttle.begin(f"2001:db8::{number}", EMAIL) == 0
    assert throttle.begin("2001:db8::ffff", EMAIL) == WINDOW_S
    assert throttle.begin("2001:db8:0:1::1", EMAIL) == 0


def test_the_right_password_and_what_could_not_be_tried_do_not_count(throttle):
    for _ in range(3 * SIGN_IN_FAILURES_OF_PLACE_MAX):
        assert throttle.begin(HOME, EMAIL) == 0
        throttle.succeeded(HOME, EMAIL)
        assert throttle.begin(HOME, EMAIL) == 0
        throttle.not_tried(HOME, EMAIL)


def test_what_is_remembered_is_bounded(throttle):
    for number in range(SIGN_IN_KEYS_MAX):
        throttle.begin(
            f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", f"{number}@x.example"
        )
    assert len(throttle._failures) == SIGN_IN_KEYS_MAX


def test_guessing_is_told_to_wait_whether_the_account_exists_or_not(admin):
    said = []
    for email in (EMAIL, "nobody@contoso.example"):
        page.attempts.forget()
        for _ in range(SIGN_IN_FAILURES_OF_PAIR_MAX):
            assert sign_in(browser(), email=email, password="a wrong guess").status_code == 200
        refused = sign_in(browser(), email=email.upper())
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= WINDOW_S
        said.append(words_of(refused))
    assert said[0] == said[1]
    assert "Too many attempts to sign in have failed. Wait 15 minutes, then try again." in said[0]


def test_the_right_password_from_another_address_is_taken_meanwhile(admin):
    for _ in range(SIGN_IN_FAILURES_OF_PAIR_MAX + 1):
        sign_in(browser(), password="a wrong guess")
    other = browser()
    other.defaults["REMOTE_ADDR"] = ELSEWHERE
    assert sign_in(other).status_code == 302


class Meeting(MD5PasswordHasher):
    """Notes how many passwords are looked at together."""

    another = threading.Event()
    inside: ClassVar[list[str]] = []
    seen: ClassVar[list[int]] = []

    def verify(self, password, encoded):
        """Give others a moment to come too."""
        self.inside.append(password)
        self.another.wait(0.1)
        self.seen.append(len(self.inside))
        self.inside.pop()
        return super().verify(password, encoded)


def test_passwords_are_hashed_one_at_a_time(admin):
    Meeting.seen.clear()
    answers = []

    def guess():
        try:
            answers.append(sign_in(browser()).status_code)
        finally:
            connections.close_all()

    with override_settings(PASSWORD_HASHERS=[f"{__name__}.Meeting"]):
        guessing = [threading.Thread(target=guess) for _ in range(3)]
        for each in guessing:
            each.start()
        for each in guessing:
            each.join()
    assert answers == [302, 302, 302]
    assert Meeting.seen == [1, 1, 1]
