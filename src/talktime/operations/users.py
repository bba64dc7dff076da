"""Users of an organisation: add one, give licences, switch one off, find and list them.

They live in the organisation's cell. The caller opens and commits that cell's transaction.
"""

from collections.abc import Callable, Iterable

from talktime.core.directory import PERSON, USER_KINDS, Organisation, User
from talktime.core.limits import NAME_TEXT_MAX, PAGE_ROWS_MAX, USER_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.input_checks import (
    check_country,
    check_licences,
    check_one_of,
    check_text,
    check_word,
    first,
)
from talktime.store.database import Connection
from talktime.store.directory import (
    USERS,
    insert_users,
    lock,
    update_user,
    users_by_name,
    users_named,
)


def create_user(
    cell: Connection,
    organisation: Organisation,
    *,
    name: str,
    display_name: str,
    usage_location: str,
    licences: Iterable[str] = (),
    kind: str = PERSON,
    next_id: Callable[[], int],
) -> User | Refusal:
    """Add a user (or a resource account) to an organisation.

    `name` is the sign-in name, kept in lower case, and used once in the organisation.
    Refuses: invalid_value, already_exists.
    """
    name, codes = name.lower(), frozenset(licences)
    refusal = first(
        check_word("the user's name", name, USER_NAME_TEXT_MAX),
        check_text("the display name", display_name, NAME_TEXT_MAX),
        check_country("the usage location", usage_location),
        check_licences(codes),
        check_one_of("the kind", kind, USER_KINDS),
    )
    if refusal is not None:
        return refusal
    lock(cell, USERS)
    if users_named(cell, organisation.id, [name]):
        return Refusal("already_exists", f"{organisation.name} has a user named {name}")
    user = User(next_id(), organisation.id, name, display_name, usage_location, codes, kind, True)
    insert_users(cell, [user])
    return user


def change_user(
    cell: Connection,
    organisation: Organisation,
    name: str,
    *,
    display_name: str | None = None,
    usage_location: str | None = None,
    licences: Iterable[str] | None = None,
    active: bool | None = None,
) -> User | Refusal:
    """Change what is not None of a user: all the licences, whether the user may call at all …

    Refuses: unknown_user, invalid_value.
    """
    lock(cell, USERS)
    found = find_user(cell, organisation, name)
    if isinstance(found, Refusal):
        return found
    changed = found._replace(
        display_name=found.display_name if display_name is None else display_name,
        usage_location=found.usage_location if usage_location is None else usage_location,
        licences=found.licences if licences is None else frozenset(licences),
        active=found.active if active is None else active,
    )
    refusal = first(
        check_text("the display name", changed.display_name, NAME_TEXT_MAX),
        check_country("the usage location", changed.usage_location),
        check_licences(changed.licences),
    )
    if refusal is not None:
        return refusal
    if changed != found:
        update_user(cell, changed)
    return changed


def find_user(cell: Connection, organisation: Organisation, name: str) -> User | Refusal:
    """The organisation's user of this sign-in name, however it is typed.

    Refuses: unknown_user.
    """
    found = users_named(cell, organisation.id, [name.lower()])
    if not found:
        shown = name[:USER_NAME_TEXT_MAX]
        return Refusal("unknown_user", f"{organisation.name} has no user named {shown!r}")
    return found[0]


def list_users(
    cell: Connection, organisation: Organisation, *, after: str = "", limit: int = PAGE_ROWS_MAX
) -> list[User]:
    """Users by name, at most PAGE_ROWS_MAX; `after` is the last name of the page before."""
    return users_by_name(cell, organisation.id, after, min(limit, PAGE_ROWS_MAX))
