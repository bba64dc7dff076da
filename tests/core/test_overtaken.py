"""Late mail that nobody needs any more. Mirrors src/talktime/core/overtaken.py."""

import pytest

from talktime.core.notices import Notice
from talktime.core.overtaken import ABOUT, ONLY_THE_LATEST, overtaken

DUE = Notice(7, "statement.due", "a", 0, {"statement_id": 1})
PAID = DUE._replace(kind="statement.paid", key="b")


def test_a_later_notice_about_the_same_thing_overtakes_and_one_about_another_does_not():
    other = PAID._replace(facts={"statement_id": 2})
    assert overtaken(DUE, [other], None, 0) == ""
    assert overtaken(DUE, [other, PAID], None, 0) == "overtaken: statement.paid followed"
    assert overtaken(DUE, [DUE], None, 0) == ""
    assert overtaken(PAID, [DUE], None, 0) == ""


@pytest.mark.parametrize(
    ("kind", "balance_micros", "reason"),
    [
        ("balance.zero", 1, "overtaken: there are credits again"),
        ("balance.zero", 0, ""),
        ("balance.zero", None, ""),
        ("balance.low", 51, "overtaken: the balance is above the threshold again"),
        ("balance.low", 50, ""),
        ("balance.low", None, ""),
        ("grant.added", 51, ""),
    ],
)
def test_a_balance_that_has_risen_again_overtakes_what_said_it_was_low(
    kind, balance_micros, reason
):
    low = Notice(7, kind, "k", 0, {"threshold_micros": 50} if "low" in kind else {})
    assert overtaken(low, [], balance_micros, 0) == reason


def test_credits_that_have_expired_are_not_about_to():
    expiring = Notice(7, "lot.expiring", "k", 0, {"lot_id": 1, "expires_ms": 1_000})
    assert overtaken(expiring, [], None, 999) == ""
    assert overtaken(expiring, [], None, 1_000) == "overtaken: the credits have expired since"


def test_each_kind_that_can_be_overtaken_says_what_it_is_about():
    assert {kind.partition(".")[0] + "." for kind in ONLY_THE_LATEST} <= set(ABOUT)
