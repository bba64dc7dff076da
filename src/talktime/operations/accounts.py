"""Accounts of people who sign in: made, given a staff role, told of what changed about them.

Passwords come as hashes: how they are hashed is the console's. The caller opens and commits the
control plane's transaction.
"""

from collections.abc import Callable

from talktime.core.refusal import Refusal
from talktime.operations.account_mail import MailSealed, write_mail
from talktime.operations.account_words import LANGUAGES
from talktime.operations.audit import note
from talktime.operations.input_checks import check_one_of, check_time_zone, first
from talktime.operations.recipients import check_email
from talktime.store import people as store
from talktime.store.database import Connection
from talktime.store.people import Account

STAFF_ROLES = ("finance", "operator")
MEMBER_ROLES = ("owner", "billing_admin", "voice_admin", "viewer")


def put_account(
    control: Connection,
    email: str,
    password_hash: str,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> Account | Refusal:
    """The account of this address, made where it is not there; active again where it was closed.

    A `password_hash` that is not empty is its password from now on. Refuses: invalid_value; and
    unknown_account where a new one would have no password.
    """
    refusal = check_email(email)
    if refusal is not None:
        return refusal
    found = store.account_of_email(control, email)
    if found is None:
        if not password_hash:
            return Refusal("unknown_account", f"{email} has no account: a new one needs a password")
        found = Account(next_id(), email)
        store.insert_account(control, found, password_hash, now_ms)
        note(control, None, "account.made", email, always=True)
        return found
    if not found.active:
        store.set_active(control, found.id, True)
        note(control, None, "account.opened", email, always=True)
    if password_hash:
        store.set_password(control, found.id, password_hash)
        note(control, None, "account.password_set", email, always=True)
    return found._replace(active=True)


def put_member(
    control: Connection,
    organisation_id: int,
    account: Account,
    role: str,
    *,
    next_id: Callable[[], int],
) -> Refusal | None:
    """Let an account look after an organisation, in this role from now on.

    Refuses: invalid_value, unknown_organisation; last_owner, where it is that.
    """
    refusal = check_one_of("the role", role, MEMBER_ROLES)
    if refusal is not None:
        return refusal
    if store.lock_organisation(control, organisation_id) is None:
        return Refusal("unknown_organisation", f"there is no organisation {organisation_id}")
    members = store.members_of(control, organisation_id)
    found = next((each for each in members if each.account_id == account.id), None)
    if found is None:
        store.insert_membership(control, next_id(), account.id, organisation_id, role)
        note(control, organisation_id, "member.added", account.email, after={"role": role})
        return None
    if role != "owner":
        refusal = no_owner_without(members, found)
    if refusal is None:
        store.set_role(control, found, role)
        before, after = {"role": found.role}, {"role": role}
        note(control, organisation_id, "member.role_set", account.email, before=before, after=after)
    return refusal


def no_owner_without(members: list[store.Member], member: store.Member) -> Refusal | None:
    """Refuses last_owner where nobody else, who can sign in, owns the organisation."""
    others = [each for each in members if each.id != member.id and each.active]
    if member.role != "owner" or any(each.role == "owner" for each in others):
        return None
    return Refusal("last_owner", f"{member.email} is the only owner who can sign in")


def set_staff_role(
    control: Connection, email: str, role: str, *, by: str, by_shell: bool = False
) -> Account | Refusal:
    """Say what somebody of the operator's may do on all organisations; empty for nothing.

    A new operator gives and approves once a second one has confirmed it (operations/four_eyes.py);
    one whom the shell makes (`by_shell`) at once. Refuses: invalid_value, unknown_account.
    """
    refusal = check_one_of("the staff role", role, ("", *STAFF_ROLES))
    if refusal is not None:
        return refusal
    found = store.account_of_email(control, email)
    if found is None or (role and not found.active):
        return Refusal("unknown_account", f"nobody signs in as {email[:254]!r}")
    store.set_staff_role(control, found.id, role)
    now = found._replace(staff_role=role)
    if by_shell or role != found.staff_role:
        now = now._replace(
            staff_by=by if role else "", confirmed_by=by if by_shell and role else ""
        )
        store.set_confirmed(control, found.id, now.staff_by, now.confirmed_by)
    before, after = {"staff_role": found.staff_role}, {"staff_role": role}
    note(control, None, "staff.set", email, before=before, after=after)
    return now


def set_reader(
    control: Connection, account_id: int, *, language: str, time_zone: str
) -> Refusal | None:
    """In which language (en, de) and time zone an account reads; empty: as the browser asks, and as
    the organisation keeps time. Refuses: invalid_value, unknown_account."""
    refusal = first(
        check_one_of("the language", language, ("", *LANGUAGES)),
        check_time_zone(time_zone) if time_zone else None,
    )
    if refusal is not None:
        return refusal
    found = store.account_of_id(control, account_id)
    if found is None:
        return Refusal("unknown_account", f"there is no account {account_id}")
    store.set_reader(control, account_id, language, time_zone)
    before = {"language": found.language, "time_zone": found.time_zone}
    after = {"language": language, "time_zone": time_zone}
    note(control, None, "account.reader_set", found.email, before=before, after=after)
    return None


def tell_of_change(
    control: Connection, account: Account, kind: str, facts: dict[str, str], mail: MailSealed
) -> None:
    """Keep that a password or a way to sign in was changed, and tell its owner by mail."""
    note(control, None, f"account.{kind}", account.email, always=True)
    write_mail(control, account.email, kind, {**facts, **reader_of(account)}, mail)


def reader_of(account: Account) -> dict[str, str]:
    """How the account reads, among the facts of a mail."""
    return {"language": account.language, "time_zone": account.time_zone}
