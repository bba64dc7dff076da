"""Calls that come in. Mirrors src/talktime/operations/resolve.py."""

import pytest

from talktime.core.gates import TO_A_TOLL_NUMBER, TO_A_USER, TO_NOBODY, UNRATED
from tests.callers import (
    CONTOSO,
    FRONT_DESK,
    MAIN_LINE,
    TOLL_FREE_US,
    outcome,
)


def test_a_call_to_a_user_is_free(ask):
    command = ask(type="user_in", from_="+4930123456", to="+14255550100")
    assert (command.user_id, command.rate, command.refusal) == (70, TO_A_USER, None)
    assert (command.from_digits, command.to_digits) == ("4930123456", "14255550100")
    assert ask(type="user_in", to=None, user="bare@contoso.example").rate == TO_A_USER


def test_a_call_to_a_number_that_nobody_has_is_free_and_recorded_as_such(ask):
    command = ask(type="user_in", from_="+4930123456", to="+14255550102")
    assert (command.type, command.organisation_id, command.user_id) == ("unassigned_in", 7, None)
    assert (command.rate, command.refusal, command.payers.credits) == (TO_NOBODY, None, False)
    assert command.passed == ("caller: Contoso", "number: +14255550102 is assigned to nobody")


def test_a_user_who_is_named_is_called_on_a_number_that_nobody_has(ask):
    command = ask(type="user_in", to="+14255550102", user=FRONT_DESK.name)
    assert (command.type, command.user_id, command.rate) == ("user_in", 70, TO_A_USER)


def test_a_number_that_nobody_has_of_an_organisation_switched_off_is_refused(ask, directory):
    directory.apply([CONTOSO._replace(active=False)])
    command = ask(type="user_in", to="+14255550102")
    assert outcome(command) == ("organisation_inactive", "Contoso is switched off")
    assert command.type == "unassigned_in"


@pytest.mark.parametrize("type_", ["conf_in", "ucap_in"])
def test_a_call_to_a_toll_number_is_free(ask, type_):
    command = ask(type=type_, to="+14255550110")
    assert (command.user_id, command.rate, command.refusal) == (None, TO_A_TOLL_NUMBER, None)
    assert command.passed[0] == "caller: Contoso"


@pytest.mark.parametrize("type_", ["conf_in", "ucap_in"])
def test_a_call_to_a_toll_free_number_is_rated_by_it_and_needs_no_credits_licence(
    ask, directory, type_
):
    directory.apply(users=[MAIN_LINE._replace(licences=frozenset({"PHONESYSTEM_VIRTUALUSER"}))])
    command = ask(type=type_, to="+14255550110", service_number="+1 800 555 0199")
    assert (command.organisation_id, command.user_id) == (7, None)
    assert (command.to_digits, command.rate, command.refusal) == (
        *("18005550199", TOLL_FREE_US, None),
    )


def test_a_toll_free_number_without_a_rate_is_refused(ask):
    command = ask(type="conf_in", service_number="+18885550199")
    assert outcome(command) == ("no_rate", "the rate card standard is in USD, the wallet in EUR")
    assert command.rate == UNRATED


@pytest.mark.parametrize(
    ("from_", "kept"),
    [("anonymous", ""), (None, ""), ("+49 30 1234", "49301234"), ("1" * 20, "1" * 15)],
)
def test_a_caller_from_outside_may_show_any_number_or_none(ask, from_, kept):
    command = ask(type="user_in", to="+14255550100", from_=from_)
    assert (command.refusal, command.from_digits) == (None, kept)


def test_an_organizer_may_keep_toll_free_callers_out(ask, directory):
    """R57."""
    organizer = {"type": "conf_in", "organizer": FRONT_DESK.name.upper()}
    toll_free = organizer | {"service_number": "+18005550199"}
    assert ask(**toll_free).refusal is None
    directory.apply(users=[FRONT_DESK._replace(toll_free_dial_in=False)])
    assert outcome(ask(**toll_free)) == (
        "toll_free_not_allowed",
        "front-desk@contoso.example lets nobody join on toll-free numbers",
    )
    assert ask(**organizer | {"service_number": "+14255550111"}).refusal is None


def test_a_pay_per_minute_organizer_pays_for_each_leg(ask, directory):
    """R35: on toll numbers too, at the rate of the number; here there is none."""
    per_minute = frozenset({"MCOMEETACPEA"})
    directory.apply(users=[FRONT_DESK._replace(licences=per_minute)])
    organizer = {"type": "conf_in", "organizer": FRONT_DESK.name}
    paid = ask(**organizer | {"service_number": "+18005550199"})
    assert (paid.rate, paid.payers.paid_capability) == (TOLL_FREE_US, "MCOMEETACPEA")
    assert outcome(ask(**organizer | {"service_number": "+14255550111"}))[0] == "no_rate"


def test_a_bot_without_its_licence_answers_no_number(ask, directory):
    directory.apply(users=[MAIN_LINE._replace(licences=frozenset())])
    assert outcome(ask(type="ucap_in", service_number="+18005550199")) == (
        "no_base_licence",
        "main-line@contoso.example has no resource account licence",
    )


@pytest.mark.parametrize("user", [None, FRONT_DESK.name, MAIN_LINE.name])
def test_a_service_number_is_called_as_one_and_not_as_a_users_own(ask, user):
    """R56: else a toll-free number would be called for nothing."""
    assert outcome(ask(type="user_in", to="+18005550199", user=user)) == (
        "invalid_request",
        "+18005550199 is a service number: calls to it are of type conf_in or ucap_in",
    )  # fmt: skip


def test_an_organizer_who_is_not_known_is_refused(ask):
    assert outcome(ask(type="conf_in", organizer="nobody", service_number="+18005550199")) == (
        "unknown_user", "no user is named 'nobody'"
    )  # fmt: skip
