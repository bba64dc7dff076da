"""The jobs that tend wallets and collect payments. Mirrors src/talktime/jobs/payments.py."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from talktime.config import SellerDetails
from talktime.core.ids import Ids
from talktime.core.rating import Rate
from talktime.jobs.payments import collect_payments, recheck_recharges, tend_wallets
from talktime.operations.execute import execute
from talktime.operations.payment_methods import make_first
from talktime.operations.purchases import start_purchase
from tests.commands import authorize, settle
from tests.shop import NOW_MS, UNIT, Shop

BOTH = pytest.mark.layouts("sqlite", "postgres")
TRIES = "SELECT number, state, asked FROM payment_try ORDER BY id"
CROWD = 100


@pytest.fixture
def shop(store):
    return Shop(store)


def tend(shop):
    """Look at the wallets that ask for it; how many."""
    swept = tend_wallets(shop.sweep)
    assert swept.failures == ()
    return swept.rows


def begin(shop, micros=50 * UNIT):
    """A purchase is begun, and the job runs once."""
    return shop.payment(shop.buy(micros))


def charged(shop):
    """The real money that moved, in units."""
    return [each.amount_micros // UNIT for each in shop.bank.movements]


def tries(shop):
    with shop.cell.reading():
        return shop.cell.rows(TRIES)


@BOTH
def test_a_purchase_by_card_is_charged_credited_and_told_once(shop):
    """R2, R9, R18."""
    paid = begin(shop)
    assert (paid.state, charged(shop), shop.money()) == ("succeeded", [50], (50 * UNIT, 0, 0))
    shop.wait(days=3)
    assert shop.run(collect_payments) == 0
    assert shop.bank.asked == ["charge"]
    assert shop.told("") == ["purchase.succeeded"]
    shop.proven()


@BOTH
def test_a_wallet_is_tended_once_for_what_it_asked(shop):
    """R14, D2: by the settle that crossed the trigger, not by a sweep."""
    shop.give(101 * UNIT)
    assert (tend(shop), tend(shop)) == (1, 0)
    shop.recharge_on(100 * UNIT, 200 * UNIT)
    shop.spend(UNIT)
    assert tend(shop) == 0
    shop.spend(1)
    assert (tend(shop), shop.run(collect_payments), tend(shop)) == (1, 1, 0)
    assert (charged(shop), shop.money()) == ([200], (300 * UNIT - 1, 0, 0))


@BOTH
def test_the_invoice_of_what_the_job_collects_names_the_installations_seller(shop):
    """R18."""
    seller = SellerDetails("Contoso Telecom", ("1 Way",), "NO 1")
    shop.store.settings = replace(shop.store.settings, seller=seller)
    begin(shop)
    with shop.cell.reading():
        [(body,)] = shop.cell.rows("SELECT body FROM document")
    assert '"Contoso Telecom"' in body


@BOTH
def test_a_provider_that_is_down_is_asked_when_it_is_back_and_charges_once(shop):
    """D3: no decline, no notice."""
    shop.bank.down = True
    asked = begin(shop)
    assert (asked.state, asked.due_ms) == ("unknown", NOW_MS + 5 * 60_000)
    shop.wait(minutes=4)
    assert shop.run(collect_payments) == 0
    shop.wait(minutes=1)
    assert shop.run(collect_payments) == 1
    shop.bank.down = False
    shop.wait(minutes=55)
    shop.run(collect_payments)  # it knows of no such charge
    shop.run(collect_payments)  # so the same try is sent again
    assert (charged(shop), shop.told("")) == ([50], ["purchase.succeeded"])
    assert tries(shop) == [(1, "succeeded", 2)]
    assert shop.bank.asked == ["charge", "find_charge", "find_charge", "charge"]


@BOTH
def test_an_answer_that_was_lost_is_asked_for_and_nothing_is_charged_twice(shop):
    """D3: the money was taken."""
    shop.bank.time_out_after = 1.0
    assert begin(shop).state == "unknown"
    assert charged(shop) == [50]
    shop.bank.time_out_after = 0.0
    shop.wait(minutes=5)
    shop.run(collect_payments)
    assert (charged(shop), shop.money()) == ([50], (50 * UNIT, 0, 0))
    assert shop.bank.asked == ["charge", "find_charge"]


@BOTH
def test_a_request_that_was_lost_is_sent_again_as_the_same_try(shop):
    """D3: nothing was taken."""
    shop.bank.time_out_before = 1.0
    assert begin(shop).state == "unknown"
    shop.bank.time_out_before = 0.0
    shop.wait(minutes=5)
    assert (shop.run(collect_payments), shop.run(collect_payments)) == (1, 1)
    assert charged(shop) == [50]
    assert tries(shop) == [(1, "succeeded", 1)]


@BOTH
def test_a_request_that_arrives_late_is_charged_once_though_it_was_sent_again(shop):
    """D3: the key is the same."""
    shop.bank.arrive_late, shop.bank.late_ms = 1.0, 6 * 60_000
    begin(shop)
    shop.bank.arrive_late = 0.0
    shop.wait(minutes=5)
    shop.run(collect_payments)
    shop.run(collect_payments)
    shop.wait(minutes=5)
    begin(shop, 60 * UNIT)
    assert charged(shop) == [50, 60]
    shop.proven()


@BOTH
def test_a_wrong_key_of_ours_is_waited_out_and_never_a_decline(shop):
    """D3."""
    shop.bank.misconfigured = True
    asked = begin(shop)
    assert (asked.state, asked.detail) == ("unknown", "the bank does not take the key")
    shop.bank.misconfigured = False
    shop.wait(minutes=5)
    shop.run(collect_payments)
    shop.run(collect_payments)
    assert charged(shop) == [50]


@BOTH
def test_a_charge_that_no_provider_knew_of_for_a_day_has_failed_and_is_told(shop):
    """D3, D4: an outage, then the key would be forgotten."""
    shop.bank.down = True
    begin(shop)
    shop.wait(hours=21)
    shop.bank.down = False
    shop.run(collect_payments)
    with shop.cell.reading():
        assert shop.cell.rows("SELECT state, code FROM payment") == [("failed", "not_charged")]
    assert (charged(shop), shop.told("")) == ([], ["purchase.failed"])


@BOTH
def test_a_recharge_that_no_provider_knew_of_for_a_day_has_failed_and_is_told(shop):
    """R18, D3, D4."""
    shop.buy(100 * UNIT)
    shop.recharge_on(60 * UNIT, 100 * UNIT)
    shop.bank.down = True
    shop.spend(50 * UNIT)
    tend_wallets(shop.sweep)
    shop.run(collect_payments)
    shop.wait(hours=21)
    shop.bank.down = False
    shop.run(collect_payments)
    assert shop.facts("recharge.failed")[0]["code"] == "not_charged"
    assert shop.told("recharge.") == ["recharge.failed", "recharge.succeeded"]  # begun anew


@BOTH
@pytest.mark.parametrize(("agrees", "state"), [(True, "succeeded"), (False, "failed")])
def test_the_cardholders_answer_at_the_page_is_the_purchases(shop, agrees, state):
    """D3: with a person present."""
    shop.card.behaviour = "asks"
    asked = begin(shop)
    [ref] = shop.bank.charges
    assert (asked.state, asked.action_url) == ("confirming", f"https://bank.example/{ref}")
    shop.wait(minutes=1)
    shop.run(collect_payments)
    assert shop.payment(asked.id).state == "confirming"
    shop.bank.confirm(ref, agrees=agrees)
    shop.wait(minutes=1)
    shop.run(collect_payments)
    done = shop.payment(asked.id)
    assert (done.state, done.action_url) == (state, "")
    assert charged(shop) == ([50] if agrees else [])
    assert shop.told("") == [f"purchase.{state}"]


@BOTH
def test_a_page_that_is_ignored_for_a_day_is_called_off_and_nobody_can_confirm_it_later(shop):
    """D3."""
    shop.card.behaviour = "asks"
    asked = begin(shop)
    [ref] = shop.bank.charges
    shop.wait(hours=24)
    shop.now_ms -= 1
    shop.run(collect_payments)
    assert shop.payment(asked.id).state == "confirming"
    shop.wait(minutes=1)
    shop.run(collect_payments)
    assert (shop.payment(asked.id).state, shop.payment(asked.id).code) == ("failed", "cancelled")
    shop.bank.confirm(ref)
    assert charged(shop) == []


@BOTH
def test_a_recharge_that_asks_for_its_cardholder_is_called_off_first_then_pauses(shop):
    """D3: so that nobody can confirm it once it was given up."""
    shop.card.behaviour = "asks"
    shop.recharge_on(100 * UNIT, 200 * UNIT)
    shop.run(collect_payments)
    [made] = shop.bank.charges.values()
    assert made.state == "cancelled"
    assert shop.recharge().recharge.paused_code in ("authentication_required", "cancelled")
    assert shop.told("recharge") == ["recharge.failed", "recharge.paused"]


@BOTH
def test_a_declined_recharge_recovers_with_the_second_card(shop):
    """R18, D3."""
    shop.card.behaviour = "short"
    second = shop.add_card(shop.bank.issue())
    shop.recharge_on(100 * UNIT, 200 * UNIT)
    assert (shop.run(collect_payments), shop.run(collect_payments)) == (1, 1)
    assert shop.money() == (200 * UNIT, 0, 0)
    assert tries(shop) == [(1, "declined", 0), (2, "succeeded", 0)]
    assert shop.told("recharge") == ["recharge.failed", "recharge.succeeded"]
    with shop.cell.reading():
        assert shop.cell.rows("SELECT method_id FROM payment") == [(second,)]


@BOTH
def test_a_downtime_of_days_is_made_up_for_in_one_step_a_payment(shop):
    """D3: no loop."""
    shop.card.behaviour = "short"
    shop.recharge_on(100 * UNIT, 200 * UNIT)
    shop.run(collect_payments)
    shop.wait(days=9)
    done = [shop.run(collect_payments) for _ in range(3)]
    assert done == [1, 0, 0]
    assert shop.bank.asked == ["charge", "charge"]
    assert shop.recharge().recharge.paused_code == "insufficient_funds"


@BOTH
def test_a_provider_that_is_gone_is_a_failure_in_words_and_stops_no_other(shop):
    """One bad row stops no other."""
    with shop.cell.transaction():
        shop.cell.run("UPDATE payment_method SET provider = 'gone'")
    lost = start(shop, shop.method_id)
    second = shop.add_card(shop.bank.issue())
    make_first(shop.counter, second)
    paid = start(shop, second)
    swept = collect_payments(shop.sweep, shop.providers)
    assert swept.failures == (
        f"payment {lost}: LookupError(\"there is no payment provider 'gone' any more\")",
    )
    assert (swept.rows, shop.payment(paid).state) == (1, "succeeded")
    assert shop.payment(lost).state == "charging"


def start(shop, method_id):
    """A purchase is begun, and no job runs; its id."""
    begun = start_purchase(
        shop.counter,
        amount_micros=50 * UNIT,
        method_id=method_id,
        idempotency_key=f"key {shop.ids.next()}",
        actor="admin",
        why_not=None,
    )
    return begun.payment.id


def crew(shop, count):
    """Sweeps on connections of their own, as several processes have them."""
    clock = lambda: shop.now_ms  # noqa: E731 - read at each call
    return [
        shop.sweep._replace(
            connection=shop.store.cell(),
            control=(lambda control: lambda: control)(shop.store.control()),
            next_id=Ids(100 + number, clock).next,
        )
        for number in range(count)
    ]


@BOTH
def test_two_runners_at_once_charge_once(shop):
    """R16: each with its own connections, again and again."""
    sweeps = crew(shop, 2)
    for number in range(4):
        payment_id = start(shop, shop.method_id)
        with ThreadPoolExecutor(2) as threads:
            runs = [threads.submit(collect_payments, sweep, shop.providers) for sweep in sweeps]
        assert [run.result().failures for run in runs] == [(), ()]
        assert shop.payment(payment_id).state == "succeeded"
        assert charged(shop) == [50] * (number + 1)
    assert shop.money() == (200 * UNIT, 0, 0)
    shop.proven()


@pytest.mark.layouts("postgres")
def test_a_hundred_debits_at_once_that_cross_the_trigger_make_one_charge_and_one_lot(shop):
    """R16: with four processes that look and collect beside them."""
    shop.give(101 * UNIT)
    shop.recharge_on(100 * UNIT, 200 * UNIT)
    rate, owner = Rate("49", "Germany", 100_000, 0, 60, 60), shop.organisation.id
    cells = [shop.store.cell() for _ in range(5)]

    def debit(number):
        cell, call = cells[number], f"crowd {number}"
        next_id = Ids(200 + number, lambda: shop.now_ms).next
        for each in range(number, CROWD, len(cells)):
            call = f"crowd {each}"
            for command in (
                authorize(call, organisation_id=owner, at_ms=NOW_MS, requested_s=60, rate=rate),
                settle(call, used_s=60, organisation_id=owner),
            ):
                with cell.transaction():
                    execute(cell, [command], NOW_MS, next_id)

    def work(sweep):
        failures = []
        for _ in range(10):
            for swept in (
                tend_wallets(sweep),
                recheck_recharges(sweep),
                collect_payments(sweep, shop.providers),
            ):
                failures += swept.failures
        return failures

    with ThreadPoolExecutor(9) as threads:
        debits = [threads.submit(debit, number) for number in range(len(cells))]
        runs = [threads.submit(work, sweep) for sweep in crew(shop, 4)]
    assert [run.result() for run in (*debits, *runs)] == [None] * 5 + [[]] * 4
    tend(shop)
    shop.run(collect_payments)
    assert charged(shop) == [200]
    assert shop.lots() == [
        ("adjustment", 91 * UNIT, 101 * UNIT),
        ("recharge", 200 * UNIT, 200 * UNIT),
    ]
    assert shop.money() == (291 * UNIT, 0, 0)
    assert shop.told("recharge") == ["recharge.succeeded"]
    shop.proven()
