"""From a switch's request to a command. Mirrors src/talktime/operations/resolve.py."""

import pytest

from talktime.core.calls import ASKED_TYPES, OUTBOUND_TYPES
from talktime.core.commands import Authorize
from talktime.core.directory import CallingRules
from talktime.core.gates import EMERGENCY, UNRATED
from talktime.core.payers import Payers
from talktime.core.refusal import Refusal
from tests.callers import (
    BARE,
    CONTOSO,
    DAY_MS,
    FRONT_DESK,
    GERMANY,
    GUEST,
    NOW_MS,
    OTHER_GUEST,
    POOR,
    outcome,
)


def test_a_call_is_rated_by_the_number_it_goes_to(ask):
    assert ask() == Authorize(
        switch_id=11,
        call_key="C1",
        sequence=0,
        body_hash=55,
        organisation_id=7,
        user_id=70,
        type="user_out",
        from_digits="14255550100",
        to_digits="4930123456",
        at_ms=NOW_MS,
        rate=GERMANY,
        requested_s=300,
        refusal=None,
        passed=(
            "caller: Front desk (front-desk@contoso.example) of Contoso",
            "number: +4930123456 exists (DE)",
            "policy: DialoutCPCandPSTNInternational allows any destination",
            "base licence: Pay-As-You-Go Calling Plan (zone 1) (MCOPSTN_PAYG_1)",
            "licence: Communications Credits (MCOPSTNC)",
        ),
        payers=Payers(spending="2026-11/spending/70"),
    )


@pytest.mark.parametrize("from_", ["+14255550100", "+1 (425) 555-0100"])
@pytest.mark.parametrize(
    "type_", [each for each in OUTBOUND_TYPES if each not in ("conf_out", "ucap_out")]
)
def test_every_users_outbound_call_is_found_by_its_number(ask, type_, from_):
    command = ask(type=type_, from_=from_)
    assert (command.user_id, command.from_digits, command.rate) == (70, "14255550100", GERMANY)


def test_a_user_is_found_by_name_however_it_is_typed_and_whatever_number_is_shown(ask):
    command = ask(user="OSLO@contoso.example", from_="+12065550123")
    assert (command.user_id, command.from_digits) == (71, "12065550123")
    assert ask(user="oslo@contoso.example", from_=None).from_digits == ""


def test_a_name_that_two_organisations_know_is_told_apart_by_the_number(ask):
    assert ask(user="guest@example.com").user_id == GUEST.id
    assert ask(user="guest@example.com", from_="+12065550101").user_id == OTHER_GUEST.id
    assert outcome(ask(user="guest@example.com", from_=None)) == (
        "unknown_caller", "no user is named 'guest@example.com'"
    )  # fmt: skip


def test_a_conference_calls_out_for_its_organizer_whoever_pressed_the_button(ask):
    command = ask(
        type="conf_out",
        from_="+14255550111",
        organizer="front-desk@contoso.example",
        user="bare@contoso.example",
    )
    assert (command.user_id, command.refusal) == (70, None)
    refused = ask(type="conf_out", organizer="bare@contoso.example")
    assert outcome(refused)[0] == "no_base_licence"


def test_a_service_number_calls_out_for_its_resource_account(ask):
    command = ask(type="ucap_out", from_="+14255550110")
    assert (command.user_id, command.refusal, command.rate) == (73, None, GERMANY)
    bare = ask(type="ucap_out", from_="+14255550111")
    assert (bare.organisation_id, bare.user_id) == (7, None)
    assert outcome(bare) == (
        "no_base_licence",
        "the number has no resource account with a licence",
    )


@pytest.mark.parametrize(
    ("said", "code", "detail"),
    [
        ({"type": "dr_out"}, "invalid_request", f"'type' is none of {', '.join(ASKED_TYPES)}"),
        (
            {"type": "unassigned_in", "to": "+14255550102"},
            "invalid_request",
            f"'type' is none of {', '.join(ASKED_TYPES)}",
        ),
        ({"from_": None}, "invalid_request", "user_out needs 'from' or 'user'"),
        ({"from_": ""}, "invalid_request", "user_out needs 'from' or 'user'"),
        ({"type": "conf_out"}, "invalid_request", "conf_out needs 'organizer'"),
        ({"to": None}, "invalid_request", "user_out needs 'to'"),
        ({"type": "conf_out", "to": ""}, "invalid_request", "conf_out needs 'to'"),
        ({"type": "user_in", "to": None}, "invalid_request", "user_in needs 'to' or 'user'"),
        ({"type": "conf_in", "to": None}, "invalid_request", "conf_in needs 'service_number'"),
        ({"type": "ucap_in", "to": ""}, "invalid_request", "ucap_in needs 'service_number'"),
        (
            {"from_": "+12065550199"},
            "unknown_caller",
            "+12065550199 is the number of no organisation",
        ),
        ({"from_": "+14255550102"}, "unknown_caller", "+14255550102 is the number of no user"),
        ({"from_": "+14255550103"}, "unknown_caller", "the user of +14255550103 is not known"),
        ({"from_": "+14255550111"}, "unknown_caller", "+14255550111 is the number of no user"),
        ({"user": "x" * 200}, "unknown_caller", f"no user is named '{'x' * 128}'"),
        (
            {"type": "user_in", "to": "+12065550199"},
            "unknown_number",
            "+12065550199 is the number of no organisation",
        ),
        (
            {"type": "user_in", "to": "+14255550103"},
            "unknown_user",
            "the user of +14255550103 is not known",
        ),
        ({"type": "user_in", "user": "nobody"}, "unknown_user", "no user is named 'nobody'"),
        (
            {"type": "conf_in", "service_number": "+12065550199"},
            "unknown_number",
            "+12065550199 is the number of no organisation",
        ),
        (
            {"type": "conf_in", "service_number": "+12065550100"},
            "unknown_caller",
            "the caller's organisation is not known",
        ),
    ],
)
def test_a_call_that_is_nobodys_is_refused_without_a_command(ask, said, code, detail):
    """R85: nor is there a command for calls over other carriers."""
    assert ask(**said) == Refusal(code, detail)


@pytest.mark.parametrize(
    "said",
    [
        {"from_": "+1555"},
        {"from_": "14255550100"},
        {"from_": "+1555", "user": "front-desk@contoso.example"},
        {"type": "user_in", "to": "+1555"},
        {"type": "conf_in", "service_number": "x"},
    ],
)
def test_a_number_of_ours_that_does_not_exist_is_refused_without_a_command(ask, said):
    refusal = ask(**said)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_number"


@pytest.mark.parametrize(
    ("to", "to_digits", "detail"),
    [
        ("+4901234567", "4901234567", "'+4901234567' does not exist"),
        ("+49" + "9" * 30, "499999999999999", "is too long"),
        ("call me", "", "'call me' is not a telephone number"),
        ("+\u0664\u0669", "", "is not a telephone number"),
    ],
)
def test_a_number_that_cannot_be_called_is_refused_in_the_command(ask, to, to_digits, detail):
    command = ask(to=to)
    code, found = outcome(command)
    assert code == "invalid_number"
    assert detail in found
    assert (command.to_digits, command.rate) == (to_digits, UNRATED)
    assert command.passed == ("caller: Front desk (front-desk@contoso.example) of Contoso",)
    assert command.organisation_id == 7


def test_a_number_may_be_dialled_as_in_the_users_country(ask):
    assert ask(to="030 123456", user="bare@contoso.example").to_digits == "4930123456"


@pytest.mark.parametrize(
    ("to", "write"),
    [
        ("+490301234567", "+49301234567"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("(+49)(0)30 123456", "+4930123456"),
        ("+114255550100", "+14255550100"),
        ("+550152123456789", "+552123456789"),
    ],
)
def test_a_number_that_would_be_charged_otherwise_than_it_is_called_is_refused(ask, to, write):
    refused = ask(to=to, user="bare@contoso.example").refusal
    assert (refused.code, refused.detail) == (
        "invalid_number",
        f"{to!r} is not how the number is called from abroad: write {write}",
    )


@pytest.mark.parametrize(
    ("user", "to", "country"),
    [("front-desk@contoso.example", "911", "US"), ("oslo@contoso.example", "112", "NO")],
)
def test_an_emergency_number_of_the_users_country_is_free(ask, user, to, country):
    command = ask(user=user, to=to)
    assert (command.to_digits, command.rate, command.refusal) == (to, EMERGENCY, None)
    assert command.passed[1] == (
        f"emergency: {to} is an emergency number in {country}, always allowed"
    )


def test_an_emergency_call_is_allowed_whatever_else_is_wrong(ask, directory):
    directory.apply(
        [CONTOSO._replace(active=False, rate_card="none")], [], [BARE._replace(active=False)]
    )
    command = ask(user="bare@contoso.example", to="112")
    assert (command.refusal, command.rate) == (None, EMERGENCY)
    assert ask(type="ucap_out", from_="+14255550111", to="911").rate == EMERGENCY


@pytest.mark.parametrize("withheld", ["anonymous", "+1", "112"])
def test_an_emergency_call_of_a_named_user_needs_no_number_of_the_caller(ask, withheld):
    command = ask(user="bare@contoso.example", to="112", from_=withheld)
    assert (command.refusal, command.rate, command.from_digits) == (None, EMERGENCY, "")
    for unhelped in (
        ask(user="bare@contoso.example", from_=withheld),
        ask(user="nobody@contoso.example", to="112", from_=withheld),
        ask(to="112", from_=withheld),
    ):
        assert unhelped.code == "invalid_number"


def test_a_user_without_the_credits_licence_is_refused(ask):
    command = ask(user="poor@contoso.example")
    assert outcome(command) == (
        "no_user_credit_capability",
        "poor@contoso.example has no licence MCOPSTNC",
    )
    assert (command.user_id, command.to_digits, command.rate) == (75, "4930123456", UNRATED)


def test_a_user_without_phone_and_plan_is_told_what_is_missing(ask):
    assert outcome(ask(user="bare@contoso.example")) == (
        "no_base_licence",
        "bare@contoso.example has no phone licence and no calling plan",
    )


@pytest.mark.parametrize(
    ("off", "code", "who"),
    [
        (([CONTOSO._replace(active=False)], []), "organisation_inactive", "Contoso"),
        (([], [FRONT_DESK._replace(active=False)]), "user_inactive", FRONT_DESK.name),
    ],
)
@pytest.mark.parametrize("said", [{}, {"type": "user_in", "to": "+14255550100"}])
def test_what_is_switched_off_makes_no_calls(ask, directory, off, code, who, said):
    organisations, users = off
    directory.apply(organisations, [], users)
    assert outcome(ask(**said)) == (code, f"{who} is switched off")


def test_gates_are_passed_in_their_order(ask, directory):
    everything_wrong = {"user": "bare@contoso.example", "to": "+1555"}
    directory.apply([CONTOSO._replace(active=False)], [], [BARE._replace(active=False)])
    assert outcome(ask(**everything_wrong))[0] == "organisation_inactive"
    directory.apply([CONTOSO])
    assert outcome(ask(**everything_wrong))[0] == "user_inactive"
    directory.apply(users=[BARE])
    assert outcome(ask(**everything_wrong))[0] == "invalid_number"
    assert outcome(ask(user=BARE.name, to="+449098790000"))[0] == "number_not_supported"
    national = CONTOSO._replace(
        rules=CallingRules("DialoutCPCandPSTNDomestic", blocked_countries=frozenset({"GB"}))
    )
    directory.apply([national])
    assert outcome(ask(user=BARE.name, to="+442079460958"))[0] == "outbound_policy"
    directory.apply([national._replace(rules=national.rules._replace(policy=""))])
    assert outcome(ask(user=BARE.name, to="+442079460958"))[0] == "country_blocked"
    directory.apply([CONTOSO])
    assert outcome(ask(user=BARE.name, to="+442079460958"))[0] == "no_base_licence"
    assert outcome(ask(user=POOR.name, to="+442079460958"))[0] == "no_user_credit_capability"
    assert outcome(ask(to="+442079460958"))[0] == "no_rate"


@pytest.mark.parametrize(
    ("organisation", "detail"),
    [
        (CONTOSO, "+442079460958 matches no prefix of the rate card standard"),
        (CONTOSO._replace(rate_card="winter"), "the rate card winter is not in force"),
        (
            CONTOSO._replace(currency="EUR"),
            "the rate card standard is in USD, the wallet in EUR",
        ),
    ],
)
def test_a_call_without_a_rate_is_refused(ask, directory, organisation, detail):
    directory.apply([organisation])
    assert outcome(ask(to="+442079460958")) == ("no_rate", detail)


@pytest.mark.parametrize(
    ("ago_ms", "rate"), [(-60_000, "0.02"), (0, "0.015"), (60 * DAY_MS, "0.015")]
)
def test_a_call_is_rated_as_of_its_own_time(ask, ago_ms, rate):
    command = ask(at_ms=NOW_MS - ago_ms)
    assert command.at_ms == NOW_MS - ago_ms
    assert command.rate.per_minute_micros == {"0.015": 15_000, "0.02": 20_000}[rate]


@pytest.mark.parametrize(
    ("at_ms", "taken"),
    [
        (NOW_MS - 92 * DAY_MS - 1, False),
        (NOW_MS - 92 * DAY_MS, True),
        (NOW_MS + 300_000, True),
        (NOW_MS + 300_001, False),
        (0, False),
        (2**62, False),
    ],
)
def test_a_time_far_from_the_clock_is_refused(ask, at_ms, taken):
    refused = Refusal(
        "time_out_of_range",
        "'at' may be at most 92 days before and 5 minutes after the service's clock",
    )
    assert (ask(at_ms=at_ms) == refused) is not taken
