"""Numbers are found. Mirrors src/talktime/operations/find_numbers.py."""

import pytest

from talktime.operations.find_numbers import list_numbers_of_kind
from tests.operations.test_assign_numbers import OTHER, assign, control, release
from tests.people import CONTOSO

__all__ = ["control"]

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def test_numbers_are_found_by_a_part_of_them_in_use_or_not(control):
    for text in ("+14255550100", OTHER, "+442079460000"):
        assign(control, text)
    release(control, OTHER)

    def found(**said):
        return [each.digits for each in list_numbers_of_kind(control, CONTOSO, "user", **said)]

    assert found() == ["14255550100", "442079460000"]
    assert found(part="5550") == ["14255550100"]
    assert found(active=False) == ["14255550103"]
    assert found(active=False, part="999") == []
