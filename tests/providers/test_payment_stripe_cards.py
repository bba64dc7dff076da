"""Cards, refunds, disputes and webhooks at Stripe. Mirrors payment_stripe.py, stripe_events.py."""

import pytest

from talktime.core.charges import (
    Absent,
    BadSignature,
    CardAdded,
    CardPage,
    Dispute,
    Event,
    Failed,
    ForeignRefund,
    Refunded,
    RefundFailed,
    Succeeded,
    Unknown,
    Waiting,
)
from talktime.providers.payment_stripe import LOOK_FIRST_AFTER_MS
from tests.providers.conftest import NOW_MS, TRY_ID, a_charge
from tests.providers.stripe_server import WEBHOOK_SECRET

BACK = "https://talktime.contoso.example/back"
SETUP_ID, REFUND_ID = TRY_ID + 10, TRY_ID + 20
NOW_S = 1_800_000_000


def begun(provider):
    page = provider.begin_card(SETUP_ID, 7, "", "Fabrikam", BACK)
    assert isinstance(page, CardPage)
    return page


def test_a_card_is_entered_on_stripes_own_page_and_can_be_charged(provider, stripe_):
    page = begun(provider)
    assert page == CardPage("cus_2", "cs_4", "https://checkout.stripe.example/c/cs_4")
    assert stripe_.account.customers["cus_2"]["name"] == "Fabrikam"
    assert provider.find_card(page.setup_ref) == Waiting()
    method = stripe_.account.complete(
        "cs_4", brand="visa", last4="4242", exp_year=2030, exp_month=2
    )
    added = CardAdded(method, "visa", "4242", 2030, 2)
    assert provider.find_card(page.setup_ref) == added
    charge = a_charge(added.method_ref, customer_ref="cus_2")
    assert isinstance(provider.charge(charge), Succeeded)


def test_a_setup_begun_again_makes_neither_a_customer_nor_a_page_more(provider, stripe_):
    assert begun(provider) == begun(provider)
    assert list(stripe_.account.customers) == ["cus_1", "cus_2"]
    assert list(stripe_.account.sessions) == ["cs_4"]


def test_a_setup_whose_answer_was_lost_goes_on_where_it_was(new_provider, stripe_):
    stripe_.faults += ["", "cut off after"]
    assert isinstance(new_provider().begin_card(SETUP_ID, 7, "", "Fabrikam", BACK), Unknown)
    assert begun(new_provider()).setup_ref == "cs_4"


def test_a_customer_known_before_is_used_and_one_that_is_gone_is_said(provider, stripe_):
    page = provider.begin_card(SETUP_ID, 7, "cus_1", "Contoso", BACK)
    assert page.customer_ref == "cus_1"
    assert list(stripe_.account.customers) == ["cus_1"]
    gone = provider.begin_card(SETUP_ID + 1, 7, "cus_gone", "Contoso", BACK)
    assert gone == Failed("No such customer: 'cus_gone'")


def test_a_page_that_nobody_used_and_one_that_is_not_there_have_failed(provider, stripe_):
    page = begun(provider)
    stripe_.account.sessions[page.setup_ref]["status"] = "expired"
    assert isinstance(provider.find_card(page.setup_ref), Failed)
    assert provider.find_card("cs_none") == Failed("Stripe has no such page")


def test_a_card_is_forgotten_once_and_again(provider, stripe_):
    page = begun(provider)
    method = stripe_.account.complete(page.setup_ref, brand="visa", last4="4242")
    assert [provider.forget_card(each) for each in (method, method, "pm_none")] == [None] * 3
    assert stripe_.account.cards[method]["customer"] is None


def test_a_refund_is_made_once_and_found(provider, stripe_):
    provider.charge(a_charge())
    assert provider.find_refund(REFUND_ID, "pi_2") == Absent()
    done = provider.refund(REFUND_ID, "pi_2", 5_000_000, "USD")
    assert done == Refunded("re_3")
    assert provider.refund(REFUND_ID, "pi_2", 5_000_000, "USD") == done
    assert provider.find_refund(REFUND_ID, "pi_2") == done
    assert provider.refunds("pi_2") == [ForeignRefund("re_3", REFUND_ID, 5_000_000)]


def test_a_refund_older_than_stripes_memory_of_keys_is_looked_for_first(new_provider, stripe_):
    new_provider().charge(a_charge())
    done = new_provider().refund(REFUND_ID, "pi_2", 5_000_000, "USD")
    stripe_.kept.clear()
    days_later = new_provider(now_ms=NOW_MS + 2 * LOOK_FIRST_AFTER_MS)
    assert days_later.refund(REFUND_ID, "pi_2", 5_000_000, "USD") == done
    assert len(stripe_.account.refunds) == 1


def test_more_than_was_charged_is_not_refunded(provider, stripe_):
    provider.charge(a_charge())
    too_much = provider.refund(REFUND_ID, "pi_2", 12_350_000, "USD")
    assert too_much == RefundFailed("Refund amount is greater than unrefunded amount")
    provider.refund(REFUND_ID + 1, "pi_2", 12_340_000, "USD")
    assert isinstance(provider.refund(REFUND_ID + 2, "pi_2", 10_000, "USD"), RefundFailed)
    assert [each["amount"] for each in stripe_.account.refunds.values()] == [1_234]


def test_a_refund_whose_answer_was_lost_is_found_by_asking(provider, stripe_):
    provider.charge(a_charge())
    stripe_.faults.append("cut off after")
    assert isinstance(provider.refund(REFUND_ID, "pi_2", 5_000_000, "USD"), Unknown)
    assert provider.find_refund(REFUND_ID, "pi_2") == Refunded("re_3")


def test_refunds_made_in_the_dashboard_are_seen_and_failed_ones_are_marked(provider, stripe_):
    provider.charge(a_charge())
    stripe_.account.refund("pi_2", 300, {})
    stripe_.account.refund("pi_2", 400, {"talktime_refund": str(REFUND_ID)}, status="failed")
    failed, made = provider.refunds("pi_2")
    assert made == ForeignRefund("re_3", None, 3_000_000)
    assert failed == ForeignRefund("re_4", REFUND_ID, 4_000_000, "failed")
    assert provider.find_refund(REFUND_ID, "pi_2") == RefundFailed("failed")
    assert provider.refunds("pi_none") == []


def test_disputes_are_open_won_or_lost_and_inquiries_are_none(provider, stripe_):
    provider.charge(a_charge())
    for status in ("needs_response", "under_review", "won", "lost", "warning_needs_response"):
        stripe_.account.dispute("pi_2", status)
    assert provider.disputes("pi_2") == [
        Dispute("dp_6", 12_340_000, "lost"),
        Dispute("dp_5", 12_340_000, "won"),
        Dispute("dp_4", 12_340_000, "open"),
        Dispute("dp_3", 12_340_000, "open"),
    ]
    assert provider.disputes("pi_none") == []


OURS = {"talktime_try": "5", "talktime_organisation": "7"}


@pytest.mark.parametrize(
    ("kind", "about", "event"),
    [
        (
            "payment_intent.succeeded",
            {"id": "pi_9", "metadata": OURS},
            Event("evt_2", "payment_intent.succeeded", "pi_9", "", 5, 7),
        ),
        (
            "charge.refunded",
            {"id": "ch_9", "payment_intent": "pi_9", "metadata": {}},
            Event("evt_2", "charge.refunded", "pi_9", "", None, None),
        ),
        (
            "charge.dispute.created",
            {"id": "dp_9", "payment_intent": {"id": "pi_9"}},
            Event("evt_2", "charge.dispute.created", "pi_9", "", None, None),
        ),
        (
            "refund.failed",
            {"id": "re_9", "payment_intent": "pi_9", "metadata": {"talktime_organisation": "x"}},
            Event("evt_2", "refund.failed", "pi_9", "", None, None),
        ),
        (
            "checkout.session.completed",
            {"id": "cs_9", "metadata": {"talktime_organisation": "7"}},
            Event("evt_2", "checkout.session.completed", "", "cs_9", None, 7),
        ),
        (
            "customer.updated",
            {"id": "cus_9", "metadata": None},
            Event("evt_2", "customer.updated", "", "", None, None),
        ),
    ],
)
def test_a_webhook_says_what_it_is_about(provider, stripe_, kind, about, event):
    body, headers = stripe_.webhook(kind, about, NOW_S)
    assert provider.read_event(body, headers, NOW_S) == event
    lower = {name.lower(): value for name, value in headers.items()}
    assert provider.read_event(body, lower, NOW_S + 300) == event


def test_what_stripe_did_not_sign_is_not_taken(provider, stripe_, caplog):
    body, headers = stripe_.webhook("payment_intent.succeeded", {"id": "pi_9"}, NOW_S)
    by_others, other = stripe_.webhook(
        "payment_intent.succeeded", {"id": "pi_9"}, NOW_S, "whsec_of_somebody_else"
    )
    for bad_body, bad_headers in (
        (body.replace(b"pi_9", b"pi_8"), headers),
        (by_others, other),
        (body, {}),
        (body, {"Stripe-Signature": ""}),
        (body, {"Stripe-Signature": "nonsense"}),
        (body, {"Stripe-Signature": "t=x,v1=00"}),
        (body, {"Stripe-Signature": f"t={NOW_S}"}),
        (b"\xff" + body, headers),
    ):
        read = provider.read_event(bad_body, bad_headers, NOW_S)
        assert isinstance(read, BadSignature)
        assert WEBHOOK_SECRET not in read.detail
    assert WEBHOOK_SECRET not in caplog.text


def test_an_event_signed_more_than_five_minutes_ago_is_not_taken(provider, stripe_):
    body, headers = stripe_.webhook("payment_intent.succeeded", {"id": "pi_9"}, NOW_S)
    read = provider.read_event(body, headers, NOW_S + 301)
    assert read == BadSignature("it was signed 301 seconds ago")


@pytest.mark.parametrize("about", [{}, {"metadata": OURS}])
def test_a_signed_body_that_is_no_event_is_not_taken(provider, stripe_, about):
    body, headers = stripe_.webhook("payment_intent.succeeded", about, NOW_S)
    assert provider.read_event(body, headers, NOW_S) == BadSignature(
        "the body is no event of Stripe's"
    )
