"""Users of an organisation: add one, change one, write many, find and list them.

They live in the organisation's cell. The caller opens and commits that cell's transaction. A
change is held against the catalogue in force (operations/user_changes.py).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation, User
from talktime.core.licensing import Holder, licences_possible
from talktime.core.limits import PAGE_ROWS_MAX, USER_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.csv_rows import BadFile, Progress, RowErrors
from talktime.operations.input_checks import can_be_stored
from talktime.operations.user_changes import UserChange, UserRules, user_facts
from talktime.store.database import Connection
from talktime.store.licence_groups import groups_by_name
from talktime.store.revisions import USERS, lock
from talktime.store.users import holders_by_name, holders_named, put_holders

Value = TypeVar("Value")
Written = tuple[Holder | None, Holder, str]
"""What a user was, None for a new one, what becomes of them, and the reason that was given."""


class UserRow(NamedTuple):
    """A change that stands on a line of a file, or at a place in a list."""

    line: int
    change: UserChange


class UsersWritten(NamedTuple):
    """What came of writing many users."""

    created: int
    changed: int
    unchanged: int
    dry_run: bool


def create_user(
    cell: Connection,
    organisation: Organisation,
    new: UserChange,
    *,
    catalogue: Catalogue,
    next_id: Callable[[], int],
) -> User | Refusal:
    """Add a user (or a resource account) to an organisation.

    The name is the sign-in name, kept in lower case, and used once in the organisation.
    Refuses: invalid_value, unknown_group, licence_not_possible, already_exists.
    """
    lock(cell, USERS)
    made = _rules(cell, organisation, catalogue).made(new, next_id())
    if isinstance(made, Refusal):
        return made
    name = made.user.name
    if holders_named(cell, organisation.id, [name]):
        return Refusal("already_exists", f"{organisation.name} has a user named {name}")
    put_holders(cell, [made])
    _note(cell, None, made, new.reason)
    return made.user


def change_user(
    cell: Connection, organisation: Organisation, change: UserChange, *, catalogue: Catalogue
) -> User | Refusal:
    """Change a user: licences, groups, whether the user may call at all …

    Refuses: unknown_user, invalid_value, unknown_group, licence_not_possible.
    """
    lock(cell, USERS)
    found = find_holder(cell, organisation, change.name)
    if isinstance(found, Refusal):
        return found
    changed = _rules(cell, organisation, catalogue).changed(found, change)
    if isinstance(changed, Refusal):
        return changed
    if changed != found:
        put_holders(cell, [changed])
        _note(cell, found, changed, change.reason)
    return changed.user


def put_users(
    cell: Connection,
    organisation: Organisation,
    rows: Sequence[UserRow],
    errors: RowErrors,
    *,
    catalogue: Catalogue,
    next_id: Callable[[], int],
    dry_run: bool = False,
    progress: Progress | None = None,
) -> UsersWritten | BadFile:
    """Write many users, each made or changed by its name: all of them, or none.

    `errors` are what was wrong with other rows before; whatever the rules say against a row, or a
    name that stands there twice, is added to them. With `dry_run` nothing is written.
    """
    lock(cell, USERS)
    rules = _rules(cell, organisation, catalogue)
    tell = progress or _tell_nobody
    lines: dict[str, int] = {}
    written: list[Written] = []
    created = checked = 0
    for chunk in _chunks(rows):
        names = [row.change.name.lower() for row in chunk]
        there = {each.user.name: each for each in _there(cell, organisation, names)}
        for row, name in zip(chunk, names, strict=True):
            checked += 1
            first_line = lines.setdefault(name, row.line)
            if first_line != row.line:
                errors.add(row.line, f"name: {name[:40]} stands already on line {first_line}")
                continue
            old = there.get(name)
            new = rules.changed(old, row.change) if old else rules.made(row.change, next_id())
            if isinstance(new, Refusal):
                errors.add(row.line, new.detail)
            elif new != old:
                created += old is None
                written.append((old, new, row.change.reason))
        tell("checked", checked)
    if errors.count:
        return errors.result()
    if not dry_run:
        _write(cell, written, tell)
    changed = len(written) - created
    return UsersWritten(created, changed, len(rows) - len(written), dry_run)


def find_user(cell: Connection, organisation: Organisation, name: str) -> User | Refusal:
    """The organisation's user of this sign-in name, however it is typed.

    Refuses: unknown_user.
    """
    found = find_holder(cell, organisation, name)
    return found if isinstance(found, Refusal) else found.user


def find_holder(cell: Connection, organisation: Organisation, name: str) -> Holder | Refusal:
    """The same user, with where the licences come from. Refuses: unknown_user."""
    found = _there(cell, organisation, [name.lower()])
    if not found:
        shown = name[:USER_NAME_TEXT_MAX]
        return Refusal("unknown_user", f"{organisation.name} has no user named {shown!r}")
    return found[0]


def list_users(
    cell: Connection, organisation: Organisation, *, after: str = "", limit: int = PAGE_ROWS_MAX
) -> list[User]:
    """Users by name, at most PAGE_ROWS_MAX; `after` is the last name of the page before."""
    found = list_holders(cell, organisation, after=after, limit=limit)
    return [holder.user for holder in found]


def list_holders(
    cell: Connection, organisation: Organisation, *, after: str = "", limit: int = PAGE_ROWS_MAX
) -> list[Holder]:
    """The same users, with where the licences come from."""
    return holders_by_name(cell, organisation.id, after, min(limit, PAGE_ROWS_MAX))


def not_lawful(holders: Iterable[Holder], catalogue: Catalogue) -> list[tuple[Holder, Refusal]]:
    """Those whose licences they could not be given together now, and why: they were given before
    the rules or the catalogue became what they are."""
    found = []
    for holder in holders:
        user = holder.user
        refusal = licences_possible(catalogue, user.licences, user.kind, user.usage_location)
        if refusal is not None:
            found.append((holder, refusal))
    return found


def _write(cell: Connection, written: Sequence[Written], tell: Progress) -> None:
    done = 0
    for pairs in _chunks(written):
        put_holders(cell, (new for _, new, _ in pairs))
        for old, new, reason in pairs:
            _note(cell, old, new, reason)
        done += len(pairs)
        tell("written", done)


def _note(cell: Connection, old: Holder | None, new: Holder, reason: str) -> None:
    before, after = None if old is None else user_facts(old), user_facts(new)
    if reason and new.user.active is not (True if old is None else old.user.active):
        after = {**after, "reason": reason}
    note(
        *(cell, new.user.organisation_id),
        "user.created" if old is None else "user.changed",
        new.user.name,
        before=before,
        after=after,
    )


def _there(cell: Connection, organisation: Organisation, names: Iterable[str]) -> list[Holder]:
    """The users of these names, as typed by anyone: of what is no name there is none."""
    return holders_named(cell, organisation.id, [name for name in names if can_be_stored(name)])


def _rules(cell: Connection, organisation: Organisation, catalogue: Catalogue) -> UserRules:
    return UserRules(organisation, catalogue, groups_by_name(cell, organisation.id))


def _chunks(rows: Sequence[Value]) -> Iterator[Sequence[Value]]:
    for start in range(0, len(rows), PAGE_ROWS_MAX):
        yield rows[start : start + PAGE_ROWS_MAX]


def _tell_nobody(doing: str, rows: int) -> None:
    """For a caller that does not ask how far it is."""
