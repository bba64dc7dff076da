"""Usage records added up by day. Mirrors src/talktime/operations/sum_usage.py."""

import pytest
from structlog.testing import capture_logs

from talktime.core.catalogue import Catalogue, Country
from talktime.core.directory import Organisation
from talktime.core.meters import DOMESTIC, minutes_key, month_of
from talktime.core.payers import FREE_CALL
from talktime.operations.calling_places import country_of, prefixes_of
from talktime.operations.check_books import check_books
from talktime.operations.sum_usage import forget_sums, sum_usage
from talktime.operations.sweep import Sweep
from talktime.operations.usage_report import Asked, Reader, number_wanted
from talktime.operations.what_to_sum import LAG_MS
from talktime.store.usage_days import ALL_USERS, DAY_MS, Sums, Wanted
from talktime.store.work_marks import USAGE_DAY, mark
from tests.lively_books import FRANCE, FREE, GERMANY, Player

pytestmark = pytest.mark.layouts("sqlite", "postgres")
OWNER = Organisation(1, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")
CATALOGUE = Catalogue([Country("US", masked_digits=3)])
EVERYTHING = "SELECT * FROM usage_day ORDER BY 1, 2, 3, 4, 5, 6, 7"
OF_USERS = "SELECT * FROM usage_user ORDER BY 1, 2, 3, 4"


@pytest.fixture
def player(store):
    player = Player(store.cell())
    player.wallet(1, 10_000_000)
    for number in range(3):
        player.call(1, f"g{number}", 61)
    player.call(1, "f", 30, FRANCE)
    return player


@pytest.fixture
def sweep(store, player):
    control = store.control()
    return Sweep(
        player.connection,
        lambda: player.now_ms + LAG_MS + 1,
        player.ids.next,
        control=lambda: control,
    )


def asked(player, **wanted):
    day = player.now_ms // DAY_MS
    return Asked(day, day, Wanted(**wanted))


def added(player, **wanted):
    with player.connection.snapshot():
        return Reader(player.connection, OWNER, CATALOGUE).add_up(asked(player, **wanted))


def found(player, limit=50, number="", before=None, **wanted):
    reader = Reader(player.connection, OWNER, CATALOGUE)
    about = asked(player, **wanted)
    if number:
        about = about._replace(number=number_wanted(number, 3))
    with player.connection.snapshot():
        return reader.page(about, reader.add_up(about), before, limit)


def test_the_sums_are_those_of_the_records_whether_they_are_added_up_yet_or_not(player, sweep):
    live = added(player)
    assert sum_usage(sweep).rows == 4
    assert sum_usage(sweep).rows == 0
    assert added(player) == live
    germany = 3 * 30_000
    france = 30 * 21_000 // 60 + 5_000
    assert live.total == Sums(4, 4, 3 * 61 + 30, 3 * 120 + 30, 0, germany + france, 0)
    assert check_books(player.connection, player.clock_ms).clean


def test_calls_that_could_not_be_priced_are_told_to_the_operator(player, sweep):
    """D10, R63: past the minutes there is no rate, and the switch lets the call go on."""
    with capture_logs() as logs:
        sum_usage(sweep)
    assert logs == []
    began_ms = player.now_ms
    no_rate = {"money_code": "no_rate", "money_detail": "x", "paid_capability": FREE_CALL}
    for plan in ("MCOPSTN1", "MCOPSTN5"):
        pool = minutes_key(month_of(began_ms), plan, "US", DOMESTIC)
        player.call(1, plan, 660, FREE, pool=pool, **no_rate)
    with capture_logs() as logs:
        assert sum_usage(sweep).rows == 2
    ((last_id,),) = player.connection.rows("SELECT MAX(id) FROM usage_record")
    told = {"cell": "", "organisation_id": 1, "calls": 2, "usage_id": last_id}
    assert logs == [{"event": "calls not priced", "log_level": "warning", **told}]
    player.call(1, "priced", 61)
    with capture_logs() as logs:
        assert sum_usage(sweep).rows == 1
    assert logs == []


def test_what_is_younger_than_ten_seconds_waits_for_what_may_still_be_committed(player, sweep):
    young = sweep._replace(clock_ms=lambda: player.now_ms + LAG_MS - 1)
    assert sum_usage(young).rows == 3
    assert sum_usage(sweep).rows == 1


def test_sums_made_anew_are_the_same(player, sweep):
    sum_usage(sweep)
    before = [player.connection.rows(statement) for statement in (EVERYTHING, OF_USERS)]
    cursor = mark(player.connection, USAGE_DAY)[0]
    forget_sums(player.connection, player.now_ms)
    assert player.connection.rows(EVERYTHING) == player.connection.rows(OF_USERS) == []
    assert added(player).total.calls == 4
    sum_usage(sweep)
    assert [player.connection.rows(statement) for statement in (EVERYTHING, OF_USERS)] == before
    assert mark(player.connection, USAGE_DAY)[0] == cursor


def test_a_correction_changes_the_charge_of_the_day_of_its_call_and_is_no_call(player, sweep):
    player.authorize(1, "late")
    player.answer("late")
    player.extend("late", 2, 60)
    day = player.now_ms // DAY_MS
    player.wait(1_000)
    player.expire("late")
    sum_usage(sweep)
    before = added(player).total
    player.wait(86_400)
    player.settle("late", 3, 240)
    sum_usage(sweep)
    reader = Reader(player.connection, OWNER, CATALOGUE)
    with player.connection.snapshot():
        after = reader.add_up(Asked(day, day)).total
    assert (after.calls, after.records) == (before.calls, before.records + 1)
    assert after.charge_micros == before.charge_micros + 45_000
    assert check_books(player.connection, player.clock_ms).clean


@pytest.mark.parametrize("days", [1, 19])
def test_calls_of_days_to_come_are_in_no_users_sums_of_the_days_before(player, sweep, days):
    """A switch's clock may be ahead at midnight, and the service's may have been set back."""
    today = asked(player)
    first = today._replace(from_day=today.from_day - 10)
    player.wait(days * 86_400)
    player.call(1, "to come", 61)
    sum_usage(sweep)
    with player.connection.snapshot():
        reader = Reader(player.connection, OWNER, CATALOGUE)
        sums = reader.add_up(first, "user")
        assert sums.total.calls == sums.charted[5, "out"].calls == 4
        later = reader.add_up(first._replace(to_day=first.to_day + days), "user")
    assert later.total.calls == later.charted[5, "out"].calls == 5


def test_a_filter_finds_what_the_sums_say_there_is(player, sweep):
    sum_usage(sweep)
    for wanted in ({"country": "FR"}, {"context": "International"}, {"type": "user_in"},
                   {"capability": "MCOPSTNPP"}, {"user_id": 5}, {"user_id": 6},
                   {"country": "DE", "user_id": 5}, {"context": "Domestic"}):  # fmt: skip
        records = found(player, **wanted).records
        assert len(records) == added(player, **wanted).total.records
    assert [r.call_key for r in found(player, country="FR").records] == ["f"]


def test_pages_follow_each_other_without_gap_or_repetition(player):
    first = found(player, limit=3)
    second = found(player, limit=3, before=first.older)
    keys = [record.call_key for record in (*first.records, *second.records)]
    assert keys == ["f", "g2", "g1", "g0"]
    assert second.older is None


def test_a_number_is_found_by_the_digits_of_it_that_are_shown(player):
    assert len(found(player, number="+49 30123999").records) == 3
    assert len(found(player, number="+49 30124456").records) == 0
    assert len(found(player, number="+49 3012345").records) == 0
    assert len(found(player, number="+1 425 555 0100").records) == 4


def test_countries_are_told_by_their_numbers():
    numbers = ("442079460958", "447700900123", "12125550100", "17875550100", "14165550100", "911")
    assert [country_of(each) for each in numbers] == ["GB", "GB", "US", "PR", "CA", ""]
    assert prefixes_of("NO").digits == ("47",)
    assert "1416" in prefixes_of("CA").digits
    assert GERMANY.prefix == prefixes_of("DE").digits[0]
    assert ALL_USERS < 0


def test_what_comes_behind_the_sums_after_a_clock_went_back_is_read_and_then_added_up(
    player, sweep
):
    """Another process numbers what it books from there: below what is in the sums already."""
    assert sum_usage(sweep).rows == 4
    again = Player(player.connection, player.now_ms - 120_000, node=1)
    again.call(1, "after", 61)
    live = added(player)
    assert live.total.calls == 5
    assert check_books(player.connection, player.clock_ms).clean
    assert sum_usage(sweep).rows == 1
    assert sum_usage(sweep).rows == 0
    assert added(player) == live
    assert check_books(player.connection, player.clock_ms).clean
