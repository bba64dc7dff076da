"""Organisations and their wallets. Mirrors src/talktime/operations/organisations.py."""

from itertools import count

import pytest

from talktime.core.directory import CallingRules, Organisation
from talktime.core.rates import RateRow
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.import_rates import import_rates
from talktime.operations.organisations import (
    change_organisation,
    create_organisation,
    find_organisation,
    list_organisations,
)
from talktime.store.organisations import insert_organisation
from tests.contents import cell_contents, control_contents
from tests.people import CATALOGUE

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_795_428_000_000
IN_ORDER = {
    "name": "Contoso",
    "cell": "main",
    "currency": "NOK",
    "time_zone": "Europe/Oslo",
    "country": "NO",
    "rate_card": "standard",
}


@pytest.fixture
def control(store):
    return store.control()


@pytest.fixture
def cell(store):
    return store.cell()


@pytest.fixture
def create(control, cell):
    """Make an organisation that is in order but for what is said."""
    next_id = count(100).__next__

    def create(**said):
        return create_organisation(
            control, {"main": cell}, **(IN_ORDER | said), now_ms=NOW_MS, next_id=next_id
        )

    return create


def publish(control, name, currency):
    row = RateRow("outbound", Rate("49", "Germany", 15_000, 0, 60, 60), 0)
    with control.transaction():
        import_rates(
            control, [row], name=name, currency=currency, source="a test", valid_from_ms=0,
            now_ms=NOW_MS, next_id=count(500).__next__,
        )  # fmt: skip


def test_a_new_organisation_is_prepaid_and_has_an_empty_wallet(create, control, cell):
    contoso = create()
    assert contoso == Organisation(
        100, "Contoso", "main", "NOK", "Europe/Oslo", "NO", "prepaid", True, "standard"
    )
    assert find_organisation(control, "Contoso") == contoso
    assert cell.rows("SELECT organisation_id, currency, balance_micros FROM wallet") == [
        (100, "NOK", 0)
    ]
    assert control.rows("SELECT created_ms, revision FROM organisation") == [(NOW_MS, 1)]


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"name": ""}, "the name must be 1 to 128"),
        ({"name": "a\x07"}, "the name must be 1 to 128"),
        ({"name": "a" * 129}, "the name must be 1 to 128"),
        ({"name": "100"}, "the name must not be digits alone: those are an organisation's id"),
        ({"cell": "north"}, "the cell must be one of main, not 'north'"),
        ({"currency": "KRO"}, "the currency must be"),
        ({"time_zone": "Oslo"}, "the time zone must be"),
        ({"country": "Norway"}, "the country must be"),
        ({"rate_card": " "}, "the rate card must be 1 to 64"),
    ],
)
def test_a_malformed_organisation_is_refused_and_nothing_is_made(
    create, control, cell, said, refused
):
    before = control_contents(control), cell_contents(cell)
    refusal = create(**said)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == ("invalid_value", refused)
    assert (control_contents(control), cell_contents(cell)) == before


def test_a_name_in_use_is_refused_and_nothing_is_made(create, control, cell):
    create()
    before = control_contents(control), cell_contents(cell)
    refused = Refusal("already_exists", "there is an organisation named 'Contoso'")
    assert create(currency="USD") == refused
    assert (control_contents(control), cell_contents(cell)) == before


def test_a_rate_card_in_another_currency_is_refused_and_nothing_is_made(create, control, cell):
    publish(control, "dollars", "USD")
    before = control_contents(control), cell_contents(cell)
    assert create(rate_card="dollars") == Refusal(
        "invalid_value", "the rate card dollars is in USD, the organisation in NOK"
    )
    assert (control_contents(control), cell_contents(cell)) == before


def test_an_organisation_is_switched_off_and_rated_by_another_card(create, control):
    contoso = create()
    publish(control, "winter", "NOK")
    with control.transaction():
        changed = change_organisation(
            control, "Contoso", active=False, rate_card="winter", catalogue=CATALOGUE
        )
    assert changed == contoso._replace(active=False, rate_card="winter")
    assert find_organisation(control, "Contoso") == changed
    assert control.rows("SELECT revision FROM organisation") == [(2,)]


def test_a_change_that_changes_nothing_writes_nothing(create, control):
    contoso = create()
    before = control_contents(control)
    with control.transaction():
        assert change_organisation(control, "Contoso", active=True, catalogue=CATALOGUE) == contoso
    assert control_contents(control) == before


@pytest.mark.parametrize(
    ("name", "rate_card", "refused"),
    [
        (
            "Fabrikam",
            "winter",
            Refusal("unknown_organisation", "no organisation is named 'Fabrikam'"),
        ),
        (
            "Contoso",
            "dollars",
            Refusal("invalid_value", "the rate card dollars is in USD, the organisation in NOK"),
        ),
        (
            "Contoso",
            "",
            Refusal(
                "invalid_value",
                "the rate card must be 1 to 64 printable characters, without spaces around it",
            ),
        ),
    ],
)
def test_a_change_that_is_refused_changes_nothing(create, control, name, rate_card, refused):
    create()
    publish(control, "dollars", "USD")
    before = control_contents(control)
    with control.transaction():
        said = {"active": False, "rate_card": rate_card, "catalogue": CATALOGUE}
        assert change_organisation(control, name, **said) == refused
    assert control_contents(control) == before


def change(control, **said):
    with control.transaction():
        return change_organisation(control, "Contoso", **said, catalogue=CATALOGUE)


def test_calling_rules_are_set_one_by_one_and_the_rest_stays(create, control):
    create()
    first = change(control, rules={"policy": "DialoutCPCandPSTNDomestic", "pay_as_you_go": True})
    assert first.rules == CallingRules(policy="DialoutCPCandPSTNDomestic", pay_as_you_go=True)
    rest = {
        "allowed_countries": frozenset(("NO", "SE")),
        "spend_limit_micros": 25_000_000,
        "post_usage_cap_micros": 0,
        "independent_counters": True,
        "policy": "",
    }
    second = change(control, rules=rest)
    assert second.rules == first.rules._replace(**rest)
    assert find_organisation(control, "Contoso") == second
    none = change(control, rules={"spend_limit_micros": None, "post_usage_cap_micros": None})
    assert (none.rules.spend_limit_micros, none.rules.post_usage_cap_micros) == (None, None)


def test_the_commerce_model_goes_from_prepaid_to_post_usage_and_back(create, control):
    create()
    for model in ("draining", "post_usage", "draining", "prepaid"):
        assert change(control, commerce_model=model).commerce_model == model
        assert find_organisation(control, "Contoso").commerce_model == model


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"commerce_model": "barter"}, "the commerce model must be one of prepaid, draining, "),
        ({"rules": {"policy": "Free"}}, "'Free' is no dial-out policy; known are DialoutCPC"),
        ({"rules": {"allowed_countries": {"UK"}}}, "a country to call must be a code of two"),
        ({"rules": {"blocked_countries": {"no"}}}, "a country to call must be a code of two"),
        (
            {"rules": {"allowed_countries": {"NO", "SE"}, "blocked_countries": {"SE", "RU"}}},
            "SE is both allowed and blocked",
        ),
        ({"rules": {"spend_limit_micros": -5}}, "the spend limit must be from 0 to 1000000000"),
        ({"rules": {"post_usage_cap_micros": 10**16}}, "the post-usage cap must be from 0 to "),
    ],
)
def test_rules_that_cannot_be_taken_are_refused_and_nothing_changes(create, control, said, refused):
    create()
    before = control_contents(control)
    refusal = change(control, active=False, **said)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == ("invalid_value", refused)
    assert control_contents(control) == before


def test_an_organisation_is_found_by_its_name_or_its_id(create, control):
    contoso = create()
    assert find_organisation(control, "Contoso") == contoso
    assert find_organisation(control, "100") == contoso
    fabrikam = contoso._replace(id=7, name="100")  # from before such names were refused
    with control.transaction():
        insert_organisation(control, fabrikam, 0)
        late = contoso._replace(id=10**18, name="Late")  # made in 2033
        insert_organisation(control, late, 0)
    assert find_organisation(control, "100") == contoso
    assert find_organisation(control, str(late.id)) == late
    for unknown in ("contoso", "101", "9" * 19, "9" * 30, "١٠٠", "Con\0toso", "\0"):
        assert find_organisation(control, unknown) == Refusal(
            "unknown_organisation", f"no organisation is named {unknown!r}"
        )


def test_organisations_are_listed_by_name(create, control):
    for name in ("b", "c", "a"):
        create(name=name)
    assert [each.name for each in list_organisations(control)] == ["a", "b", "c"]
    assert [each.name for each in list_organisations(control, after="a", limit=1)] == ["b"]


def marked(cell, organisation_id, no_buying):
    """The wallet was in use, and is marked so."""
    with cell.transaction():
        values = (no_buying, organisation_id)
        cell.run("UPDATE wallet SET no_buying = ? WHERE organisation_id = ?", values)


def forgotten(control, organisation_id):
    """The control plane was restored to a time before the organisation."""
    with control.transaction():
        control.run("DELETE FROM organisation WHERE id = ?", (organisation_id,))


@pytest.mark.parametrize(
    ("mark", "model"),
    [(None, "prepaid"), ("moving", "prepaid"), ("draining", "draining"), ("post_usage",) * 2],
)
def test_a_wallet_that_the_directory_forgot_gets_its_organisation(
    create, control, cell, mark, model
):
    lost = create()
    marked(cell, lost.id, mark)
    forgotten(control, lost.id)
    before = cell_contents(cell)
    adopted = create(name="Contoso again", adopt=lost.id)
    assert adopted == lost._replace(name="Contoso again", commerce_model=model)
    assert find_organisation(control, "Contoso again") == adopted
    assert cell_contents(cell) == before


def test_no_wallet_is_adopted_that_is_not_there_or_has_its_organisation(create, control, cell):
    known = create()
    before = control_contents(control), cell_contents(cell)
    detail = "cell main has no wallet of an organisation 7"
    assert create(name="Other", adopt=7) == Refusal("unknown_organisation", detail)
    detail = "Contoso has the wallet to be adopted"
    assert create(name="Other", adopt=known.id) == Refusal("already_exists", detail)
    detail = "the wallet to be adopted is in NOK"
    refused = create(name="Other", adopt=known.id, currency="USD")
    assert refused == Refusal("invalid_value", detail)
    assert (control_contents(control), cell_contents(cell)) == before
