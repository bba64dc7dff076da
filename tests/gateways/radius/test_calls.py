"""What names a call: for the books, for its client, in what goes to the client and comes back."""

import pytest
from pyrad.packet import AuthPacket

from talktime.core.limits import CALL_KEY_TEXT_MAX, RADIUS_SESSION_TEXT_MAX
from talktime.gateways.radius.attributes import Attribute
from talktime.gateways.radius.calls import (
    Again,
    asks_again,
    class_of,
    key_of,
    named,
    number_of,
    parts_of,
    session_of,
    state_of,
    used_again,
)


def packet(**values):
    """A packet with these attributes, as it was received."""
    made = AuthPacket(authenticator=bytes(range(16)), secret=b"s")
    for name, value in values.items():
        made[int(Attribute[name])] = value if isinstance(value, list) else [value]
    return made


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"NAS_IDENTIFIER": b"nas-1", "NAS_IP_ADDRESS": b"\xc0\0\2\7"}, "nas-1"),
        ({"NAS_IP_ADDRESS": b"\xc0\0\2\7"}, "192.0.2.7"),
        ({"NAS_IPV6_ADDRESS": bytes(15) + b"\1"}, "::1"),
        ({}, "198.51.100.1"),
    ],
)
def test_a_client_is_named_by_itself_or_else_by_its_address(values, name):
    found = named(packet(ACCT_SESSION_ID=b"c1", **values), "198.51.100.1")
    assert found.client.name == name
    assert found.call_key == f"{name}/c1"


def test_the_key_that_comes_back_in_class_goes_before_the_session_id():
    values = {"CLASS": [b"another server's", class_of("nas-1/~5f")], "ACCT_SESSION_ID": b"c1"}
    found = named(packet(**values), "198.51.100.1")
    assert (found.call_key, found.session_id) == ("nas-1/~5f", "c1")


def test_a_new_call_is_named_by_its_session_id_whatever_class_says():
    values = {"CLASS": class_of("nas-1/c0"), "ACCT_SESSION_ID": b"c1", "NAS_IDENTIFIER": b"nas-1"}
    assert named(packet(**values), "198.51.100.1", by_class=False).call_key == "nas-1/c1"


def test_without_a_session_id_the_request_names_its_call():
    found = named(packet(NAS_IDENTIFIER=b"nas-1"), "198.51.100.1")
    assert found.call_key == "nas-1/~000102030405060708090a0b0c0d0e0f"
    assert parts_of(found.call_key) is None


def test_a_key_is_printable_and_bounded_whatever_a_client_calls_itself():
    key = key_of("näs\n1", "a/b%" + "~" * 3)
    assert key == "n%C3%A4s%0A1/a%2Fb%25%7E%7E%7E"
    assert parts_of(key_of("näs/1", "~a b%")) == ("näs/1", "~a b%")
    long = key_of("n" * 253, "s" * 253)
    assert (len(long), parts_of(long)) == (33, None)
    assert long != key_of("n" * 253, "s" * 252)


def test_the_calls_of_a_session_id_that_is_used_again_have_keys_in_their_order():
    first = key_of("nas~~1", "c1")
    keys = [first, *(used_again(first, number) for number in (7, 16, 2**63))]
    assert [number_of(key, first) for key in keys] == [0, 7, 16, 2**63]
    assert [parts_of(key) for key in keys] == [("nas~~1", "c1")] * 4
    assert {session_of(key) for key in keys} == {first}
    assert sorted(keys) == keys


def test_what_goes_out_in_state_comes_back():
    again = Again("nas-1/c1", 600)
    assert asks_again(packet(STATE=state_of(again))) == again


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"another server's",
        b"talktime:",
        b"talktime:x:nas-1/c1",
        b"talktime:-1:nas-1/c1",
        b"talktime:86401:nas-1/c1",
        b"talktime:99999999999:nas-1/c1",
        b"talktime:600:",
        b"talktime:600:nas\n1/c1",
        b"talktime:600:n\xe4s/c1",
    ],
)
def test_a_state_that_is_not_ours_asks_for_a_new_call(state):
    assert asks_again(packet(STATE=state)) is None


def test_a_key_stays_bounded_where_its_session_id_is_used_again():
    longest = key_of("n" * 100, "s" * (RADIUS_SESSION_TEXT_MAX - 101))
    assert len(longest) == RADIUS_SESSION_TEXT_MAX
    assert len(used_again(longest, 2**64 - 1)) <= CALL_KEY_TEXT_MAX
