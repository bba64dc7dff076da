"""Payments are asked about several at once, by one process each. Mirrors
src/talktime/jobs/payments.py."""

import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from talktime.core.charges import Unknown
from talktime.core.ids import Ids
from talktime.jobs.payments import CLAIMED_MS, collect_payments, tend_wallets
from talktime.jobs.runner import Runner
from talktime.jobs.timetable import TIMETABLE
from talktime.operations.purchases import find_payment, start_purchase
from tests.bank import Bank
from tests.served import EXPECTED
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
WAIT_S = 30


class HangingBank(Bank):
    """A bank whose answer to one organisation does not come before it is let go."""

    def __init__(self, clock_ms):
        super().__init__(clock_ms, Random(1))
        self.parallel, self.hangs, self.hung = True, 0, threading.Event()
        self.go, self.paid = threading.Event(), threading.Event()

    def charge(self, charge):
        if charge.organisation_id == self.hangs:
            self.hung.set()
            assert self.go.wait(WAIT_S)
        outcome = super().charge(charge)
        if charge.organisation_id != self.hangs:
            self.paid.set()
        return outcome


def shops_of(store, *names):
    """Organisations that pay at one bank."""
    shops = [Shop(store, name=name, node=node) for node, name in enumerate(names, 1)]
    bank = HangingBank(lambda: shops[0].now_ms)
    for shop in shops:
        shop.bank, shop.providers = bank, {"bank": bank}
        shop.card = bank.issue()
        shop.method_id = shop.add_card(shop.card)
    return bank, shops


@pytest.fixture
def running():
    """Starts runners of the jobs that charge, as often as they run in production."""
    started = []

    def start(shop):
        jobs = {
            "tend_wallets": tend_wallets,
            "collect_payments": lambda sweep: collect_payments(sweep, shop.providers),
        }
        timetable = [job._replace(run=jobs[job.name]) for job in TIMETABLE if job.name in jobs]
        clock_ms = lambda: shop.now_ms  # noqa: E731
        new_ids = lambda: Ids(9, clock_ms)  # noqa: E731
        runner = Runner(shop.store.settings, clock_ms, new_ids, EXPECTED, timetable=timetable)
        started.append((runner, shop.bank))
        runner.start()

    yield start
    for runner, bank in started:
        bank.go.set()
        runner.stop()


def cross_the_trigger(shop):
    shop.give(101 * UNIT)
    shop.recharge_on(100 * UNIT, 200 * UNIT)
    shop.spend(2 * UNIT)


def test_a_settle_that_crosses_the_trigger_is_charged_within_a_second(store, running):
    """D2: through the jobs of a real runner."""
    bank, [shop] = shops_of(store, "Contoso")
    running(shop)
    cross_the_trigger(shop)
    assert bank.paid.wait(1)


def test_it_is_while_the_call_for_another_wallet_hangs(store, running):
    """D2."""
    bank, [hanging, shop] = shops_of(store, "Contoso", "Fabrikam")
    bank.hangs = hanging.organisation.id
    running(hanging)
    cross_the_trigger(hanging)
    assert bank.hung.wait(WAIT_S)
    cross_the_trigger(shop)
    assert bank.paid.wait(1)


def begin(shop):
    """A purchase that waits to be charged; its id."""
    return start_purchase(
        shop.counter,
        amount_micros=50 * UNIT,
        method_id=shop.method_id,
        idempotency_key="key 1",
        actor="admin",
        why_not=None,
    ).payment.id


def test_of_two_processes_one_sends_a_charge(store):
    bank, [shop] = shops_of(store, "Contoso")
    bank.hangs = shop.organisation.id
    payment_id = begin(shop)
    other = shop.sweep._replace(connection=store.cell(), control=store.control)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(collect_payments, other, shop.providers)
        assert bank.hung.wait(WAIT_S)
        assert shop.run(collect_payments) == 0
        bank.go.set()
        assert first.result(WAIT_S) == (1, (), False)
    assert bank.asked == ["charge"]
    assert find_payment(shop.counter, payment_id).state == "succeeded"
    shop.proven()


def test_what_a_process_had_claimed_when_it_died_is_charged_a_minute_later(store):
    bank, [shop] = shops_of(store, "Contoso")
    payment_id = begin(shop)

    def dies(_charge):
        raise SystemExit

    bank.parallel, bank.charge, charge = False, dies, bank.charge
    with pytest.raises(SystemExit):
        collect_payments(shop.sweep, shop.providers)
    bank.charge = charge
    shop.wait(s=CLAIMED_MS // 1000 - 1)
    assert shop.run(collect_payments) == 0
    shop.wait(s=1)
    assert shop.run(collect_payments) == 1
    assert find_payment(shop.counter, payment_id).state == "succeeded"


def test_a_charge_that_the_provider_is_still_at_is_sent_again_in_seconds(store):
    """D3: with the same key; it is no answer that did not come."""
    bank, [shop] = shops_of(store, "Contoso")
    payment_id = begin(shop)
    answers = [Unknown("still at it", in_use=True)]
    charge = bank.charge
    bank.charge = lambda asked: answers.pop() if answers else charge(asked)
    shop.run(collect_payments)
    waiting = find_payment(shop.counter, payment_id)
    assert (waiting.state, waiting.due_ms) == ("charging", shop.now_ms + 5_000)
    shop.wait(s=5)
    shop.run(collect_payments)
    assert find_payment(shop.counter, payment_id).state == "succeeded"
    assert shop.money() == (50 * UNIT, 0, 0)
