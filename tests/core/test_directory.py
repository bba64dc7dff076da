"""Who is who. Mirrors src/talktime/core/directory.py."""

from hypothesis import given
from hypothesis import strategies as st

from talktime.core.directory import (
    Directory,
    NumberEntry,
    Organisation,
    User,
)

CONTOSO = Organisation(7, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")
FRONT_DESK = User(
    *(8, 7, "front-desk@contoso.example", "Front desk", "US"),
    *(frozenset({"MCOPSTNC"}), "person", True),
)


def test_what_was_applied_is_found_by_its_name_in_calls():
    directory = Directory()
    number = NumberEntry("14255550100", 7, 8, "user")
    directory.apply([CONTOSO], [number], [FRONT_DESK])
    assert directory.organisation(7) == CONTOSO
    assert directory.number("14255550100") == number
    assert directory.user(7, 8) == FRONT_DESK
    assert directory.user_named("front-desk@contoso.example") == FRONT_DESK
    assert len(directory) == 1


def test_what_was_not_applied_is_not_known():
    directory = Directory()
    assert directory.organisation(7) is None
    assert directory.number("14255550100") is None
    assert directory.user(7, 8) is None
    assert directory.user_named("front-desk@contoso.example") is None


def test_a_user_is_not_found_in_another_organisation():
    directory = Directory()
    directory.apply(users=[FRONT_DESK])
    assert directory.user(9, 8) is None
    assert directory.user_named(FRONT_DESK.name, 9) is None
    assert directory.user_named(FRONT_DESK.name, 7) == FRONT_DESK


def test_a_changed_entry_takes_the_place_of_the_old_one():
    directory = Directory()
    directory.apply([CONTOSO], [NumberEntry("14255550100", 7, 8, "user")], [FRONT_DESK])
    off = CONTOSO._replace(active=False)
    moved = NumberEntry("14255550100", 9, None, "toll")
    unlicensed = FRONT_DESK._replace(licences=frozenset())
    directory.apply([off], [moved], [unlicensed])
    assert directory.organisation(7) == off
    assert directory.number("14255550100") == moved
    assert directory.user(7, 8) == unlicensed
    assert directory.user_named(FRONT_DESK.name) == unlicensed
    assert len(directory) == 1


def test_a_number_taken_out_of_use_is_not_known_any_more():
    directory = Directory()
    entry = NumberEntry("14255550100", 7, 8, "user")
    directory.apply(numbers=[entry])
    directory.apply(numbers=[entry._replace(active=False)])
    assert directory.number("14255550100") is None
    directory.apply(numbers=[entry._replace(active=False)])
    assert directory.number("14255550100") is None


def test_a_user_of_a_new_name_is_not_found_by_the_old_one():
    directory = Directory()
    directory.apply(users=[FRONT_DESK, FRONT_DESK._replace(name="reception@contoso.example")])
    assert directory.user_named("front-desk@contoso.example") is None
    assert directory.user_named("reception@contoso.example") == directory.user(7, 8)


def test_a_name_of_several_organisations_is_nobodys_without_the_organisation():
    directory = Directory()
    other, third = (
        FRONT_DESK._replace(id=9, organisation_id=2),
        FRONT_DESK._replace(id=10, organisation_id=3),
    )
    directory.apply(users=[FRONT_DESK, other, third])
    assert directory.user_named(FRONT_DESK.name) is None
    assert directory.user_named(FRONT_DESK.name, 7) == FRONT_DESK
    assert directory.user_named(FRONT_DESK.name, 2) == other
    assert directory.user_named(FRONT_DESK.name, 4) is None
    directory.apply(users=[third._replace(name="c"), other._replace(name="b")])
    assert directory.user_named(FRONT_DESK.name) == FRONT_DESK


@given(
    st.lists(
        st.builds(
            User,
            st.integers(1, 5),
            st.just(1),
            st.sampled_from(["a", "b", "c"]),
            st.just(""),
            st.just("US"),
            st.just(frozenset()),
            st.just("person"),
            st.booleans(),
        )
    )
)
def test_names_lead_to_the_users_that_bear_them_now(changes):
    changes = [user._replace(organisation_id=user.id) for user in changes]
    directory = Directory()
    directory.apply(users=changes)
    now = {user.id: user for user in changes}
    for name in ("a", "b", "c"):
        bearers = [user for user in now.values() if user.name == name]
        for user in bearers:
            assert directory.user_named(name, user.organisation_id) == user
        assert directory.user_named(name) == (bearers[0] if len(bearers) == 1 else None)
