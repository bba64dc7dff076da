"""Whoever is not known, and whatever is no packet, gets no answer and changes nothing."""

import random
import struct

import pytest
from structlog.testing import capture_logs

from talktime.core.limits import RADIUS_PACKET_BYTES_MAX
from talktime.gateways.radius.attributes import Status
from talktime.operations.peers import revoke_peer
from tests.gateways.radius.nas import (
    SECRET,
    SILENCE_S,
    Nas,
    add_client,
    calls,
    radius_service,
    seconds,
)
from tests.served import clock_ms, rows_of_books, seeded

pytestmark = pytest.mark.layouts("sqlite")


def test_a_client_that_is_not_known_gets_no_answer_and_one_line_in_the_log(radius, store):
    stranger = Nas(radius, host="127.0.0.77")
    before = rows_of_books(store)
    with capture_logs() as lines:
        for _ in range(3):
            stranger.send(stranger.access(ACCT_SESSION_ID="c1"))
            stranger.send(stranger.accounting(Status.START))
        assert stranger.receive(SILENCE_S) is None
    assert radius.counted("access", "unknown_client") == 3
    assert radius.counted("accounting", "unknown_client") == 3
    [line] = lines
    assert (line["host"], line["reason"]) == ("127.0.0.77", "unknown_client")
    assert rows_of_books(store) == before


def test_a_wrong_secret_gets_no_answer_and_no_secret_is_told_to_the_log(radius, store):
    wrong = Nas(radius, secret="not-that-secret-at-all")
    before = rows_of_books(store)
    with capture_logs() as lines:
        wrong.send(wrong.access(ACCT_SESSION_ID="c1"))
        wrong.send(wrong.accounting(Status.STOP, ACCT_SESSION_TIME=10))
        assert wrong.receive(SILENCE_S) is None
    assert [line["reason"] for line in lines] == ["wrong_secret"]
    assert SECRET not in str(lines)
    assert wrong.secret.decode() not in str(lines)
    assert rows_of_books(store) == before


def test_an_access_request_that_is_not_signed_gets_no_answer(radius, nas):
    packet = nas.access(ACCT_SESSION_ID="c1")
    del packet[80]
    packet.message_authenticator = None
    nas.send(packet)
    assert nas.receive(SILENCE_S) is None
    assert radius.counted("access", "no_message_authenticator") == 1


def bad_datagrams(good):
    """Each is no packet: cut off, with lengths that lie, too long, of chance."""
    chance = random.Random(2865)
    yield b""
    for size in (1, 3, 19, 20, 21, len(good) - 1):
        yield good[:size]
    for length in (0, 19, len(good) - 1, len(good) + 1, 65_535):
        yield good[:2] + struct.pack("!H", length) + good[4:]
    yield good[:20] + bytes(len(good) - 20)
    yield good + bytes(RADIUS_PACKET_BYTES_MAX)
    yield chance.randbytes(60_000)
    for _ in range(200):
        yield chance.randbytes(chance.randrange(1, 300))


def test_datagrams_that_are_no_packets_are_dropped_and_the_next_is_answered(radius, nas, store):
    seconds(nas.ask(ACCT_SESSION_ID="before"))
    before = rows_of_books(store)
    service = nas.service
    for place, packet in (
        (service.auth, nas.access(ACCT_SESSION_ID="c1")),
        (service.acct, nas.accounting(Status.STOP, "before", ACCT_SESSION_TIME=10)),
    ):
        for data in bad_datagrams(packet.RequestPacket()):
            nas.socket.sendto(data, place)
    assert nas.receive(SILENCE_S) is None
    assert rows_of_books(store) == before
    assert seconds(nas.ask(ACCT_SESSION_ID="c2")) == 300
    assert radius.counted("access", "too_long") == 2


def test_a_request_sent_again_at_once_is_one_request(radius, nas, store):
    packet = nas.access(
        ACCT_SESSION_ID="c1",
        CALLING_STATION_ID=radius.demo.caller,
        CALLED_STATION_ID=radius.demo.callee,
    )
    data = packet.RequestPacket()
    for _ in range(3):
        nas.socket.sendto(data, radius.auth)
    first = nas.receive()
    assert packet.VerifyReply(packet.CreateReply(packet=first), enforce_ma=True)
    nas.socket.sendto(data, radius.auth)
    assert nas.receive() == first
    while radius.counted("access", "sent_again") < 3:
        # That was the answer to one of the earlier ones, which came when it was decided already.
        assert nas.receive() == first
    assert radius.counted("access", "sent_again") == 3
    assert len(calls(store)) == 1


def test_a_revoked_client_is_known_no_more(radius, nas, store):
    assert nas.ask(ACCT_SESSION_ID="c1").code == 2
    peer = radius.engine.peers.radius("127.0.0.1")
    control = store.control()
    with control.transaction():
        revoke_peer(control, peer.id, now_ms=clock_ms())
    radius.until(lambda: radius.engine.peers.radius("127.0.0.1") is None)
    nas.send(nas.access(ACCT_SESSION_ID="c2"))
    assert nas.receive(SILENCE_S) is None


def test_the_smallest_network_tells_who_a_client_is(radius, store):
    add_client(store, "all", "127.0.0.0/8", secret="the-secret-of-the-others")
    radius.until(lambda: radius.engine.peers.radius("127.0.0.44"))
    assert seconds(Nas(radius).ask(ACCT_SESSION_ID="c1")) == 300
    other = Nas(radius, "nas-2", "127.0.0.44", "the-secret-of-the-others")
    assert seconds(other.ask(ACCT_SESSION_ID="c1")) == 300


def test_what_was_taken_is_answered_when_the_service_stops(store):
    demo = seeded(store)
    add_client(store, "nas-1", "127.0.0.1")
    with radius_service(store, demo) as service:
        nas = Nas(service)
        for number in range(20):
            said = {"CALLING_STATION_ID": demo.caller, "CALLED_STATION_ID": demo.callee}
            nas.send(nas.access(ACCT_SESSION_ID=f"c{number}", **said))
        assert nas.receive() is not None
        service.stop_soon()
        answered = 1
        while nas.receive(SILENCE_S) is not None:
            answered += 1
    assert answered == service.counted("access", "granted") == len(calls(store))


def test_a_database_that_is_away_leaves_a_request_without_an_answer_until_it_is_back(
    radius, nas, store
):
    file = store.settings.cells["main"].path
    hidden = file.with_suffix(".away")
    assert nas.ask(ACCT_SESSION_ID="c1").code == 2
    file.rename(hidden)
    packet = nas.accounting(Status.STOP, ACCT_SESSION_TIME=10)
    nas.send(packet)
    assert nas.receive(2 * SILENCE_S) is None
    hidden.rename(file)
    assert nas.exchange(packet).code == 5
    assert radius.counted("accounting", "not_decided") == 1
    assert radius.counted("accounting", "settled") == 1
