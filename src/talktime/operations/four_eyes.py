"""Four eyes: how much one person may give alone, and who may approve what is above that.

What somebody gave alone in the last 24 hours, to whomever, by whichever key of theirs, counts
together. An operator gives alone, and approves, once a second operator has confirmed them (or the
shell made them): an account that somebody makes for themselves is no second pair of eyes.
"""

from talktime.core.catalogue import Catalogue
from talktime.core.giving import WINDOW_MS, room_micros
from talktime.core.money import parse_micros
from talktime.core.refusal import Refusal
from talktime.operations.audit import note, person_of
from talktime.store import four_eyes as store
from talktime.store import people
from talktime.store.catalogue import CATALOGUE
from talktime.store.database import Connection
from talktime.store.people import Account
from talktime.store.revisions import lock


def approval_above(catalogue: Catalogue, currency: str) -> int:
    """How much, in micros, one person may give alone in 24 hours, in this currency."""
    return parse_micros(catalogue.currency(currency).approval_above)


def why_not_eyes(control: Connection, person: str) -> Refusal | None:
    """Refuses approval_needed where somebody is no operator whom a second one has confirmed.

    Names without @ are accounts of the machine's, that made a key in its shell; a key of which
    nobody knows who made it is nobody's. In the caller's transaction.
    """
    if "@" not in person:
        if " " not in person:
            return None
        return Refusal("approval_needed", f"who stands behind {person} is not known: rotate it")
    account = people.account_of_email(control, person)
    if account is None or not account.active or account.staff_role != "operator":
        return Refusal("approval_needed", f"{person} is no operator")
    if not account.confirmed_by:
        return Refusal("approval_needed", f"no second operator has confirmed {person}")
    return None


def room_of(
    control: Connection,
    catalogue: Catalogue,
    currency: str,
    actor: str,
    now_ms: int,
    *,
    by_shell: bool = False,
    but: tuple[int, str] = (0, ""),
) -> int:
    """What somebody may give alone now, in micros, not counting one request (`but`: organisation
    and key). Nothing, where `why_not_eyes`; the shell needs no confirmation. In the caller's
    transaction."""
    person = person_of(actor)
    if not by_shell and why_not_eyes(control, person) is not None:
        return 0
    given = store.given_since(control, person, now_ms - WINDOW_MS, *but)
    limits = {code: approval_above(catalogue, code) for code in (*given, currency)}
    return room_micros(given, limits, currency)


def take(
    control: Connection,
    catalogue: Catalogue,
    given: store.Given,
    *,
    by_shell: bool = False,
) -> bool:
    """Whether a person may give this alone: then it is counted, before it is given, in a
    transaction of its own under the catalogue's lock, so that two at once do not pass together.

    What is counted stays so, even where it is refused after all: a request that counts itself out
    again could do so for one that was done.
    """
    with control.transaction():
        lock(control, CATALOGUE)
        person = person_of(given.person)
        store.forget_given(control, given.at_ms - WINDOW_MS)
        but = (given.organisation_id, given.idempotency_key)
        room = room_of(
            *(control, catalogue, given.currency, person, given.at_ms), by_shell=by_shell, but=but
        )
        if given.amount_micros > room:
            return False
        store.put_given(control, given._replace(person=person))
        return True


def confirm_staff(control: Connection, email: str, *, by: str) -> Account | Refusal:
    """Say that an operator is a person of their own, who may give and approve from now on: another
    operator, confirmed themselves, than the one who gave the role.

    The caller opens and commits the transaction. Refuses: unknown_account, approval_needed.
    """
    found = people.account_of_email(control, email)
    if found is None or found.staff_role != "operator":
        return Refusal("unknown_account", f"{email[:254]!r} is no operator")
    if found.confirmed_by:
        return found
    refusal = why_not_eyes(control, by)
    if refusal is not None:
        return refusal
    if by in (found.email, found.staff_by):
        detail = f"{by} made {email} an operator: another one confirms it"
        return Refusal("approval_needed", detail)
    people.set_confirmed(control, found.id, found.staff_by, by)
    before, after = {"confirmed_by": ""}, {"confirmed_by": by}
    note(control, None, "staff.confirmed", email, before=before, after=after)
    return found._replace(confirmed_by=by)


def why_not_decide(
    control: Connection, asked_by: str, actor: str, *, by_shell: bool = False
) -> Refusal | None:
    """Refuses approval_needed for who asked, however they come, and for who is no second pair of
    eyes. In the caller's transaction."""
    if person_of(asked_by) == person_of(actor):
        return Refusal("approval_needed", f"{actor} asked for it: another operator decides")
    return None if by_shell else why_not_eyes(control, person_of(actor))
