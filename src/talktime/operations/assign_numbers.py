"""Numbers of an organisation: reserve one, assign it, attach it, take it out of use, find, list.

The caller opens and commits the control plane's transaction.
"""

from talktime.core.audit import Facts
from talktime.core.directory import (
    ATTACHMENTS,
    ATTENDANT,
    NOT_ATTACHED,
    NUMBER_KINDS,
    QUEUE,
    RESOURCE_ACCOUNT,
    TOLL_FREE,
    USER_NUMBER,
    NumberEntry,
    Organisation,
    User,
)
from talktime.core.limits import PAGE_ROWS_MAX, RESERVED_MS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_one_of
from talktime.operations.number_quotas import Allowance
from talktime.operations.numbers import Number, parse_number
from talktime.operations.render import utc_text
from talktime.store.database import Connection
from talktime.store.numbers import (
    Reservation,
    end_reservation,
    insert_numbers,
    numbers_counted,
    numbers_of_digits,
    numbers_of_kind,
    numbers_of_nobody,
    numbers_of_organisation,
    numbers_of_user,
    put_reservation,
    reservation_of,
    reservations_counted,
    update_number,
)
from talktime.store.revisions import DIRECTORY, lock


def reserve_number(
    control: Connection,
    organisation: Organisation,
    text: str,
    *,
    kind: str = USER_NUMBER,
    allowance: Allowance,
    now_ms: int,
) -> Reservation | Refusal:
    """Keep a number for the organisation for ten minutes (R90), in which nobody else gets it.

    Asked again meanwhile, it ends when it would have. It counts as a number of its kind. Refuses:
    invalid_number, invalid_value, already_exists, number_reserved, never_funded, quota_reached.
    """
    number = parse_number(text)
    if isinstance(number, Refusal):
        return number
    refusal = check_one_of("the kind", kind, NUMBER_KINDS) or _of_another_kind(number, kind)
    if refusal is not None:
        return refusal
    lock(control, DIRECTORY)
    there = numbers_of_digits(control, [number.digits])
    refusal = (
        _in_use(organisation, there)
        or _reserved(control, organisation, number.digits, now_ms)
        or _beyond(control, organisation, number.digits, kind, allowance, now_ms)
    )
    if refusal is not None:
        return refusal
    kept = reservation_of(control, number.digits)
    until_ms = now_ms + RESERVED_MS_MAX
    if kept is not None and now_ms < kept.until_ms:
        until_ms = kept.until_ms
    made = Reservation(number.digits, organisation.id, kind, until_ms)
    put_reservation(control, made, now_ms)
    after: Facts = {"kind": kind, "until_ms": until_ms}
    note(control, organisation.id, "number.reserved", f"+{number.digits}", after=after)
    return made


def assign_number(
    control: Connection,
    organisation: Organisation,
    text: str,
    *,
    kind: str = USER_NUMBER,
    user: User | None = None,
    attached: str = NOT_ATTACHED,
    allowance: Allowance,
    over_quota: bool = False,
    now_ms: int,
) -> NumberEntry | Refusal:
    """Assign a number (`text`, in international form) to an organisation, and to a user of it.

    `kind`: a user's number, or a service number, `toll` or `toll_free` (for which the organisation
    pays), which answers as what it is `attached` to: a bridge, or an attendant or queue through a
    resource account. A number that was taken out of use can be assigned again, to anyone; one that
    is reserved to its organisation. Whether a number is toll-free is the number's own.
    `over_quota` is the operator's: the quota does not refuse.

    Refuses: invalid_number; invalid_value; unknown_user for another organisation's;
    already_exists for a number in use, whoever has it; number_reserved; never_funded (R89);
    quota_reached (R88).
    """
    number = parse_number(text)
    if isinstance(number, Refusal):
        return number
    entry = NumberEntry(number.digits, organisation.id, user.id if user else None, kind, True)
    entry = entry._replace(attached=attached)
    refusal = _wrong(entry, organisation, user) or _of_another_kind(number, kind)
    if refusal is not None:
        return refusal
    lock(control, DIRECTORY)
    there = numbers_of_digits(control, [number.digits])
    refusal = (
        _in_use(organisation, there)
        or _reserved(control, organisation, number.digits, now_ms)
        or _beyond(control, organisation, number.digits, kind, allowance, now_ms, over_quota)
    )
    if refusal is not None:
        return refusal
    end_reservation(control, number.digits, now_ms)
    if there:
        entry = _moved(entry, there[0], now_ms)
        update_number(control, entry)
    else:
        insert_numbers(control, [entry])
    _note(control, "number.assigned", None, entry)
    return entry


def attach_number(
    control: Connection,
    organisation: Organisation,
    text: str,
    *,
    attached: str,
    user: User | None = None,
) -> NumberEntry | Refusal:
    """Let a service number answer as something else, through another resource account or none.

    Refuses: invalid_number, unknown_number, invalid_value, unknown_user.
    """
    lock(control, DIRECTORY)
    found = _own_number(control, organisation, text)
    if isinstance(found, Refusal):
        return found
    changed = found._replace(attached=attached, user_id=user.id if user else None)
    refusal = _wrong(changed, organisation, user)
    if refusal is not None:
        return refusal
    if changed != found:
        update_number(control, changed)
        _note(control, "number.attached", found, changed)
    return changed


def release_number(
    control: Connection, organisation: Organisation, text: str
) -> NumberEntry | Refusal:
    """Take a number out of use: from now on no call is known by it. Done again, it stays so.

    Refuses: invalid_number; unknown_number where the organisation does not have it.
    """
    lock(control, DIRECTORY)
    found = _own_number(control, organisation, text)
    if isinstance(found, Refusal):
        return found
    released = found._replace(active=False)
    if found.active:
        update_number(control, released)
        _note(control, "number.released", found, released)
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


def list_numbers_in_use(
    control: Connection,
    organisation: Organisation,
    kind: str,
    *,
    after: str = "",
    limit: int = PAGE_ROWS_MAX,
) -> list[NumberEntry]:
    """An organisation's numbers in use of one kind in their order, at most PAGE_ROWS_MAX; `after`
    is the last number (digits) of the page before."""
    return numbers_of_kind(control, organisation.id, kind, after, min(limit, PAGE_ROWS_MAX))


def numbers_of(control: Connection, organisation: Organisation, user: User) -> list[NumberEntry]:
    """The numbers in use that a user has, at most PAGE_ROWS_MAX."""
    return numbers_of_user(control, organisation.id, user.id, PAGE_ROWS_MAX)


def free_numbers(
    control: Connection, organisation: Organisation, *, limit: int = PAGE_ROWS_MAX
) -> list[NumberEntry]:
    """Some of the users' numbers of an organisation that no user has, at most `limit`."""
    return numbers_of_nobody(control, organisation.id, USER_NUMBER, limit)


def give_number(
    control: Connection, organisation: Organisation, text: str, user: User
) -> NumberEntry | Refusal:
    """Give a user one of the organisation's numbers that nobody has.

    Refuses: invalid_number, unknown_number, invalid_value for a service number, already_exists
    where somebody has it.
    """
    lock(control, DIRECTORY)
    found = _own_number(control, organisation, text)
    if isinstance(found, Refusal):
        return found
    if found.user_id not in (None, user.id) or not found.active:
        return Refusal("already_exists", f"+{found.digits} is not free any more; choose another")
    if found.kind != USER_NUMBER:
        return Refusal("invalid_value", f"+{found.digits} is a service number; attach it instead")
    return attach_number(control, organisation, text, attached=NOT_ATTACHED, user=user)


def take_number(
    control: Connection, organisation: Organisation, text: str, user: User
) -> NumberEntry | Refusal:
    """Take a number from a user; the organisation keeps it.

    Refuses: invalid_number, unknown_number where this user does not have it.
    """
    lock(control, DIRECTORY)
    found = _own_number(control, organisation, text)
    if isinstance(found, Refusal):
        return found
    if found.user_id != user.id or found.kind != USER_NUMBER:
        return Refusal("unknown_number", f"+{found.digits} is no number of {user.name}'s own")
    return attach_number(control, organisation, text, attached=NOT_ATTACHED)


def numbers_taken(
    control: Connection, organisation: Organisation, *, now_ms: int, but_for: str = ""
) -> dict[str, int]:
    """How many numbers the organisation has in use or reserved, by kind; `but_for` these digits."""
    in_use = numbers_counted(control, organisation.id)
    reserved = reservations_counted(control, organisation.id, now_ms, but_for)
    return {kind: in_use.get(kind, 0) + reserved.get(kind, 0) for kind in NUMBER_KINDS}


def _moved(entry: NumberEntry, before: NumberEntry, now_ms: int) -> NumberEntry:
    """What is assigned of a number that somebody had, with who had it before."""
    moved_from, moved_ms = before.moved_from, before.moved_ms
    if before.organisation_id != entry.organisation_id:
        moved_from, moved_ms = before.organisation_id, now_ms
    return entry._replace(moved_from=moved_from, moved_ms=moved_ms)


def _note(control: Connection, action: str, old: NumberEntry | None, new: NumberEntry) -> None:
    before = None if old is None else _facts(old)
    note(control, new.organisation_id, action, f"+{new.digits}", before=before, after=_facts(new))


def _facts(entry: NumberEntry) -> Facts:
    user = None if entry.user_id is None else str(entry.user_id)
    return {"kind": entry.kind, "user": user, "attached": entry.attached, "active": entry.active}


def _own_number(
    control: Connection, organisation: Organisation, text: str
) -> NumberEntry | Refusal:
    found = find_number(control, text)
    if isinstance(found, Refusal) or found.organisation_id == organisation.id:
        return found
    return Refusal("unknown_number", f"{organisation.name} has no number +{found.digits}")


def _wrong(entry: NumberEntry, organisation: Organisation, user: User | None) -> Refusal | None:
    refusal = check_one_of("the kind", entry.kind, NUMBER_KINDS) or check_one_of(
        "what the number answers as", entry.attached, ATTACHMENTS
    )
    if refusal is not None:
        return refusal
    if user is not None and user.organisation_id != organisation.id:
        return Refusal("unknown_user", f"{user.name} is no user of {organisation.name}")
    if entry.kind == USER_NUMBER:
        if entry.attached == NOT_ATTACHED:
            return None
        detail = "a user's number is the user's alone; a bridge, attendant or queue answers toll "
        return Refusal("invalid_value", f"{detail}and toll_free numbers")
    if user is not None and user.kind != RESOURCE_ACCOUNT:
        detail = f"{user.name} is a person; a service number belongs to a resource account"
        return Refusal("invalid_value", detail)
    if entry.attached in (ATTENDANT, QUEUE) and user is None:
        detail = f"the {entry.attached} answers through a resource account; name one"
        return Refusal("invalid_value", detail)
    return None


def _of_another_kind(number: Number, kind: str) -> Refusal | None:
    if (number.kind == TOLL_FREE) == (kind == TOLL_FREE):
        return None
    what, kinds = ("no", "user or toll") if kind == TOLL_FREE else ("a", TOLL_FREE)
    detail = f"+{number.digits} is {what} toll-free number; its kind is {kinds}"
    return Refusal("invalid_value", detail)


def _in_use(organisation: Organisation, there: list[NumberEntry]) -> Refusal | None:
    if not there or not there[0].active:
        return None
    own = there[0].organisation_id == organisation.id
    owner = "this organisation" if own else "another organisation"
    return Refusal(
        "already_exists",
        f"+{there[0].digits} is in use by {owner}; take it out of use there first",
    )


def _reserved(
    control: Connection, organisation: Organisation, digits: str, now_ms: int
) -> Refusal | None:
    kept = reservation_of(control, digits)
    if kept is None or kept.organisation_id == organisation.id or kept.until_ms <= now_ms:
        return None
    return Refusal("number_reserved", f"+{digits} is reserved until {utc_text(kept.until_ms)}")


def _beyond(
    control: Connection,
    organisation: Organisation,
    digits: str,
    kind: str,
    allowance: Allowance,
    now_ms: int,
    over_quota: bool = False,
) -> Refusal | None:
    if kind == TOLL_FREE and not allowance.funded:
        return Refusal("never_funded", f"{organisation.name} was never funded")
    taken = numbers_taken(control, organisation, now_ms=now_ms, but_for=digits)[kind]
    if over_quota or taken < allowance.of(kind):
        return None
    detail = f"{organisation.name} has {taken} of {allowance.of(kind)} {kind} numbers"
    return Refusal("quota_reached", f"{detail}, those reserved included")
