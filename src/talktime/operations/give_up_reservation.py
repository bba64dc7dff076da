"""Give up a reservation of a number before it ends.

The caller opens and commits the control plane's transaction.
"""

from talktime.core.audit import Facts
from talktime.core.directory import Organisation
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.numbers import parse_number
from talktime.store.database import Connection
from talktime.store.numbers import Reservation, end_reservation, reservation_of
from talktime.store.revisions import DIRECTORY, lock


def give_up_reservation(
    control: Connection, organisation: Organisation, text: str, *, now_ms: int
) -> Reservation | Refusal:
    """Let anybody have a number (`text`, in international form) that was kept for the organisation;
    it counts as none of its kind any more. The reservation as it ended: now.

    Refuses: invalid_number; unknown_number where it is not kept for this organisation (any more).
    """
    number = parse_number(text)
    if isinstance(number, Refusal):
        return number
    lock(control, DIRECTORY)
    kept = reservation_of(control, number.digits)
    if kept is None or kept.organisation_id != organisation.id or kept.until_ms <= now_ms:
        detail = f"+{number.digits} is not reserved for {organisation.name}"
        return Refusal("unknown_number", detail)
    end_reservation(control, number.digits, now_ms)
    before: Facts = {"kind": kept.kind, "until_ms": kept.until_ms}
    note(control, organisation.id, "number.given_up", f"+{number.digits}", before=before)
    return kept._replace(until_ms=now_ms)
