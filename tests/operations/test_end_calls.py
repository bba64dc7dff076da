"""Running calls whose ground has gone. Mirrors src/talktime/operations/end_calls.py."""

import json
from dataclasses import replace

import pytest

from talktime.core.directory import CallingRules, Organisation
from talktime.core.gates import EMERGENCY
from talktime.core.meters import month_of, post_usage_key
from talktime.core.rating import Rate
from talktime.operations.end_calls import end_calls, why_to_end
from talktime.operations.sweep import Sweep, Swept
from talktime.store.endings import Ending, Running, calls_to_end
from talktime.store.organisations import insert_organisation, update_organisation
from tests.books_check import proven
from tests.lively_books import START_MS, Player

GERMANY = Rate("49", "Germany", 15_000, 0, 60, 60)
CONTOSO = Organisation(
    1, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard", CallingRules()
)
CALL = Running(
    *(0, 1, 1, 11, "C1", GERMANY.text(), 75_000, 0, 1_000_000, True, None, 75_000, None),
    *(True, False, None, None),
)
POST_PAID = CALL._replace(credit_micros=0, post_micros=75_000, billed_micros=75_000)


@pytest.mark.parametrize(
    ("call", "organisation", "code"),
    [
        (CALL, CONTOSO, ""),
        (CALL, None, ""),
        (CALL, CONTOSO._replace(active=False), "organisation_inactive"),
        (CALL._replace(rate=EMERGENCY.text()), CONTOSO._replace(active=False), ""),
        (CALL._replace(user_active=False), CONTOSO, "user_inactive"),
        (CALL._replace(user_active=None), CONTOSO, ""),
        (CALL._replace(balance_micros=-1), CONTOSO, "insufficient_credit"),
        (CALL._replace(balance_micros=0), CONTOSO, ""),
        (CALL._replace(balance_micros=-1, credit_micros=0), CONTOSO, ""),
        (CALL._replace(spend_limit_micros=74_999), CONTOSO, "spend_limit_reached"),
        (CALL._replace(spend_limit_micros=75_000), CONTOSO, ""),
        (
            CALL,
            CONTOSO._replace(rules=CallingRules(spend_limit_micros=74_999)),
            "spend_limit_reached",
        ),
        (
            CALL._replace(spend_limit_micros=80_000),
            CONTOSO._replace(rules=CallingRules(spend_limit_micros=1)),
            "",
        ),
        (
            POST_PAID,
            CONTOSO._replace(
                commerce_model="post_usage",
                rules=CallingRules(pay_as_you_go=True, post_usage_blocked=True),
            ),
            "statement_overdue",
        ),
        (POST_PAID, CONTOSO._replace(commerce_model="post_usage"), "post_usage_off"),
        (
            POST_PAID,
            CONTOSO._replace(rules=CallingRules(pay_as_you_go=True)),
            "post_usage_off",
        ),
        (CALL, CONTOSO._replace(commerce_model="draining"), ""),
        (
            POST_PAID,
            CONTOSO._replace(
                commerce_model="post_usage",
                rules=CallingRules(pay_as_you_go=True, post_usage_cap_micros=74_999),
            ),
            "post_usage_cap_reached",
        ),
    ],
)
def test_a_call_ends_when_what_it_was_granted_on_is_gone(call, organisation, code):
    assert why_to_end(call, organisation) == code


@pytest.fixture
def player(store):
    player = Player(store.cell())
    player.wallet(1, 10_000_000)
    control = store.control()
    with control.transaction():
        insert_organisation(control, CONTOSO, player.now_ms)
    return player


def swept(store, player):
    return end_calls(
        Sweep(player.connection, player.clock_ms, player.ids.next, control=store.control)
    )


@pytest.mark.layouts("sqlite", "postgres")
def test_the_calls_of_an_organisation_that_is_switched_off_are_marked_once(store, player):
    player.authorize(1, "a")
    player.authorize(1, "b")
    player.settle("b", 1, 10)
    assert swept(store, player) == Swept(0)
    assert calls_to_end(player.connection) == []
    control = store.control()
    with control.transaction():
        update_organisation(control, CONTOSO._replace(active=False))
    assert swept(store, player) == Swept(1)
    assert calls_to_end(player.connection) == [Ending(1, "a", 1, "organisation_inactive")]
    assert swept(store, player) == Swept(0)
    refused = player.extend("a", 1, 200)
    assert refused.status == 403
    player.settle("a", 2, 200)
    assert calls_to_end(player.connection) == []


@pytest.mark.layouts("sqlite", "postgres")
def test_what_users_have_spent_is_read_from_their_meter(store, player):
    player.authorize(1, "a")
    control = store.control()
    with control.transaction():
        rules = CallingRules(spend_limit_micros=74_999)
        update_organisation(control, CONTOSO._replace(rules=rules))
    assert swept(store, player) == Swept(1)
    assert calls_to_end(player.connection) == [Ending(1, "a", 1, "spend_limit_reached")]


@pytest.mark.layouts("sqlite", "postgres")
def test_the_calls_that_wait_longest_come_first_whosesoever_switch_has_them(store, player):
    for call_id, switch_id in ((1, 9), (2, 1)):
        player.do(replace(player.authorizing(1, f"c{call_id}"), switch_id=switch_id))
        with player.connection.transaction():
            player.connection.run("UPDATE call SET ending = 'organisation_inactive'")
    assert [each.switch_id for each in calls_to_end(player.connection)] == [9, 1]


def swept_while(store, player, first=None, again=None):
    """A sweep during which something happens: when its calls were found, or when they are looked at
    again under the lock."""
    control, happens = store.control(), [first, again]

    def asked():
        then = happens.pop(0)
        if then:
            then()
        return control

    sweep = Sweep(player.connection, player.clock_ms, player.ids.next, control=asked)
    return end_calls(sweep), happens


@pytest.mark.layouts("sqlite", "postgres")
def test_a_call_goes_on_when_its_organisation_was_let_go_on_meanwhile(store, player):
    player.authorize(1, "a")
    control = store.control()
    changed = CONTOSO._replace(active=False)
    with control.transaction():
        update_organisation(control, changed)

    def switch_on():
        with control.transaction():
            update_organisation(control, CONTOSO)

    assert swept_while(store, player, again=switch_on) == (Swept(0), [])
    assert calls_to_end(player.connection) == []
    assert player.extend("a", 1, 200).status == 200


@pytest.mark.layouts("sqlite", "postgres")
def test_a_call_goes_on_when_another_made_room_for_it_meanwhile(store, player):
    player.authorize(1, "a")
    player.authorize(1, "b")
    control = store.control()
    rules = CallingRules(spend_limit_micros=100_000)
    with control.transaction():
        update_organisation(control, CONTOSO._replace(rules=rules))

    def end_the_other():
        player.settle("b", 1, 10)

    # The one that goes on has the limit of now.
    assert swept_while(store, player, first=end_the_other) == (Swept(1), [])
    assert calls_to_end(player.connection) == []


POST_USAGE = post_usage_key(month_of(START_MS))


@pytest.mark.layouts("sqlite", "postgres")
@pytest.mark.parametrize(
    ("had", "rules", "granted_s"),
    [
        ({"spend_limit_micros": 75_000}, CallingRules(spend_limit_micros=1_000_000), 320),
        ({"spend_limit_micros": 75_000}, CallingRules(), 320),
        ({"spend_limit_micros": 1_000_000}, CallingRules(spend_limit_micros=90_000), 80),
        ({}, CallingRules(spend_limit_micros=90_000), 80),
        (
            {"credits": False, "post_usage": POST_USAGE, "post_usage_cap_micros": 75_000},
            CallingRules(pay_as_you_go=True, post_usage_cap_micros=105_000),
            140,
        ),
    ],
)
def test_the_next_slice_of_a_call_is_granted_within_the_limits_of_now(
    store, player, had, rules, granted_s
):
    assert player.authorize(1, "a", **had).status == 200
    model = "post_usage" if "post_usage" in had else "prepaid"
    control = store.control()
    with control.transaction():
        update_organisation(control, CONTOSO._replace(commerce_model=model, rules=rules))
    assert swept(store, player) == Swept(1)
    assert calls_to_end(player.connection) == []
    assert swept(store, player) == Swept(0)
    granted = json.loads(player.extend("a", 1, 280).body)
    assert (granted["granted_seconds"], granted["final"]) == (granted_s, granted_s < 320)
    player.settle("a", 2, 280)
    proven(player.connection)
