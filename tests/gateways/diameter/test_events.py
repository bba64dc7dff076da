"""One-time events: a debit at once, its refund, the balance, the price (RFC 8506, 6)."""

from collections.abc import Iterator
from typing import Any

import pytest

from talktime.core.limits import CALL_SECONDS_MAX
from talktime.gateways.diameter import results as r
from tests.gateways.diameter.asked import EVENT, INITIAL, TERMINATION, credit, failed_codes
from tests.gateways.diameter.serving import CALLEE, CALLER, Charging, charging
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite", "postgres")
DEBIT, REFUND, CHECK_BALANCE, PRICE = 0, 1, 2, 3
PARTIES = {"calling": f"tel:{CALLER}", "called": f"tel:{CALLEE}"}


@pytest.fixture
def served(store: Store) -> Iterator[Charging]:
    """A service with 1,000 seconds of credits."""
    with charging(store, seconds=1_000) as running:
        yield running


def event(session: str, action: int, asked: int | None = None, **said: Any) -> Any:
    """An EVENT_REQUEST about a call to Germany."""
    return credit(session, EVENT, 0, asked=asked, requested_action=action, **{**PARTIES, **said})


def test_a_debit_charges_at_once_and_more_than_a_slice(served: Charging) -> None:
    answer = served.client().ask(event("e;1", DEBIT, 700))
    assert answer.result_code == r.SUCCESS
    assert answer.multiple_services_credit_control[0].granted_service_unit.cc_time == 700
    cost = answer.cost_information.unit_value
    assert (cost.value_digits, cost.exponent, answer.cost_information.currency_code) == (7, -1, 840)
    assert served.usage("e;1") == [("call", 700, 700_000)]
    assert served.balance_s() == (300, 0)
    assert served.faults() == []


def test_a_debit_is_charged_whole_or_not_at_all(served: Charging) -> None:
    client = served.client()
    refused = client.ask(event("e;1", DEBIT, 1_001))
    assert refused.result_code == r.CREDIT_LIMIT_REACHED
    assert served.balance_s() == (1_000, 0)
    assert client.ask(event("e;2", DEBIT, 1_000)).result_code == r.SUCCESS
    assert served.balance_s() == (0, 0)


def test_a_debit_again_is_charged_once(served: Charging) -> None:
    client = served.client()
    first = client.ask(event("e;1", DEBIT, 100)).as_bytes()
    assert client.ask(event("e;1", DEBIT, 100)).as_bytes()[20:] == first[20:]
    assert client.ask(event("e;1", DEBIT, 200)).result_code == r.UNABLE_TO_COMPLY
    assert served.balance_s() == (900, 0)


def test_a_second_debit_in_the_session_of_the_first_is_no_repetition_and_is_refused(
    served: Charging,
) -> None:
    client = served.client()
    first = client.ask(event("e;1", DEBIT, 100)).as_bytes()
    second = event("e;1", DEBIT, 100, cc_request_number=1)
    assert client.ask(second).result_code == r.UNABLE_TO_COMPLY
    assert client.ask(event("e;1", DEBIT, 100)).as_bytes()[20:] == first[20:]
    assert served.balance_s() == (900, 0)


def test_an_event_may_have_any_number(served: Charging) -> None:
    client = served.client()
    debit = event("e;1", DEBIT, 100, cc_request_number=7)
    first = client.ask(debit).as_bytes()
    assert client.ask(debit).as_bytes()[20:] == first[20:]
    back = event("e;1", REFUND, cc_request_number=8)
    assert [client.ask(back).result_code for _ in range(2)] == [r.SUCCESS] * 2
    other = client.ask(event("e;1", REFUND, cc_request_number=9))
    assert other.result_code == r.END_USER_SERVICE_DENIED
    assert served.usage("e;1") == [("call", 100, 100_000), ("correction", -100, -100_000)]
    assert served.faults() == []


def test_a_debit_within_a_call_that_runs_is_refused_and_leaves_it_running(
    served: Charging,
) -> None:
    client = served.client()
    client.ask(credit("s;1", INITIAL, 0, asked=30, **PARTIES))
    refused = client.ask(event("s;1", DEBIT, 3))
    assert refused.result_code == r.UNABLE_TO_COMPLY
    assert served.call("s;1").state == "open"
    assert client.ask(event("s;1", REFUND)).result_code == r.END_USER_SERVICE_DENIED
    client.ask(credit("s;1", TERMINATION, 1, used=30))
    assert served.usage("s;1") == [("call", 30, 30_000)]
    assert served.balance_s() == (970, 0)


def test_a_debit_needs_to_say_how_much(served: Charging) -> None:
    refused = served.client().ask(event("e;1", DEBIT))
    assert (refused.result_code, failed_codes(refused)) == (r.RATING_FAILED, [437])


def test_a_debit_is_given_back_once_as_a_correction(served: Charging) -> None:
    client = served.client()
    client.ask(event("e;1", DEBIT, 100))
    first = client.ask(event("e;1", REFUND))
    assert first.result_code == r.SUCCESS
    assert client.ask(event("e;1", REFUND)).as_bytes()[20:] == first.as_bytes()[20:]
    assert client.ask(event("e;1", REFUND, 50)).result_code == r.END_USER_SERVICE_DENIED
    assert served.usage("e;1") == [("call", 100, 100_000), ("correction", -100, -100_000)]
    assert served.balance_s() == (1_000, 0)
    assert served.faults() == []


def test_a_part_of_a_debit_is_given_back_by_another_session(served: Charging) -> None:
    client = served.client()
    client.ask(event("e;1", DEBIT, 100))
    answer = client.ask(event("e;2", REFUND, 30, cc_correlation_id=b"e;1"))
    assert answer.result_code == r.SUCCESS
    assert served.usage("e;1") == [("call", 100, 100_000), ("correction", -30, -30_000)]
    assert client.ask(event("e;3", REFUND, 30, cc_correlation_id=b"e;1")).result_code == 4010
    assert served.balance_s() == (930, 0)
    assert served.faults() == []


def test_a_refund_in_the_session_of_its_debit_may_correlate_something_else(
    served: Charging,
) -> None:
    client = served.client()
    client.ask(event("e;1", DEBIT, 100))
    back = event("e;1", REFUND, 30, cc_correlation_id=b"icid-1")
    assert [client.ask(back).result_code for _ in range(2)] == [r.SUCCESS] * 2
    assert served.usage("e;1") == [("call", 100, 100_000), ("correction", -30, -30_000)]
    unknown = client.ask(event("e;2", REFUND, 30, cc_correlation_id=b"icid-1"))
    assert (unknown.result_code, failed_codes(unknown)) == (r.RATING_FAILED, [263])
    assert served.balance_s() == (930, 0)
    assert served.faults() == []


def test_a_debit_of_all_there_was_is_given_back_to_a_lot_that_was_spent(served: Charging) -> None:
    client = served.client()
    client.ask(event("e;1", DEBIT, 1_000))
    assert client.ask(event("e;1", REFUND, 2_000)).result_code == r.SUCCESS
    assert served.balance_s() == (1_000, 0)
    assert served.faults() == []


def test_only_a_debit_is_given_back(served: Charging) -> None:
    client = served.client()
    assert client.ask(event("e;9", REFUND)).result_code == r.RATING_FAILED
    client.ask(credit("s;1", INITIAL, 0, asked=30, **PARTIES))
    assert client.ask(event("s;1", REFUND)).result_code == r.END_USER_SERVICE_DENIED
    client.ask(credit("s;1", TERMINATION, 1, used=30))
    assert client.ask(event("s;1", REFUND)).result_code == r.END_USER_SERVICE_DENIED
    assert served.balance_s() == (970, 0)


@pytest.mark.parametrize(("seconds", "result"), [(1_000, 0), (1_001, 1)])
def test_the_balance_is_enough_or_not_and_nothing_is_held(
    served: Charging, seconds: int, result: int
) -> None:
    answer = served.client().ask(event("e;1", CHECK_BALANCE, seconds))
    assert (answer.result_code, answer.check_balance_result) == (r.SUCCESS, result)
    assert served.balance_s() == (1_000, 0)


def test_an_empty_balance_is_not_enough(store: Store) -> None:
    with charging(store, seconds=0) as served:
        answer = served.client().ask(event("e;1", CHECK_BALANCE, 1))
        assert (answer.result_code, answer.check_balance_result) == (r.SUCCESS, 1)


def test_a_price_is_told_and_nothing_held(served: Charging) -> None:
    answer = served.client().ask(event("e;1", PRICE, 450))
    cost = answer.cost_information
    assert (cost.unit_value.value_digits, cost.unit_value.exponent) == (45, -2)
    assert cost.currency_code == 840
    assert served.balance_s() == (1_000, 0)


def test_balance_and_price_may_be_asked_for_in_the_session_of_a_call(served: Charging) -> None:
    client = served.client()
    client.ask(credit("s;1", INITIAL, 0, asked=300, **PARTIES))
    client.ask(event("e;1", DEBIT, 100))
    for session in ("s;1", "e;1"):
        assert client.ask(event(session, CHECK_BALANCE, 600)).check_balance_result == 0
        assert client.ask(event(session, CHECK_BALANCE, 601)).check_balance_result == 1
        assert client.ask(event(session, PRICE, 450)).cost_information.currency_code == 840
    assert served.call("s;1").state == "open"
    assert served.balance_s() == (900, 300)


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_price_is_told_whatever_the_balance_is(store: Store, seconds: int) -> None:
    """RFC 8506, 6.1: an enquiry makes no balance checks."""
    with charging(store, seconds=seconds) as served:
        client = served.client()
        client.ask(event("e;1", DEBIT, 1))
        answer = client.ask(event("e;2", PRICE, 450))
        assert answer.result_code == r.SUCCESS
        cost = answer.cost_information
        assert (cost.unit_value.value_digits, cost.unit_value.exponent) == (45, -2)
        assert cost.currency_code == 840
        assert served.balance_s() == (0, 0)


def test_more_seconds_than_a_call_may_last_have_no_price_and_no_balance(served: Charging) -> None:
    client = served.client()
    unit = "cc_service_specific_units"
    priced = client.ask(event("e;1", PRICE, 2**64 - 1, unit=unit))
    assert priced.result_code == r.END_USER_SERVICE_DENIED
    assert priced.cost_information is None
    longest = client.ask(event("e;2", PRICE, CALL_SECONDS_MAX)).cost_information.unit_value
    assert (longest.value_digits, longest.exponent) == (864, -1)
    checked = client.ask(event("e;3", CHECK_BALANCE, 2**64 - 1, unit=unit))
    assert (checked.result_code, checked.check_balance_result) == (r.SUCCESS, 1)


@pytest.mark.parametrize("action", [DEBIT, CHECK_BALANCE, PRICE])
def test_an_event_of_an_unknown_caller_is_refused(served: Charging, action: int) -> None:
    answer = served.client().ask(event("e;1", action, 9, calling="tel:+14255550199"))
    assert answer.result_code == r.USER_UNKNOWN


def test_an_event_needs_an_action_that_is_known(served: Charging) -> None:
    client = served.client()
    assert client.ask(event("e;1", 4, 9)).result_code == r.INVALID_AVP_VALUE
    missing = event("e;1", DEBIT, 9)
    missing.requested_action = None
    assert client.ask(missing).result_code == r.MISSING_AVP
