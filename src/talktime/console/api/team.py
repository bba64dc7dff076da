"""`.../members`, `invitations` and `audit`: who looks after an organisation, and what they did."""

import secrets
from typing import Any

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import (
    AskedPage,
    IdText,
    Moment,
    PathId,
    Sent,
    Shown,
    listing,
)
from talktime.console.people.mail import sealed_mail
from talktime.core.audit import Change
from talktime.core.keys import OPERATOR
from talktime.core.limits import EMAIL_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.accounts import MEMBER_ROLES
from talktime.operations.audit_log import list_changes
from talktime.operations.invitations import invite, list_waiting, revoke, send_again
from talktime.operations.team import change_role, list_members, remove_member
from talktime.store.audit import LAST, Sought
from talktime.store.invitations import Invitation as AnInvitation
from talktime.store.people import Member as AMember

SECRET_BYTES = 32
team = Resource("Team", "Who looks after the organisation in the console.")
audit = Resource("Audit log", "What was changed, by whom, from where.")
Answer = dict[str, Any]
_ROLE = Field(json_schema_extra={"enum": list(MEMBER_ROLES)})


class Member(Shown):
    """Somebody who looks after the organisation, in a role."""

    account_id: IdText
    email: str
    role: str
    active: bool


class Invitation(Shown):
    """Somebody was asked by mail, and has not answered."""

    invitation_id: IdText
    email: str
    role: str
    invited_by: str
    created: Moment
    expires: Moment


class Changed(Shown):
    """A change: of what, by whom, and what differs."""

    change_id: IdText
    at: Moment
    actor_kind: str
    actor: str
    place: str
    action: str
    subject: str
    before: dict[str, str | int | bool | list[str] | None]
    after: dict[str, str | int | bool | list[str] | None]


class SentInvitation(Sent):
    """Whom to ask, and for which role."""

    email: str = Field(max_length=EMAIL_TEXT_MAX, examples=["admin@contoso.example"])
    role: str = _ROLE


class SentRole(Sent):
    """A member's role from now on."""

    role: str = _ROLE


UNKNOWN = ("unknown_member", "last_owner")
WAITING = ("unknown_invitation",)


@team.reads("/members", listing("members", Member, paged=False))
def get_team(asked: Asked) -> Answer:
    """Everybody who looks after the organisation, by address."""
    with asked.control.reading():
        return {"members": list_members(asked.control, asked.owner.id)}


@team.does(
    *("PATCH", "/members/{int:account_id}", Member),
    by=(OPERATOR,),
    refusals=UNKNOWN,
    sent={"role": "viewer"},
)
def patch_member(asked: Asked, account_id: PathId, sent: SentRole) -> AMember | Refusal:
    """Give a member another role."""
    with asked.control.transaction():
        return change_role(asked.control, asked.owner.id, account_id, sent.role)


@team.does("DELETE", "/members/{int:account_id}", Member, by=(OPERATOR,), refusals=UNKNOWN)
def delete_member(asked: Asked, account_id: PathId) -> AMember | Refusal:
    """Take the organisation from a member, whose account stays."""
    with asked.control.transaction():
        return remove_member(asked.control, asked.owner.id, account_id)


@team.reads("/invitations", listing("invitations", Invitation, paged=False))
def get_invitations(asked: Asked) -> Answer:
    """Invitations that nobody answered, the newest first."""
    with asked.control.reading():
        found = list_waiting(asked.control, asked.owner.id)
    return {"invitations": [_invitation(each) for each in found]}


@team.does(
    *("POST", "/invitations", Invitation),
    by=(OPERATOR,),
    refusals=("already_exists", "too_many_invitations"),
    sent={"email": "admin@contoso.example", "role": "owner"},
)
def post_invitation(asked: Asked, sent: SentInvitation) -> Answer | Refusal:
    """Ask somebody by mail to look after the organisation."""
    with asked.control.transaction():
        made = invite(
            *(asked.control, asked.owner.id, sent.email, sent.role),
            secret=secrets.token_urlsafe(SECRET_BYTES),
            invited_by=asked.actor,
            mail=sealed_mail(),
        )
    return _invited(made)


@team.does(
    *("POST", "/invitations/{int:invitation_id}/again", Invitation),
    by=(OPERATOR,),
    refusals=(*WAITING, "too_many_invitations"),
)
def post_invitation_again(asked: Asked, invitation_id: PathId) -> Answer | Refusal:
    """Send an invitation once more, with another link."""
    with asked.control.transaction():
        made = send_again(
            *(asked.control, asked.owner.id, invitation_id),
            secret=secrets.token_urlsafe(SECRET_BYTES),
            invited_by=asked.actor,
            mail=sealed_mail(),
        )
    return _invited(made)


@team.does(
    "DELETE", "/invitations/{int:invitation_id}", Invitation, by=(OPERATOR,), refusals=WAITING
)
def delete_invitation(asked: Asked, invitation_id: PathId) -> Answer | Refusal:
    """Let an invitation be accepted no more."""
    with asked.control.transaction():
        return _invited(revoke(asked.control, asked.owner.id, invitation_id, now_ms=asked.now_ms))


@audit.reads("/audit", listing("changes", Changed))
def get_audit(asked: Asked, page: AskedPage) -> Answer:
    """What was changed of the organisation, the newest first."""
    sought = Sought(asked.owner.id, before=page.place or LAST)
    found = list_changes((asked.control, asked.cell), sought, limit=page.limit)
    answer: Answer = asked.page(page, "changes", found, lambda each: f"{each.at_ms}-{each.id}")
    return {**answer, "changes": [_change(each) for each in found]}


def _change(change: Change) -> Answer:
    return {
        "change_id": change.id,
        "at": change.at_ms,
        "actor_kind": change.actor.kind,
        "actor": change.actor.name,
        "place": change.actor.place,
        "action": change.action,
        "subject": change.subject,
        "before": dict(change.before),
        "after": dict(change.after),
    }


def _invited(made: AnInvitation | Refusal) -> Answer | Refusal:
    return made if isinstance(made, Refusal) else _invitation(made)


def _invitation(invitation: AnInvitation) -> Answer:
    return {
        "invitation_id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "invited_by": invitation.invited_by,
        "created": invitation.created_ms,
        "expires": invitation.expires_ms,
    }
