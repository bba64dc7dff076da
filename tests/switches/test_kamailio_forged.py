"""What a caller writes that would not pay: Kamailio with examples/kamailio believes none of it."""

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.stores import Stores
from tests.switches.exchange import Exchange
from tests.switches.forger import NO_DIALOG, SILENCE_S, Call, Forger, answered, header
from tests.switches.office import BY_THE_SECOND, MICROS_A_SECOND, Office, Wallet
from tests.switches.proxy import Proxy


class Line:
    """A caller that forges, its office, and a callee behind a proxy of their own."""

    def __init__(self, exchange: Exchange, caller: Forger, callee: Forger, proxy: Proxy) -> None:
        self.exchange, self.caller, self.callee, self.proxy = exchange, caller, callee, proxy
        self.office: Office = exchange.office(seconds=60)

    def call(self, call_id: str = "", from_tag: str = "mine") -> Call:
        """A call that is to be set up."""
        call_id = call_id or secrets.token_hex(8)
        return Call(self.proxy, self.office.caller, BY_THE_SECOND, call_id, from_tag)

    def hang_up(self, call: Call, route: str) -> None:
        """End a call as an honest caller does."""
        self.caller.send(call, "BYE", 2, f"sip:callee@{self.callee.address}", Route=route)
        self.callee.answer(self.callee.hear("BYE"), 200, self.proxy)
        assert self.caller.hear("SIP/2.0 200")


@pytest.fixture(scope="module")
def trunk(
    stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Exchange, Forger, Proxy]]:
    """An exchange with a proxy before a callee that forges, too."""
    store, folder = stores.make("sqlite"), tmp_path_factory.mktemp("forged")
    with (
        Exchange(folder, store, TALKTIME_SLICE_SECONDS="20") as exchange,
        closing(Forger()) as callee,
    ):
        yield exchange, callee, exchange.new_proxy(callee)
        exchange.prove_books()
    stores.drop(store)


@pytest.fixture
def line(trunk: tuple[Exchange, Forger, Proxy]) -> Iterator[Line]:
    """A new caller on it."""
    exchange, callee, proxy = trunk
    callee.forget()
    with closing(Forger()) as caller:
        yield Line(exchange, caller, callee, proxy)


@pytest.mark.parametrize(
    ("from_tag", "is_answered"), [("another", True), ("another", False), ("mine", True)]
)
def test_two_calls_under_one_call_id_are_charged_each_for_itself(
    line: Line, from_tag: str, is_answered: bool
) -> None:
    first, route = answered(line.caller, line.callee, line.call())
    second = line.call(first.call_id, from_tag)
    if is_answered:
        second, second_route = answered(line.caller, line.callee, second)
        line.hang_up(second, second_route)
    else:
        line.caller.send(second, "INVITE")
        line.callee.answer(line.callee.hear("INVITE"), 486, line.proxy, "busy")
        assert line.caller.hear("SIP/2.0 486")
    line.hang_up(first, route)
    line.exchange.closed(line.office, calls=2)
    states = Counter(call.state for call in line.office.calls())
    assert states == ({"settled": 2} if is_answered else {"settled": 1, "released": 1})
    used = sum(call.used_s for call in line.office.calls())
    assert used >= states["settled"]
    assert line.office.wallet() == Wallet((60 - used) * MICROS_A_SECOND, 0, 0)


@pytest.mark.parametrize("hangs_up", ["the caller", "the callee"])
def test_a_call_ends_while_another_rings_under_its_call_id_and_tag(
    line: Line, hangs_up: str
) -> None:
    first, route = answered(line.caller, line.callee, line.call())
    second = line.call(first.call_id)
    line.caller.send(second, "INVITE", 7)
    ringing = line.callee.hear("INVITE")
    line.callee.answer(ringing, 180, line.proxy, "early")
    if hangs_up == "the caller":
        line.hang_up(first, route)
    else:
        turned = first._replace(from_tag=first.to_tag, to_tag=first.from_tag)
        line.callee.send(turned, "BYE", 1, f"sip:x@{line.caller.address}", Route=route)
        bye = line.caller.hear("BYE")
        assert bye, line.proxy.said()[-3000:]
        line.caller.answer(bye, 200, line.proxy)
        assert line.callee.hear("SIP/2.0 200")
    line.callee.answer(ringing, 486, line.proxy, "early")
    assert line.caller.hear("SIP/2.0 486")
    line.exchange.closed(line.office, calls=2)
    states = Counter(call.state for call in line.office.calls())
    assert states == {"settled": 1, "released": 1}


def test_a_call_with_the_tag_and_call_id_of_one_that_rings_is_refused(line: Line) -> None:
    call = line.call()
    line.caller.send(call, "INVITE")
    invite = line.callee.hear("INVITE")
    line.caller.send(call, "INVITE", 7)
    assert line.caller.hear("SIP/2.0 482")
    line.callee.answer(invite, 486, line.proxy, "busy")
    line.exchange.closed(line.office)
    assert line.office.call().state == "released"


@pytest.mark.parametrize("trick", ["uri", "route", "require", "cseq"])
def test_a_caller_cannot_hang_up_without_the_callee(line: Line, trick: str) -> None:
    call, route = answered(line.caller, line.callee, line.call())
    me, there = f"sip:x@{line.caller.address}", f"sip:callee@{line.callee.address}"
    if trick == "uri":
        line.caller.send(call, "BYE", 2, me, Route=route)
    elif trick == "route":
        line.caller.send(call, "BYE", 2, there, Route=f"{route}, <{me};lr>")
    elif trick == "require":
        line.caller.send(call, "BYE", 2, there, Route=route, Require="nonsense")
    else:
        line.caller.send(call, "BYE", 1, there, Route=route)
    bye = line.callee.hear("BYE")
    assert bye, line.proxy.said()[-3000:]
    assert not header(bye, "Require")
    assert header(bye, "CSeq") == "2 BYE"
    line.callee.answer(bye, 200, line.proxy)
    assert line.caller.hear("SIP/2.0 200")
    line.exchange.closed(line.office)
    assert line.office.call().state == "settled"


def test_a_callee_cannot_hang_up_without_the_caller(line: Line) -> None:
    call, route = answered(line.caller, line.callee, line.call())
    turned = call._replace(from_tag=call.to_tag, to_tag=call.from_tag)
    me = f"sip:x@{line.callee.address}"
    line.callee.send(turned, "BYE", 1, me, Route=route)
    bye = line.caller.hear("BYE")
    assert bye, line.proxy.said()[-3000:]
    line.caller.answer(bye, 200, line.proxy)
    assert line.callee.hear("SIP/2.0 200")
    line.exchange.closed(line.office)
    assert line.office.call().state == "settled"


def test_a_request_within_a_call_goes_to_the_other_side_of_it_alone(line: Line) -> None:
    call, route = answered(line.caller, line.callee, line.call())
    me = f"sip:x@{line.caller.address}"
    line.caller.send(call, "INVITE", 2, me, Route=f"{route}, <{me};lr>")
    invite = line.callee.hear("INVITE")
    assert invite.startswith(f"INVITE sip:callee@{line.callee.address} ")
    line.callee.answer(invite, 200, line.proxy)
    assert line.caller.hear("SIP/2.0 200")
    line.caller.send(call, "ACK", 2, me, Route=route)
    assert line.callee.hear("ACK")
    line.caller.send(call, "INFO", 2_100_000_000, Route=route)
    assert line.caller.hear("SIP/2.0 400")
    line.caller.send(call, "BYE", 3, Route=route)
    bye = line.callee.hear("BYE")
    assert header(bye, "CSeq") == "3 BYE"
    line.callee.answer(bye, 200, line.proxy)
    line.exchange.closed(line.office)


def test_a_side_of_a_call_that_moves_is_found_where_it_is(line: Line) -> None:
    call, route = answered(line.caller, line.callee, line.call())
    turned = call._replace(from_tag=call.to_tag, to_tag=call.from_tag)
    with closing(Forger()) as elsewhere:
        moved = f"sip:callee@{elsewhere.address}"
        line.callee.send(turned, "INVITE", 1, "sip:nobody@x", Route=route, Contact=f"<{moved}>")
        invite = line.caller.hear("INVITE")
        assert invite.startswith(f"INVITE sip:{line.office.caller}@{line.caller.address} ")
        line.caller.answer(invite, 200, line.proxy)
        assert line.callee.hear("SIP/2.0 200")
        line.callee.send(turned, "ACK", 1, "sip:nobody@x", Route=route)
        assert line.caller.hear("ACK sip:")
        line.caller.send(call, "INFO", 3, Route=route)
        assert elsewhere.hear("INFO").startswith(f"INFO {moved} ")
        line.caller.send(call, "BYE", 4, Route=route)
        assert elsewhere.hear("BYE").startswith(f"BYE {moved} ")
    line.exchange.closed(line.office)


def test_of_two_calls_under_one_call_id_one_rings_at_a_time(line: Line) -> None:
    first = line.call()
    line.caller.send(first, "INVITE")
    invite = line.callee.hear("INVITE")
    second = line.call(first.call_id, "another")
    line.caller.send(second, "INVITE")
    assert line.caller.hear("SIP/2.0 482")
    line.callee.answer(invite, 486, line.proxy, "busy")
    assert line.caller.hear("SIP/2.0 486")
    line.callee.forget()
    call, route = answered(line.caller, line.callee, first)
    line.caller.send(call, "BYE", 2, Route=route)
    line.callee.answer(line.callee.hear("BYE"), 200, line.proxy)
    assert line.caller.hear("SIP/2.0 200")
    line.exchange.closed(line.office, calls=2)
    assert sorted(call.state for call in line.office.calls()) == ["released", "settled"]


def test_a_call_ends_whose_callee_took_the_tag_of_another_that_rings(line: Line) -> None:
    ringing = line.call(from_tag="theirs")
    line.caller.send(ringing, "INVITE")
    invite = line.callee.hear("INVITE")
    line.callee.answer(invite, 180, line.proxy, "early")
    line.caller.send(line.call(ringing.call_id), "INVITE")
    taken = line.callee.hear("INVITE", SILENCE_S)
    if taken:
        line.callee.answer(taken, 200, line.proxy, "theirs")
        route = header(line.caller.hear("SIP/2.0 200"), "Record-Route")
        call = line.call(ringing.call_id)._replace(to_tag="theirs")
        line.caller.send(call, "ACK", Route=route)
        line.hang_up(call, route)
    line.callee.answer(invite, 486, line.proxy, "busy")
    line.exchange.closed(line.office, calls=len(line.office.calls()))


@pytest.mark.parametrize("rings", [True, False], ids=["while it rings", "from nowhere"])
def test_a_call_with_a_to_tag_that_nobody_gave_is_not_put_through(line: Line, rings: bool) -> None:
    call = line.call()
    proxy = f"<sip:{line.proxy.address};lr>"
    if rings:
        line.caller.send(call, "INVITE")
        invite = line.callee.hear("INVITE")
    forged = call._replace(to_tag="invented")
    line.caller.send(forged, "INVITE", 2, f"sip:x@{line.callee.address}", Route=proxy)
    assert line.caller.hear("SIP/2.0 481")
    assert not line.callee.hear("INVITE sip:x", SILENCE_S)
    if rings:
        line.callee.answer(invite, 486, line.proxy, "busy")
        line.exchange.closed(line.office)
    assert [found.state for found in line.office.calls()] == ["released"] * rings


@pytest.mark.parametrize("lacks", NO_DIALOG)
def test_an_invite_that_makes_no_call_to_be_ended_is_refused(line: Line, lacks: str) -> None:
    line.caller.send(line.call(), "INVITE", **NO_DIALOG[lacks])
    assert line.caller.hear("SIP/2.0 400")
    assert not line.callee.hear("INVITE", SILENCE_S)
    assert line.office.calls() == []


def test_a_call_whose_answer_is_not_acknowledged_is_cut_and_charged(line: Line) -> None:
    poor = line.exchange.office(seconds=2)
    line.caller.send(line.call()._replace(caller=poor.caller), "INVITE")
    line.callee.answer(line.callee.hear("INVITE"), 200, line.proxy, "tag")
    assert line.callee.hear("BYE")
    line.exchange.closed(poor)
    assert poor.call().used_s == 2


@pytest.mark.parametrize("call_id", ["victim;1 x", "a\tb", "a\x7fb", "a" * 256])
def test_a_call_id_that_is_none_is_refused(line: Line, call_id: str) -> None:
    line.caller.send(line.call(call_id), "INVITE")
    assert line.caller.hear("SIP/2.0 400")
    assert not line.callee.hear("INVITE", SILENCE_S)
    assert line.office.calls() == []


@pytest.mark.parametrize(
    ("tag", "contact"),
    [
        ("", None),
        ("t" * 8200, None),
        ("mine", None),
        ("tag", ""),
        ("tag", "*"),
        ("tag", "<sip:a@127.0.0.1:9>, <sip:b@127.0.0.1:9>"),
        ("tag", '"\\"" <sip:a@127.0.0.1:9>, "x" <sip:b@127.0.0.1:9>'),
    ],
    ids=[
        "no tag",
        "a long tag",
        "the caller's tag",
        "no contact",
        "a star",
        "two contacts",
        "two like one",
    ],
)
def test_an_answer_by_which_nobody_could_end_the_call_is_none(
    line: Line, tag: str, contact: str | None
) -> None:
    line.caller.send(line.call(), "INVITE")
    invite = line.callee.hear("INVITE")
    line.callee.answer(invite, 200, line.proxy, tag, contact)
    assert not line.caller.hear("SIP/2.0 200", SILENCE_S)
    line.callee.answer(invite, 486, line.proxy, "busy")
    assert line.caller.hear("SIP/2.0 486")
    line.exchange.closed(line.office)
    assert line.office.call().state == "released"


@pytest.mark.parametrize(
    "contact",
    ['"Desk, \\"1" <sip:{}@{}>', '<sip:{}@{}>;methods="INVITE, BYE";+sip.instance="<urn:uuid:1>"'],
)
def test_a_contact_may_have_commas_in_quotes(line: Line, contact: str) -> None:
    mine = contact.format(line.office.caller, line.caller.address)
    line.caller.send(line.call(), "INVITE", Contact=mine)
    invite = line.callee.hear("INVITE")
    theirs = contact.format("callee", line.callee.address)
    line.callee.answer(invite, 200, line.proxy, "tag", theirs)
    route = header(line.caller.hear("SIP/2.0 200"), "Record-Route")
    call = line.call(header(invite, "Call-ID"))._replace(to_tag="tag")
    line.caller.send(call, "ACK", uri=f"sip:callee@{line.callee.address}", Route=route)
    assert line.callee.hear("ACK")
    line.hang_up(call, route)
    line.exchange.closed(line.office)


def test_of_several_that_answer_one_call_the_first_has_it(line: Line) -> None:
    line.caller.send(line.call(), "INVITE")
    invite = line.callee.hear("INVITE")
    with closing(Forger()) as other:
        line.callee.answer(invite, 200, line.proxy, "first")
        route = header(line.caller.hear("SIP/2.0 200"), "Record-Route")
        line.callee.answer(invite, 200, line.proxy, "other", f"<sip:other@{other.address}>")
        assert not line.caller.hear("SIP/2.0 200", SILENCE_S)
        line.callee.answer(invite, 200, line.proxy, "first")
        assert header(line.caller.hear("SIP/2.0 200"), "To").endswith(";tag=first")
    call = line.call(header(invite, "Call-ID"))._replace(to_tag="first")
    line.caller.send(call, "ACK", uri=f"sip:callee@{line.callee.address}", Route=route)
    line.hang_up(call, route)
    line.exchange.closed(line.office)
    assert line.office.call().state == "settled"


def test_an_answer_after_the_call_has_rung_in_vain_sets_up_none(line: Line) -> None:
    proxy = line.exchange.new_proxy(line.callee, MY_RING_MS="500")
    line.caller.send(line.call()._replace(proxy=proxy), "INVITE")
    invite = line.callee.hear("INVITE")
    line.callee.answer(invite, 180, proxy, "late")
    assert line.caller.hear("SIP/2.0 408")
    assert line.callee.hear("CANCEL")
    line.callee.answer(invite, 200, proxy, "late")
    line.callee.answer(invite, 200, line.proxy, "astray")
    assert not line.caller.hear("SIP/2.0 200", SILENCE_S)
    line.exchange.closed(line.office)
    assert line.office.call().state == "released"


def test_an_answer_that_crosses_a_cancel_is_a_call_that_is_charged(line: Line) -> None:
    call, via = line.call(), f"SIP/2.0/UDP {line.caller.address};branch=z9hG4bK{line.caller.port}"
    line.caller.send(call, "INVITE", Via=via)
    invite = line.callee.hear("INVITE")
    line.callee.answer(invite, 180, line.proxy, "crossed")
    assert line.caller.hear("SIP/2.0 180")
    line.caller.send(call, "CANCEL", Via=via)
    assert line.callee.hear("CANCEL")
    line.callee.answer(invite, 200, line.proxy, "crossed")
    assert line.caller.hear("SIP/2.0 200 canceling")
    route = header(line.caller.hear("SIP/2.0 200"), "Record-Route")
    line.hang_up(call._replace(to_tag="crossed"), route)
    line.exchange.closed(line.office)
    assert line.office.call().used_s >= 1


def test_a_caller_cannot_have_the_callee_call_others(line: Line) -> None:
    call, route = answered(line.caller, line.callee, line.call())
    turned = call._replace(from_tag=call.to_tag, to_tag=call.from_tag)
    other = f"<sip:+299321000@{line.callee.address}>"
    line.caller.send(call, "REFER", 2, Route=route, Refer_To=other)
    assert line.caller.hear("SIP/2.0 403")
    assert not line.callee.hear("REFER", SILENCE_S)
    line.callee.send(turned, "REFER", 1, "sip:x@x", Route=route, Refer_To=other)
    assert line.caller.hear("REFER")
    line.hang_up(call, route)
    line.exchange.closed(line.office)


def test_a_caller_whom_nobody_asserts_is_put_through_to_an_emergency_number_alone(
    line: Line,
) -> None:
    line.caller.send(line.call(), "INVITE", P_Asserted_Identity="")
    assert line.caller.hear("SIP/2.0 403")
    assert line.office.calls() == []
    helped = line.call()._replace(called="112")
    line.caller.send(helped, "INVITE", P_Asserted_Identity="")
    line.callee.answer(line.callee.hear("INVITE"), 486, line.proxy, "busy")
    assert line.caller.hear("SIP/2.0 486")
