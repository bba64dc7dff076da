"""What a switch is sent, to the byte. Mirrors src/talktime/operations/render.py."""

from dataclasses import replace

import pytest

from talktime.core.outcomes import (
    Granted,
    Noted,
    NothingToSettle,
    Paid,
    Refused,
    Replayed,
    Settled,
    StoredAnswer,
)
from talktime.core.refusal import REFUSALS, Refusal
from talktime.operations.render import problem, reply
from tests.commands import FREE, GERMANY_WITH_FEE, NOW_MS

GRANTED = Granted(
    call_key='call "1"@switch.example',
    sequence=0,
    to_digits="493012345678",
    granted_s=300,
    final=False,
    valid_until_ms=NOW_MS + 360_999,
    rate=GERMANY_WITH_FEE,
    currency="USD",
    paid_by=(Paid("credits", 300, 95_000),),
    available_micros=9_905_000,
    because=("one line", "another"),
)


def test_a_grant_says_how_long_at_which_price_and_what_is_left():
    assert reply(GRANTED) == (
        200,
        (
            '{"call_id":"call \\"1\\"@switch.example","sequence":0,"decision":"granted",'
            '"to":"+493012345678",'
            '"granted_seconds":300,"final":false,"valid_until":"2026-01-05T08:06:00Z",'
            '"price":{"currency":"USD","per_minute":"0.015","connection_fee":"0.02",'
            '"first_increment_s":60,"next_increment_s":60,"destination":"Germany","prefix":"49"},'
            '"paid_by":[{"source":"credits","seconds":300,"amount":"0.095"}],'
            '"balance":{"currency":"USD","available":"9.905"},"because":["one line","another"]}'
        ),
    )


@pytest.mark.parametrize(("digits", "to"), [("112", "112"), ("", "")])
def test_a_grant_names_a_short_number_as_it_was_dialled(digits, to):
    assert f'"to":"{to}",' in reply(replace(GRANTED, to_digits=digits))[1]


def test_a_free_grant_is_paid_by_nobody():
    free = replace(GRANTED, rate=FREE, paid_by=(Paid("free", 300, 0),))
    assert '"paid_by":[{"source":"free","seconds":300}]' in reply(free)[1]


def test_a_settlement_says_what_was_charged_for_how_long():
    settled = Settled(
        call_key="C1",
        sequence=3,
        billed_s=120,
        charge_micros=50_000,
        paid_by=(Paid("credits", 120, 50_000),),
        currency="USD",
        available_micros=-5_000,
        usage_id=9_007_199_254_740_993,
        because=("why",),
    )
    assert reply(settled) == (
        200,
        (
            '{"call_id":"C1","sequence":3,"decision":"settled","billed_seconds":120,"charge":"0.05",'
            '"paid_by":[{"source":"credits","seconds":120,"amount":"0.05"}],'
            '"balance":{"currency":"USD","available":"-0.005"},'
            '"usage_id":"9007199254740993","because":["why"]}'
        ),
    )


def test_a_call_without_a_record_has_no_usage_id():
    settled = Settled("C1", 1, 0, 0, (), "USD", 0, None, ("the call was refused",))
    assert '"usage_id":null' in reply(settled)[1]


def test_an_answer_noted_says_until_when_the_call_is_held():
    assert reply(Noted("C1", 1, NOW_MS)) == (
        200,
        '{"call_id":"C1","sequence":1,"decision":"noted","valid_until":"2026-01-05T08:00:00Z"}',
    )


def test_a_settle_of_a_call_never_seen_is_settled_for_nothing():
    assert reply(NothingToSettle("C1", 4)) == (
        200,
        (
            '{"call_id":"C1","sequence":4,"decision":"settled","billed_seconds":0,"charge":"0",'
            '"paid_by":[],"because":["this call was never authorized: nothing is owed; '
            'if it is authorized later, it must be settled again"]}'
        ),
    )


def test_a_refusal_is_a_problem_with_its_code_reason_remedy_and_who_can_apply_it():
    refusal = Refusal("insufficient_credit", "60 s to Germany cost 0.015 USD")
    assert reply(Refused(refusal, "C1", 2)) == (
        402,
        (
            '{"type":"https://talktime.example/refusals/insufficient_credit",'
            '"title":"The organisation\'s credit is used up","status":402,'
            '"code":"insufficient_credit","detail":"60 s to Germany cost 0.015 USD",'
            '"remedy":"Add funds, or turn on auto-recharge.","who":"billing admin",'
            '"call_id":"C1","sequence":2}'
        ),
    )


def test_a_refusal_of_no_call_names_none():
    status, body = problem(Refusal("unauthorized", "no key was sent"))
    assert status == 401
    assert '"call_id"' not in body


def test_a_replay_is_the_first_answer_byte_for_byte():
    answer = StoredAnswer(1, 2, 0, 7, None, 402, '{"as":"it was"}')
    assert reply(Replayed(answer)) == (402, '{"as":"it was"}')


def test_every_refusal_has_a_status_a_title_a_remedy_and_someone_to_apply_it():
    """Expected noes are 4xx, or 503 where the service cannot decide (charging-api)."""
    assert [
        code
        for code, kind in REFUSALS.items()
        if not (400 <= kind.status < 500 or kind.status == 503 or code == "internal_error")
        or not (kind.title and kind.remedy and kind.who)
        or not code.replace("_", "").isalpha()
    ] == []
