"""How many numbers an organisation may have. Mirrors src/talktime/operations/number_quotas.py."""

import pytest

from talktime.core.catalogue import Catalogue
from talktime.operations.number_quotas import (
    Allowance,
    LicencesHeld,
    allowance_for,
    licences_held,
    read_allowance,
)
from talktime.store.organisations import insert_wallet
from talktime.store.users import insert_users
from tests.people import CATALOGUE, CONTOSO, FRONT_DESK


def held(*counted):
    return licences_held([(frozenset(codes.split()), count) for codes, count in counted], CATALOGUE)


@pytest.mark.parametrize(
    ("plans", "pay_as_you_go", "allowed"),
    [(30, 20, 63), (0, 0, 10), (1, 0, 11), (9, 0, 19), (10, 0, 21), (0, 20, 30), (100, 0, 120)],
)
def test_users_numbers_are_a_tenth_more_than_plans_and_ten_and_one_for_each_payg(
    plans, pay_as_you_go, allowed
):
    """R88."""
    assert allowance_for(LicencesHeld(plans, pay_as_you_go, 0), CATALOGUE, True).user == allowed


@pytest.mark.parametrize(
    ("licences", "allowed"),
    [(0, 0), (1, 5), (25, 5), (26, 10), (49, 10), (50, 20), (499, 65), (500, 90), (49_999, 1_000),
     (50_000, 1_500), (10**6, 1_500)],
)  # fmt: skip
def test_service_numbers_go_by_tiers(licences, allowed):
    """R88."""
    found = allowance_for(LicencesHeld(0, 0, licences), CATALOGUE, True)
    assert (found.service, found.of("toll"), found.of("toll_free")) == (allowed,) * 3


def test_licences_are_counted_with_those_in_bundles():
    counted = held(
        ("MCOEV MCOPSTN1 MCOPSTNC", 30),
        ("MCOEV MCOPSTN_PAYG_1 MCOPSTNC", 20),
        ("MCOTEAMS_ESSENTIALS", 2),
        ("ENTERPRISEPREMIUM MCOPSTN2", 3),
        ("MCOMEETADV MCOMEETADD_DIALOUT_US", 4),
        ("PHONESYSTEM_VIRTUALUSER MCOPSTN_PAYG_1", 5),
        ("OLD", 99),
        ("", 99),
    )
    assert counted == LicencesHeld(30 + 2 + 3, 20 + 5, 30 + 20 + 2 + 2 * 3 + 4)


def test_a_catalogue_that_says_nothing_allows_one_number_for_each_plan():
    assert allowance_for(LicencesHeld(3, 2, 9), Catalogue(), False) == Allowance(5, 0, False)


@pytest.mark.layouts("sqlite", "postgres")
def test_what_is_allowed_is_read_from_the_organisations_cell(store):
    cell = store.cell()
    with cell.transaction():
        insert_wallet(cell, 7, "USD")
        insert_users(cell, [FRONT_DESK, FRONT_DESK._replace(id=2, name="b", active=False)])
        insert_users(cell, [FRONT_DESK._replace(id=3, organisation_id=8)])
    assert read_allowance(cell, CONTOSO, CATALOGUE) == Allowance(12, 5, False)
    with cell.transaction():
        cell.run("UPDATE wallet SET first_funded_ms = 1")
    assert read_allowance(cell, CONTOSO, CATALOGUE) == Allowance(12, 5, True)
    assert read_allowance(cell, CONTOSO._replace(id=9), CATALOGUE) == Allowance(10, 0, False)
