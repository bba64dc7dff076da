"""Plans and rates in the console. Mirrors src/talktime/console/rates."""

from contextlib import closing

import pytest

from talktime.operations.import_rates import import_rates
from talktime.operations.rate_file import read_rate_file
from tests.console.test_pages import words_of
from tests.console.test_users_pages import admin as admin
from tests.console.test_users_pages import money as money

DAY_MS = 86_400_000


def path(money, rest=""):
    return f"/organisations/{money.owner.id}/{rest}"


@pytest.fixture
def published(money):
    """A version that comes into force ten days from now: mobiles dearer, landlines as before."""
    rows = read_rate_file(
        b"prefix,destination,kind,country,price_per_minute,connection_fee\n"
        b"44,United Kingdom,landline,GB,0.015,\n447,United Kingdom mobile,mobile,GB,0.06,0.02\n",
        valid_from_ms=0,
    )
    with closing(money.control()) as control, control.transaction():
        import_rates(
            *(control, rows),
            name="standard",
            currency="USD",
            source="s",
            valid_from_ms=money.now_ms + 10 * DAY_MS,
            now_ms=0,
            next_id=money.ids,
        )
    return money


def test_rates_are_found_by_country_destination_and_number(admin, published):
    for query, says in {
        "": "+1 United States Landline",
        "?q=gb": "+447 United Kingdom mobile Mobile",
        "?q=United+Kingdom": "+44 United Kingdom Landline",
        "?q=MOBILE": "+447 United Kingdom mobile",
        "?q=447": "United Kingdom mobile",
        "?q=CA": "+1 United States Landline",
        "?kind=mobile": "+447 United Kingdom mobile",
        "?after=44": "+447 United Kingdom mobile",
    }.items():
        response = admin.get(path(published, f"rates/{query}"))
        assert response.status_code == 200
        assert says in words_of(response), query
    assert "+44 " not in words_of(admin.get(path(published, "rates/?q=MOBILE")))
    for query in ("?q=atlantis", "?direction=toll_free_in"):
        assert "Nothing is found" in words_of(admin.get(path(published, f"rates/{query}")))
    assert admin.get(path(published, "rates/?q=%07&minutes=x&kind=y&after=z")).status_code == 200


def test_a_numbers_row_is_its_longest_prefix_and_the_call_is_summed_in_words(
    admin,
    published,
):
    words = words_of(admin.get(path(published, "rates/?q=%2B44+7700+900123&minutes=3")))
    assert "A call of 3 minutes to United Kingdom mobile costs US$0.188." in words
    assert "3 min at US$0.056 each, and US$0.02 when it is answered." in words
    assert "Longest prefix +447" in words
    assert "There is no rate for this number" in words_of(
        admin.get(path(published, "rates/?q=%2B4930123456"))
    )


def test_what_a_price_will_be_is_shown_with_its_day(admin, published):
    words = words_of(admin.get(path(published, "rates/")))
    assert "A new price list comes into force on" in words
    assert words.count(": US$0.06") == 1
    assert words.count(": no rate") == 1
    assert words.count(": US$0.015") == 0


def test_the_price_list_is_downloaded_as_an_import_takes_it(admin, published):
    content = admin.get(path(published, "rates/download/")).content
    rows = read_rate_file(content, valid_from_ms=1)
    assert [(row.prefix, row.rate.per_minute_micros, row.kind) for row in rows] == [
        *(("1", 12_000, "landline"), ("44", 15_000, "landline"), ("447", 56_000, "mobile")),
    ]


def test_plans_say_what_is_needed_who_has_it_and_what_is_shared(admin, money):
    words = words_of(admin.get(path(money, "plans/")))
    assert "Domestic Calling Plan United States within the country 2 6,000" in words
    assert "Call abroad, minutes used up" in words
    assert "Teams Phone Standard MCOEV Phone system 2" in words
    assert "Zone A: included minutes of meetings (44)" in words
    assert "User number 1 of 12" in words
    assert "a user in Norway" in words_of(admin.get(path(money, "plans/?country=NO")))
    assert admin.get(path(money, "plans/?country=x'")).status_code == 200
