"""Groups of an organisation's users: whoever is in one has its licences.

They live in the organisation's cell. The caller opens and commits that cell's transaction; when
something is refused, nothing was written. Users are put into groups by a change of the user.
"""

from collections.abc import Callable, Iterator

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.licensing import Holder, LicenceGroup, unknown_licence
from talktime.core.limits import GROUP_NAME_TEXT_MAX, GROUPS_MAX, PAGE_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_word
from talktime.operations.user_changes import NOTHING, UserRules
from talktime.store.database import Connection
from talktime.store.licence_groups import (
    delete_group as forget_group,
)
from talktime.store.licence_groups import (
    groups_by_name,
    insert_group,
    update_group,
)
from talktime.store.revisions import USERS, lock
from talktime.store.users import members_by_name, put_holders

_NOT_IN_NAMES = frozenset(';"\\')
"""What separates groups in a file, and what a name would have an escape for in JSON, by which
store/users.py finds the members."""


def create_group(
    cell: Connection,
    organisation: Organisation,
    *,
    name: str,
    licences: frozenset[str],
    catalogue: Catalogue,
    next_id: Callable[[], int],
) -> LicenceGroup | Refusal:
    """Make a group, without members. Refuses: invalid_value, already_exists."""
    refusal = _bad_name(name) or unknown_licence(catalogue, licences)
    if refusal is not None:
        return refusal
    lock(cell, USERS)
    groups = groups_by_name(cell, organisation.id)
    if any(group.name == name for group in groups):
        return Refusal("already_exists", f"{organisation.name} has a group named {name}")
    if len(groups) >= GROUPS_MAX:
        return Refusal("invalid_value", f"{organisation.name} has {GROUPS_MAX:,} groups already")
    made = LicenceGroup(next_id(), organisation.id, name, licences)
    insert_group(cell, made)
    after = {"licences": sorted(licences)}
    note(cell, organisation.id, "group.created", name, after=after, always=True)
    return made


def change_group(
    cell: Connection,
    organisation: Organisation,
    name: str,
    *,
    licences: frozenset[str] | None = None,
    add: frozenset[str] = NOTHING,
    remove: frozenset[str] = NOTHING,
    catalogue: Catalogue,
) -> LicenceGroup | Refusal:
    """Give a group other licences (the whole set, or some more or fewer), and so all its members.

    Refuses: unknown_group, invalid_value; licence_not_possible where a member cannot have them.
    """
    lock(cell, USERS)
    groups = groups_by_name(cell, organisation.id)
    old = _named(groups, organisation, name)
    if isinstance(old, Refusal):
        return old
    wanted = ((old.licences if licences is None else licences) | add) - remove
    refusal = unknown_licence(catalogue, wanted - old.licences)
    if refusal is not None:
        return refusal
    changed = old._replace(licences=wanted)
    if changed == old:
        return old
    others = [group for group in groups if group != old]
    refusal = _write_members(cell, old, UserRules(organisation, catalogue, [*others, changed]))
    if refusal is not None:
        return refusal
    update_group(cell, changed)
    before, after = {"licences": sorted(old.licences)}, {"licences": sorted(wanted)}
    note(cell, organisation.id, "group.changed", name, before=before, after=after)
    return changed


def delete_group(
    cell: Connection, organisation: Organisation, name: str, *, catalogue: Catalogue
) -> LicenceGroup | Refusal:
    """Forget a group; its members keep the licences of their own.

    Refuses: unknown_group; licence_not_possible where what a member keeps needs the group's.
    """
    lock(cell, USERS)
    groups = groups_by_name(cell, organisation.id)
    old = _named(groups, organisation, name)
    if isinstance(old, Refusal):
        return old
    others = [group for group in groups if group != old]
    refusal = _write_members(cell, old, UserRules(organisation, catalogue, others))
    if refusal is not None:
        return refusal
    forget_group(cell, old)
    before = {"licences": sorted(old.licences)}
    note(cell, organisation.id, "group.deleted", name, before=before, always=True)
    return old


def list_groups(cell: Connection, organisation: Organisation) -> list[LicenceGroup]:
    """All groups of the organisation (at most GROUPS_MAX), by name."""
    return groups_by_name(cell, organisation.id)


def find_group(cell: Connection, organisation: Organisation, name: str) -> LicenceGroup | Refusal:
    """The organisation's group of this name. Refuses: unknown_group."""
    return _named(groups_by_name(cell, organisation.id), organisation, name)


def list_members(
    cell: Connection, group: LicenceGroup, *, after: str = "", limit: int = PAGE_ROWS_MAX
) -> list[Holder]:
    """Members by name, at most PAGE_ROWS_MAX; `after` is the last name of the page before."""
    size = min(limit, PAGE_ROWS_MAX)
    return members_by_name(cell, group.organisation_id, group.name, after, size)


def _write_members(cell: Connection, group: LicenceGroup, rules: UserRules) -> Refusal | None:
    """Give all members of a group what the rules say now: first all are checked, then written."""
    for page in _pages(cell, group):
        for member in page:
            found = rules.with_groups(member)
            if isinstance(found, Refusal):
                return found
    for page in _pages(cell, group):
        changed = [rules.with_groups(member) for member in page]
        put_holders(cell, (each for each in changed if isinstance(each, Holder)))
    return None


def _pages(cell: Connection, group: LicenceGroup) -> Iterator[list[Holder]]:
    after = ""
    while page := list_members(cell, group, after=after):
        yield page
        after = page[-1].user.name


def _named(
    groups: list[LicenceGroup], organisation: Organisation, name: str
) -> LicenceGroup | Refusal:
    for group in groups:
        if group.name == name:
            return group
    shown = name[:GROUP_NAME_TEXT_MAX]
    return Refusal("unknown_group", f"{organisation.name} has no group named {shown!r}")


def _bad_name(name: str) -> Refusal | None:
    refusal = check_word("the group's name", name, GROUP_NAME_TEXT_MAX)
    if refusal is None and not _NOT_IN_NAMES.isdisjoint(name):
        detail = "the group's name must be without semicolons, double quotes and backslashes"
        return Refusal("invalid_value", detail)
    return refusal
