"""Every rule of charging has a test, and the page of rules says which. Mirrors docs/rules.py."""

from docs.rules import RULES, by_rule, numbers_in

WANTED = [f"R{number}" for number in (*range(1, 76), *range(86, 91))]
VECTORS = [f"V{number}" for number in range(1, 12)]


def test_every_rule_about_who_calls_who_pays_and_how_much_has_a_test() -> None:
    tests = by_rule()
    assert [number for number in (*WANTED, *VECTORS) if not tests[number]] == []


def test_every_rule_that_the_page_lists_has_a_test() -> None:
    tests = by_rule()
    listed = [number for rules in RULES.values() for number in rules]
    assert [number for number in listed if not tests[number]] == []
    assert {*WANTED, *VECTORS} <= set(listed)


def test_a_range_of_rules_names_each_of_them() -> None:
    assert numbers_in("R36-R38 and V2; not D12, R1000, XR5") == {
        "R36",
        "R37",
        "R38",
        "V2",
    }
