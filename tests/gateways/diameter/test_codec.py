"""Messages as bytes, beside those of other people's library."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from diameter.message import Message
from diameter.message.avp import Avp
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.limits import AVP_DEPTH_MAX, AVPS_MAX
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter import codec, services
from talktime.gateways.diameter import parties_said as said
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.codec import (
    BadAvp,
    Header,
    message,
    raw,
    read_avps,
    read_header,
    text,
    time_ms,
    unsigned,
    write,
    write_group,
    write_unsigned,
)
from talktime.gateways.diameter.requests import CreditRequest, read_credit
from tests.gateways.diameter.asked import E164, INITIAL, SIP_URI, UPDATE, credit

SAID_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def read(data: bytes) -> CreditRequest:
    """A request that can be taken."""
    found = CreditRequest()
    read_credit(data, found)
    return found


def refused(data: bytes) -> tuple[int, str]:
    """Why a request cannot be taken."""
    with pytest.raises(BadAvp) as caught:
        read(data)
    return caught.value.result, caught.value.why


def test_a_request_of_another_library_is_read_as_it_was_meant() -> None:
    data = credit(
        "kamailio;1;2", INITIAL, 0, asked=300, used=7, calling="sip:+14255550100@ua",
        called="sip:+493020000001@ua", subscription=(SIP_URI, "sip:alice@ua"),
        at=SAID_AT.replace(tzinfo=None),
    ).as_bytes()  # fmt: skip
    found = read(data)
    assert (found.session_id, found.kind, found.number) == ("kamailio;1;2", INITIAL, 0)
    assert (found.asked_s, found.used_s, len(found.services)) == (300, 7, 1)
    assert found.parties.calling == "sip:+14255550100@ua"
    assert found.parties.called == "sip:+493020000001@ua"
    assert found.parties.names == ("sip:alice@ua",)
    assert found.parties.terminating is False
    assert found.origin_host == "kamailio.contoso.example"


def test_units_of_the_service_are_seconds_too() -> None:
    found = read(
        credit("s", UPDATE, 1, asked=60, used=9, unit="cc_service_specific_units").as_bytes()
    )
    assert (found.asked_s, found.used_s) == (60, 9)
    assert found.asking.asked is not None
    assert found.asking.asked.key == a.CC_SERVICE_SPECIFIC_UNITS


def test_units_outside_of_a_service_are_the_requests_own() -> None:
    found = read(credit("s", UPDATE, 1, asked=60, used=9, grouped=False).as_bytes())
    assert (found.services, found.asked_s, found.used_s) == ([], 60, 9)


def test_a_number_of_a_subscriber_is_international() -> None:
    found = read(credit("s", INITIAL, 0, subscription=(E164, "14255550100")).as_bytes())
    assert found.parties.names == ("+14255550100",)


def test_octets_are_no_units_of_a_call() -> None:
    data = credit("s", INITIAL, 0, asked=60, unit="cc_total_octets").as_bytes()
    assert refused(data)[0] == r.RATING_FAILED


def test_what_is_missing_is_named() -> None:
    asked = credit("s", INITIAL, 0)
    asked.service_context_id = None
    with pytest.raises(BadAvp) as caught:
        read(asked.as_bytes())
    assert caught.value.result == r.MISSING_AVP
    assert Avp.from_bytes(caught.value.avp).code == a.SERVICE_CONTEXT_ID


def test_an_unknown_avp_is_refused_only_where_it_is_mandatory() -> None:
    body = credit("s", INITIAL, 0).as_bytes()
    head = read_header(body)
    for flags, vendor in ((0, 0), (a.MANDATORY, a.TGPP)):
        extra = write(3999 + (vendor << a.VENDOR_SHIFT), b"x", flags)
        assert read(message(head, body[20:], extra)).kind == INITIAL
    assert refused(message(head, body[20:], write(3999, b"x")))[0] == r.AVP_UNSUPPORTED


STRANGE = 3999
TIME = write_unsigned(a.CC_TIME, 60)
NOBODYS = (write_unsigned(a.SUBSCRIPTION_ID_TYPE, E164), write(a.SUBSCRIPTION_ID_DATA, b"1"))


@pytest.mark.parametrize(
    "within",
    [
        lambda extra: write_group(a.MULTIPLE_SERVICES_CREDIT_CONTROL, extra),
        lambda extra: write_group(a.REQUESTED_SERVICE_UNIT, TIME, extra),
        lambda extra: write_group(a.USED_SERVICE_UNIT, extra, TIME),
        lambda extra: write_group(
            a.MULTIPLE_SERVICES_CREDIT_CONTROL, write_group(a.USED_SERVICE_UNIT, TIME, extra)
        ),
        lambda extra: write_group(a.SUBSCRIPTION_ID, *NOBODYS, extra),
        lambda extra: write_group(
            a.SUBSCRIPTION_ID_EXTENSION, write(a.SUBSCRIPTION_ID_E164, b"1"), extra
        ),
    ],
)
def test_an_unknown_avp_within_what_is_read_is_refused_only_where_it_is_mandatory(
    within: Callable[[bytes], bytes],
) -> None:
    body = credit("s", INITIAL, 0).as_bytes()
    head = read_header(body)
    for flags, vendor in ((0, 0), (a.MANDATORY, a.TGPP)):
        extra = write(STRANGE + (vendor << a.VENDOR_SHIFT), b"x", flags)
        assert read(message(head, body[20:], within(extra))).kind == INITIAL
    with pytest.raises(BadAvp) as caught:
        read(message(head, body[20:], within(write(STRANGE, b"x"))))
    assert caught.value.result == r.AVP_UNSUPPORTED
    assert Avp.from_bytes(caught.value.avp + bytes(3)).code == STRANGE


def test_what_a_service_may_have_is_no_unknown_avp() -> None:
    body = credit("s", UPDATE, 1, used=9).as_bytes()
    extra = write_group(
        a.MULTIPLE_SERVICES_CREDIT_CONTROL,
        *[write_group(key) for key in sorted(a.OF_A_SERVICE - {a.SERVICE_IDENTIFIER, 432})],
        write_group(a.USED_SERVICE_UNIT, TIME, write_unsigned(a.TARIFF_CHANGE_USAGE, 1)),
    )
    assert read(message(read_header(body), body[20:], extra)).used_s == 69


@pytest.mark.parametrize(
    ("key", "data", "names"),
    [
        (a.SUBSCRIPTION_ID_E164, b"14255550100", ("+14255550100",)),
        (a.SUBSCRIPTION_ID_IMSI, b"001010000000001", ()),
        (a.SUBSCRIPTION_ID_SIP_URI, b"sip:alice@ua", ("sip:alice@ua",)),
        (a.SUBSCRIPTION_ID_NAI, b"alice@ua", ("alice@ua",)),
        (a.SUBSCRIPTION_ID_PRIVATE, b"alice", ("alice",)),
    ],
)
def test_a_subscriber_may_be_named_in_the_extension(
    key: int, data: bytes, names: tuple[str, ...]
) -> None:
    body = credit("s", INITIAL, 0).as_bytes()
    extra = write_group(a.SUBSCRIPTION_ID_EXTENSION, write(key, data))
    found = read(message(read_header(body), body[20:], extra))
    assert found.parties.names == names


def test_an_extension_that_names_nobody_is_refused() -> None:
    body = credit("s", INITIAL, 0).as_bytes()
    extra = write_group(a.SUBSCRIPTION_ID_EXTENSION, write(STRANGE, b"x", 0))
    assert refused(message(read_header(body), body[20:], extra))[0] == r.MISSING_AVP


def test_a_time_is_counted_from_1900_and_begins_again_in_2036() -> None:
    avp = write_unsigned(a.EVENT_TIMESTAMP, 4_004_416_800)
    assert time_ms(avp, read_avps(avp, 0, len(avp))[0]) == 1_795_428_000_000
    after = write_unsigned(a.EVENT_TIMESTAMP, 5)
    assert (
        time_ms(after, read_avps(after, 0, len(after))[0]) == ((1 << 32) - 2_208_988_800 + 5) * 1000
    )


@given(
    st.lists(
        st.tuples(
            st.integers(2**31, 2**32 - 1),
            st.sampled_from([0, 10415]),
            st.booleans(),
            st.binary(max_size=99),
        ),
        max_size=9,
    )
)
def test_what_is_written_is_read_by_the_other_library(
    wanted: list[tuple[int, int, bool, bytes]],
) -> None:
    parts = [
        write(code + (vendor << a.VENDOR_SHIFT), data, a.MANDATORY if mandatory else 0)
        for code, vendor, mandatory, data in wanted
    ]
    data = message(Header(a.REQUEST, 9_999, 4, 7, 8), *parts)
    theirs = Message.from_bytes(data)
    assert theirs.header.length == len(data)
    got = [(each.code, each.vendor_id, each.is_mandatory, each.payload) for each in theirs.avps]
    assert got == wanted
    ours = read_avps(data, 20, len(data))
    assert [(key, data[start:stop]) for key, _, start, stop in ours] == [
        (code + (vendor << a.VENDOR_SHIFT), each) for code, vendor, _, each in wanted
    ]
    assert b"".join(raw(data, each) + bytes(-(each[3]) % 4) for each in ours) == data[20:]


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    found = []
    with suppress(BadAvp):
        found = read_avps(data, 0, len(data))
    assert all(start <= stop <= len(data) for _, _, start, stop in found)


@pytest.mark.parametrize("length", [0, 7, 11, 13, 2**24 - 1])
def test_an_avp_of_the_wrong_length_is_refused(length: int) -> None:
    data = write(a.SESSION_ID, b"abcd")
    data = data[:5] + length.to_bytes(3, "big") + data[8:]
    with pytest.raises(BadAvp) as caught:
        read_value(data)
    assert caught.value.result == r.INVALID_AVP_LENGTH


def read_value(data: bytes) -> int:
    """The 32 bits of the only AVP."""
    return unsigned(data, read_avps(data, 0, len(data))[0])


def test_there_is_a_most_of_avps_and_of_their_depth() -> None:
    many = write(a.ROUTE_RECORD, b"") * (AVPS_MAX + 1)
    with pytest.raises(BadAvp) as caught:
        read_avps(many, 0, len(many))
    assert caught.value.result == r.AVP_OCCURS_TOO_MANY_TIMES
    deep = write_group(a.PROXY_INFO)
    with pytest.raises(BadAvp) as caught:
        read_avps(deep, 0, len(deep), AVP_DEPTH_MAX + 1)
    assert caught.value.result == r.INVALID_AVP_VALUE


@pytest.mark.parametrize("value", [b"", b"\xff", b"a\nb", b"x" * 300])
def test_a_text_is_printable_and_not_too_long(value: bytes) -> None:
    data = write(a.SESSION_ID, value)
    with pytest.raises(BadAvp) as caught:
        text(data, read_avps(data, 0, len(data))[0], 255)
    assert caught.value.result == r.INVALID_AVP_VALUE


@pytest.mark.parametrize("remembered", [codec._remembered, services._remembered, said._remembered])
def test_what_is_too_long_is_not_remembered(remembered: Any) -> None:
    before = remembered.cache_info().currsize
    long = write(a.ORIGIN_HOST, b"h" * 5_000)
    with pytest.raises(BadAvp):
        codec.said_often(long, read_avps(long, 0, len(long))[0], 255)
    assert services.read_service(write(STRANGE, b"h" * 5_000, 0)).names == b""
    subscriber = write_group(a.SUBSCRIPTION_ID, write(a.SUBSCRIPTION_ID_DATA, b"s" * 5_000))
    with pytest.raises(BadAvp):
        said.read_parties(subscriber, read_avps(subscriber, 0, len(subscriber)), {})
    assert remembered.cache_info().currsize == before
