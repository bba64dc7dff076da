"""Who is told, and when a recharge begins. Mirrors src/talktime/core/tending.py."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from talktime.core.payments import AlertLevel
from talktime.core.rating import Rate
from talktime.core.recharging import NotWanted, Wanted
from tests.commands import NOW_MS, ORGANISATION, UNIT, authorize, expire_lots, fund
from tests.tills import (
    DAY_MS,
    HARD,
    HOUR_MS,
    MINUTE_MS,
    PAID,
    SECOND_MS,
    SOFT,
    Office,
    card,
    copy_of,
    plan,
)

OFF = copy_of(plan(), enabled=False)


def office(balance, *levels):
    """An office without auto-recharge that is told below these levels, in units."""
    made = Office(0, recharge=OFF)
    made.levels = [AlertLevel(ORGANISATION, level * UNIT) for level in levels]
    made.do(fund(balance * UNIT))
    made.look()
    return made


def alerts(made):
    """What was told of the balance: (kind, threshold in units, the balance then)."""
    return [
        (told.kind, told.facts.get("threshold_micros", 0) // UNIT, told.facts["balance_micros"])
        for told in made.told.values()
        if told.kind.startswith("balance.")
    ]


def test_v4_a_balance_of_100_less_a_debit_of_ten_cents_comes_to_299_90():
    """V4, R14, R15, R18: one charge, one lot to be invoiced, one notice."""
    made = Office(100)
    assert made.standing == NotWanted("above_trigger")
    made.spend(100_000)
    assert made.wallet.balance_micros == 99_900_000
    assert made.look() == Wanted(200 * UNIT)
    assert made.look() == NotWanted("open_attempt")
    made.answer(PAID)
    assert made.wallet.balance_micros == 299_900_000
    assert [lot.lot.amount_micros for lot in made.bought] == [200 * UNIT]
    assert len(made.attempts) == 1
    assert made.kinds() == []  # of success tells operations/till.py, with the invoice's number
    assert made.standing == NotWanted("above_trigger")
    assert made.wallet.recharge_below_micros == 100 * UNIT


def test_exactly_at_the_trigger_the_wallet_is_watched_and_nothing_begins():
    """R19."""
    made = Office(101)
    made.spend(UNIT)
    assert made.look() == NotWanted("above_trigger")
    assert made.wallet.recharge_below_micros == 100 * UNIT
    made.spend(1)
    assert made.wallet.attention_ms == NOW_MS
    assert made.look() == Wanted(200 * UNIT)
    assert made.wallet.recharge_below_micros is None
    assert (made.attempt.state, made.attempt.due_ms) == ("charging", NOW_MS)
    assert made.tried() == [(1, "sending")]


def test_who_turns_it_on_below_the_trigger_recharges_at_once():
    """R21."""
    made = Office(99, recharge=OFF)
    assert made.standing == NotWanted("off")
    made.recharge = plan()
    assert made.look() == Wanted(200 * UNIT)


def test_where_a_recharge_was_not_enough_another_follows_after_a_minute():
    """R17: within the caps."""
    made = Office(1, recharge=plan(trigger=500, amount=200, month_cap=600))
    assert made.standing == Wanted(600 * UNIT)
    made = Office(1, recharge=plan(trigger=500, amount=400), maximum=400)
    made.answer(PAID)
    assert made.standing == NotWanted("interval", until_ms=NOW_MS + MINUTE_MS)
    assert made.look(after_ms=MINUTE_MS - 1) == made.standing
    assert made.look(after_ms=1) == Wanted(400 * UNIT)


def test_five_attempts_a_day_and_then_the_cap_is_why_not():
    """R17, D2."""
    made = Office(1, recharge=plan(trigger=10_000, amount=400), maximum=400)
    for _ in range(4):
        made.answer(PAID)
        made.look(after_ms=HOUR_MS)
    made.answer(PAID)
    made.look(after_ms=HOUR_MS)
    assert len(made.attempts) == 5
    assert made.standing == NotWanted("day_cap", until_ms=NOW_MS + DAY_MS)
    assert made.look(after_ms=DAY_MS - 5 * HOUR_MS - 1) == made.standing
    assert made.look(after_ms=1) == Wanted(400 * UNIT)


def test_an_alert_is_told_once_below_its_level_and_not_at_it():
    """D4."""
    made = office(60, 50)
    made.spend(10 * UNIT)
    made.look()
    assert alerts(made) == []
    made.spend(1)
    made.look()
    made.spend(UNIT)
    made.look(after_ms=SECOND_MS)
    assert alerts(made) == [("balance.low", 50, 49_999_999)]
    assert made.wallet.alert_below_micros == 1
    assert made.wallet.alert_from_micros == 50 * UNIT


def test_an_alert_is_armed_again_above_its_level_and_told_at_the_next_crossing():
    """R24, D4."""
    made = office(60, 50)
    made.spend(11 * UNIT)
    made.look()
    made.do(fund(UNIT, "F2"), at_s=1)
    made.look()
    assert made.levels[0].fired_ms is None  # 50 is not below 50
    made.spend(1)
    made.look(after_ms=SECOND_MS)
    assert alerts(made) == [("balance.low", 50, 49 * UNIT), ("balance.low", 50, 50 * UNIT - 1)]


def test_money_that_does_not_reach_the_level_does_not_arm_it_again():
    """D4."""
    made = office(60, 50)
    made.spend(30 * UNIT)
    made.look()
    made.do(fund(19 * UNIT, "F2"), at_s=1)
    made.look()
    made.spend(UNIT)
    made.look(after_ms=SECOND_MS)
    assert len(alerts(made)) == 1


def test_of_several_levels_crossed_at_once_the_lowest_is_told():
    """D4: all of them are told of with it."""
    made = office(100, 80, 50, 20)
    made.spend(70 * UNIT)
    made.look()
    assert alerts(made) == [("balance.low", 50, 30 * UNIT)]
    made.spend(15 * UNIT)
    made.look(after_ms=SECOND_MS)
    made.spend(15 * UNIT)
    made.look(after_ms=SECOND_MS)
    assert alerts(made)[1:] == [("balance.low", 20, 15 * UNIT), ("balance.zero", 0, 0)]


def test_zero_is_told_without_being_asked_for_and_armed_again_by_money():
    """R24."""
    made = office(10)
    made.spend(10 * UNIT - 1)
    made.look()
    assert alerts(made) == []
    made.spend(1)
    made.look()
    made.look(after_ms=HOUR_MS)
    made.do(fund(UNIT, "F2"))
    made.look()
    made.spend(UNIT)
    made.look(after_ms=SECOND_MS)
    assert alerts(made) == [("balance.zero", 0, 0)] * 2


def test_an_organisation_that_never_had_credits_is_told_nothing():
    """R24, R30: there is no transition from above zero."""
    made = Office(0, recharge=OFF)
    made.levels = [AlertLevel(ORGANISATION, 50 * UNIT)]
    made.look()
    assert alerts(made) == []
    assert made.wallet.alert_below_micros is None


def test_a_dip_that_recovered_before_anybody_looked_is_told_with_the_balance_it_fell_to():
    """R24, D4: and it is armed again at once."""
    made = office(60, 50)
    made.spend(30 * UNIT)
    made.do(fund(100 * UNIT, "F2"), at_s=1)
    made.look()
    assert alerts(made) == [("balance.low", 50, 30 * UNIT)]
    made.spend(100 * UNIT)
    made.look(after_ms=SECOND_MS)
    assert alerts(made)[1:] == [("balance.low", 50, 30 * UNIT)]


def test_a_refused_call_tells_once_that_the_credit_is_used_up_though_a_rest_is_left():
    """R22, R24."""
    made = office(60, 50)
    made.spend(60 * UNIT - 5_000)
    made.look()
    for number in range(3):
        refused = made.do(authorize(f"C{number}"), at_s=number + 1)
        assert refused.refusal.code == "insufficient_credit"
        made.look()
    assert alerts(made) == [("balance.low", 50, 5_000), ("balance.zero", 0, 5_000)]
    made.do(fund(100 * UNIT, "F2"), at_s=10)
    made.look()
    made.spend(100 * UNIT)
    made.look(after_ms=SECOND_MS)
    made.do(authorize("C9"))
    made.look()
    assert alerts(made)[2:] == [("balance.low", 50, 5_000), ("balance.zero", 0, 5_000)]


def test_a_running_call_alone_tells_nothing():
    """D4: alerts compare the balance."""
    made = office(60, 50)
    made.do(authorize(rate=Rate("49", "Germany", 12 * UNIT, 0, 60, 60)))
    made.look()
    assert made.wallet.available_micros(NOW_MS) < 50 * UNIT
    assert alerts(made) == []


def test_forfeited_money_is_told_of_like_spent_money():
    """R14, R24."""
    made = office(60, 50)
    made.now_ms += 366 * DAY_MS
    made.do(expire_lots())
    made.look()
    assert alerts(made) == [("balance.zero", 0, 0)]
    assert made.kinds() == ["lot.expired", "balance.zero"]


EVENTS = st.lists(
    st.sampled_from(["spend", "much", "fund", "pays", "soft", "hard", "minute", "day", "due"]),
    max_size=25,
)


@given(EVENTS)
def test_to_look_twice_is_the_same_as_to_look_once(events):
    """D2, D4: whatever happened before."""
    made = Office(150, card(1), card(2), recharge=plan(month_cap=1_000))
    made.levels.append(AlertLevel(ORGANISATION, 50 * UNIT))
    for number, event in enumerate(events):
        made.now_ms += SECOND_MS
        asked = [p for p in made.payments.values() if p.state == "charging"]
        match event:
            case "spend" | "much":
                micros = UNIT if event == "spend" else 60 * UNIT
                if made.wallet.available_micros(made.now_ms) >= micros:
                    made.spend(micros)
            case "fund":
                made.do(fund(70 * UNIT, f"F{number + 2}"))
            case "minute" | "day":
                made.now_ms += MINUTE_MS if event == "minute" else DAY_MS
            case "due" if made.attempts and made.attempt.state == "declined":
                made.now_ms = max(made.now_ms, made.attempt.due_ms)
                with made.at_the_till() as collector:
                    collector.due(made.attempt)
            case "pays" | "soft" | "hard" if asked:
                made.answer({"pays": PAID, "soft": SOFT, "hard": HARD}[event])
        made.look()
        kept = (made.wallet, made.payments, made.tries, made.levels, made.recharge, made.told)
        before = deepcopy(kept)
        made.look()
        assert kept == before
        assert made.wallet.attention_ms is None
