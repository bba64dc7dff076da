"""Who calls whom, as signalling says it. Mirrors src/talktime/gateways/parties.py."""

import pytest

from talktime.core.directory import Directory, NumberEntry, Organisation, User
from talktime.core.peers import Peer
from talktime.gateways.parties import Party, call_request, party

PEER = Peer(1, 11, "diameter", "proxy", "example.net", (), False, True, "", 0, None)
NATIONAL = Peer(1, 11, "diameter", "proxy", "example.net", (), False, False, "", 0, None)
DESK, HALL = "front.desk@contoso.example", "hall"


@pytest.fixture
def directory():
    directory = Directory()
    directory.apply(
        organisations=[
            Organisation(1, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")
        ],
        users=[
            User(5, 1, DESK, "Front desk", "US", frozenset(), "person", True),
            User(6, 1, HALL, "Hall", "US", frozenset(), "person", True),
        ],
        numbers=[
            NumberEntry("14255550100", 1, 5, "user"),
            NumberEntry("14255550102", 1, None, "user"),
            NumberEntry("18005550100", 1, None, "toll_free"),
            NumberEntry("14255550111", 1, 6, "toll", attached="queue"),
            NumberEntry("14255550112", 1, None, "toll", attached="bridge"),
        ],
    )
    return directory


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sip:+14255550100@10.0.0.1:5060;user=phone", Party("+14255550100")),
        ("<sips:+14255550100@[2001:db8::1]:5061>", Party("+14255550100")),
        ("tel:+1-425-555-0100;phone-context=example.net", Party("+14255550100")),
        ("sip:4930123456@gw", Party("+4930123456")),
        ("sip:112@gw", Party("112")),
        ("sip:0049%2030123456@gw", Party("+4930123456")),
        ("sip:44/2079460958@gw", Party("+442079460958")),
        ("39\u00a00212345678", Party("+390212345678")),
        ("sip:Front.Desk@Contoso.example:5080", Party(name="front.desk@contoso.example")),
        ("sip:+14255550100:secret@gw", Party("+14255550100")),
        ('"Front desk" <sip:+14255550100@gw>;tag=5f', Party("+14255550100")),
        ("Front desk <sip:+14255550100;cpc=ordinary@gw;user=phone>", Party("+14255550100")),
        ('"<sip:+1900@x> \\"a" <tel:+1-425-555-0100>', Party("+14255550100")),
        ("<sip:%2B14255550100@gw>;tag=1", Party("+14255550100")),
        ("+14255550100;npdi;rn=+14255559999", Party("+14255550100")),
        ("%2B14255550100", Party("+14255550100")),
        ("tel:030123456;phone-context=+49", Party("+4930123456")),
        ("sip:425.555.0100;phone-context=%2B1-914@gw;user=phone", Party("+14255550100")),
        ("tel:7042;phone-context=+1914555", Party(name="7042;phone-context=+1914555")),
        ("tel:5550100;phone-context=+1-425", Party(name="5550100;phone-context=+1-425")),
        ("tel:15005550006;phone-context=+999", Party(name="15005550006;phone-context=+999")),
        ("tel:911;phone-context=+49", Party("911")),
        ("tel:+14255550100;phone-context=+49", Party("+14255550100")),
        ("sip:030123456;Phone-Context=ims.example@ims.example;user=phone", Party("030123456")),
        ("sip:004930123456;phone-context=ims.example@ims.example", Party("+4930123456")),
        ("urn:service:sos", Party("112")),
        ("<URN:service:sos.fire>", Party("112")),
        ("urn:service:sosx", Party(name="urn")),
        ("sip:+1425555?0100@gw", Party(name="+1425555?0100@gw")),
        ("sip:+14255550100@gw?to=sip:x@y", Party("+14255550100")),
        ("tel:+14255550100?x", Party("+14255550100")),
        ("front.desk@contoso.example", Party(name="front.desk@contoso.example")),
        ("sip:gw.example.net", Party(name="gw.example.net")),
        ("sip:", Party()),
        ("", Party()),
        ("@", Party()),
        ("+", Party(name="+")),
        ("sip:" + "9" * 500, Party(name="9" * 128)),
        ("sip:٣٤٥٦٧٨٩@gw", Party(name="٣٤٥٦٧٨٩@gw")),
    ],
)
def test_a_party_is_a_number_or_a_name(text, found):
    assert party(text) == found


def asked(directory, calling, called, peer=PEER, **more):
    request = call_request(directory, peer, "c", calling=calling, called=called, **more)
    return request.type, request.from_, request.to, request.user, request.service_number


def test_a_call_of_a_user_of_ours_goes_out(directory):
    out = ("user_out", "+14255550100", "+4930123456", None, None)
    assert asked(directory, "tel:+14255550100", "sip:4930123456@gw") == out
    named = ("user_out", None, "+4930123456", DESK, None)
    assert asked(directory, f"sip:{DESK}", "+4930123456") == named
    by_name = asked(directory, "sip:anonymous@x", "+4930123456", names=[f"sip:{DESK}:5060"])
    assert by_name == named


@pytest.mark.parametrize(
    "called",
    [
        "0016563234567",
        "sip:001-656-323-4567@gw",
        "sip:0016563234567;phone-context=ims.example@ims.example",
    ],
)
def test_what_is_dialled_abroad_is_left_to_the_callers_country(directory, called):
    """From Hong Kong 001 leads to Singapore (65), with 00 for a plus to Florida (+1 656)."""
    dialled = ("user_out", "+14255550100", "0016563234567", None, None)
    assert asked(directory, "0014255550100", called, peer=NATIONAL) == dialled
    abroad = ("user_out", "+14255550100", "+16563234567", None, None)
    assert asked(directory, "+14255550100", "0016563234567") == abroad
    ours = ("user_in", "+4930123456", "+14255550100", None, None)
    assert asked(directory, "+4930123456", "0014255550100", peer=NATIONAL) == ours


def test_what_is_dialled_with_a_context_is_a_number_of_its_country(directory):
    singapore = ("user_out", "+14255550100", "+6563234567", None, None)
    dialled = "tel:0016563234567;phone-context=+852"
    assert asked(directory, "+14255550100", dialled) == singapore


def test_a_user_is_known_by_the_name_before_the_host_too(directory):
    named = ("user_out", None, "+4930123456", HALL, None)
    assert asked(directory, "sip:hall@127.0.0.1:5080", "+4930123456") == named


def test_a_call_to_a_number_of_ours_comes_in(directory):
    stranger = "+4930123456"
    to_user = ("user_in", stranger, "+14255550100", None, None)
    assert asked(directory, stranger, "+14255550100") == to_user
    to_nobody = ("user_in", stranger, "+14255550102", None, None)
    assert asked(directory, stranger, "+14255550102") == to_nobody
    to_bridge = ("conf_in", stranger, "+18005550100", None, "+18005550100")
    assert asked(directory, stranger, "+18005550100") == to_bridge
    to_bot = ("ucap_in", stranger, "+14255550111", None, "+14255550111")
    assert asked(directory, stranger, "+14255550111") == to_bot
    named = ("user_in", stranger, None, DESK, None)
    assert asked(directory, stranger, f"sip:{DESK}") == named


@pytest.mark.parametrize(
    ("called", "said", "kept"),
    [
        ("+14255550112", "room-7", "room-7"),
        ("+14255550112", "r" * 64, "r" * 64),
        ("+14255550112", "r" * 65, ""),
        ("+14255550112", "r\n", ""),
        ("+14255550112", "Besprechung \ufffd", ""),
        ("+14255550111", "room-7", ""),
        ("+14255550100", "room-7", ""),
        ("+4930654321", "room-7", ""),
    ],
)
def test_the_id_of_a_conference_is_kept_of_a_call_to_a_bridge(directory, called, said, kept):
    request = call_request(
        directory, PEER, "c", calling="+4930123456", called=called, conference=said
    )
    assert request.conference_id == kept


def test_the_direction_that_signalling_names_is_taken(directory):
    both = ("user_in", "+14255550100", "+14255550100", None, None)
    assert asked(directory, "+14255550100", "+14255550100", incoming=True) == both


def test_nobody_is_handed_on_as_they_called_themselves(directory):
    unknown = ("user_out", "+4930123456", "+4930654321", None, None)
    assert asked(directory, "+4930123456", "+4930654321") == unknown
    nameless = ("user_out", None, "+4930654321", "nobody@x.example", None)
    assert asked(directory, "sip:nobody@x.example", "+4930654321") == nameless


def test_who_is_charged_goes_before_what_the_caller_says(directory):
    ours = ("user_out", "+14255550100", "+4930123456", None, None)
    assert asked(directory, "+4917", "+4930123456", subscribers=["+14255550100"]) == ours
    strange = ("user_out", "+4917555", "+4930123456", None, None)
    assert asked(directory, "+14255550100", "+4930123456", subscribers=["+4917555"]) == strange
    both = {"subscribers": ["sip:+14255550100@ua"], "calling": "sip:+14255550100@ua"}
    assert asked(directory, called="+4930123456", **both) == ours


@pytest.mark.parametrize("incoming", [True, None])
def test_where_the_called_side_is_charged_the_caller_is_who_it_says(directory, incoming):
    into = ("user_in", "+4930123456", "+14255550100", None, None)
    side = {"subscribers": ["+14255550100"], "incoming": incoming}
    assert asked(directory, "+4930123456", "+14255550100", **side) == into
