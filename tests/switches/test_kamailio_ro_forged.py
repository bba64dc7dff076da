"""What a caller writes that would not pay: Kamailio with examples/kamailio-ro believes
none of it."""

import secrets
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.stores import Stores
from tests.switches.exchange_ro import RoExchange
from tests.switches.forger import NO_DIALOG, SILENCE_S, Call, Forger, answered, header
from tests.switches.office import BY_THE_SECOND, Office
from tests.switches.proxy import Proxy


class Line:
    """A caller that forges, its office, and a callee behind a proxy of their own."""

    def __init__(self, exchange: RoExchange, caller: Forger, callee: Forger, proxy: Proxy) -> None:
        self.exchange, self.caller, self.callee, self.proxy = exchange, caller, callee, proxy
        self.office: Office = exchange.office(seconds=60)
        self.me, self.there = f"sip:x@{caller.address}", f"sip:callee@{callee.address}"

    def call(self, call_id: str = "", from_tag: str = "mine") -> Call:
        """A call that is to be set up."""
        call_id = call_id or secrets.token_hex(8)
        return Call(self.proxy, self.office.caller, BY_THE_SECOND, call_id, from_tag)

    def hang_up(self, call: Call, route: str, **headers: str) -> None:
        """The caller ends a call, and both sides get their BYE."""
        self.caller.send(call, "BYE", 9, headers.pop("uri", self.there), Route=route, **headers)
        bye = self.callee.hear("BYE")
        assert bye, self.proxy.said()[-3000:]
        assert not header(bye, "Require")
        assert header(bye, "CSeq") == "2100000000 BYE"
        self.callee.answer(bye, 200, self.proxy)
        assert self.caller.hear("SIP/2.0 200")
        self.caller.answer(self.caller.hear("BYE"), 481, self.proxy)
        self.exchange.closed(self.office, calls=len(self.office.calls()))


@pytest.fixture(scope="module")
def trunk(
    stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RoExchange, Forger, Proxy]]:
    """An exchange whose callee forges, too."""
    store, folder = stores.make("sqlite"), tmp_path_factory.mktemp("forged")
    with RoExchange(folder, store, 0) as exchange, closing(Forger()) as callee:
        exchange.units = 20
        exchange.proxy = exchange.new_proxy(callee)
        yield exchange, callee, exchange.proxy
        exchange.prove_books()
    stores.drop(store)


@pytest.fixture
def line(trunk: tuple[RoExchange, Forger, Proxy]) -> Iterator[Line]:
    """A new caller on it."""
    exchange, callee, proxy = trunk
    callee.forget()
    with closing(Forger()) as caller:
        yield Line(exchange, caller, callee, proxy)


def test_a_call_that_is_none_is_refused(line: Line) -> None:
    route = f"<sip:{line.proxy.address};lr>"
    for forged, headers, status in (
        (line.call("victim x"), {}, 400),
        (line.call()._replace(to_tag="invented"), {"Route": route}, 481),
        (line.call(), {"P_Asserted_Identity": ""}, 403),
    ):
        line.caller.send(forged, "INVITE", **headers)
        assert line.caller.hear(f"SIP/2.0 {status}")
    assert not line.callee.hear("INVITE", SILENCE_S)
    assert line.office.calls() == []


@pytest.mark.parametrize("lacks", NO_DIALOG)
def test_an_invite_that_makes_no_call_to_be_ended_is_refused(line: Line, lacks: str) -> None:
    line.caller.send(line.call(), "INVITE", **NO_DIALOG[lacks])
    assert line.caller.hear("SIP/2.0 400")
    assert not line.callee.hear("INVITE", SILENCE_S)
    assert line.office.calls() == []


@pytest.mark.parametrize("ends", ["by itself", "at once"])
def test_a_call_whose_answer_is_not_acknowledged_is_charged_and_ended(
    line: Line, ends: str
) -> None:
    office = line.exchange.office(seconds=2)
    call = line.call()._replace(caller=office.caller)
    line.caller.send(call, "INVITE")
    line.callee.answer(line.callee.hear("INVITE"), 200, line.proxy, "tag")
    route = header(line.caller.hear("SIP/2.0 200"), "Record-Route")
    if ends == "at once":
        call = call._replace(to_tag="tag")
        line.caller.send(call, "BYE", 2, Route=route)
        assert not line.callee.hear("BYE", SILENCE_S)
        line.caller.send(call, "BYE", 2, Route=route)
    bye = line.callee.hear("BYE")
    assert bye, line.proxy.said()[-3000:]
    line.callee.answer(bye, 200, line.proxy)
    line.exchange.closed(office)
    used_s = office.call().used_s
    assert used_s == 2 if ends == "by itself" else used_s <= 1


@pytest.mark.parametrize("trick", ["uri", "route", "require"])
def test_a_caller_cannot_hang_up_without_the_callee(line: Line, trick: str) -> None:
    call, route = answered(line.caller, line.callee, line.call())
    if trick == "uri":
        line.hang_up(call, route, uri=line.me)
    elif trick == "route":
        line.hang_up(call, f"{route}, <{line.me};lr>")
    else:
        line.hang_up(call, route, Require="nonsense")


@pytest.mark.parametrize("method", ["INVITE", "INFO"])
def test_a_request_within_a_call_goes_to_the_other_side_of_it_alone(
    line: Line, method: str
) -> None:
    call, route = answered(line.caller, line.callee, line.call())
    line.caller.send(call, method, 2, line.me, Route=f"{route}, <{line.me};lr>")
    heard = line.callee.hear(method)
    assert heard.startswith(f"{method} {line.there} "), line.caller.hear(method, SILENCE_S)
    assert line.caller.address not in header(heard, "Route")
    line.callee.answer(heard, 200, line.proxy)
    assert line.caller.hear("SIP/2.0 200")
    if method == "INVITE":
        line.caller.send(call, "ACK", 2, line.me, Route=route)
        assert line.callee.hear("ACK").startswith(f"ACK {line.there} ")
    line.hang_up(call, route)


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
        assert line.caller.hear("ACK sip:callee@")
        line.caller.send(call, "INFO", 3, line.there, Route=route)
        assert elsewhere.hear("INFO").startswith(f"INFO {moved} ")
    line.hang_up(call, route)


def test_a_proxy_behind_this_one_is_passed_on_the_way_to_the_callee(line: Line) -> None:
    caller, callee = line.caller, line.callee
    with closing(Forger()) as near, closing(Forger()) as far:
        caller.send(line.call("far"), "INVITE")
        invite = callee.hear("INVITE")
        above = f"<sip:{far.address};lr>, <sip:{near.address};lr>, "
        callee.answer(
            invite.replace("Record-Route: ", f"Record-Route: {above}"), 200, line.proxy, "tag"
        )
        routes = header(caller.hear("SIP/2.0 200"), "Record-Route").split(", ")
        call = line.call("far")._replace(to_tag="tag")
        own = routes[-1]
        caller.send(call, "ACK", uri=line.there, Route=own)
        ack = near.hear("ACK")
        assert ack.startswith(f"ACK {line.there} ")
        assert header(ack, "Route") == f"<sip:{near.address};lr>,<sip:{far.address};lr>"
        caller.send(call, "BYE", 2, line.there, Route=own)
        assert near.hear("BYE")
        assert caller.hear("BYE")


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
    line.hang_up(call, route)
    assert sorted(call.state for call in line.office.calls()) == ["released", "settled"]


@pytest.mark.parametrize(
    ("tag", "contact"),
    [
        ("", None),
        ("t" * 8200, None),
        ('"a;b"', None),
        ("mine", None),
        ("tag", ""),
        ("tag", "*"),
        ("tag", "<sip:a@127.0.0.1:9>, <sip:b@127.0.0.1:9>"),
        ("tag", '"\\"" <sip:a@127.0.0.1:9>, "x" <sip:b@127.0.0.1:9>'),
    ],
    ids=[
        "no tag",
        "a long tag",
        "a quoted tag",
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
    assert line.office.wallet().held == 0


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
    line.caller.send(call, "ACK", uri=line.there, Route=route)
    assert line.callee.hear("ACK")
    line.hang_up(call, route)


def test_of_several_that_answer_one_call_the_first_has_it(line: Line) -> None:
    line.caller.send(line.call(), "INVITE")
    invite = line.callee.hear("INVITE")
    line.callee.answer(invite, 200, line.proxy, "first")
    route = header(line.caller.hear("SIP/2.0 200"), "Record-Route")
    line.callee.answer(invite, 200, line.proxy, "other")
    assert not line.caller.hear("SIP/2.0 200", SILENCE_S)
    line.callee.answer(invite, 200, line.proxy, "first")
    assert header(line.caller.hear("SIP/2.0 200"), "To").endswith(";tag=first")
    call = line.call(header(invite, "Call-ID"))._replace(to_tag="first")
    line.caller.send(call, "ACK", uri=line.there, Route=route)
    assert line.callee.hear("ACK")
    line.hang_up(call, route)


def test_an_answer_after_the_call_was_refused_sets_up_none(line: Line) -> None:
    line.caller.send(line.call(), "INVITE")
    invite = line.callee.hear("INVITE")
    line.callee.answer(invite, 486, line.proxy, "late")
    assert line.caller.hear("SIP/2.0 486")
    line.callee.answer(invite, 200, line.proxy, "late")
    assert not line.caller.hear("SIP/2.0 200", SILENCE_S)
    line.exchange.closed(line.office)


def test_no_side_of_a_call_can_have_the_other_call_somebody(line: Line) -> None:
    call, route = answered(line.caller, line.callee, line.call())
    turned = call._replace(from_tag=call.to_tag, to_tag=call.from_tag)
    for one, its, other in (line.caller, call, line.callee), (line.callee, turned, line.caller):
        one.send(its, "REFER", 2, "sip:x@x", Route=route, Refer_To="<sip:+299321000@x>")
        assert one.hear("SIP/2.0 403")
        assert not other.hear("REFER", SILENCE_S)
    line.hang_up(call, route)


@pytest.mark.parametrize(
    ("uri", "on"),
    [
        ("sip:{}@elsewhere;maddr=10.0.0.1", "sip:{}@{}"),
        ("sip:{}:secret@sbc?To=sip:x", "sip:{}@{}"),
        ("sip:{};npdi;rn=+299321000@sbc", "sip:{}@{}"),
        ("sip:{};rn=+299321000@sbc;user=phone", "sip:{}@{}"),
        ("tel:{};npdi;rn=+299321000", "sip:{}@{}"),
        ("urn:service:sos.fire", "urn:service:sos.fire"),
    ],
)
def test_a_call_goes_on_to_the_number_that_is_charged_and_to_no_other(
    line: Line, uri: str, on: str
) -> None:
    anybody = {"P_Asserted_Identity": ""}
    for number, headers in (("112", anybody), (BY_THE_SECOND, anybody if "urn" in uri else {})):
        line.caller.send(line.call(), "INVITE", uri=uri.format(number), **headers)
        invite = line.callee.hear("INVITE")
        assert invite.startswith(f"INVITE {on.format(number, line.callee.address)} SIP/2.0"), (
            line.proxy.said()[-3000:]
        )
        line.callee.answer(invite, 486, line.proxy, "busy")
        assert line.caller.hear("SIP/2.0 486")


@pytest.mark.parametrize(
    ("uri", "refusal"),
    [
        ("sip:+49(0)15112345678@sbc", "402 Payment Required"),
        ("tel:0151-12345678;phone-context=+49", "484 Address Incomplete"),
        ("sip:7042;phone-context=%2B1914555@sbc", "484 Address Incomplete"),
    ],
)
def test_a_number_that_would_be_charged_otherwise_than_it_is_called_gets_no_call(
    line: Line, uri: str, refusal: str
) -> None:
    line.caller.send(line.call(), "INVITE", uri=uri)
    assert line.caller.hear(f"SIP/2.0 {refusal}")
    assert not line.callee.hear("INVITE", SILENCE_S)
