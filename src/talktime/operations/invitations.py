"""Ask somebody by mail to look after an organisation, and take their answer.

The mail's link holds a secret of which only the SHA-256 is kept: who has it reads the mail of that
address. The caller opens and commits the control plane's transaction.
"""

from collections.abc import Callable
from typing import NamedTuple

from talktime.core.limits import INVITATION_MS_MAX, INVITATIONS_A_DAY_MAX, MEMBERS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.account_mail import MailSealed, write_mail
from talktime.operations.accounts import MEMBER_ROLES, put_account, put_member
from talktime.operations.audit import note
from talktime.operations.input_checks import check_one_of, first
from talktime.operations.keys import secret_hash
from talktime.operations.recipients import check_email
from talktime.store import invitations as store
from talktime.store import people
from talktime.store.database import Connection
from talktime.store.invitations import Invitation
from talktime.store.people import Account

DAY_MS = 86_400_000


class Invited(NamedTuple):
    """An open invitation, the organisation's name, and whether there is an account for it."""

    invitation: Invitation
    organisation: str
    has_account: bool


def invite(
    control: Connection,
    organisation_id: int,
    email: str,
    role: str,
    *,
    secret: str,
    invited_by: str,
    mail: MailSealed,
) -> Invitation | Refusal:
    """Ask somebody to look after the organisation in this role, by a mail whose link holds for
    seven days; an open invitation of the same address ends.

    `secret` is a text of chance that fits in a URL. Refuses: invalid_value, unknown_organisation,
    already_exists for a member, too_many_invitations.
    """
    email = email.strip().lower()
    refusal = first(check_email(email), check_one_of("the role", role, MEMBER_ROLES))
    if refusal is not None:
        return refusal
    organisation = people.lock_organisation(control, organisation_id)
    if organisation is None:
        return Refusal("unknown_organisation", f"there is no organisation {organisation_id}")
    members = people.members_of(control, organisation_id)
    refusal = _why_not(control, organisation_id, email, members, mail.now_ms)
    if refusal is not None:
        return refusal
    for each in store.waiting_invitations(control, organisation_id, MEMBERS_MAX):
        if each.email == email:
            store.revoke_invitation(control, each.id, mail.now_ms)
    invitation = Invitation(
        *(mail.next_id(), organisation_id, email, role, secret_hash(secret), invited_by),
        created_ms=mail.now_ms,
        expires_ms=mail.now_ms + INVITATION_MS_MAX,
    )
    store.insert_invitation(control, invitation)
    note(control, organisation_id, "member.invited", email, after={"role": role}, always=True)
    facts = {
        "organisation": organisation,
        "invited_by": invited_by,
        "role": role,
        "expires_ms": str(invitation.expires_ms),
        "link": f"{mail.address}/invitation/{secret}/",
    }
    write_mail(control, email, "invitation", facts, mail)
    return invitation


def _why_not(
    control: Connection,
    organisation_id: int,
    email: str,
    members: list[people.Member],
    now_ms: int,
) -> Refusal | None:
    if any(each.email == email for each in members):
        return Refusal("already_exists", f"{email} looks after this organisation already")
    if len(members) >= MEMBERS_MAX:
        return Refusal("invalid_value", f"a team has at most {MEMBERS_MAX} members")
    if store.invited_since(control, organisation_id, now_ms - DAY_MS) >= INVITATIONS_A_DAY_MAX:
        detail = f"an organisation sends at most {INVITATIONS_A_DAY_MAX} invitations in a day"
        return Refusal("too_many_invitations", detail)
    return None


def send_again(
    control: Connection,
    organisation_id: int,
    invitation_id: int,
    *,
    secret: str,
    invited_by: str,
    mail: MailSealed,
) -> Invitation | Refusal:
    """Send an invitation anew, with another link and seven days more; the former link ends.

    Refuses: unknown_invitation, and as `invite` does.
    """
    found = _waiting(control, organisation_id, invitation_id)
    if isinstance(found, Refusal):
        return found
    return invite(
        *(control, organisation_id, found.email, found.role),
        secret=secret,
        invited_by=invited_by,
        mail=mail,
    )


def revoke(
    control: Connection, organisation_id: int, invitation_id: int, *, now_ms: int
) -> Invitation | Refusal:
    """Let an invitation be accepted no more. Refuses: unknown_invitation."""
    found = _waiting(control, organisation_id, invitation_id)
    if isinstance(found, Refusal):
        return found
    store.revoke_invitation(control, found.id, now_ms)
    before = {"role": found.role}
    note(control, organisation_id, "invitation.revoked", found.email, before=before)
    return found


def _waiting(control: Connection, organisation_id: int, invitation_id: int) -> Invitation | Refusal:
    people.lock_organisation(control, organisation_id)
    found = store.invitation_of_id(control, organisation_id, invitation_id)
    if found is None or found.accepted_ms is not None or found.revoked_ms is not None:
        return Refusal("unknown_invitation", f"invitation {invitation_id} does not wait any more")
    return found


def list_waiting(control: Connection, organisation_id: int) -> list[Invitation]:
    """Invitations that nobody answered, expired ones too, the newest first."""
    return store.waiting_invitations(control, organisation_id, MEMBERS_MAX)


def find_invitation(control: Connection, secret: str, now_ms: int) -> Invited | Refusal:
    """The open invitation of this link. Refuses: unknown_invitation."""
    found = store.invitation_of_hash(control, secret_hash(secret))
    if found is None or not found.is_open(now_ms):
        return Refusal("unknown_invitation", "this invitation was used, taken back, or is too old")
    name = people.lock_organisation(control, found.organisation_id) or ""
    return Invited(found, name, people.account_of_email(control, found.email) is not None)


def accept(
    control: Connection,
    secret: str,
    *,
    signed_in_as: str,
    password_hash: str,
    now_ms: int,
    next_id: Callable[[], int],
) -> tuple[Invitation, Account] | Refusal:
    """Accept an invitation: as the account that is signed in (its address), or with a new account
    and its password. Who is a member already keeps the role that they have.

    Refuses: unknown_invitation; another_account where somebody else is signed in, or nobody is and
    the address has an account.
    """
    invited = find_invitation(control, secret, now_ms)
    if isinstance(invited, Refusal):
        return invited
    invitation = invited.invitation
    if signed_in_as != invitation.email and (signed_in_as or invited.has_account):
        return Refusal("another_account", f"the invitation is for {invitation.email}")
    account = put_account(
        control,
        invitation.email,
        "" if signed_in_as else password_hash,
        now_ms=now_ms,
        next_id=next_id,
    )
    if isinstance(account, Refusal):
        return account
    _join(control, invitation, account, now_ms, next_id)
    return invitation, account


def may_join(control: Connection, email: str, now_ms: int) -> bool:
    """Whether somebody is invited to any organisation."""
    return bool(store.open_invitations_of(control, email, now_ms))


def join_all(
    control: Connection,
    email: str,
    password_hash: str,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> Account | Refusal:
    """Make the account of somebody whose address another service vouches for, and accept all that
    they are invited to. Refuses: unknown_invitation where that is nothing; as `put_account`."""
    invitations = store.open_invitations_of(control, email, now_ms)
    if not invitations:
        return Refusal("unknown_invitation", f"{email} is not invited")
    account = put_account(control, email, password_hash, now_ms=now_ms, next_id=next_id)
    if not isinstance(account, Refusal):
        for each in invitations:
            people.lock_organisation(control, each.organisation_id)
            _join(control, each, account, now_ms, next_id)
    return account


def _join(
    control: Connection,
    invitation: Invitation,
    account: Account,
    now_ms: int,
    next_id: Callable[[], int],
) -> None:
    members = people.members_of(control, invitation.organisation_id)
    if all(each.account_id != account.id for each in members):
        put_member(
            *(control, invitation.organisation_id, account, invitation.role), next_id=next_id
        )
    store.accept_invitation(control, invitation.id, now_ms)
