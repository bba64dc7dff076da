"""Find users of an organisation by what they are and have, a page at a time. The caller's
`reading` is open on the organisation's cell."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import islice
from typing import NamedTuple

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.licensing import Holder, licences_possible
from talktime.core.limits import PAGE_ROWS_MAX, USER_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.input_checks import can_be_stored
from talktime.operations.licence_groups import find_group
from talktime.store.database import Connection
from talktime.store.user_search import (
    HeldSet,
    held_sets,
    holder_of_id,
    holders_by_word,
    holders_of_sets,
)
from talktime.store.users import holders_by_name

USERS_READ_MAX = 5_000
NO_LICENCE = "none"
"""As the licence that is sought: none at all."""


class Sought(NamedTuple):
    """Which users are looked for: a part of the sign-in or display name; a licence they have (its
    code, or NO_LICENCE) and a group they are in; where they are, what they are; whether they may
    call; only those who `lack` what their licences need. What is empty is not asked."""

    text: str = ""
    licence: str = ""
    group: str = ""
    usage_location: str = ""
    kind: str = ""
    active: bool | None = None
    lacking: bool = False


def find_users(
    cell: Connection,
    organisation: Organisation,
    sought: Sought,
    *,
    catalogue: Catalogue,
    after: str = "",
    limit: int,
) -> list[Holder]:
    """The users that are looked for, by name, at most PAGE_ROWS_MAX; `after` is the last name of
    the page before. What no name can hold is nobody's."""
    text = sought.text.strip()[:USER_NAME_TEXT_MAX]
    if not can_be_stored(text) or not can_be_stored(after):
        return []
    size = min(limit, PAGE_ROWS_MAX)
    if not any(sought[1:]) and sought.active is None:
        if not text:
            return holders_by_name(cell, organisation.id, after, size)
        return holders_by_word(cell, organisation.id, text, after, size)
    held = held_sets(cell, organisation.id)
    wanted = _wanted(cell, organisation, sought, held, catalogue)
    if text and sum(each.users for each in wanted) > USERS_READ_MAX:
        return list(islice(_with_word(cell, organisation, sought.group, text, after, wanted), size))
    return holders_of_sets(cell, organisation.id, wanted, sought.group, text, after, size)


def all_found(
    cell: Connection,
    organisation: Organisation,
    sought: Sought,
    *,
    catalogue: Catalogue,
    at_most: int,
    apart: bool = False,
) -> Iterator[Holder]:
    """The same without pages: the first `at_most` of them. Some are read `apart` when they are
    wanted, or all in what the caller has opened."""
    after = ""
    while at_most > 0:
        size = min(at_most, PAGE_ROWS_MAX)
        with cell.reading() if apart else nullcontext():
            page = find_users(
                cell, organisation, sought, catalogue=catalogue, after=after, limit=size
            )
        yield from page
        if len(page) < size:
            return
        at_most -= size
        after = page[-1].user.name


def find_holder_of_id(
    cell: Connection, organisation: Organisation, user_id: int
) -> Holder | Refusal:
    """The organisation's user of this id. Refuses: unknown_user."""
    found = holder_of_id(cell, organisation.id, user_id)
    if found is None:
        return Refusal("unknown_user", f"{organisation.name} has no user of the id {user_id}")
    return found


def sets_held(cell: Connection, organisation: Organisation) -> list[HeldSet]:
    """Which sets of licences the organisation's users have where, and how many users each."""
    return held_sets(cell, organisation.id)


def sets_not_lawful(held: Iterable[HeldSet], catalogue: Catalogue) -> list[HeldSet]:
    """Those sets that could not be given now: what they need is missing, or the catalogue has
    changed since.

    >>> from talktime.core.catalogue import Licence
    >>> catalogue = Catalogue([Licence("PLAN", "", requires=(frozenset({"phone"}),))])
    >>> plan = HeldSet("US", "person", True, frozenset({"PLAN"}), 3)
    >>> sets_not_lawful([plan, plan._replace(licences=frozenset())], catalogue) == [plan]
    True
    """
    return [
        each
        for each in held
        if licences_possible(catalogue, each.licences, each.kind, each.usage_location) is not None
    ]


def _wanted(
    cell: Connection,
    organisation: Organisation,
    sought: Sought,
    held: list[HeldSet],
    catalogue: Catalogue,
) -> list[HeldSet]:
    """The sets that can have users that are looked for: whoever is in a group has its licences."""
    brought: frozenset[str] = frozenset()
    if sought.group:
        group = find_group(cell, organisation, sought.group)
        if isinstance(group, Refusal):
            return []
        brought = group.licences
    wanted = [
        each
        for each in held
        if _has(each, sought.licence)
        and brought <= each.licences
        and sought.usage_location in ("", each.usage_location)
        and sought.kind in ("", each.kind)
        and sought.active in (None, each.active)
    ]
    return sets_not_lawful(wanted, catalogue) if sought.lacking else wanted


def _with_word(
    cell: Connection,
    organisation: Organisation,
    group: str,
    text: str,
    after: str,
    wanted: list[HeldSet],
) -> Iterator[Holder]:
    """Those with a word in their names, of whom those of the sets: where the sets are most users,
    the word is what few have."""
    keys = {each[:4] for each in wanted}
    while page := holders_by_word(cell, organisation.id, text, after, PAGE_ROWS_MAX):
        for holder in page:
            user = holder.user
            key = (user.usage_location, user.kind, user.active, user.licences)
            if key in keys and (not group or group in holder.groups):
                yield holder
        after = page[-1].user.name


def _has(held: HeldSet, licence: str) -> bool:
    if licence == NO_LICENCE:
        return not held.licences
    return not licence or licence in held.licences
