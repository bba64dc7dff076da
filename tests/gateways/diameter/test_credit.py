"""Credit control over Ro: sessions, their units, and the eight cases of the server's states (RFC
8506, 7)."""

import threading
from collections.abc import Iterator

import pytest
from diameter.message.avp.grouped import ProxyInfo, RequestedServiceUnit

from talktime.core.limits import DIAMETER_WAITING_MAX
from talktime.gateways.diameter import results as r
from tests.gateways.diameter.asked import (
    E164,
    OUR_HOST,
    SIP_URI,
    TERMINATING,
    TERMINATION,
    UPDATE,
    credit,
    failed_codes,
)
from tests.gateways.diameter.calls import granted, initial
from tests.gateways.diameter.serving import BRIDGE, CALLEE, CALLER, Charging, charging
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite", "postgres")
SUBSCRIPTION_ID, CALLED_PARTY_ADDRESS = 443, 832


@pytest.fixture
def served(store: Store) -> Iterator[Charging]:
    """A service with an hour of credits."""
    with charging(store) as running:
        yield running


def test_a_call_is_granted_extended_and_charged(served: Charging) -> None:
    client = served.client()
    answer = client.ask(initial("s;1"))
    assert granted(answer) == (r.SUCCESS, 30, False)
    service = answer.multiple_services_credit_control[0]
    assert (service.result_code, service.rating_group) == (r.SUCCESS, 100)
    assert service.service_identifier == [1000]
    assert service.validity_time == 300 + 120
    assert (answer.session_id, answer.cc_request_type, answer.cc_request_number) == ("s;1", 1, 0)
    assert (answer.auth_application_id, answer.origin_host) == (4, OUR_HOST.encode())
    assert (answer.cc_session_failover, answer.credit_control_failure_handling) == (1, 2)
    assert granted(client.ask(credit("s;1", UPDATE, 1, used=28, asked=30))) == (
        r.SUCCESS,
        30,
        False,
    )
    ended = client.ask(credit("s;1", TERMINATION, 2, used=11))
    assert (ended.result_code, ended.cc_request_type) == (r.SUCCESS, TERMINATION)
    assert served.usage("s;1") == [("call", 39, 39_000)]
    assert served.balance_s() == (3_600 - 39, 0)
    assert served.faults() == []


def test_a_call_that_was_never_answered_costs_nothing(served: Charging) -> None:
    client = served.client()
    client.ask(initial("s;1"))
    assert client.ask(credit("s;1", TERMINATION, 1)).result_code == r.SUCCESS
    assert served.balance_s() == (3_600, 0)


def test_idle_an_initial_request_opens_a_session_and_starts_its_supervision(
    served: Charging,
) -> None:
    served.client().ask(initial("s;1"))
    call = served.call("s;1")
    assert (call.state, call.granted_s) == ("open", 30)
    kept_ms = call.deadline_ms - call.started_ms
    assert 2 * 420_000 <= kept_ms < 2 * 420_000 + 60_000
    assert served.balance_s() == (3_600, 30)


def test_idle_an_initial_request_that_is_refused_leaves_no_session(store: Store) -> None:
    with charging(store, seconds=0) as served:
        client = served.client()
        answer = client.ask(initial("s;1"))
        assert granted(answer) == (r.CREDIT_LIMIT_REACHED, 0, False)
        assert answer.multiple_services_credit_control[0].result_code == r.CREDIT_LIMIT_REACHED
        assert answer.multiple_services_credit_control[0].rating_group == 100
        assert client.ask(credit("s;1", UPDATE, 1, used=1, asked=1)).result_code == (
            r.UNKNOWN_SESSION_ID
        )
        # What Kamailio sends nevertheless is answered, and costs nothing.
        assert client.ask(credit("s;1", TERMINATION, 2, used=0)).result_code == r.SUCCESS
        assert served.balance_s() == (0, 0)


def test_open_an_update_debits_reserves_and_restarts_the_supervision(served: Charging) -> None:
    client = served.client()
    client.ask(initial("s;1"))
    first_ms = served.call("s;1").deadline_ms
    assert granted(client.ask(credit("s;1", UPDATE, 1, used=20, asked=30))) == (2001, 30, False)
    call = served.call("s;1")
    assert (call.state, call.reported_s, call.granted_s) == ("open", 20, 50)
    assert call.deadline_ms >= first_ms
    assert served.balance_s() == (3_600, 50)


def test_open_an_update_that_asks_for_no_units_gets_none(store: Store) -> None:
    """A service that has stopped, or is paused, reports without Requested-Service-Unit."""
    with charging(store, seconds=30) as served:
        client = served.client()
        assert granted(client.ask(initial("s;1"))) == (r.SUCCESS, 30, True)
        first_ms = served.call("s;1").deadline_ms
        report = credit("s;1", UPDATE, 1, used=20)
        answer = client.ask(report)
        assert granted(answer) == (r.SUCCESS, 0, False)
        service = answer.multiple_services_credit_control[0]
        assert (service.result_code, service.rating_group) == (r.SUCCESS, 100)
        assert (service.granted_service_unit, answer.granted_service_unit) == (None, None)
        call = served.call("s;1")
        assert (call.state, call.reported_s, call.granted_s) == ("open", 20, 30)
        assert call.deadline_ms >= first_ms
        assert client.ask(report).as_bytes()[20:] == answer.as_bytes()[20:]
        # All that there was is used up: that is no matter of who wants no more.
        assert granted(client.ask(credit("s;1", UPDATE, 2, used=10))) == (r.SUCCESS, 0, False)
        asking = credit("s;1", UPDATE, 3, used=0, asked=30)
        assert granted(client.ask(asking)) == (r.CREDIT_LIMIT_REACHED, 0, False)
        assert client.ask(credit("s;1", TERMINATION, 4, used=0)).result_code == r.SUCCESS
        assert served.usage("s;1") == [("call", 30, 30_000)]
        assert served.balance_s() == (0, 0)
        assert served.faults() == []


def test_open_an_update_that_is_refused_counts_what_was_used(store: Store) -> None:
    with charging(store, seconds=10) as served:
        client = served.client()
        assert granted(client.ask(initial("s;1"))) == (r.SUCCESS, 10, True)
        refused = client.ask(credit("s;1", UPDATE, 1, used=10, asked=30))
        assert granted(refused) == (r.CREDIT_LIMIT_REACHED, 0, False)
        call = served.call("s;1")
        assert (call.reported_s, call.held_micros) == (10, 10_000)
        # The client ends the call; nothing is left to report.
        assert client.ask(credit("s;1", TERMINATION, 2, used=0)).result_code == r.SUCCESS
        assert served.usage("s;1") == [("call", 10, 10_000)]
        assert served.balance_s() == (0, 0)


def test_open_a_termination_debits_and_closes(served: Charging) -> None:
    client = served.client()
    client.ask(initial("s;1"))
    assert client.ask(credit("s;1", TERMINATION, 1, used=7)).result_code == r.SUCCESS
    assert served.call("s;1").state == "settled"
    assert served.usage("s;1") == [("call", 7, 7_000)]


def test_open_a_termination_that_cannot_be_meant_is_refused_and_the_session_stays_supervised(
    served: Charging,
) -> None:
    client = served.client()
    client.ask(initial("s;1"))
    refused = client.ask(credit("s;1", TERMINATION, 1, used=71_582_788))
    assert refused.result_code == r.INVALID_AVP_VALUE
    assert refused.failed_avp[0].additional_avps[0].code == 446
    assert served.call("s;1").state == "open"


def test_an_update_with_too_much_is_refused_and_its_seconds_are_charged(served: Charging) -> None:
    client = served.client()
    client.ask(initial("s;1"))
    refused = client.ask(credit("s;1", UPDATE, 1, used=600, asked=30))
    assert refused.result_code == r.INVALID_AVP_VALUE
    assert served.call("s;1").reported_s == 30 + 300 + 60
    assert client.ask(credit("s;1", TERMINATION, 2, used=5)).result_code == r.SUCCESS
    assert served.usage("s;1") == [("call", 390, 390_000)]
    assert served.faults() == []


def test_a_session_that_nobody_opened_is_not_known(served: Charging) -> None:
    client = served.client()
    assert client.ask(credit("s;9", UPDATE, 1, used=1, asked=1)).result_code == r.UNKNOWN_SESSION_ID
    assert client.ask(credit("s;9", TERMINATION, 2, used=9)).result_code == r.UNKNOWN_SESSION_ID
    assert served.balance_s() == (3_600, 0)


def test_what_was_closed_is_not_extended(served: Charging) -> None:
    client = served.client()
    client.ask(initial("s;1"))
    client.ask(credit("s;1", TERMINATION, 1, used=7))
    late = client.ask(credit("s;1", UPDATE, 2, used=7, asked=30))
    assert late.result_code == r.UNKNOWN_SESSION_ID
    assert served.usage("s;1") == [("call", 7, 7_000)]


def test_one_second_more_than_was_granted_is_no_fault(store: Store) -> None:
    """What Kamailio does with an account of 12 seconds."""
    with charging(store, seconds=12) as served:
        client = served.client()
        assert granted(client.ask(initial("s;1", 5))) == (2001, 5, False)
        assert granted(client.ask(credit("s;1", UPDATE, 1, used=3, asked=5))) == (2001, 5, False)
        assert granted(client.ask(credit("s;1", UPDATE, 2, used=4, asked=5))) == (2001, 5, True)
        assert client.ask(credit("s;1", TERMINATION, 3, used=6)).result_code == r.SUCCESS
        assert served.usage("s;1") == [("call", 12, 12_000)]
        assert served.balance_s() == (0, 0)
        assert served.faults() == []


def test_two_calls_share_one_account(store: Store) -> None:
    with charging(store, seconds=75) as served:
        client = served.client()
        assert granted(client.ask(initial("a"))) == (2001, 30, False)
        assert granted(client.ask(credit("a", UPDATE, 1, used=30, asked=30))) == (2001, 30, False)
        assert granted(client.ask(initial("b"))) == (2001, 15, True)
        client.ask(credit("a", TERMINATION, 2, used=20))
        assert granted(client.ask(credit("b", UPDATE, 1, used=15, asked=30))) == (2001, 10, True)
        client.ask(credit("b", TERMINATION, 2, used=10))
        assert served.balance_s() == (0, 0)
        assert served.faults() == []


def test_units_are_granted_as_they_were_asked_for(served: Charging) -> None:
    client = served.client()
    by_unit = client.ask(initial("s;1", unit="cc_service_specific_units"))
    unit = by_unit.multiple_services_credit_control[0].granted_service_unit
    assert (unit.cc_service_specific_units, unit.cc_time) == (30, None)
    own = client.ask(initial("s;2", grouped=False))
    assert own.multiple_services_credit_control == []
    assert (own.granted_service_unit.cc_time, own.validity_time) == (30, 420)


def test_whoever_leaves_the_amount_to_the_service_gets_a_slice(served: Charging) -> None:
    client = served.client()
    answer = client.ask(initial("s;1", None))
    assert answer.granted_service_unit.cc_time == 300
    more = client.ask(credit("s;1", UPDATE, 1, used=20, grouped=False))
    assert more.granted_service_unit.cc_time == 300
    asking = credit("s;1", UPDATE, 2, used=20)
    service = asking.multiple_services_credit_control[0]
    service.requested_service_unit = RequestedServiceUnit()
    assert granted(client.ask(asking)) == (r.SUCCESS, 300, False)


@pytest.mark.parametrize(
    ("said", "result", "failed"),
    [
        ({"calling": "sip:nobody@elsewhere.example"}, r.USER_UNKNOWN, []),
        ({"called": "sip:+99912345678@gw"}, r.RATING_FAILED, [CALLED_PARTY_ADDRESS]),
        ({"called": "sip:+33123456789@gw"}, r.RATING_FAILED, [CALLED_PARTY_ADDRESS]),
        ({"called": ""}, r.RATING_FAILED, [CALLED_PARTY_ADDRESS]),
        ({"calling": ""}, r.RATING_FAILED, [SUBSCRIPTION_ID]),
        ({"calling": "tel:+1"}, r.RATING_FAILED, [SUBSCRIPTION_ID]),
    ],
)
def test_what_cannot_be_charged_is_refused_by_what_is_wrong(
    served: Charging, said: dict[str, str], result: int, failed: list[int]
) -> None:
    """RFC 8506, 9.2: a rating that failed names the AVP that it failed by."""
    answer = served.client().ask(initial("s;1", **said))
    assert (answer.result_code, failed_codes(answer)) == (result, failed)


@pytest.mark.parametrize(
    "subscription",
    [(E164, CALLER[1:]), (SIP_URI, f"sip:{CALLER}@ua"), (SIP_URI, "sip:desk@contoso.example")],
)
def test_a_subscriber_is_who_calls_where_no_number_does(
    served: Charging, subscription: tuple[int, str]
) -> None:
    answer = served.client().ask(initial("s;1", calling="", subscription=subscription))
    assert granted(answer) == (r.SUCCESS, 30, False)


def test_a_subscriber_goes_before_what_the_caller_says_of_itself(served: Charging) -> None:
    known = (E164, CALLER[1:])
    answer = served.client().ask(initial("s;1", calling="tel:+14255550199", subscription=known))
    assert granted(answer) == (r.SUCCESS, 30, False)
    assert served.call("s;1").from_digits == CALLER[1:]
    stranger = initial("s;2", subscription=(SIP_URI, "sip:+14255550199@ua"))
    assert served.client().ask(stranger).result_code == r.USER_UNKNOWN


def test_the_terminating_side_is_charged_for_a_call_that_comes_in(served: Charging) -> None:
    answer = served.client().ask(
        initial("s;1", calling="sip:+493020000001@gw", called=f"sip:{CALLER}@gw", role=TERMINATING)
    )
    assert granted(answer)[:2] == (r.SUCCESS, 30)
    assert served.call("s;1").type == "user_in"


def test_a_call_to_a_bridge_is_kept_with_the_id_of_its_conference(served: Charging) -> None:
    """TS 32.299: of conferences, Service-Id is that."""
    asked = initial("s;1", calling=f"sip:{CALLEE}@gw", called=f"sip:{BRIDGE}@gw", role=TERMINATING)
    asked.service_information.ims_information.service_id = "room-7"
    assert granted(served.client().ask(asked))[0] == r.SUCCESS
    call = served.call("s;1")
    assert (call.type, call.conference_id) == ("conf_in", "room-7")


def test_relays_find_their_way_back(served: Charging) -> None:
    message = initial(
        "s;1", host="behind.contoso.example", route_record=[b"kamailio.contoso.example"]
    )
    message.proxy_info = [ProxyInfo(b"relay.example", b"state")]
    answer = served.client().ask(message)
    assert answer.result_code == r.SUCCESS
    assert [(each.proxy_host, each.proxy_state) for each in answer.proxy_info] == [
        (b"relay.example", b"state")
    ]


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"destination_realm": b"elsewhere.example"}, r.REALM_NOT_SERVED),
        ({"destination_host": b"other.talktime.example"}, r.UNABLE_TO_DELIVER),
    ],
)
def test_what_is_for_another_node_is_a_protocol_error(
    served: Charging, said: dict[str, bytes], result: int
) -> None:
    answer = served.client().ask(initial("s;1", **said))
    assert answer.header.is_error
    assert (answer.result_code, answer.session_id) == (result, "s;1")


def test_requests_that_come_all_at_once_are_all_answered(served: Charging) -> None:
    """More than may wait: the connection is read on when the first half is answered."""
    client = served.client()
    many = DIAMETER_WAITING_MAX + 500
    asked = initial("s;0").as_bytes()
    sending = threading.Thread(target=client.send, args=(asked * many,))
    sending.start()
    results = {bytes(client.receive_bytes()[12:16]) for _ in range(many)}
    sending.join()
    assert results == {asked[12:16]}
    assert served.balance_s() == (3_600, 30)


def test_a_stop_answers_what_was_taken(served: Charging) -> None:
    client = served.client()
    for number in range(50):
        client.send(initial(f"s;{number}", 10))
    assert client.receive().result_code == r.SUCCESS
    served.begin_to_stop()
    found = [client.receive() for _ in range(49)]
    assert {each.result_code for each in found if not each.header.is_request} <= {
        r.SUCCESS,
        r.UNABLE_TO_DELIVER,
    }
    assert client.is_closed()
