"""Who pays after use, and who may not for now. Mirrors src/talktime/core/money_gates.py."""

import pytest

from talktime.core.directory import CallingRules
from talktime.core.meters import month_of, post_usage_key
from talktime.core.refusal import Refusal
from tests.callers import CONTOSO, NOW_MS, POOR

BLOCKED = {"pay_as_you_go": True, "post_usage_blocked": True}
KEY = post_usage_key(month_of(NOW_MS))


def with_rules(directory, model="post_usage", **rules):
    changed = CONTOSO._replace(commerce_model=model, rules=CallingRules(**rules))
    directory.apply(organisations=[changed])


@pytest.mark.parametrize(
    ("model", "rules", "payer", "shortage"),
    [
        ("prepaid", {"pay_as_you_go": True}, "", "insufficient_credit"),
        ("prepaid", BLOCKED, "", "insufficient_credit"),
        ("draining", {"pay_as_you_go": True}, KEY, "insufficient_credit"),
        ("post_usage", {"pay_as_you_go": True}, KEY, "insufficient_credit"),
        ("post_usage", BLOCKED, "", "statement_overdue"),
        ("draining", BLOCKED, "", "statement_overdue"),
        ("post_usage", {}, "", "post_usage_off"),
        ("post_usage", {"post_usage_blocked": True}, "", "post_usage_off"),
    ],
)  # fmt: skip
def test_a_long_overdue_statement_ends_paying_after_use(
    directory, ask, model, rules, payer, shortage
):
    """D14, R72: credits and minutes that are left still pay."""
    with_rules(directory, model, **rules)
    payers = ask().payers
    assert (payers.post_usage, payers.shortage, payers.credits) == (payer, shortage, True)


def test_who_has_no_credits_is_told_of_the_statement(directory, ask):
    overdue = Refusal("statement_overdue", "a statement of what was used before is long overdue")
    with_rules(directory, pay_as_you_go=True, post_usage_blocked=True)
    assert ask(user=POOR.name, from_="").refusal == overdue
    with_rules(directory, pay_as_you_go=True)
    assert ask(user=POOR.name, from_="").payers.post_usage == KEY
