"""Charges at Stripe: the real library against a pretended Stripe. Mirrors payment_stripe.py."""

import logging
import threading

import pytest
import stripe

from talktime.core.charges import (
    Absent,
    Declined,
    Misconfigured,
    NeedsCardholder,
    Succeeded,
    Unknown,
)
from talktime.providers.payment_stripe import API_VERSION, LOOK_FIRST_AFTER_MS
from tests.providers.conftest import NOW_MS, TRY_ID, a_charge
from tests.providers.stripe_server import RESTRICTED_KEY, SECRET_KEY, WEBHOOK_SECRET


def test_a_charge_is_made_once_with_all_that_names_it(provider, stripe_):
    assert provider.charge(a_charge()) == Succeeded("pi_2")
    assert stripe_.requests == [
        (
            "POST",
            "payment_intents",
            str(TRY_ID),
            {
                "amount": "1234",
                "currency": "usd",
                "customer": "cus_1",
                "payment_method": "pm_card_visa",
                "payment_method_types": {"0": "card"},
                "confirm": "true",
                "description": "Communications Credits",
                "metadata": {"talktime_try": str(TRY_ID), "talktime_organisation": "7"},
                "off_session": "true",
            },
        )
    ]
    assert stripe_.headers[0]["stripe-version"] == API_VERSION
    assert " Talktime/" in stripe_.headers[0]["user-agent"]
    assert stripe.app_info is None
    assert stripe.api_key is None


def test_the_version_of_the_api_is_the_one_the_library_is_made_for():
    """Its objects and types are of that version: a newer library is looked at before it is used."""
    assert stripe.api_version == API_VERSION


def test_the_same_try_again_is_not_charged_again(provider, stripe_):
    assert provider.charge(a_charge()) == provider.charge(a_charge()) == Succeeded("pi_2")
    assert stripe_.account.charged() == 1_234


def test_a_try_with_another_body_is_not_charged(provider, stripe_):
    provider.charge(a_charge())
    outcome = provider.charge(a_charge(amount_micros=99_000_000))
    assert isinstance(outcome, Unknown)
    assert outcome.detail.startswith("Stripe has another request under the same key")
    assert stripe_.account.charged() == 1_234


def test_a_try_that_stripe_is_still_at_is_in_use(provider, stripe_):
    provider.charge(a_charge())
    for kept in stripe_.kept.values():
        kept.reply = None
    outcome = provider.charge(a_charge())
    assert (outcome.in_use, outcome.detail[:20]) == (True, "Stripe answered 409:")


@pytest.mark.parametrize(
    ("currency", "micros", "amount"),
    [("JPY", 500_000_000, 500), ("KWD", 12_340_000, 12_340), ("ISK", 500_000_000, 50_000)],
)
def test_an_amount_is_sent_in_the_minor_units_of_its_currency(
    provider, stripe_, currency, micros, amount
):
    assert provider.charge(a_charge(currency=currency, amount_micros=micros)) == Succeeded("pi_2")
    assert stripe_.account.charged() == amount


def test_an_amount_that_is_no_whole_number_of_minor_units_is_not_sent(provider, stripe_):
    with pytest.raises(ValueError, match="no whole number"):
        provider.charge(a_charge(amount_micros=12_345_678))
    assert stripe_.requests == []


@pytest.mark.parametrize(
    ("method", "code", "hard"),
    [
        ("pm_card_chargeDeclined", "generic_decline", False),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds", False),
        ("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_velocity_exceeded", False),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", False),
        ("pm_card_visa_chargeDeclinedLostCard", "lost_card", True),
        ("pm_card_visa_chargeDeclinedStolenCard", "stolen_card", True),
        ("pm_card_chargeDeclinedFraudulent", "fraudulent", True),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", True),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", True),
    ],
)
def test_a_decline_is_soft_or_hard_and_the_same_when_asked_again(
    provider, stripe_, method, code, hard
):
    outcome = provider.charge(a_charge(method))
    assert isinstance(outcome, Declined)
    assert (outcome.ref, outcome.code, outcome.hard) == ("pi_2", code, hard)
    assert provider.charge(a_charge(method)) == outcome
    assert provider.find_charge(a_charge(method), "pi_2") == outcome
    assert provider.find_charge(a_charge(method), "") == outcome
    assert len(stripe_.account.intents) == 1
    assert stripe_.account.charged() == 0


def test_a_card_that_wants_its_holder_is_not_charged_when_nobody_is_there(provider, stripe_):
    charge = a_charge("pm_card_authenticationRequired")
    assert provider.charge(charge) == NeedsCardholder("pi_2", "")
    assert provider.find_charge(charge, "") == NeedsCardholder("pi_2", "")
    assert stripe_.account.charged() == 0


def test_a_person_who_is_present_confirms_on_the_banks_page(provider, stripe_):
    charge = a_charge(
        "pm_card_authenticationRequired", person_present=True, return_url="https://t.example/back"
    )
    waiting = NeedsCardholder("pi_2", "https://hooks.stripe.example/redirect/pi_2")
    assert provider.charge(charge) == waiting
    assert provider.find_charge(charge, "pi_2") == waiting
    assert stripe_.account.charged() == 0
    stripe_.account.succeed("pi_2")
    assert provider.find_charge(charge, "pi_2") == Succeeded("pi_2")
    assert stripe_.account.charged() == 1_234


def test_a_person_who_fails_to_confirm_is_declined_softly(provider, stripe_):
    charge = a_charge(
        "pm_card_authenticationRequired", person_present=True, return_url="https://t.example/back"
    )
    provider.charge(charge)
    stripe_.account.fail("pi_2")
    outcome = provider.find_charge(charge, "pi_2")
    assert isinstance(outcome, Declined)
    assert (outcome.code, outcome.hard) == ("payment_intent_authentication_failure", False)


def test_a_waiting_charge_is_called_off_and_a_paid_one_is_not(provider, stripe_):
    asking = a_charge(
        "pm_card_authenticationRequired", person_present=True, return_url="https://t.example/back"
    )
    provider.charge(asking)
    called_off = provider.cancel_charge("pi_2")
    assert isinstance(called_off, Declined)
    assert (called_off.ref, called_off.code, called_off.hard) == ("pi_2", "cancelled", False)
    assert provider.cancel_charge("pi_2") == called_off
    provider.charge(a_charge(try_id=TRY_ID + 1))
    assert provider.cancel_charge("pi_3") == Succeeded("pi_3")
    assert provider.cancel_charge("pi_none") == Absent()


FAULTS = {
    # what goes wrong: whether the money was charged, whether a repeated request is told so
    "429": (False, True),
    "lock timeout": (False, True),
    "500 before": (False, False),
    "500 after": (True, False),
    "nonsense": (True, False),
    "cut off after": (True, True),
    "silence before": (False, True),
    "silence after": (True, True),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_does_not_come_is_unknown_and_asking_tells(new_provider, stripe_, fault):
    charged, told = FAULTS[fault]
    stripe_.faults.append(fault)
    hasty = new_provider(answer_s=0.2 if "silence" in fault else 30)
    outcome = hasty.charge(a_charge())
    assert isinstance(outcome, Unknown)
    assert len(stripe_.requests) == 1, "our side decides when to ask again"
    provider = new_provider()
    found = provider.find_charge(a_charge(), "")
    assert found == (Succeeded("pi_2") if charged else Absent())
    assert stripe_.account.charged() == (1_234 if charged else 0)
    again = provider.charge(a_charge())
    assert isinstance(again, Succeeded if told else Unknown)
    assert stripe_.account.charged() == (1_234 if charged or told else 0)


def test_a_stripe_that_is_not_there_is_unknown(new_provider, stripe_):
    stripe_.url = "http://127.0.0.1:9"
    provider = new_provider()
    for answer in (provider.charge(a_charge()), provider.find_charge(a_charge(), "pi_2")):
        assert answer == Unknown("Stripe did not answer (ConnectionError)")


def test_two_at_once_charge_once(new_provider, stripe_):
    stripe_.faults.append("hold")
    first, outcomes = new_provider(), []
    thread = threading.Thread(target=lambda: outcomes.append(first.charge(a_charge())))
    thread.start()
    assert stripe_.held.wait(10)
    assert isinstance(new_provider().charge(a_charge()), Unknown)
    stripe_.over.set()
    thread.join()
    assert outcomes == [Succeeded("pi_2")]
    assert stripe_.account.charged() == 1_234


def test_a_charge_is_found_behind_more_than_a_page_of_others(provider, stripe_):
    provider.charge(a_charge())
    for number in range(1, 251):
        stripe_.account.do(
            "POST",
            "payment_intents",
            {
                "amount": "100",
                "currency": "usd",
                "customer": "cus_1",
                "description": "x",
                "payment_method": "pm_card_visa",
                "off_session": "true",
                "metadata": {"talktime_try": str(TRY_ID + number)},
            },
        )
    del stripe_.requests[:]
    assert provider.find_charge(a_charge(), "") == Succeeded("pi_2")
    assert [method for method, *_ in stripe_.requests] == ["GET"] * 3
    assert provider.find_charge(a_charge(try_id=5), "") == Absent()


def test_a_try_older_than_stripes_memory_of_keys_is_looked_for_before_it_is_charged(
    new_provider, stripe_
):
    """A service that was down for days repeats its last request; Stripe has forgotten the key."""
    assert new_provider().charge(a_charge()) == Succeeded("pi_2")
    stripe_.kept.clear()
    days_later = new_provider(now_ms=NOW_MS + LOOK_FIRST_AFTER_MS)
    assert days_later.charge(a_charge()) == Succeeded("pi_2")
    assert stripe_.account.charged() == 1_234
    assert days_later.charge(a_charge(try_id=TRY_ID - 1)) == Succeeded("pi_3")


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("sk_test_51WrongAndNeverShown", "Stripe does not accept the secret key (401)"),
        (RESTRICTED_KEY, "Stripe does not allow this to the secret key (403)"),
    ],
)
def test_a_wrong_key_is_the_operators_affair_and_is_shown_nowhere(
    new_provider, stripe_, caplog, key, says
):
    caplog.set_level(logging.DEBUG)
    provider = new_provider(secret_key=key)
    for answer in (
        provider.charge(a_charge()),
        provider.find_charge(a_charge(), ""),
        provider.cancel_charge("pi_1"),
        provider.find_card("cs_1"),
        provider.refunds("pi_1"),
        provider.begin_card(1, 7, "", "Contoso", "https://t.example/back"),
    ):
        assert isinstance(answer, Misconfigured)
        assert answer.detail.startswith(says)
        assert key[-4:] not in answer.detail
        assert "*" not in answer.detail
    assert stripe_.account.charged() == 0
    assert key not in caplog.text + repr(provider) + str(vars(provider))


def test_secrets_are_in_no_log_of_a_good_request(provider, stripe_, caplog):
    caplog.set_level(logging.DEBUG)
    provider.charge(a_charge())
    assert "payment_intents" in caplog.text
    for secret in (SECRET_KEY, WEBHOOK_SECRET):
        assert secret not in caplog.text + repr(provider)


def test_a_card_that_stripe_does_not_know_is_declined_for_good(provider, stripe_):
    outcome = provider.charge(a_charge("pm_removed"))
    assert isinstance(outcome, Declined)
    assert (outcome.ref, outcome.code, outcome.hard) == ("", "resource_missing", True)
    other = provider.charge(a_charge(customer_ref="cus_removed"))
    assert isinstance(other, Declined)
    assert stripe_.account.intents == {}


def test_an_amount_below_stripes_least_is_declined(provider, stripe_):
    outcome = provider.charge(a_charge(amount_micros=100_000))
    assert isinstance(outcome, Declined)
    assert (outcome.code, outcome.hard) == ("amount_too_small", True)
    assert stripe_.account.charged() == 0


def test_a_request_that_stripe_cannot_read_is_misconfigured(provider, stripe_):
    outcome = provider.charge(a_charge(person_present=True, return_url=""))
    assert isinstance(outcome, Misconfigured)
    assert outcome.detail.startswith("Stripe cannot take the request (400)")
    assert stripe_.account.charged() == 0
