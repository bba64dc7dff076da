"""Numbers of an organisation: assign one to it or to a user, take one out of use, find, list.

The caller opens and commits the control plane's transaction.
"""

from talktime.core.directory import NUMBER_KINDS, USER_NUMBER, NumberEntry, Organisation, User
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.input_checks import check_one_of
from talktime.operations.numbers import parse_number
from talktime.store.database import Connection
from talktime.store.directory import (
    DIRECTORY,
    insert_numbers,
    lock,
    numbers_of_digits,
    numbers_of_organisation,
    update_number,
)


def assign_number(
    control: Connection,
    organisation: Organisation,
    text: str,
    *,
    kind: str = USER_NUMBER,
    user: User | None = None,
) -> NumberEntry | Refusal:
    """Assign a number (`text`, in international form) to an organisation, and to a user of it.

    `kind`: a user's number, or a service number, `toll` or `toll_free` (for which the organisation
    pays; a user is then its resource account). A number that was taken out of use can be assigned
    again, to anyone. Refuses: invalid_number; invalid_value; unknown_user for another
    organisation's; already_exists for a number in use, whoever has it.
    """
    number = parse_number(text)
    if isinstance(number, Refusal):
        return number
    refusal = check_one_of("the kind", kind, NUMBER_KINDS)
    if refusal is not None:
        return refusal
    if user is not None and user.organisation_id != organisation.id:
        return Refusal("unknown_user", f"{user.name} is no user of {organisation.name}")
    lock(control, DIRECTORY)
    entry = NumberEntry(number.digits, organisation.id, user.id if user else None, kind)
    there = numbers_of_digits(control, [number.digits])
    if not there:
        insert_numbers(control, [entry])
    elif there[0].active:
        owner = "it" if there[0].organisation_id == organisation.id else "another organisation"
        return Refusal(
            "already_exists",
            f"+{number.digits} is in use by {owner}; take it out of use there first",
        )
    else:
        update_number(control, entry)
    return entry


def release_number(
    control: Connection, organisation: Organisation, text: str
) -> NumberEntry | Refusal:
    """Take a number out of use: from now on no call is known by it. Done again, it stays so.

    Refuses: invalid_number; unknown_number where the organisation does not have it.
    """
    lock(control, DIRECTORY)
    found = find_number(control, text)
    if isinstance(found, Refusal):
        return found
    if found.organisation_id != organisation.id:
        return Refusal("unknown_number", f"{organisation.name} has no number +{found.digits}")
    released = found._replace(active=False)
    if found.active:
        update_number(control, released)
    return released


def find_number(control: Connection, text: str) -> NumberEntry | Refusal:
    """The entry of a number, in use or not. Refuses: invalid_number, unknown_number."""
    number = parse_number(text)
    if isinstance(number, Refusal):
        return number
    found = numbers_of_digits(control, [number.digits])
    if not found:
        return Refusal("unknown_number", f"+{number.digits} belongs to no organisation")
    return found[0]


def list_numbers(
    control: Connection, organisation: Organisation, *, after: str = "", limit: int = PAGE_ROWS_MAX
) -> list[NumberEntry]:
    """An organisation's numbers in their order, at most PAGE_ROWS_MAX, those out of use as well.

    `after` is the last number (digits) of the page before.
    """
    return numbers_of_organisation(control, organisation.id, after, min(limit, PAGE_ROWS_MAX))
