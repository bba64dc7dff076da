"""Which licences a user may be given. Mirrors src/talktime/core/licensing.py."""

import pytest

from talktime.core.catalogue import FEATURES
from talktime.core.licensing import FEATURE_WORDS, covers, licences_possible
from tests.people import CATALOGUE


def possible(codes, kind="person", place="US"):
    return licences_possible(CATALOGUE, frozenset(codes.split()), kind, place)


@pytest.mark.parametrize(
    ("codes", "kind", "place"),
    [
        ("", "person", "US"),
        ("MCOEV", "person", "ZW"),
        ("MCOEV MCOPSTN1", "person", "US"),
        ("MCOEV MCOPSTN1 MCOPSTNC", "person", "PR"),
        ("MCOEV MCOPSTN_PAYG_1 MCOPSTNC", "person", "GB"),
        ("MCOEV MCOPSTN_PAYG_2 MCOPSTNC", "person", "NO"),
        ("MCOEV MCOPSTN_PAYG_MX MCOPSTNC", "person", "MX"),
        ("MCOTEAMS_ESSENTIALS MCOPSTNC", "person", "US"),
        ("ENTERPRISEPREMIUM MCOPSTNC MCOMEETADD_DIALOUT_US", "person", "ZW"),
        ("MCOMEETACPEA", "person", "US"),
        ("MCOMEETADV MCOPSTNC", "person", "US"),
        ("MCOCAP MCOPSTN5", "person", "US"),
        ("PHONESYSTEM_VIRTUALUSER", "resource_account", "US"),
        ("PHONESYSTEM_VIRTUALUSER MCOPSTN_PAYG_1 MCOPSTNC", "resource_account", "US"),
    ],
)
def test_sets_that_work_together_can_be_given(codes, kind, place):
    assert possible(codes, kind, place) is None


@pytest.mark.parametrize(
    ("codes", "kind", "place", "detail"),
    [
        (
            *("PHONESYSTEM_VIRTUALUSER", "person", "US"),
            (
                "PHONESYSTEM_VIRTUALUSER (Teams Phone Resource Account) is for resource accounts "
                "alone; take it away"
            ),
        ),
        (
            *("MCOEV MCOPSTN_PAYG_2", "person", "US"),
            (
                "MCOPSTN_PAYG_2 (Pay-As-You-Go Calling Plan (zone 2)) is not for users in US; "
                "take MCOPSTN_PAYG_1 instead"
            ),
        ),
        (
            *("MCOEV MCOPSTN_PAYG_1", "person", "MX"),
            (
                "MCOPSTN_PAYG_1 (Pay-As-You-Go Calling Plan (zone 1)) is not for users in MX; "
                "take MCOPSTN_PAYG_MX instead"
            ),
        ),
        (
            *("MCOEV MCOPSTN1", "person", "ZW"),
            "MCOPSTN1 (Domestic Calling Plan) is not for users in ZW; take it away",
        ),
        (
            *("MCOTEAMS_ESSENTIALS", "person", "ZW"),
            "MCOPSTN1 (Domestic Calling Plan) is not for users in ZW; take it away",
        ),
        (
            *("MCOEV MCOPSTN1 MCOPSTN_PAYG_1", "person", "US"),
            "MCOPSTN1 and MCOPSTN_PAYG_1 are calling plans, and a user has one; take one away",
        ),
        (
            *("MCOPSTN1 MCOTEAMS_ESSENTIALS", "person", "US"),
            (
                "MCOPSTN1 and MCOPSTN1 (with MCOTEAMS_ESSENTIALS) are calling plans, and a user "
                "has one; take one away"
            ),
        ),
    ],
)
def test_what_is_not_for_this_user_is_refused_with_what_to_do(codes, kind, place, detail):
    refusal = possible(codes, kind, place)
    assert (refusal.code, refusal.detail) == ("licence_not_possible", detail)


@pytest.mark.parametrize(
    ("codes", "detail"),
    [
        ("MCOPSTN1", "MCOPSTN1 (Domestic Calling Plan) needs Teams Phone; Teams Phone comes with "),
        (
            "MCOMEETADD_DIALOUT_US",
            (
                "MCOMEETADD_DIALOUT_US (Audio Conferencing extended dial-out to USA and Canada) "
                "needs Audio Conferencing; Audio Conferencing comes with ENTERPRISEPREMIUM or "
            ),
        ),
        (
            "MCOPSTNC",
            (
                "MCOPSTNC (Communications Credits) needs Audio Conferencing, or Teams Phone and a "
                "calling plan; Audio Conferencing comes with "
            ),
        ),
        ("MCOEV MCOPSTNC", "MCOPSTNC (Communications Credits) needs Audio Conferencing, or "),
    ],
)
def test_what_needs_other_licences_names_them(codes, detail):
    refusal = possible(codes)
    assert (refusal.code, refusal.detail[: len(detail)]) == ("licence_not_possible", detail)
    assert refusal.detail.endswith("; give them together")


def test_what_is_missing_is_offered_only_where_the_user_can_have_it():
    assert "a calling plan comes with MCOPSTN_PAYG_MX" not in possible("MCOEV MCOPSTNC").detail
    assert "MCOPSTN_PAYG_1" in possible("MCOEV MCOPSTNC").detail
    nowhere = possible("MCOEV MCOPSTNC", place="ZW").detail
    assert "a calling plan comes with no licence that this user can have" in nowhere


def test_an_unknown_licence_is_named_with_the_known_ones():
    refusal = possible("MCOEV E3")
    assert refusal.code == "invalid_value"
    assert refusal.detail.startswith("'E3' is no licence; known are ENTERPRISEPREMIUM, MCOCAP, ")


@pytest.mark.parametrize(
    ("code", "place", "covered"),
    [
        ("MCOPSTN_PAYG_1", "US", True),
        ("MCOPSTN_PAYG_1", "PR", True),
        ("MCOPSTN_PAYG_1", "NO", False),
        ("MCOPSTN_PAYG_2", "NO", True),
        ("MCOPSTN5", "MX", False),
        ("MCOMEETADV", "ZW", True),
        ("MCOPSTNC", "ZW", True),
    ],
)
def test_a_plan_is_for_the_countries_of_its_zone_or_its_minutes(code, place, covered):
    assert covers(CATALOGUE, CATALOGUE.licences[code], place) is covered


def test_every_feature_has_a_name_for_people():
    assert set(FEATURE_WORDS) == set(FEATURES)
