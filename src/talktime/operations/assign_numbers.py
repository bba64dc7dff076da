"""Numbers of an organisation: reserve them, assign them, attach one, take it out of use.

The caller opens and commits the control plane's transaction.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

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
from talktime.core.limits import NUMBERS_REQUEST_MAX, RESERVED_MS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.find_numbers import find_number, numbers_taken
from talktime.operations.input_checks import check_one_of
from talktime.operations.number_quotas import Allowance
from talktime.operations.numbers import Number, parse_number
from talktime.operations.render import utc_text
from talktime.store.database import Connection
from talktime.store.numbers import (
    Reservation,
    end_reservation,
    insert_numbers,
    numbers_of_digits,
    put_reservation,
    reservation_of,
    update_number,
)
from talktime.store.revisions import DIRECTORY, lock


def reserve_numbers(
    control: Connection,
    organisation: Organisation,
    texts: Sequence[str],
    *,
    kind: str = USER_NUMBER,
    allowance: Allowance,
    now_ms: int,
) -> list[Reservation] | Refusal:
    """Keep numbers for the organisation for ten minutes (R90), in which nobody else gets them: all
    of them, or none.

    One that is kept already ends when it would have. They count as numbers of their kind. Refuses:
    invalid_number, invalid_value, already_exists, number_reserved, never_funded, quota_reached.
    """
    numbers = _parsed(texts, kind)
    if isinstance(numbers, Refusal):
        return numbers
    lock(control, DIRECTORY)
    asked = _Asked(organisation, kind, numbers)
    there = _there(control, asked, allowance, now_ms)
    if isinstance(there, Refusal):
        return there
    made = []
    for digits in numbers:
        kept = reservation_of(control, digits)
        until_ms = kept.until_ms if kept and now_ms < kept.until_ms else now_ms + RESERVED_MS_MAX
        one = Reservation(digits, organisation.id, kind, until_ms)
        put_reservation(control, one, now_ms)
        after: Facts = {"kind": kind, "until_ms": until_ms}
        note(control, organisation.id, "number.reserved", f"+{digits}", after=after)
        made.append(one)
    return made


def reserve_number(
    control: Connection,
    organisation: Organisation,
    text: str,
    *,
    kind: str = USER_NUMBER,
    allowance: Allowance,
    now_ms: int,
) -> Reservation | Refusal:
    """Keep one number, as `reserve_numbers` does. Refuses the same."""
    made = reserve_numbers(
        control, organisation, [text], kind=kind, allowance=allowance, now_ms=now_ms
    )
    return made if isinstance(made, Refusal) else made[0]


def assign_numbers(
    control: Connection,
    organisation: Organisation,
    texts: Sequence[str],
    *,
    kind: str = USER_NUMBER,
    user: User | None = None,
    attached: str = NOT_ATTACHED,
    allowance: Allowance,
    over_quota: bool = False,
    now_ms: int,
) -> list[NumberEntry] | Refusal:
    """Assign numbers (`texts`, in international form) to an organisation, and to a user of it: all
    of them, or none.

    `kind`: a user's number, or a service number, `toll` or `toll_free` (for which the organisation
    pays), which answers as what it is `attached` to: a bridge, or an attendant or queue through a
    resource account. A number that was taken out of use can be assigned again, to anyone; one that
    is reserved to its organisation. Whether a number is toll-free is the number's own.
    `over_quota` is the operator's: the quota does not refuse.

    Refuses: invalid_number; invalid_value; unknown_user for another organisation's;
    already_exists for a number in use, whoever has it; number_reserved; never_funded (R89);
    quota_reached (R88).
    """
    entry = NumberEntry("", organisation.id, user.id if user else None, kind, True)
    entry = entry._replace(attached=attached)
    numbers = _parsed(texts, kind, lambda: _wrong(entry, organisation, user))
    if isinstance(numbers, Refusal):
        return numbers
    lock(control, DIRECTORY)
    asked = _Asked(organisation, kind, numbers)
    there = _there(control, asked, allowance, now_ms, over_quota)
    if isinstance(there, Refusal):
        return there
    assigned = []
    for digits in numbers:
        one, before = entry._replace(digits=digits), there.get(digits)
        end_reservation(control, digits, now_ms)
        if before is None:
            insert_numbers(control, [one])
        else:
            one = _moved(one, before, now_ms)
            update_number(control, one)
        _note(control, "number.assigned", None, one)
        assigned.append(one)
    return assigned


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
    """Assign one number, as `assign_numbers` does. Refuses the same; but one that is assigned just
    so already is given as it is: whoever lost the answer asks again."""
    assigned = assign_numbers(
        *(control, organisation, [text]),
        kind=kind,
        user=user,
        attached=attached,
        allowance=allowance,
        over_quota=over_quota,
        now_ms=now_ms,
    )
    if not isinstance(assigned, Refusal):
        return assigned[0]
    wanted = NumberEntry("", organisation.id, user.id if user else None, kind, attached=attached)
    found = _own_number(control, organisation, text)
    so_already = isinstance(found, NumberEntry) and _facts(found) == _facts(wanted)
    return found if so_already else assigned


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
    if not found.active:
        return Refusal(
            "unknown_number", f"+{found.digits} is out of use; it must be assigned first"
        )
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


class _Asked(NamedTuple):
    """Numbers (digits) of a kind that are asked for."""

    organisation: Organisation
    kind: str
    numbers: list[str]


def _parsed(
    texts: Sequence[str], kind: str, why_not: Callable[[], Refusal | None] = lambda: None
) -> list[str] | Refusal:
    """The numbers' digits, each once, in their order; or the first that cannot be of the kind."""
    if not 0 < len(texts) <= NUMBERS_REQUEST_MAX:
        detail = f"one request takes 1 to {NUMBERS_REQUEST_MAX} numbers"
        return Refusal("invalid_value", detail)
    found: dict[str, None] = {}
    for text in texts:
        number = parse_number(text)
        if isinstance(number, Refusal):
            return number
        refusal = (
            check_one_of("the kind", kind, NUMBER_KINDS)
            or why_not()
            or _of_another_kind(number, kind)
        )
        if refusal is not None:
            return refusal
        found[number.digits] = None
    return list(found)


def _there(
    control: Connection,
    asked: _Asked,
    allowance: Allowance,
    now_ms: int,
    over_quota: bool = False,
) -> dict[str, NumberEntry] | Refusal:
    """The entries of those numbers that somebody had before; or why they cannot be had."""
    there = {each.digits: each for each in numbers_of_digits(control, asked.numbers)}
    for digits in asked.numbers:
        refusal = _in_use(asked.organisation, there.get(digits)) or _reserved(
            control, asked.organisation, digits, now_ms
        )
        if refusal is not None:
            return refusal
    return _beyond(control, asked, allowance, now_ms, over_quota) or there


def _in_use(organisation: Organisation, there: NumberEntry | None) -> Refusal | None:
    if there is None or not there.active:
        return None
    own = there.organisation_id == organisation.id
    owner = "this organisation" if own else "another organisation"
    return Refusal(
        "already_exists",
        f"+{there.digits} is in use by {owner}; take it out of use there first",
    )


def _reserved(
    control: Connection, organisation: Organisation, digits: str, now_ms: int
) -> Refusal | None:
    kept = reservation_of(control, digits)
    if kept is None or kept.organisation_id == organisation.id or kept.until_ms <= now_ms:
        return None
    return Refusal("number_reserved", f"+{digits} is reserved until {utc_text(kept.until_ms)}")


def _beyond(
    control: Connection, asked: _Asked, allowance: Allowance, now_ms: int, over_quota: bool
) -> Refusal | None:
    organisation, kind, numbers = asked
    if kind == TOLL_FREE and not allowance.funded:
        return Refusal("never_funded", f"{organisation.name} was never funded")
    taken = numbers_taken(control, organisation, now_ms=now_ms, but_for=numbers)[kind]
    if over_quota or taken + len(numbers) <= allowance.of(kind):
        return None
    detail = f"{organisation.name} has {taken} of {allowance.of(kind)} {kind} numbers"
    if len(numbers) > 1:
        detail = f"{detail}, and {len(numbers)} more are asked for"
    return Refusal("quota_reached", f"{detail}, those reserved included")
