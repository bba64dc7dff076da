"""RADIUS packets are read strictly, and verified, or not at all."""

import hmac
import struct

import pytest
from pyrad.packet import AccessAccept, AccessRequest, AcctPacket, AuthPacket, CoAPacket

from talktime.gateways.radius.attributes import Attribute, cause_of
from talktime.gateways.radius.packets import (
    BadPacket,
    accept,
    accounted,
    address,
    disconnect,
    number,
    read_access,
    read_accounting,
    reject,
    text,
    whole,
)

SECRET = b"correct horse battery"


def asked(**attributes):
    """An Access-Request as bytes."""
    packet = AuthPacket(code=AccessRequest, id=7, secret=SECRET, authenticator=b"r" * 16)
    packet.add_message_authenticator()
    for name, value in attributes.items():
        packet[int(Attribute[name])] = [value]
    return packet.RequestPacket()


def told(**attributes):
    """An Accounting-Request as bytes."""
    packet = AcctPacket(secret=SECRET)
    for name, value in attributes.items():
        packet[int(Attribute[name])] = [value]
    return packet.RequestPacket()


def reason(read, *arguments):
    """Why a packet is dropped."""
    with pytest.raises(BadPacket) as bad:
        read(*arguments)
    return bad.value.reason


def cut(data, size):
    """The same packet, told to be so long."""
    return data[:2] + struct.pack("!H", size) + data[4:]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "truncated"),
        (b"\x01\x02\x00\x14", "truncated"),
        (asked()[:-1], "truncated"),
        (cut(asked(), 19), "wrong_lengths"),
        (cut(asked(), 21), "wrong_lengths"),
        (cut(asked() + b"\x01\x00", 40), "wrong_lengths"),
        (cut(asked() + b"\x01\x01", 40), "wrong_lengths"),
        (cut(asked() + b"\x01\x09a", 41), "wrong_lengths"),
        (asked() + bytes(4_096), "too_long"),
    ],
)
def test_lengths_that_do_not_add_up_are_told_apart(data, why):
    assert reason(whole, data) == why


def test_what_follows_a_packet_in_its_datagram_is_left_out():
    assert whole(asked() + b"padding") == asked()


def test_an_access_request_needs_one_good_message_authenticator():
    good = asked(USER_NAME=b"alice")
    assert read_access(good, SECRET)[1] == [b"alice"]
    assert reason(read_access, good, b"another secret") == "wrong_secret"
    bare = AuthPacket(code=AccessRequest, secret=SECRET, authenticator=b"r" * 16)
    bare[1] = [b"alice"]
    assert reason(read_access, bare.RequestPacket(), SECRET) == "no_message_authenticator"
    twice = good + good[20:38]
    assert reason(read_access, cut(twice, len(twice)), SECRET) == "no_message_authenticator"
    short = good[:20] + b"\x50\x03x" + good[38:]
    assert reason(read_access, cut(short, len(short)), SECRET) == "wrong_lengths"


def test_any_bit_that_is_turned_makes_an_access_request_bad():
    good = asked(USER_NAME=b"alice", CALLED_STATION_ID=b"4915112345")
    for bit in range(8 * len(good)):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadPacket):
            read_access(whole(bytes(changed)), SECRET)


def test_any_bit_that_is_turned_makes_an_accounting_request_bad():
    good = told(ACCT_SESSION_ID=b"c1", ACCT_SESSION_TIME=struct.pack("!I", 60))
    assert read_accounting(good, SECRET)[44] == [b"c1"]
    for bit in range(8 * len(good)):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadPacket):
            read_accounting(whole(bytes(changed)), SECRET)


def test_a_message_authenticator_in_accounting_is_looked_at_too():
    packet = AcctPacket(secret=SECRET)
    packet.add_message_authenticator()
    assert read_accounting(packet.RequestPacket(), SECRET).code == 4
    other = AcctPacket(secret=b"another secret")
    other.add_message_authenticator()
    assert reason(read_accounting, other.RequestPacket(), SECRET) == "wrong_secret"


def test_other_codes_are_not_for_either_port():
    assert reason(read_access, told(), SECRET) == "other_code"
    assert reason(read_accounting, asked(), SECRET) == "other_code"


def test_values_that_cannot_be_read_make_a_packet_bad():
    packet = read_access(
        asked(
            USER_NAME=b"\xff",
            NAS_IDENTIFIER=b"a\0b",
            CALLED_STATION_ID=b"112\0",
            ACCT_SESSION_TIME=b"\0\0\1",
            NAS_IP_ADDRESS=b"\xc0\0\2\7",
            NAS_IPV6_ADDRESS=b"\xc0\0\2\7",
        ),
        SECRET,
    )
    assert text(packet, Attribute.CALLED_STATION_ID) == "112"
    assert address(packet, Attribute.NAS_IP_ADDRESS) == "192.0.2.7"
    assert text(packet, Attribute.CLASS) == ""
    assert number(packet, Attribute.EVENT_TIMESTAMP) is None
    for read, attribute in (
        (text, Attribute.USER_NAME),
        (text, Attribute.NAS_IDENTIFIER),
        (number, Attribute.ACCT_SESSION_TIME),
        (address, Attribute.NAS_IPV6_ADDRESS),
    ):
        assert reason(read, packet, attribute) == "bad_value"


def test_an_answer_is_signed_first_and_gives_back_what_proxies_put_in():
    request = read_access(asked(PROXY_STATE=b"p1"), SECRET)
    data = accept(request, {Attribute.SESSION_TIMEOUT: 300, Attribute.CLASS: b"k"})
    assert (data[0], data[20]) == (AccessAccept, Attribute.MESSAGE_AUTHENTICATOR)
    answer = request.CreateReply(packet=whole(data))
    assert request.VerifyReply(answer, enforce_ma=True)
    assert (answer[27], answer[25], answer[33]) == ([struct.pack("!I", 300)], [b"k"], [b"p1"])
    signature = hmac.new(
        SECRET, data[:4] + b"r" * 16 + b"\x50\x12" + bytes(16) + data[38:], "md5"
    ).digest()
    assert data[22:38] == signature


def test_a_sentence_that_is_too_long_for_an_attribute_is_cut_between_characters():
    request = read_access(asked(), SECRET)
    answer = request.CreateReply(packet=reject(request, "ü" * 300))
    assert request.VerifyReply(answer, enforce_ma=True)
    assert answer[18] == [("ü" * 126).encode()]


def test_an_accounting_response_says_nothing_but_that_it_was_taken_down():
    request = read_accounting(told(PROXY_STATE=b"p1"), SECRET)
    answer = request.CreateReply(packet=accounted(request))
    assert request.VerifyReply(answer)
    assert (answer.code, list(iter(answer))) == (5, [33])


def test_a_disconnect_request_is_signed_as_clients_look_at_it():
    packet = disconnect(7, SECRET, {Attribute.ACCT_SESSION_ID: "c1"})
    data = packet.RequestPacket()
    received = CoAPacket(secret=SECRET, packet=data)
    assert (received.code, received.id, data[20]) == (40, 7, Attribute.MESSAGE_AUTHENTICATOR)
    assert received.VerifyCoARequest()
    assert received.verify_message_authenticator()


def test_causes_are_words():
    assert [cause_of(each) for each in (None, 1, 5, 18, 19)] == [
        *("normal", "user_request", "session_timeout", "host_request", "cause_19"),
    ]
