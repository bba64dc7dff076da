"""Who looks after an organisation: roles changed, members removed. An owner stays, always.

The caller opens and commits the control plane's transaction.
"""

from talktime.core.refusal import Refusal
from talktime.operations.accounts import MEMBER_ROLES, no_owner_without
from talktime.operations.audit import note
from talktime.operations.input_checks import check_one_of
from talktime.store import people as store
from talktime.store.database import Connection
from talktime.store.people import Member


def list_members(control: Connection, organisation_id: int) -> list[Member]:
    """Everybody who looks after an organisation, by address."""
    return store.members_of(control, organisation_id)


def change_role(
    control: Connection, organisation_id: int, account_id: int, role: str
) -> Member | Refusal:
    """Give a member another role. Refuses: invalid_value, unknown_member, last_owner."""
    refusal = check_one_of("the role", role, MEMBER_ROLES)
    if refusal is not None:
        return refusal
    found = _locked(control, organisation_id, account_id)
    if isinstance(found, Refusal):
        return found
    members, member = found
    refusal = no_owner_without(members, member) if role != "owner" else None
    if refusal is not None:
        return refusal
    store.set_role(control, member, role)
    before, after = {"role": member.role}, {"role": role}
    note(control, organisation_id, "member.role_set", member.email, before=before, after=after)
    return member._replace(role=role)


def remove_member(control: Connection, organisation_id: int, account_id: int) -> Member | Refusal:
    """Take the organisation from a member, whose account stays. Refuses: unknown_member,
    last_owner."""
    found = _locked(control, organisation_id, account_id)
    if isinstance(found, Refusal):
        return found
    members, member = found
    refusal = no_owner_without(members, member)
    if refusal is not None:
        return refusal
    store.delete_membership(control, member)
    note(control, organisation_id, "member.removed", member.email, before={"role": member.role})
    return member


def _locked(
    control: Connection, organisation_id: int, account_id: int
) -> tuple[list[Member], Member] | Refusal:
    store.lock_organisation(control, organisation_id)
    members = store.members_of(control, organisation_id)
    for member in members:
        if member.account_id == account_id:
            return members, member
    return Refusal("unknown_member", f"account {account_id} does not look after this organisation")
