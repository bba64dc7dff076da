"""The demo. Mirrors src/talktime/operations/seed_demo.py."""

from itertools import count

import pytest

from talktime.core.catalogue import Catalogues
from talktime.core.directory import Directory
from talktime.core.outcomes import Granted
from talktime.core.rates import RateCards
from talktime.operations.assign_numbers import release_number
from talktime.operations.catalogue_seed import seed_entries
from talktime.operations.execute import execute
from talktime.operations.find_numbers import find_number
from talktime.operations.keys import find_key, revoke_key, secret_hash
from talktime.operations.numbers import Number, parse_number
from talktime.operations.organisations import find_organisation
from talktime.operations.resolve import CallRequest, resolve
from talktime.operations.seed_demo import seed_demo
from talktime.operations.user_changes import UserChange
from talktime.operations.users import change_user, list_users
from talktime.store.keys import key_of_hash
from talktime.store.numbers import numbers_after
from talktime.store.organisations import organisations_after
from talktime.store.rates import load_cards
from talktime.store.users import users_after
from tests.contents import cell_contents, control_contents
from tests.people import CATALOGUE

NOW_MS = 1_795_428_000_000
DAY_MS = 86_400_000
CATALOGUES = Catalogues(seed_entries())


@pytest.fixture
def control(store):
    return store.control()


@pytest.fixture
def cells(store):
    return {name: store.cell(name) for name in store.cells}


@pytest.fixture
def seed(control, cells):
    """Seed the demo, as a start of the service does."""
    ids, chance = count(100).__next__, count(1)

    def seed(now_ms=NOW_MS, next_id=ids, **known):
        def entropy(size):
            return next(chance).to_bytes(size, "big")

        return seed_demo(control, cells, now_ms=now_ms, next_id=next_id, entropy=entropy, **known)

    return seed


class Crash(Exception):
    """What stops a start in the middle."""


def crashing_after(ids, first):
    """A source of some ids, and then of a crash."""
    left = iter(range(first, first + ids))

    def next_id():
        new = next(left, None)
        if new is None:
            raise Crash
        return new

    return next_id


def directory_of(control, cells):
    directory = Directory()
    for organisations in organisations_after(control, 0):
        directory.apply(organisations=organisations.rows)
    for numbers in numbers_after(control, 0):
        directory.apply(numbers=numbers.rows)
    for cell in cells.values():
        for users in users_after(cell, 0):
            directory.apply(users=users.rows)
    return directory


def test_the_demos_caller_is_granted_a_call_to_its_callee_on_credits(seed, control, cells):
    demo = seed()
    directory = directory_of(control, cells)
    cards, _ = load_cards(control, RateCards(), 0)
    request = CallRequest("C1", 0, "user_out", demo.caller, demo.callee, requested_s=300)
    command = resolve(directory, cards, CATALOGUES, request, 1, NOW_MS, 5)
    with cells["main"].transaction():
        [done] = execute(cells["main"], [command], NOW_MS, count(900).__next__)
    assert isinstance(done.outcome, Granted)
    assert done.outcome.granted_s == 300
    assert done.outcome.paid_by == (("credits", 300, 55_000, ""),)
    assert done.outcome.available_micros == 104_945_000


@pytest.mark.layouts("sqlite", "postgres")
def test_a_call_to_the_demos_toll_free_number_is_rated_by_it(seed, control, cells):
    demo = seed()
    cards, _ = load_cards(control, RateCards(), 0)
    request = CallRequest("C1", 0, "ucap_in", "+442079460958", service_number=demo.toll_free)
    command = resolve(directory_of(control, cells), cards, CATALOGUES, request, 1, NOW_MS, 5)
    assert command.refusal is None
    assert (command.rate.prefix, command.rate.per_minute_micros) == ("1800", 21_000)


@pytest.mark.layouts("sqlite", "postgres")
def test_the_demo_has_users_a_funded_wallet_and_a_key(seed, control, cells):
    demo = seed()
    organisation = find_organisation(control, "Contoso Demo")
    assert organisation.id == demo.organisation_id
    users = list_users(cells["main"], organisation)
    assert [(user.display_name, user.usage_location, user.kind) for user in users] == [
        ("Boardroom Oslo", "NO", "person"),
        ("Front desk", "US", "person"),
        ("Main line", "US", "resource_account"),
    ]
    lots = cells["main"].rows(
        "SELECT source, amount_micros, promotional, expires_ms FROM lot ORDER BY id"
    )
    (_, purchase_micros, _, purchase_until), (_, gift_micros, gift_promotional, gift_until) = lots
    assert [lot[0] for lot in lots] == ["purchase", "grant"]
    assert (purchase_micros, gift_micros) == (100_000_000, 5_000_000)
    assert gift_promotional
    assert NOW_MS < gift_until < purchase_until == NOW_MS + 365 * DAY_MS
    key = key_of_hash(control, secret_hash(demo.switch_key))
    assert key.scopes == {"calls", "quotes"}
    assert len(demo.admin_password) == 43


def test_the_demos_numbers_exist(seed):
    demo = seed()
    for text in (demo.caller, demo.callee, demo.toll_free):
        assert isinstance(parse_number(text), Number)


def test_a_second_start_keeps_the_data_and_the_facts(seed, control, cells):
    demo = seed()
    before = control_contents(control), [cell_contents(cell) for cell in cells.values()]
    kept = ("switch_key", "admin_password", "operator_password")
    again = seed(NOW_MS + DAY_MS, **{name: getattr(demo, name) for name in kept})
    assert again == demo
    assert (control_contents(control), [cell_contents(cell) for cell in cells.values()]) == before


@pytest.mark.layouts("sqlite", "postgres")
def test_a_lost_or_revoked_key_is_replaced_by_a_new_one(seed, control):
    demo = seed()
    assert seed(switch_key="").switch_key not in ("", demo.switch_key)
    key = key_of_hash(control, secret_hash(demo.switch_key))
    with control.transaction():
        revoke_key(control, key.id, now_ms=NOW_MS)
    new = seed(switch_key=demo.switch_key)
    assert new.switch_key != demo.switch_key
    assert key_of_hash(control, secret_hash(new.switch_key)).usable(NOW_MS)
    assert not find_key(control, key.id).usable(NOW_MS)


@pytest.mark.layouts("sqlite", "postgres")
def test_what_people_changed_in_the_demo_stays(seed, control, cells):
    demo = seed()
    organisation = find_organisation(control, demo.organisation)
    with cells["main"].transaction():
        bare = UserChange("front-desk@contoso.example", licences=frozenset())
        change_user(cells["main"], organisation, bare, catalogue=CATALOGUE)
    with control.transaction():
        release_number(control, organisation, demo.toll_free)
    seed(switch_key=demo.switch_key)
    front_desk = list_users(cells["main"], organisation, after="boardroom-oslo@contoso.example")[0]
    assert front_desk.licences == frozenset()
    assert not find_number(control, demo.toll_free).active


@pytest.mark.layouts("sqlite", "postgres")
def test_a_start_after_a_crash_in_the_middle_adds_what_is_missing(seed, control, cells):
    # Each start gets further: rates, organisation, users, switch and key, purchase, gift.
    for number, ids in enumerate((0, 40, 79, 1, 3, 1, 2, 3), 1):
        with pytest.raises(Crash):
            seed(next_id=crashing_after(ids, number * 1_000))
    demo = seed()
    assert find_organisation(control, demo.organisation).id == demo.organisation_id
    assert cells["main"].rows("SELECT balance_micros FROM wallet WHERE balance_micros > 0") == [
        (105_000_000,)
    ]
