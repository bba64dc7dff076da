"""What is sold and how the world is divided, by moment. Mirrors src/talktime/core/catalogue.py."""

from talktime.core.catalogue import (
    Catalogue,
    Catalogues,
    Country,
    Entry,
    Licence,
    Minutes,
    NumberTier,
    Setting,
    SpecialPrefix,
)


def test_the_catalogue_of_a_moment_has_what_began_and_was_not_withdrawn() -> None:
    first, second = Licence("L", "first"), Licence("L", "second")
    catalogues = Catalogues(
        [
            Entry("licence", "L", 20, None),
            Entry("licence", "L", 10, second),
            Entry("licence", "L", 0, first),
            Entry("setting", "s", 15, Setting("s", "x")),
        ]
    )
    held = {at_ms: catalogues.in_force(at_ms) for at_ms in (-1, 0, 9, 10, 19, 20, 10**13)}
    licences = [each.licences.get("L") for each in held.values()]
    assert licences == [None, first, first, second, second, None, None]
    assert held[0].settings == {}
    assert held[20].settings == {"s": "x"}


def test_moments_between_the_same_entries_share_one_catalogue() -> None:
    catalogues = Catalogues([Entry("setting", "s", 10, Setting("s", "x"))])
    assert catalogues.in_force(10) is catalogues.in_force(999)
    assert catalogues.in_force(9) is catalogues.in_force(-5)
    assert catalogues.in_force(9) is not catalogues.in_force(10)


def test_the_entries_of_a_moment_keep_their_beginnings() -> None:
    entries = [
        Entry("setting", "a", 0, Setting("a", "x")),
        Entry("setting", "a", 5, Setting("a", "y")),
        Entry("setting", "b", 3, Setting("b", "z")),
        Entry("setting", "b", 7, None),
    ]
    catalogues = Catalogues(entries)
    assert catalogues.entries_at(4) == [entries[0], entries[2]]
    assert catalogues.entries_at(5) == [entries[1], entries[2]]
    assert catalogues.entries_at(7) == [entries[1]]


def test_the_longest_special_prefix_is_a_numbers() -> None:
    premium, shared = SpecialPrefix("449", "", False), SpecialPrefix("44990", "", True)
    catalogue = Catalogue([premium, shared])
    found = {digits: catalogue.special(digits) for digits in ("449012", "4499012", "4420", "4")}
    assert found == {"449012": premium, "4499012": shared, "4420": None, "4": None}


def test_bundles_bring_theirs_and_licences_know_their_bundles() -> None:
    catalogue = Catalogue(
        [
            Licence("OUTER", "", includes=("INNER", "PLAN")),
            Licence("INNER", "", includes=("PHONE",)),
            *(Licence(code, "") for code in ("PHONE", "PLAN")),
        ]
    )
    assert catalogue.expanded(["OUTER"]) == {"OUTER", "INNER", "PHONE", "PLAN"}
    assert catalogue.expanded(["INNER", "GONE"]) == {"INNER", "PHONE"}
    assert catalogue.sources == {
        "OUTER": ("OUTER",),
        "INNER": ("OUTER", "INNER"),
        "PHONE": ("OUTER", "INNER", "PHONE"),
        "PLAN": ("OUTER", "PLAN"),
    }


def test_bundles_of_each_other_do_not_expand_for_ever() -> None:
    catalogue = Catalogue([Licence("A", "", includes=("B",)), Licence("B", "", includes=("A",))])
    assert catalogue.expanded(["A"]) == {"A", "B"}


def test_a_country_without_an_area_is_one_of_its_own() -> None:
    catalogue = Catalogue([Country("PR", domestic_area="US"), Country("NO")])
    assert catalogue.country("PR") == Country("PR", domestic_area="US", minutes_area="PR")
    assert catalogue.country("NO") == Country("NO", domestic_area="NO", minutes_area="NO")
    assert catalogue.country("JP") == Country("JP", domestic_area="JP", minutes_area="JP")


def test_minutes_are_those_of_the_country_else_of_anywhere_else_none() -> None:
    plan = Licence("L", "", minutes={"US": Minutes(3_000), "NO": Minutes(1_200, 600)})
    assert plan.minutes_in("NO") == Minutes(1_200, 600, 0)
    assert plan.minutes_in("JP") == Minutes(0, 0, 0)
    meetings = Licence("M", "", minutes={"*": Minutes(conference=60)})
    assert meetings.minutes_in("JP") == Minutes(0, 0, 60)


def test_service_number_tiers_stand_by_size() -> None:
    tiers = [NumberTier(100, 30), NumberTier(26, 10), NumberTier(1, 5)]
    assert Catalogue(tiers).number_tiers == [
        NumberTier(1, 5),
        NumberTier(26, 10),
        NumberTier(100, 30),
    ]
