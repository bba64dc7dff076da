"""What is said below a field, and what is wrong with it, is tied to it for those who listen.
Mirrors src/talktime/console/theme/templatetags/described.py."""

import re

import pytest

from tests.console.opened_forms import OpenedForm
from tests.console.test_operator_flows import EMAIL, Staff, money

__all__ = ["money"]

DESCRIBED = re.compile(r'<(?:input|select|textarea|fieldset)[^>]* aria-describedby="([^"]+)"')


def told(response):
    """The texts that fields name as theirs; an id that nothing has is an error."""
    page = response.content.decode()
    ids = [each for found in DESCRIBED.findall(page) for each in found.split()]
    return [re.findall(rf'id="{each}"[^>]*>([^<]+)<', page)[0] for each in ids]


@pytest.fixture
def person(money):
    return Staff(money, EMAIL).client


def test_a_field_is_read_with_its_note_and_with_what_is_wrong(person, money):
    path = f"/operator/organisations/{money.owner.id}/change/"
    form = OpenedForm(person, path, "time_zone")
    assert "Codes such as NO, SE, with spaces between. Empty: all." in told(person.get(path))
    wrong = told(form.send(spend_limit_micros="x"))
    assert "Write an amount such as 99.50." in " ".join(wrong)
    here = f"/organisations/{money.owner.id}/"
    notes = told(person.get(f"{here}credits/recharge/"))
    assert "The most that is bought by itself in a calendar month (UTC)." in notes
    assert notes[0].startswith("Unchecked and saved, nothing is bought any more by itself.")
    days = person.get(f"{here}credits/transactions/?since=2026-02-01&on=2026-01-01")
    assert told(days) == ["This day is after the other: nothing lies between them."]
    added = OpenedForm(person, f"{here}users/add/", "display_name").send(name="a" * 500)
    assert any("500" in each for each in told(added))
    key = OpenedForm(person, f"{here}keys/new/", "name").send(name="Portal", scopes=[])
    assert "This field is required." in told(key)
