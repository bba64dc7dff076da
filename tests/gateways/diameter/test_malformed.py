"""What is no message, or not one that can be taken: answered as the RFC says, or dropped; others
are served on."""

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from diameter.message import Message

from talktime.core.limits import DIAMETER_MESSAGE_BYTES_MAX
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.codec import (
    Header,
    message,
    read_avps,
    read_header,
    whole,
    write,
    write_group,
    write_unsigned,
)
from tests.gateways.diameter import asked
from tests.gateways.diameter.serving import CALLEE, CALLER, Charging, charging
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite")
GOOD = asked.credit(
    "s;1", 1, 0, asked=30, calling=f"sip:{CALLER}@ua", called=f"sip:{CALLEE}@ua"
).as_bytes()
HEAD = read_header(GOOD)
AVPS = read_avps(GOOD, 20, len(GOOD))
DROPPED = "diameter connection dropped"
FUZZED = 150


@pytest.fixture
def served(store: Store) -> Iterator[Charging]:
    """A service with one peer."""
    with charging(store) as running:
        yield running


def is_well(served: Charging) -> bool:
    """Whether a new client is served, and nothing was booked."""
    answer = served.client().ask(asked.watchdog())
    return answer.result_code == r.SUCCESS and served.balance_s() == (3_600, 0)


@pytest.mark.parametrize(
    ("data", "result"),
    [
        (b"\x02" + GOOD[1:], r.UNSUPPORTED_VERSION),
        (GOOD[:1] + (16).to_bytes(3, "big") + GOOD[4:], r.INVALID_MESSAGE_LENGTH),
        (GOOD[:1] + (len(GOOD) - 1).to_bytes(3, "big") + GOOD[4:], r.INVALID_MESSAGE_LENGTH),
        (
            GOOD[:1] + (DIAMETER_MESSAGE_BYTES_MAX + 4).to_bytes(3, "big") + GOOD[4:],
            r.INVALID_MESSAGE_LENGTH,
        ),
    ],
)
def test_what_cannot_be_framed_is_answered_and_ends_the_connection(
    served: Charging, data: bytes, result: int, capsys: pytest.CaptureFixture[str]
) -> None:
    client = served.client()
    client.send(data)
    answer = client.receive()
    assert (answer.header.is_request, answer.result_code) == (False, result)
    assert client.is_closed()
    assert capsys.readouterr().out.count(DROPPED) == 1
    assert is_well(served)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(64), b"\xff" * 64])
def test_other_protocols_are_dropped_without_an_answer(
    served: Charging, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    client = served.connect()
    client.send(data)
    with pytest.raises(ConnectionError):
        client.receive_bytes()
    assert capsys.readouterr().out.count(DROPPED) == 1
    assert is_well(served)


def test_a_message_that_is_cut_off_is_waited_for_and_then_dropped(served: Charging) -> None:
    client = served.client()
    client.send(GOOD[:-4])
    client.end()
    with pytest.raises(ConnectionError):
        client.receive_bytes()
    assert is_well(served)


def test_a_message_may_come_byte_by_byte(served: Charging) -> None:
    client = served.client()
    for at in range(len(GOOD)):
        client.send(GOOD[at : at + 1])
    assert client.receive().result_code == r.SUCCESS


def test_messages_may_come_together(served: Charging) -> None:
    client = served.client()
    client.send(GOOD * 3)
    assert [client.receive().result_code for _ in range(3)] == [r.SUCCESS] * 3


def without(*keys: int) -> bytes:
    """The good request without some of its AVPs."""
    return b"".join(whole(GOOD, avp) for avp in AVPS if avp[0] not in keys)


def with_(key: int, data: bytes) -> bytes:
    """The good request with another value of one of its AVPs."""
    return without(key) + write(key, data)


NEEDED = [
    *(a.SESSION_ID, a.ORIGIN_HOST, a.ORIGIN_REALM, a.DESTINATION_REALM),
    *(a.SERVICE_CONTEXT_ID, a.CC_REQUEST_TYPE, a.CC_REQUEST_NUMBER),
]


@pytest.mark.parametrize("key", NEEDED)
def test_whatever_is_missing_is_named_in_the_answer(served: Charging, key: int) -> None:
    client = served.client()
    client.send(message(HEAD, without(key)))
    answer = client.receive()
    assert answer.result_code == r.MISSING_AVP
    assert answer.failed_avp[0].additional_avps[0].code == key
    assert client.ask(asked.watchdog()).result_code == r.SUCCESS


def test_the_application_may_stand_in_the_header_alone(served: Charging) -> None:
    client = served.client()
    client.send(message(HEAD, without(a.AUTH_APPLICATION_ID)))
    assert client.receive().result_code == r.SUCCESS


@pytest.mark.parametrize("key", [*NEEDED, a.AUTH_APPLICATION_ID])
def test_whatever_may_stand_there_once_is_refused_twice_unless_it_says_the_same(
    served: Charging, key: int
) -> None:
    client = served.client()
    found = next(avp for avp in AVPS if avp[0] == key)
    value = GOOD[found[2] : found[3]]
    client.send(message(HEAD, without(), write(key, value[:-1] + bytes([value[-1] ^ 1]))))
    assert client.receive().result_code == r.AVP_OCCURS_TOO_MANY_TIMES
    client.send(message(HEAD, without(), whole(GOOD, found)))
    assert client.receive().result_code == r.SUCCESS


DEEP = write_group(a.REQUESTED_SERVICE_UNIT, *[write(999, b"", 0)] * 600)


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (with_(a.CC_REQUEST_TYPE, (9).to_bytes(4, "big")), r.INVALID_AVP_VALUE),
        (with_(a.CC_REQUEST_TYPE, b"\0"), r.INVALID_AVP_LENGTH),
        (with_(a.CC_REQUEST_NUMBER, b"\xff" * 4), r.INVALID_AVP_VALUE),
        (with_(a.AUTH_APPLICATION_ID, (5).to_bytes(4, "big")), r.INVALID_AVP_VALUE),
        (with_(a.SESSION_ID, b"\xff"), r.INVALID_AVP_VALUE),
        (with_(a.SESSION_ID, b"x" * 256), r.INVALID_AVP_VALUE),
        (with_(a.SESSION_ID, b""), r.INVALID_AVP_VALUE),
        (with_(a.ORIGIN_HOST, b"a\nb"), r.INVALID_AVP_VALUE),
        (without() + b"\0\0\1\x07", r.INVALID_AVP_LENGTH),
        (without() + write(a.SUBSCRIPTION_ID, b"xx"), r.INVALID_AVP_LENGTH),
        (without() + write_group(a.SUBSCRIPTION_ID), r.MISSING_AVP),
        (without() + write(a.SUBSCRIPTION_ID, b"") * 17, r.AVP_OCCURS_TOO_MANY_TIMES),
        (without() + write_group(a.MULTIPLE_SERVICES_CREDIT_CONTROL) * 40, 5009),
        (without() + write(a.PROXY_INFO, bytes(9_000)), r.AVP_OCCURS_TOO_MANY_TIMES),
        (without() + write(a.ROUTE_RECORD, b"") * 600, r.AVP_OCCURS_TOO_MANY_TIMES),
        (without() + DEEP, r.AVP_OCCURS_TOO_MANY_TIMES),
        (without() + write_group(a.USED_SERVICE_UNIT, write(a.CC_TIME, b"x")), 5014),
        (without() + write(4_999, b"x"), r.AVP_UNSUPPORTED),
        (without() + write_group(a.MULTIPLE_SERVICES_CREDIT_CONTROL, write(4_999, b"x")), 5001),
    ],
)
def test_what_cannot_be_taken_is_refused_and_the_connection_stays(
    served: Charging, body: bytes, result: int
) -> None:
    client = served.client()
    client.send(message(HEAD, body))
    answer: Message = client.receive()
    assert (answer.result_code, answer.header.is_error) == (result, False)
    assert client.ask(asked.watchdog()).result_code == r.SUCCESS
    assert served.balance_s() == (3_600, 0)


RELAYS = [write_group(a.PROXY_INFO, write(a.PROXY_HOST, name)) for name in (b"near", b"far")]


@pytest.mark.parametrize("head", [HEAD, msgspec.structs.replace(HEAD, command=999)])
@pytest.mark.parametrize("cut_off", [(4_999).to_bytes(4, "big") + b"\x40\0\0\x64", b"\0\0\1\x07"])
def test_the_answer_to_what_is_cut_off_finds_its_session_and_the_way_back(
    served: Charging, head: Header, cut_off: bytes
) -> None:
    client = served.client()
    client.send(message(head, without(), *RELAYS, cut_off))
    data = client.receive_bytes()
    found = read_avps(data, 20, len(data))
    assert [data[at:end] for key, _, at, end in found if key == a.SESSION_ID] == [b"s;1"]
    assert [whole(data, avp) for avp in found if avp[0] == a.PROXY_INFO] == RELAYS
    assert served.balance_s() == (3_600, 0)


def test_the_answer_to_what_is_cut_off_says_to_which_request_of_its_session(
    served: Charging,
) -> None:
    client = served.client()
    client.send(message(HEAD, without(), b"\0\0\1\x07"))
    answer: Any = client.receive()
    assert (answer.result_code, answer.cc_request_type, answer.cc_request_number) == (5014, 1, 0)


def test_an_answer_to_nothing_is_dropped(served: Charging) -> None:
    client = served.client()
    client.send(message(Header(0, 280, 0, 77, 78), write_unsigned(a.RESULT_CODE, 2001)))
    client.send(message(Header(0, 280, 0, 77, 78), b"\0" * 8))
    assert client.ask(asked.watchdog()).result_code == r.SUCCESS


def test_any_mutation_of_a_request_is_answered_or_dropped(served: Charging) -> None:
    chance = random.Random(20_261_129)
    for _ in range(FUZZED):
        data = bytearray(GOOD)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        client = served.client()
        client.send(bytes(data[: chance.choice((len(data), chance.randrange(len(data)))) // 4 * 4]))
        client.end()
        assert client.is_closed()
    assert served.client().ask(asked.watchdog()).result_code == r.SUCCESS
    assert served.faults() == []
