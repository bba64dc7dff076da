"""Numbers of an organisation: find one, list them, count them.

The caller opens the control plane's transaction or `reading`.
"""

from collections.abc import Sequence

from talktime.core.directory import NUMBER_KINDS, USER_NUMBER, NumberEntry, Organisation, User
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.numbers import parse_number
from talktime.store.database import Connection
from talktime.store.numbers import (
    Reservation,
    numbers_counted,
    numbers_of_digits,
    numbers_of_kind,
    numbers_of_nobody,
    numbers_of_organisation,
    numbers_of_user,
    reservations_counted,
    reservations_of_kind,
)


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


def list_numbers_of_kind(
    control: Connection,
    organisation: Organisation,
    kind: str,
    *,
    active: bool = True,
    part: str = "",
    after: str = "",
    limit: int = PAGE_ROWS_MAX,
) -> list[NumberEntry]:
    """An organisation's numbers of one kind in their order, at most PAGE_ROWS_MAX: those in use, or
    those that are not any more. `part` are digits that stand in them; `after` is the last number
    (digits) of the page before."""
    rows = min(limit, PAGE_ROWS_MAX)
    return numbers_of_kind(control, organisation.id, kind, after, rows, active=active, part=part)


def list_reservations(
    control: Connection, organisation: Organisation, kind: str, *, now_ms: int
) -> list[Reservation]:
    """The numbers of one kind that are kept for an organisation now, at most PAGE_ROWS_MAX."""
    return reservations_of_kind(control, organisation.id, kind, now_ms, PAGE_ROWS_MAX)


def numbers_of(control: Connection, organisation: Organisation, user: User) -> list[NumberEntry]:
    """The numbers in use that a user has, at most PAGE_ROWS_MAX."""
    return numbers_of_user(control, organisation.id, user.id, PAGE_ROWS_MAX)


def free_numbers(
    control: Connection, organisation: Organisation, *, limit: int = PAGE_ROWS_MAX
) -> list[NumberEntry]:
    """Some of the users' numbers of an organisation that no user has, at most `limit`."""
    return numbers_of_nobody(control, organisation.id, USER_NUMBER, limit)


def numbers_taken(
    control: Connection, organisation: Organisation, *, now_ms: int, but_for: Sequence[str] = ()
) -> dict[str, int]:
    """How many numbers the organisation has in use or reserved, by kind; `but_for` these digits."""
    in_use = numbers_counted(control, organisation.id)
    reserved = reservations_counted(control, organisation.id, now_ms, but_for)
    return {kind: in_use.get(kind, 0) + reserved.get(kind, 0) for kind in NUMBER_KINDS}
