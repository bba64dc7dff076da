"""Numbers as SIP networks write them, over Kamailio with examples/kamailio: who calls is found, and
what is charged is what is called."""

import secrets
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.stores import Stores
from tests.switches.exchange import Exchange
from tests.switches.forger import Call, Forger
from tests.switches.office import BY_THE_SECOND, Office
from tests.switches.programs import wait_until
from tests.switches.proxy import Proxy

DIGITS = BY_THE_SECOND.removeprefix("+")
IN_GERMANY = {"MY_COUNTRY_CODE": "49", "MY_NATIONAL_PREFIX": "0"}
WITHOUT_PREFIX = {"MY_COUNTRY_CODE": "49", "MY_NATIONAL_PREFIX": ""}
IN_AMERICA = {"MY_COUNTRY_CODE": "1", "MY_NATIONAL_PREFIX": "1"}


class Network:
    """A network before a proxy, and what is called behind it."""

    def __init__(self, exchange: Exchange, callee: Forger, proxy: Proxy, office: Office) -> None:
        self._exchange, self._callee, self._proxy = exchange, callee, proxy
        self.office, self._earlier = office, {call.call_id for call in office.calls()}
        self._caller = Forger()

    def close(self) -> None:
        """Call no more."""
        self._caller.close()

    def set_to(self, settings: dict[str, str]) -> None:
        """Go by another proxy, with these settings."""
        self._proxy = self._exchange.new_proxy(self._callee, **settings)

    def call(self, uri: str, asserted: str | None = None) -> tuple[str, str]:
        """Call this Request-URI: the one behind the proxy where it goes on, and what the caller
        gets."""
        call = Call(self._proxy, self.office.caller, "somebody", secrets.token_hex(8), "mine")
        said = f"<sip:{self.office.caller}@sbc>" if asserted is None else asserted
        self._caller.send(call, "INVITE", uri=uri, P_Asserted_Identity=said)
        invite = refused = ""

        def answered() -> bool:
            nonlocal invite, refused
            invite = invite or self._callee.hear("INVITE", 0)
            refused = self._caller.hear("SIP/2.0 4", 0)
            return bool(invite or refused)

        wait_until(answered, "an INVITE that goes on, or is refused")
        if invite:
            self._callee.answer(invite, 486, self._proxy, "busy")
            assert self._caller.hear("SIP/2.0 486")
        return (invite.split(" ")[1] if invite else ""), refused.partition("\r\n")[0]

    def reached(self, number: str) -> tuple[str, str]:
        """What `call` says of one that went on to this number."""
        return f"sip:{number}@{self._callee.address}", ""

    def called(self) -> list[str]:
        """The numbers that the service was asked for."""
        calls = [call.call_id for call in self.office.calls()]
        return [self._exchange.shown(each)["to"] for each in calls if each not in self._earlier]


@pytest.fixture(scope="module")
def trunk(
    stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Exchange, Forger, Proxy, Office]]:
    """An exchange with a proxy before a callee of single messages, and an office."""
    store, folder = stores.make("sqlite"), tmp_path_factory.mktemp("numbers")
    with Exchange(folder, store) as exchange, closing(Forger()) as callee:
        yield exchange, callee, exchange.new_proxy(callee), exchange.office(seconds=3600)
        exchange.prove_books()
    stores.drop(store)


@pytest.fixture
def network(trunk: tuple[Exchange, Forger, Proxy, Office]) -> Iterator[Network]:
    """A network whose calls are told from those before."""
    exchange, callee, proxy, office = trunk
    callee.forget()
    with closing(Network(exchange, callee, proxy, office)) as network:
        yield network


@pytest.mark.parametrize(
    "uri",
    [
        f"sip:{BY_THE_SECOND}@sbc;user=phone",
        f"sip:%2B{DIGITS}@sbc",
        f"sip:00{DIGITS}@sbc",
        "sip:+49-151.(123)-45678@sbc",
        "sip:0049%20151%2012345678@sbc:5060;transport=udp",
        "tel:+49-151-123-45678",
        f"tel:{BY_THE_SECOND};npdi;rn=+299321000",
        f"sip:{BY_THE_SECOND};npdi;rn=+299321000@sbc",
        f"sip:{BY_THE_SECOND};rn=+299321000@sbc;user=phone",
        f"sip:{BY_THE_SECOND};phone-context=+1@sbc;user=phone;maddr=10.0.0.1",
        f"sip:011{DIGITS}@sbc",
    ],
)
def test_a_number_is_charged_and_called_however_it_is_written(network: Network, uri: str) -> None:
    assert network.call(uri) == network.reached(BY_THE_SECOND)
    assert network.called() == [BY_THE_SECOND]


@pytest.mark.parametrize(
    "uri",
    [
        *("sip:sbc", "sip:alice@sbc", "sip:+49%zz151@sbc", "sip:*31#1@sbc"),
        f"tel:{DIGITS};phone-context=+1",
        "sip:7042;phone-context=%2B1914555@sbc",
    ],
)
def test_what_is_no_number_is_not_called(network: Network, uri: str) -> None:
    assert network.call(uri) == ("", "SIP/2.0 484 Address Incomplete")
    assert network.called() == []


@pytest.mark.parametrize("uri", ["sip:+49(0)15112345678@sbc", "tel:+4901511-2345678"])
def test_what_is_no_number_as_it_stands_is_refused(network: Network, uri: str) -> None:
    assert network.call(uri) == ("", "SIP/2.0 484 Address Incomplete")
    assert network.called() == [BY_THE_SECOND.replace("+49", "+490")]


def test_what_is_charged_as_a_number_of_the_callers_country_is_called_so(network: Network) -> None:
    number = network.office.caller
    assert network.call(f"sip:{number.removeprefix('+1')}@sbc") == network.reached(number)
    assert network.called() == [number]


@pytest.mark.parametrize(
    "asserted",
    [
        "<tel:+1{}>",
        "<tel:+1-{area}-{line};cpc=ordinary>",
        "<sip:%2B1{}@sbc>",
        "<sip:+1{};cpc=payphone@sbc;user=phone>",
        '"Front, desk" <sip:front.desk@sbc>, <tel:+1{}>',
        "<sip:front.desk@sbc>\r\nP-Asserted-Identity: <tel:+1{}>",
        "<sip:+1{}@sbc>, <tel:+15005550006>",
        "<sip:001{}@sbc>",
    ],
)
def test_a_caller_is_found_however_it_is_asserted(network: Network, asserted: str) -> None:
    national = network.office.caller.removeprefix("+1")
    said = asserted.format(national, area=national[:3], line=national[3:])
    assert network.call(f"sip:{BY_THE_SECOND}@sbc", said) == network.reached(BY_THE_SECOND)
    assert network.called() == [BY_THE_SECOND]


@pytest.mark.parametrize("asserted", ["<sip:front.desk@sbc>", "<sip:sbc>", "", "<sip:%zz@sbc>"])
def test_a_caller_without_a_number_is_nobody(network: Network, asserted: str) -> None:
    refused = ("", "SIP/2.0 403 Caller Not Asserted")
    assert network.call(f"sip:{BY_THE_SECOND}@sbc", asserted) == refused


@pytest.mark.parametrize(
    ("settings", "uri", "asserted"),
    [
        (IN_GERMANY, "sip:015112345678@sbc", "<sip:{}@sbc>"),
        (IN_GERMANY, "sip:15112345678@sbc", "<sip:{}@sbc>"),
        (IN_GERMANY, "tel:0151-12345678;phone-context=+49", "<tel:{};phone-context=+49>"),
        (IN_GERMANY, "sip:015112345678;phone-context=ims.example@sbc", "<sip:{}@sbc>"),
        (WITHOUT_PREFIX, "sip:15112345678@sbc", "<sip:{}@sbc>"),
        (
            {**IN_AMERICA, "MY_INTERNATIONAL_PREFIX": "011|00"},
            f"sip:011{DIGITS}@sbc",
            "<sip:{}@sbc>",
        ),
        (IN_AMERICA, f"sip:00{DIGITS}@sbc", "<sip:1{}@sbc>"),
    ],
)
def test_national_numbers_are_those_of_the_country_that_is_set(
    network: Network, settings: dict[str, str], uri: str, asserted: str
) -> None:
    network.set_to(settings)
    number = network.office.caller.removeprefix("+1" if "1" in settings.values() else "")
    assert network.call(uri, asserted.format(number)) == network.reached(BY_THE_SECOND)
    assert network.called() == [BY_THE_SECOND]
    assert network.call("sip:112@sbc", "") == network.reached("112")


def test_a_number_of_another_country_is_none_of_the_one_that_is_set(network: Network) -> None:
    network.set_to(IN_GERMANY)
    said = f"<tel:{network.office.caller}>"
    refused = ("", "SIP/2.0 484 Address Incomplete")
    assert network.call("tel:0151-12345678;phone-context=+44", said) == refused
    said = f"<tel:{network.office.caller.removeprefix('+1')};phone-context=+1>"
    refused = ("", "SIP/2.0 403 Caller Not Asserted")
    assert network.call(f"sip:{BY_THE_SECOND}@sbc", said) == refused
    assert network.called() == []


@pytest.mark.parametrize(
    ("uri", "on"),
    [
        ("sip:112@sbc;user=phone", "112"),
        ("sip:112;phone-context=+49@sbc;user=phone", "112"),
        ("sip:911;rn=+299321000@sbc", "911"),
        ("tel:911;phone-context=+1", "911"),
        ("urn:service:sos", ""),
        ("urn:service:sos.fire", ""),
    ],
)
@pytest.mark.parametrize("asserted", ["", "<sip:front.desk@sbc>", "<sip:+15005550006@sbc>"])
def test_help_can_be_called_by_anybody_however_it_is_written(
    network: Network, uri: str, on: str, asserted: str
) -> None:
    assert network.call(uri, asserted) == (network.reached(on) if on else (uri, ""))


def test_no_other_service_is_help(network: Network) -> None:
    assert network.call("urn:service:sosx", "")[0] == ""
    assert network.call("urn:service:counseling", "")[0] == ""
