"""A cell in which every job of the timetable has something to do, a week after anybody looked."""

from dataclasses import replace

from talktime.core.post_usage import month_start_ms
from talktime.core.recharging import DAY_MS
from talktime.jobs.cards import add_cards
from talktime.jobs.installed_providers import InstalledProviders
from talktime.jobs.provider_events import read_payment_events, settle_payment_events
from talktime.jobs.sandbox_events import post_sandbox_events
from talktime.operations.account_mail import MailSealed, write_mail
from talktime.operations.book_proofs import ask_for_proof
from talktime.operations.card_setups import begin_card, find_card_setup
from talktime.operations.commerce_models import mark_moved
from talktime.operations.fund import fund
from talktime.operations.payment_methods import remove_method
from talktime.operations.recipients import add_recipient
from talktime.operations.sandbox import add_sandbox_card
from talktime.operations.sandbox_charges import SETUP_REF, id_of_ref
from talktime.operations.sealing import Seal
from talktime.operations.spread_notices import spread_notices
from talktime.store.organisations import insert_organisation
from tests.after_use import AfterUse
from tests.lively_books import Player, play_everything
from tests.people import CONTOSO
from tests.shop import NOW_MS, UNIT, Shop

WEEK_MS = 8 * DAY_MS


def leave_due_work(store) -> Player:
    """Make such a cell; a player at the time at which nobody has looked for a week."""
    store.settings = replace(store.settings, test_clock=True)  # where the sandbox charges
    _owe_statements(store)
    player = Player(store.cell(), NOW_MS)
    with (control := store.control()).transaction():
        for number in (1, 2, 3, 4):
            made = CONTOSO._replace(id=number, name=f"Contoso {number}", active=number != 4)
            insert_organisation(control, made, player.now_ms)
        sealed = MailSealed(
            *(Seal(store.settings.seal_keys()), player.now_ms, player.ids.next, "https://t.example")
        )
        write_mail(
            control,
            "new@contoso.example",
            "password_reset",
            {"link": "https://t.example/x"},
            sealed,
        )
    _pay_at_the_sandbox(store)
    _be_moved(store)
    play_everything(player)
    with player.connection.transaction():
        ask_for_proof(player.connection, player.now_ms)
    player.now_ms += WEEK_MS
    return player


def _owe_statements(store) -> None:
    """A statement that is overdue, and a month that was never closed."""
    used = AfterUse(store.cell(), node=8)
    with (control := store.control()).transaction():
        insert_organisation(control, used.organisation, used.now_ms)
    used.use("on a statement", 61, month_start_ms("2026-09"))
    used.close("2026-09")
    used.use("on none", 61, month_start_ms("2026-11"))


def _pay_at_the_sandbox(store) -> None:
    """Somebody who pays by card, and leaves everything half done."""
    shop = Shop(store, name="Fabrikam", node=5)
    with shop.cell.transaction():
        shop.cell.run("DELETE FROM payment_method")
    shop.now_ms = NOW_MS - 45 * DAY_MS
    shop.providers = InstalledProviders(shop.sweep)
    card = _card(shop)
    _charge_and_tell(shop, card, settles=True)
    shop.now_ms = NOW_MS
    with shop.cell.transaction():
        add_recipient(
            *(shop.cell, shop.organisation.id, "billing@fabrikam.example"),
            roles=["billing"],
            language="en",
            time_zone="UTC",
            now_ms=shop.now_ms,
            next_id=shop.ids.next,
        )
    _charge_and_tell(shop, card, settles=False)
    spread_notices(shop.sweep)
    paid = shop.buy(50 * UNIT, card)
    post_sandbox_events(shop.sweep)
    shop.buy(50 * UNIT, card)
    shop.refund(paid, 10 * UNIT)
    remove_method(shop.counter, _card(shop))
    _begin_card(shop)
    for lasts_days in (3, 20):  # one has expired a week later, one is to be warned of
        _give(shop, lasts_days)
    shop.recharge_on(270 * UNIT, 100 * UNIT)  # which the lot that expires falls below
    shop.run = lambda job: 0  # what comes is left to the jobs
    shop.buy(50 * UNIT, card)


def _give(shop, lasts_days) -> None:
    fund(
        *(shop.cell, shop.organisation),
        amount_micros=60 * UNIT,
        source="grant",
        reason="a test",
        actor="operator",
        idempotency_key=f"for {lasts_days} days",
        lasts_until_ms=shop.now_ms + lasts_days * DAY_MS,
        now_ms=shop.now_ms,
        next_id=shop.ids.next,
    )


def _charge_and_tell(shop, card, *, settles) -> None:
    """A purchase of which the sandbox has told, as far as it is read; acted on where `settles`."""
    shop.buy(50 * UNIT, card)
    post_sandbox_events(shop.sweep)
    shop.run(read_payment_events)
    if settles:
        shop.run(settle_payment_events)


def _begin_card(shop) -> int:
    begun = begin_card(
        shop.counter, provider="sandbox", return_url="https://t.example/", actor="admin"
    )
    return begun.id


def _card(shop) -> int:
    """A card of the sandbox's that pays, as a method."""
    setup_id = _begin_card(shop)
    shop.run(add_cards)
    page = id_of_ref(find_card_setup(shop.counter, setup_id).setup_ref, SETUP_REF)
    with shop.control.transaction():
        add_sandbox_card(
            *(shop.control, page), script="approve", now_ms=shop.now_ms, next_id=shop.ids.next
        )
    shop.wait(s=5)
    shop.run(add_cards)
    return find_card_setup(shop.counter, setup_id).method_id


def _be_moved(store) -> None:
    """An organisation that its reseller has moved to post-usage billing."""
    shop = Shop(store, name="Moved", node=6)
    with shop.control.transaction():
        mark_moved(shop.control, shop.organisation, True)
