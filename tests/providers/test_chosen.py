"""The providers of an installation. Mirrors src/talktime/providers/chosen.py."""

from dataclasses import replace

import pytest

from talktime.core.charges import Absent, Declined, Event, Succeeded, Unknown
from talktime.core.ids import Ids
from talktime.operations.provider_settings import StripeKeys, set_stripe, use_sandbox
from talktime.operations.sandbox import add_sandbox_card
from talktime.operations.sandbox_charges import id_of_ref
from talktime.operations.sandbox_events import due_events
from talktime.operations.sealing import Seal
from talktime.providers.chosen import chosen_providers, sandbox_secret
from tests.providers.conftest import NOW_MS, a_charge
from tests.providers.stripe_server import SECRET_KEY, WEBHOOK_SECRET

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def control(store):
    return store.control()


@pytest.fixture
def choose(store, control):
    """The providers as the settings are now, of a demo or a test."""
    next_id = Ids(1, lambda: NOW_MS).next
    demo = replace(store.settings, test_clock=True)
    return lambda: chosen_providers(demo, lambda: control, lambda: NOW_MS, next_id)


def a_card(control, provider) -> str:
    page = provider.begin_card(51, 7, "", "Contoso", "/back")
    with control.transaction():
        next_id = Ids(2, lambda: NOW_MS).next
        card_id = id_of_ref(page.setup_ref, "sbx_setup_")
        add_sandbox_card(control, card_id, script="approve", now_ms=NOW_MS, next_id=next_id)
    return provider.find_card(page.setup_ref).method_ref


def test_a_new_installation_has_the_sandbox_and_takes_its_webhooks(store, control, choose):
    chosen = choose()
    assert (chosen.active, list(chosen.providers)) == ("sandbox", ["sandbox"])
    sandbox = chosen.providers["sandbox"]
    assert isinstance(sandbox.charge(a_charge(a_card(control, sandbox))), Succeeded)
    with control.reading():
        sent = due_events(control, sandbox_secret(store.settings), now_ms=NOW_MS)
    read = [sandbox.read_event(each.body, each.headers, NOW_MS // 1000) for each in sent]
    assert sorted(each.kind for each in read if isinstance(each, Event)) == [
        *("card.added", "charge.succeeded"),
    ]


def test_in_production_the_sandbox_charges_nothing(store, control, choose):
    """Or whoever had a card there, from before, would get credits for no money."""
    method = a_card(control, choose().providers["sandbox"])
    next_id = Ids(3, lambda: NOW_MS).next
    chosen = chosen_providers(store.settings, lambda: control, lambda: NOW_MS, next_id)
    declined = chosen.providers["sandbox"].charge(a_charge(method))
    assert isinstance(declined, Declined)
    assert (declined.code, declined.hard) == ("sandbox_off", True)


def test_with_stripe_in_use_the_sandbox_charges_no_more(store, control, choose, stripe_):
    method = a_card(control, choose().providers["sandbox"])
    with control.transaction():
        keys = StripeKeys(SECRET_KEY, WEBHOOK_SECRET, stripe_.url)
        seal = Seal(store.settings.seal_keys())
        set_stripe(control, seal, keys, actor="operator", now_ms=NOW_MS)
    chosen = choose()
    assert (chosen.active, list(chosen.providers)) == ("stripe", ["sandbox", "stripe"])
    stripe = chosen.providers["stripe"]
    assert stripe.charge(a_charge()) == Succeeded("pi_2")
    stripe.close()
    outcome = chosen.providers["sandbox"].charge(a_charge(method))
    assert isinstance(outcome, Declined)
    assert outcome.code == "sandbox_off"
    assert chosen.providers["sandbox"].find_charge(a_charge(method), "") == Absent()
    assert SECRET_KEY not in repr(chosen)


def test_stripes_charges_can_be_asked_about_when_it_is_not_in_use_any_more(
    store, control, choose, stripe_
):
    with control.transaction():
        keys = StripeKeys(SECRET_KEY, WEBHOOK_SECRET, stripe_.url)
        seal = Seal(store.settings.seal_keys())
        set_stripe(control, seal, keys, actor="operator", now_ms=NOW_MS)
        use_sandbox(control, actor="operator", now_ms=NOW_MS)
    stripe_.faults.append("cut off after")
    chosen = choose()
    assert chosen.active == "sandbox"
    stripe = chosen.providers["stripe"]
    assert isinstance(stripe.charge(a_charge()), Unknown)
    assert stripe.find_charge(a_charge(), "") == Succeeded("pi_2")
    stripe.close()
