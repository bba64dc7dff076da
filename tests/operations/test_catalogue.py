"""Changing the catalogue. Mirrors src/talktime/operations/catalogue.py."""

from itertools import count
from typing import Any

import pytest

from talktime.core.catalogue import Catalogue, Country, Entry, Licence, Minutes, Setting, Value
from talktime.core.refusal import Refusal
from talktime.operations.catalogue import (
    CatalogueReport,
    FieldChange,
    Writing,
    import_entries,
    set_entry,
    withdraw_entry,
)
from talktime.operations.catalogue_file import catalogue_text, read_catalogue_file
from talktime.operations.catalogue_seed import seed_entries
from talktime.store.catalogue import load_catalogues
from talktime.store.database import Connection
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_800_000_000_000
LATER_MS = NOW_MS + 1_000
SEEDED = len(seed_entries())
next_id = count(1_001).__next__


@pytest.fixture
def control(store: Store) -> Connection:
    """The control plane, with the seed in it."""
    return store.control()


def put(control: Connection, *entries: Entry, **options: Any) -> CatalogueReport | Refusal:
    with control.transaction():
        return import_entries(control, entries, Writing(NOW_MS, next_id, **options))


def change(
    control: Connection,
    kind: str,
    code: str,
    fields: dict[str, str],
    valid_from_ms: int = LATER_MS,
    **options: Any,
) -> CatalogueReport | Refusal:
    how = Writing(NOW_MS, next_id, **options)
    with control.transaction():
        return set_entry(control, kind, code, fields, valid_from_ms=valid_from_ms, how=how)


def withdraw(
    control: Connection, kind: str, code: str, valid_from_ms: int = LATER_MS
) -> CatalogueReport | Refusal:
    how = Writing(NOW_MS, next_id)
    with control.transaction():
        return withdraw_entry(control, kind, code, valid_from_ms=valid_from_ms, how=how)


def held(control: Connection, at_ms: int) -> Catalogue:
    return load_catalogues(control).in_force(at_ms)


def kept(control: Connection) -> list[Any]:
    rows = "SELECT id, kind, code, valid_from_ms, body, revision FROM catalogue_row ORDER BY id"
    return [control.rows(rows), control.rows("SELECT value FROM revision WHERE name = 'catalogue'")]


def ways(report: CatalogueReport | Refusal) -> list[tuple[str, str]]:
    assert isinstance(report, CatalogueReport), report
    return [(each.entry.code, each.way) for each in report.changes]


def reason(report: CatalogueReport | Refusal) -> str:
    assert isinstance(report, Refusal)
    assert report.code == "invalid_value"
    return report.detail


def setting(value: str, valid_from_ms: int = LATER_MS) -> Entry:
    return Entry("setting", "user_numbers_more", valid_from_ms, Setting("user_numbers_more", value))


def test_entries_are_added_changed_and_withdrawn_from_their_beginnings_on(
    control: Connection,
) -> None:
    report = put(
        control,
        Entry("country", "IS", NOW_MS, Country("IS", masked_digits=2)),
        Entry("licence", "MCOPSTN8", LATER_MS, None),
        setting("12"),
        Entry("setting", "user_numbers_percent", NOW_MS, Setting("user_numbers_percent", "110")),
    )
    assert ways(report) == [
        ("IS", "added"), ("MCOPSTN8", "withdrawn"), ("user_numbers_more", "changed")
    ]  # fmt: skip
    assert isinstance(report, CatalogueReport)
    assert (report.unchanged, report.dry_run) == (1, False)
    before, now, later = (held(control, at) for at in (NOW_MS - 1, NOW_MS, LATER_MS))
    assert [each.country("IS").masked_digits for each in (before, now, later)] == [0, 2, 2]
    assert ["MCOPSTN8" in each.licences for each in (before, now, later)] == [True, True, False]
    assert [each.settings["user_numbers_more"] for each in (before, now, later)] == [
        "10",
        "10",
        "12",
    ]
    rows, revision = kept(control)
    assert len(rows) == SEEDED + 3
    assert [row[-1] for row in rows[SEEDED:]] == [2, 2, 2]
    assert revision == [(2,)]


def test_an_export_put_in_again_changes_nothing(control: Connection) -> None:
    assert isinstance(put(control, setting("11"), setting("12", LATER_MS + 5)), CatalogueReport)
    before = kept(control)
    entries = load_catalogues(control).entries
    read = read_catalogue_file(catalogue_text(entries).encode(), valid_from_ms=NOW_MS)
    assert isinstance(read, list)
    report = put(control, *read)
    assert ways(report) == []
    assert isinstance(report, CatalogueReport)
    assert report.unchanged == SEEDED + 2
    assert kept(control) == before


def test_a_dry_run_tells_the_same_and_writes_nothing(control: Connection) -> None:
    before = kept(control)
    report = put(control, setting("11"), dry_run=True)
    assert ways(report) == [("user_numbers_more", "changed")]
    assert isinstance(report, CatalogueReport)
    assert report.dry_run
    assert kept(control) == before


MONTHS_MS = [1_801_440_000_000, 1_803_859_200_000, 1_806_537_600_000]
"""The first instants of February, March and April 2027."""


def area(code: str, domestic_area: str, valid_from_ms: int) -> Entry:
    value = Country(code, domestic_area=domestic_area, minutes_area=code)
    return Entry("country", code, valid_from_ms, value)


def own(pooled: bool, valid_from_ms: int) -> Entry:
    return Entry("licence", "OWN", valid_from_ms, Licence("OWN", "Own plan", pooled=pooled))


def test_whose_minutes_are_shared_changes_with_a_month_alone(control: Connection) -> None:
    """R36, R37, R45: another pool would begin with all minutes unused."""
    before = kept(control)
    told = (
        "country NO: domestic_area would change at 2027-01-15T08:00:01Z, within a month whose "
        "included minutes are counted already; let it begin with a month (UTC): "
        "2027-01-01T00:00:00Z or 2027-02-01T00:00:00Z"
    )
    february_ms = MONTHS_MS[0]
    assert reason(put(control, area("NO", "SE", LATER_MS))) == told
    assert reason(change(control, "country", "NO", {"domestic_area": "SE"})) == told
    assert reason(withdraw(control, "country", "PR")).startswith("country PR: domestic_area would")
    refused = reason(put(control, area("NO", "SE", february_ms - 1), change_past=True))
    assert "would change at 2027-01-31T23:59:59Z" in refused
    assert reason(change(control, "licence", "MCOPSTN8", {"pooled": "true"})).startswith(
        "licence MCOPSTN8: pooled would change at 2027-01-15T08:00:01Z"
    )
    assert kept(control) == before
    set_ = change(control, "country", "NO", {"domestic_area": "SE"}, february_ms)
    assert ways(set_) == [("NO", "changed")]
    assert ways(withdraw(control, "country", "PR", february_ms)) == [("PR", "withdrawn")]
    pooled = change(control, "licence", "MCOPSTN8", {"pooled": "true"}, february_ms)
    assert ways(pooled) == [("MCOPSTN8", "changed")]


def test_within_a_month_all_else_of_a_country_or_licence_can_change(control: Connection) -> None:
    assert ways(
        change(control, "country", "NO", {"domestic_area": "NO", "masked_digits": "4"})
    ) == [("NO", "changed")]
    assert ways(put(control, own(False, LATER_MS))) == [("OWN", "added")]
    assert ways(withdraw(control, "licence", "OWN", LATER_MS + 1)) == [("OWN", "withdrawn")]
    assert ways(put(control, own(False, LATER_MS + 2))) == [("OWN", "added")]


def test_a_licence_that_comes_back_in_the_same_month_shares_as_before(control: Connection) -> None:
    day_ms = 86_400_000
    february_ms, march_ms, _ = MONTHS_MS
    planned = own(False, february_ms), Entry("licence", "OWN", february_ms + day_ms, None)
    assert ways(put(control, *planned)) == [("OWN", "added"), ("OWN", "withdrawn")]
    assert "pooled would change" in reason(put(control, own(True, march_ms - day_ms)))
    assert ways(put(control, own(True, march_ms + day_ms))) == [("OWN", "added")]


def test_what_is_planned_within_a_month_keeps_what_begins_before_from_changing(
    control: Connection,
) -> None:
    """An entry is whole: the planned one would give the old area back within its month."""
    february_ms, march_ms, april_ms = MONTHS_MS
    assert ways(put(control, area("NO", "", march_ms + 1))) == [("NO", "changed")]
    refused = reason(put(control, area("NO", "SE", february_ms)))
    assert refused.startswith("country NO: domestic_area would change at 2027-03-01T00:00:00Z")
    both = area("NO", "SE", february_ms), area("NO", "SE", march_ms + 1)
    assert ways(put(control, *both, area("NO", "", april_ms))) == [("NO", "changed")] * 3


def test_entries_of_one_import_follow_each_other(control: Connection) -> None:
    """Each is compared with what stands before it, in the order of their beginnings."""
    report = put(control, setting("11", LATER_MS + 2), setting("11"), setting("10", LATER_MS + 1))
    assert isinstance(report, CatalogueReport)
    assert [(each.entry.valid_from_ms, each.fields()) for each in report.changes] == [
        (LATER_MS, [FieldChange("value", "10", "11")]),
        (LATER_MS + 1, [FieldChange("value", "11", "10")]),
        (LATER_MS + 2, [FieldChange("value", "10", "11")]),
    ]


def test_what_is_planned_can_be_planned_anew(control: Connection) -> None:
    assert ways(put(control, setting("11"))) == [("user_numbers_more", "changed")]
    assert ways(put(control, setting("12"))) == [("user_numbers_more", "changed")]
    assert held(control, LATER_MS).settings["user_numbers_more"] == "12"
    assert ways(put(control, setting("10"))) == [("user_numbers_more", "changed")]
    assert held(control, LATER_MS).settings["user_numbers_more"] == "10"
    rows, revision = kept(control)
    assert (len(rows), revision) == (SEEDED + 1, [(4,)])


@pytest.mark.parametrize("valid_from_ms", [0, NOW_MS - 1])
def test_the_past_is_not_changed_silently(control: Connection, valid_from_ms: int) -> None:
    before = kept(control)
    refused = reason(put(control, setting("11", valid_from_ms)))
    since = "1970-01-01T00:00:00Z" if valid_from_ms == 0 else "2027-01-15T07:59:59Z"
    assert refused == (
        f"setting user_numbers_more would change what holds since {since}; give it a later start, "
        "or say that the past is to be changed"
    )
    assert kept(control) == before
    report = put(control, setting("11", valid_from_ms), change_past=True)
    assert ways(report) == [("user_numbers_more", "changed")]
    assert held(control, valid_from_ms).settings["user_numbers_more"] == "11"


def test_what_begins_now_is_new_once_and_then_the_past(control: Connection) -> None:
    assert ways(put(control, setting("11", NOW_MS))) == [("user_numbers_more", "changed")]
    before = kept(control)
    assert "would change what holds since 2027-01-15" in reason(put(control, setting("12", NOW_MS)))
    assert kept(control) == before


@pytest.mark.parametrize(
    ("entry", "detail"),
    [
        (
            Entry("policy", "DialoutCPCandPSTNInternational", LATER_MS, None),
            (
                "at 2027-01-15T08:00:01Z setting default_policy: there is no policy "
                "DialoutCPCandPSTNInternational"
            ),
        ),
        (
            Entry("licence", "MCOEV", LATER_MS, None),
            (
                "at 2027-01-15T08:00:01Z licence ENTERPRISEPREMIUM: there is no licence MCOEV to "
                "come with it; licence MCOTEAMS_ESSENTIALS: there is no licence MCOEV to come with "
                "it"
            ),
        ),
        (
            Entry("country", "NO", 7_258_118_400_001, None),
            "country NO must begin after 1970 and before 2200",
        ),
    ],
)
def test_entries_that_would_not_fit_together_are_refused(
    control: Connection, entry: Entry, detail: str
) -> None:
    before = kept(control)
    assert reason(put(control, setting("11"), entry)) == detail
    assert kept(control) == before


def test_a_change_must_fit_with_what_is_planned_too(control: Connection) -> None:
    """A licence is withdrawn later; what begins before must not need it then."""
    assert ways(withdraw(control, "licence", "MCOPSTN9", LATER_MS + 10)) == [
        ("MCOPSTN9", "withdrawn")
    ]
    bundle = Licence("BUNDLE", "A bundle", includes=("MCOPSTN9",))
    assert reason(put(control, Entry("licence", "BUNDLE", LATER_MS, bundle))) == (
        "at 2027-01-15T08:00:01Z licence BUNDLE: there is no licence MCOPSTN9 to come with it"
    )


def test_setting_a_field_leaves_the_others(control: Connection) -> None:
    old = held(control, NOW_MS).licences["MCOPSTN1"]
    report = change(
        control,
        "licence",
        "MCOPSTN1",
        {"minutes.GB.domestic": "3500", "minutes.JP": "{domestic: 100}", "name": "Domestic: UK"},
    )
    assert isinstance(report, CatalogueReport)
    [only] = report.changes
    assert only.fields() == [
        FieldChange("name", "Domestic Calling Plan", "Domestic: UK"),
        FieldChange("minutes.GB.domestic", "3000", "3500"),
        FieldChange("minutes.JP.domestic", None, "100"),
    ]
    minutes = {**old.minutes, "GB": Minutes(3_500), "JP": Minutes(100)}
    expected: Value = old._replace(name="Domestic: UK", minutes=minutes)
    assert held(control, LATER_MS).licences["MCOPSTN1"] == expected
    assert held(control, LATER_MS - 1).licences["MCOPSTN1"] == old


def test_an_empty_field_gets_its_default_back(control: Connection) -> None:
    report = change(control, "country", "NO", {"payg_zone": "", "zone_a": "false", "premium": ""})
    assert isinstance(report, CatalogueReport)
    assert report.changes[0].fields() == [
        FieldChange("payg_zone", "2", None),
        FieldChange("zone_a", "true", None),
    ]
    assert held(control, LATER_MS).countries["NO"] == Country(
        "NO", domestic_area="NO", minutes_area="NO", masked_digits=3
    )


def test_a_whole_table_is_emptied_only_when_that_is_said(control: Connection) -> None:
    before = kept(control)
    assert reason(change(control, "licence", "MCOPSTN1", {"minutes": ""})) == (
        "minutes: this would take all of it away; name what goes (minutes.GB=), or write minutes={}"
    )
    assert kept(control) == before
    minutes = held(control, NOW_MS).licences["MCOPSTN1"].minutes
    assert ways(change(control, "licence", "MCOPSTN1", {"minutes.GB": ""})) == [
        ("MCOPSTN1", "changed")
    ]
    assert held(control, LATER_MS).licences["MCOPSTN1"].minutes.keys() == minutes.keys() - {"GB"}
    assert ways(change(control, "licence", "MCOPSTN1", {"minutes": "{}"}, LATER_MS + 1)) == [
        ("MCOPSTN1", "changed")
    ]
    assert held(control, LATER_MS + 1).licences["MCOPSTN1"].minutes == {}


def test_what_is_not_there_is_made_by_setting_it(control: Connection) -> None:
    fields = {"name": "One", "features": "[plan]", "requires": "[[phone], [conferencing, credits]]"}
    assert ways(change(control, "licence", "NEW", fields)) == [("NEW", "added")]
    requires = (frozenset({"phone"}), frozenset({"conferencing", "credits"}))
    made = Licence("NEW", "One", frozenset({"plan"}), requires=requires)
    assert held(control, LATER_MS).licences["NEW"] == made
    assert ways(change(control, "number_tier", "60000", {"service_numbers": "2000"})) == [
        ("60000", "added")
    ]


@pytest.mark.parametrize(
    ("kind", "code", "fields", "detail"),
    [
        ("colour", "red", {}, "the kind must be one of licence, country, special_prefix, policy"),
        ("country", "NO", {"colour": "red"}, "country NO: Object contains unknown field `colour`"),
        ("country", "NO", {"code": "SE"}, "country NO cannot become SE"),
        ("country", "NO", {"code": ""}, "country: the field code is missing"),
        ("country", "NO", {"code.x": "SE"}, "code.x: code has no fields within it"),
        ("licence", "MCOEV", {"features": "[phone"}, "features: this is no YAML: "),
        ("licence", "MCOEV", {"features": "phone"}, "licence MCOEV: Expected `array`, got `str`"),
        ("licence", "NEW", {}, "licence NEW: Object missing required field `name`"),
    ],
)
def test_what_cannot_be_set_is_refused(
    control: Connection, kind: str, code: str, fields: dict[str, str], detail: str
) -> None:
    before = kept(control)
    assert reason(change(control, kind, code, fields)).startswith(detail)
    assert kept(control) == before


def test_only_what_is_there_can_be_withdrawn(control: Connection) -> None:
    before = kept(control)
    assert reason(withdraw(control, "country", "IS")) == (
        "there is no country IS at 2027-01-15T08:00:01Z"
    )
    assert reason(withdraw(control, "colour", "red")).startswith("the kind must be one of")
    assert kept(control) == before
    assert ways(withdraw(control, "country", "NO")) == [("NO", "withdrawn")]
    assert "there is no country NO" in reason(withdraw(control, "country", "NO", LATER_MS + 1))


def test_a_catalogue_has_a_most_of_entries(control: Connection) -> None:
    before = kept(control)
    entries = [setting(str(each), LATER_MS + each) for each in range(5_001 - SEEDED)]
    assert reason(put(control, *entries)) == "the catalogue would have more than 5,000 entries"
    assert kept(control) == before
