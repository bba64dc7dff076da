"""From prepaid to post-usage and back. Mirrors src/talktime/operations/commerce_models.py."""

from contextlib import contextmanager

import pytest

from talktime.core.commands import ExpireLots
from talktime.core.directory import CallingRules, Organisation
from talktime.core.meters import month_of, post_usage_key
from talktime.core.payments import Recharge
from talktime.core.post_usage import month_start_ms
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.commerce_models import (
    MOVED_BLOCKED,
    blocked_move,
    change_model,
    mark_moved,
    move_wallets,
    own_cap,
    preview_change,
)
from talktime.operations.counters import Counters
from talktime.operations.purchases import confirm_receipt
from talktime.operations.sweep import Sweep
from talktime.operations.till import open_till
from talktime.store.database import Outage
from talktime.store.organisations import insert_organisation, organisation_of_id
from tests.after_use import DAY_MS, RULES, AfterUse, organisation
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")

YEAR_MS = 365 * DAY_MS


class Mover(AfterUse):
    """Organisation 7, prepaid, with 5 USD and auto-recharge on."""

    def __init__(self, store, rules=RULES):
        super().__init__(store.cell())
        self.control = store.control()
        with self.control.transaction():
            insert_organisation(self.control, organisation(7, model="prepaid", rules=rules), 0)
        self.fund(7, 5_000_000, lasts_ms=YEAR_MS)
        self.recharge(on=True)

    def recharge(self, on):
        with open_till(self.counter) as collector:
            collector.till.recharge = Recharge(
                *(7, on, 1_000_000, "amount", 10_000_000, None, 5, "", "", None, 0, "admin"),
                changed=True,
            )

    @property
    def counter(self):
        return Counters(lambda: self.control, self.connection, self.clock_ms, self.ids.next).of_id(
            7
        )

    def change(self, to):
        return change_model(self.control, self.counter, to, actor="admin")

    def run(self, control=None):
        opened = control or (lambda: self.control)
        sweep = Sweep(self.connection, self.clock_ms, self.ids.next, control=opened)
        return move_wallets(sweep).rows

    @property
    def model(self):
        return organisation_of_id(self.control, 7).commerce_model

    @property
    def no_buying(self):
        return self.connection.rows("SELECT no_buying FROM wallet WHERE organisation_id = 7")[0][0]

    @property
    def recharging(self):
        return bool(self.connection.rows("SELECT enabled FROM recharge")[0][0])

    def calls_of(self, *seconds):
        """Calls as the gates of a draining organisation let them through."""
        for number, used_s in enumerate(seconds):
            self.now_ms += 60_000
            key = post_usage_key(month_of(self.now_ms))
            self.call(7, f"{self.now_ms}/{number}", used_s, post_usage=key)


@pytest.fixture
def mover(store):
    return Mover(store)


def test_the_effects_of_a_change_are_shown_before_it_is_made(mover):
    shown = preview_change(mover.counter, "post_usage")
    assert (shown.balance_micros, shown.held_micros, shown.recharge_on) == (5_000_000, 0, True)
    assert [lot.remaining_micros for lot in shown.lots] == [5_000_000]
    assert (shown.attempt, shown.refusal) == (None, None)
    assert shown.effects == (
        "no credits can be bought any more",
        "auto-recharge is turned off",
        "the 5 USD left is used up first; what is not used expires as before",
        "then calls are billed monthly, without a limit",
    )
    assert (mover.model, mover.no_buying, mover.recharging) == ("prepaid", None, True)


def test_what_was_bought_and_not_paid_yet_is_shown_before_a_change_and_comes_after_it(store):
    """D14: nothing can be bought any more, but what is on its way is finished."""
    shop = Shop(store)
    ordered = shop.order(200 * UNIT)
    shop.bank.down = True
    shop.buy(100 * UNIT)
    shown = preview_change(shop.counter, "post_usage")
    assert shown.effects[1] == (
        "purchases of 300 USD on their way are finished: what is paid of them is used up first, too"
    )
    change_model(shop.control, shop.counter, "post_usage", actor="admin")
    confirm_receipt(shop.counter, ordered, reference="bank slip 7", actor="operator")
    assert shop.money()[0] == 200 * UNIT
    assert "purchases of 100 USD" in preview_change(shop.counter, "post_usage").effects[1]
    shop.proven()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            CallingRules(),
            (
                "pay-as-you-go is off: then calls that need money are refused; turn it on to have "
                "them billed monthly"
            ),
        ),
        (
            CallingRules(pay_as_you_go=True, post_usage_cap_micros=9_000_000),
            "then calls are billed monthly, up to 9 USD a month",
        ),
    ],
)
def test_what_comes_after_the_credits_depends_on_the_rules(store, rules, words):
    """R72."""
    assert preview_change(Mover(store, rules).counter, "post_usage").effects[-1] == words


def test_a_change_drains_the_credits_then_bills_after_use(mover):
    """D14, R71: nothing can be bought, the recharge is off."""
    assert mover.change("post_usage").commerce_model == "draining"
    assert (mover.model, mover.no_buying, mover.recharging) == ("draining", "draining", False)
    assert mover.run() == 0
    mover.calls_of(600)
    assert mover.run() == 0
    mover.now_ms += YEAR_MS
    assert mover.run() == 1
    assert (mover.model, mover.no_buying) == ("post_usage", "post_usage")
    assert mover.run() == 0
    assert mover.notices() == ["model.changed", "model.changed"]


def test_the_credits_pay_first_and_what_is_left_is_billed(store):
    """V11, R72: 5.00 left; 0.50, then 6.00 of which 4.50 are credits and 1.50 are billed."""
    mover = Mover(store)
    mover.change("post_usage")
    mover.now_ms = month_start_ms("2026-12")
    key = post_usage_key("2026-12")
    for call_key, per_minute_micros in (("a", 500_000), ("b", 6_000_000)):
        rate = Rate("49", "Germany", per_minute_micros, 0, 60, 60)
        mover.call(7, call_key, 60, rate, post_usage=key)
    records = mover.connection.rows(
        "SELECT call_key, charge_micros, post_micros FROM usage_record ORDER BY call_key"
    )
    assert records == [("a", 500_000, 0), ("b", 6_000_000, 1_500_000)]
    assert mover.run() == 1
    assert mover.model == "post_usage"
    mover.organisation = organisation(7)
    assert mover.close("2026-12").amount_micros == 1_500_000
    assert mover.books_hold()


def test_a_call_that_holds_money_keeps_it_draining(mover):
    mover.change("post_usage")
    mover.authorize(7, "running")
    mover.now_ms += YEAR_MS
    mover.do(ExpireLots(7))
    assert mover.run() == 0
    assert mover.model == "draining"
    mover.settle("running", 1, 0)
    assert mover.run() == 1
    assert mover.model == "post_usage"


def test_one_without_credits_is_billed_after_use_at_once(store):
    mover = Mover(store)
    mover.now_ms += YEAR_MS
    assert mover.change("post_usage").commerce_model == "post_usage"
    assert mover.no_buying == "post_usage"
    assert mover.change("post_usage").commerce_model == "post_usage"
    assert mover.notices() == ["model.changed"]


@pytest.mark.parametrize("to", ["draining", "barter", ""])
def test_another_model_is_refused(mover, to):
    assert mover.change(to).code == "invalid_value"
    assert preview_change(mover.counter, to).code == "invalid_value"
    assert (mover.model, mover.recharging) == ("prepaid", True)


def test_the_way_back_is_open_when_nothing_is_owed(store):
    mover = Mover(store)
    mover.now_ms = month_start_ms("2027-12")
    mover.change("post_usage")
    mover.calls_of(600)
    owed = Refusal("still_owed", "0.15 USD was used and is on no statement yet")
    assert mover.change("prepaid") == owed
    assert preview_change(mover.counter, "prepaid").refusal == owed
    mover.close("2027-12")
    owed = Refusal("still_owed", "0.15 USD of the statement of 2027-12 is left to pay")
    assert mover.change("prepaid") == owed
    assert (mover.model, mover.no_buying) == ("post_usage", "post_usage")
    mover.pay("2027-12", 150_000)
    mover.leave_open("running", mover.now_ms)
    assert mover.change("prepaid") == Refusal(
        "still_owed", "calls that are paid after use are running: 1"
    )
    mover.settle("running", 1, 0)
    assert mover.change("prepaid").commerce_model == "prepaid"
    assert (mover.model, mover.no_buying, mover.recharging) == ("prepaid", None, False)
    assert mover.run() == 0
    assert mover.model == "prepaid"


def test_the_way_back_is_open_while_it_drains(mover):
    mover.change("post_usage")
    assert mover.change("prepaid").commerce_model == "prepaid"
    assert (mover.no_buying, mover.recharging) == (None, False)


def test_a_change_that_was_interrupted_is_finished_by_the_job(mover):
    """The cell is committed, then the control plane is away."""
    counter = mover.counter

    class Away:
        def __getattr__(self, name):
            raise Outage("away")

    with pytest.raises(Outage):
        change_model(Away(), counter, "post_usage", actor="admin")
    assert (mover.model, mover.no_buying, mover.recharging) == ("prepaid", "moving", False)
    assert mover.run() == 1
    assert (mover.model, mover.no_buying) == ("draining", "draining")
    assert mover.notices() == ["model.changed"]


def test_a_way_back_that_was_interrupted_is_finished_and_told_once_by_the_job(mover):
    """The control plane has the new model, then the cell is away."""
    mover.change("post_usage")
    told = mover.notices()
    counter = mover.counter

    class Breaking:
        """The control plane, after whose commit nothing works any more."""

        def __getattr__(self, name):
            return getattr(mover.control, name)

        @contextmanager
        def transaction(self):
            with mover.control.transaction():
                yield
            raise Outage("away")

    with pytest.raises(Outage):
        change_model(Breaking(), counter, "prepaid", actor="admin")
    assert (mover.model, mover.no_buying) == ("prepaid", "draining")
    assert mover.notices() == told
    assert mover.run() == 1
    assert (mover.no_buying, mover.notices()) == (None, [*told, "model.changed"])
    assert mover.run() == 0


def test_the_way_back_is_told_once_where_the_job_comes_in_between(mover):
    mover.change("post_usage")
    counter = mover.counter

    class Slow:
        """The control plane, after whose commit the job runs first."""

        def __getattr__(self, name):
            return getattr(mover.control, name)

        @contextmanager
        def transaction(self):
            with mover.control.transaction():
                yield
            assert mover.run() == 1

    assert change_model(Slow(), counter, "prepaid", actor="admin").commerce_model == "prepaid"
    assert mover.notices() == ["model.changed"] * 2
    assert mover.no_buying is None


def test_one_moved_by_its_reseller_is_blocked_while_recharge_is_on(mover):
    """D14, R73: the balance cannot refill for ever without being seen."""
    prepaid = mover.counter.organisation
    with mover.control.transaction():
        moved = mark_moved(mover.control, prepaid, True)
    assert blocked_move(moved, recharge_on=True) == MOVED_BLOCKED
    assert blocked_move(moved, recharge_on=False) == ""
    assert mover.run() == 0
    assert (mover.model, mover.recharging) == ("prepaid", True)
    mover.recharge(on=False)
    assert mover.run() == 1
    assert mover.model == "draining"
    assert blocked_move(mover.counter.organisation, recharge_on=False) == ""


def test_a_change_is_told_with_who_made_it(mover):
    """R74: the notice is kept."""
    mover.change("post_usage")
    with mover.connection.reading():
        [(facts,)] = mover.connection.rows("SELECT facts FROM outbox")
    assert '"reason":"Changed by admin"' in facts


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [(None, None, True), (None, 5, True), (10, 10, True), (10, 5, True), (10, 11, False)],
)
def test_an_organisation_lowers_its_limit_and_the_operator_alone_raises_it(old, new, allowed):
    rules = CallingRules(post_usage_cap_micros=old)
    owner = Organisation(7, "C", "main", "USD", "UTC", "US", "post_usage", True, "r", rules)
    refusal = own_cap(owner, new)
    assert (refusal is None) == allowed
    assert allowed or refusal.code == "invalid_value"


def test_a_limit_that_is_there_is_not_taken_away_by_the_organisation_itself():
    rules = CallingRules(post_usage_cap_micros=10_000_000)
    owner = Organisation(7, "C", "main", "USD", "UTC", "US", "post_usage", True, "r", rules)
    assert own_cap(owner, None).detail.startswith("the monthly limit is 10 USD")
