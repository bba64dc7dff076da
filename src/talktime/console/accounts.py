"""Accounts of people who sign in to the console, made from the shell: admins and staff."""

from contextlib import closing
from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from talktime.clock import now_ms
from talktime.console.control_plane.models import Account, Membership, Organisation, email_as_kept
from talktime.console.databases import current
from talktime.console.identity import new_ids
from talktime.console.refusals import sentence
from talktime.core.refusal import Refusal
from talktime.operations.accounts import put_account, put_member, set_staff_role
from talktime.store.database import connect

SHELL = "the shell"
"""Stands for who made a member of staff from the shell: its account is in the audit log."""


class AccountError(ValueError):
    """The account cannot be made as asked; the message says why."""


class Admin(NamedTuple):
    """Who may sign in, and to look after which organisation."""

    account_id: int
    email: str
    organisation_id: int
    organisation: str
    role: str
    active: bool
    created_ms: int


def create_admin(
    email: str, password: str | None, organisation_id: int, role: str = "owner"
) -> int:
    """Let this person look after the organisation in this role, able to sign in; returns the
    account's id.

    Done again it sets the password, or leaves it where none is given, and makes nothing twice.
    Raises AccountError for an address that is none, a password too weak or missing, a role or an
    organisation that does not exist, and for the last owner in another role. Django must be set up
    (`databases.set_up`) and the control plane migrated.
    """
    email = email_as_kept(email)
    hashed = password_to_set(email, password)
    next_id = new_ids().next
    with closing(connect(current().control_plane)) as control, control.transaction():
        account = put_account(control, email, hashed, now_ms=now_ms(), next_id=next_id)
        if isinstance(account, Refusal):
            raise AccountError(sentence(account))
        refusal = put_member(control, organisation_id, account, role, next_id=next_id)
        if refusal is not None:
            raise AccountError(sentence(refusal))
    return account.id


def create_staff(email: str, password: str | None, role: str) -> int:
    """Let this person of the operator's look after all organisations, in this staff role; returns
    the account's id. As `create_admin` otherwise."""
    email = email_as_kept(email)
    hashed = password_to_set(email, password)
    with closing(connect(current().control_plane)) as control, control.transaction():
        account = put_account(control, email, hashed, now_ms=now_ms(), next_id=new_ids().next)
        if not isinstance(account, Refusal):
            account = set_staff_role(control, email, role, by=SHELL, by_shell=True)
        if isinstance(account, Refusal):
            raise AccountError(sentence(account))
    return account.id


def remove_staff(email: str) -> None:
    """Take the staff role from somebody, whose account stays. Raises AccountError where there is no
    such account."""
    with closing(connect(current().control_plane)) as control, control.transaction():
        changed = set_staff_role(control, email_as_kept(email), "", by=SHELL, by_shell=True)
        if isinstance(changed, Refusal):
            raise AccountError(sentence(changed))


def password_to_set(email: str, password: str | None) -> str:
    """The hash of a password to be set; empty where there is none, or the account has it already:
    another hash of it would end its sessions. Raises AccountError."""
    try:
        validate_email(email)
        if password is not None:
            validate_password(password, Account(email=email))
    except ValidationError as error:
        raise AccountError(" ".join(error.messages)) from error
    found = Account.objects.filter(email=email).first()
    if password is None or (found is not None and found.check_password(password)):
        return ""
    return make_password(password)


def account_exists(email: str) -> bool:
    """Whether this person has an account already."""
    return Account.objects.filter(email=email_as_kept(email)).exists()


def list_admins() -> list[Admin]:
    """Everybody who may look after an organisation, by e-mail address."""
    names = dict(Organisation.objects.values_list("id", "name"))
    memberships = Membership.objects.select_related("account").order_by("account__email", "id")
    return [
        Admin(
            each.account.id,
            each.account.email,
            each.organisation_id,
            names.get(each.organisation_id, str(each.organisation_id)),
            each.role,
            each.account.is_active,
            each.account.created_ms,
        )
        for each in memberships
    ]


class Staff(NamedTuple):
    """Somebody of the operator's."""

    account_id: int
    email: str
    role: str
    confirmed: bool
    active: bool
    created_ms: int


def list_staff() -> list[Staff]:
    """Everybody of the operator's, by e-mail address."""
    accounts = Account.objects.exclude(staff_role="").order_by("email")
    return [
        Staff(
            *(each.id, each.email, each.staff_role),
            each.staff_role != "operator" or bool(each.confirmed_by),
            *(each.is_active, each.created_ms),
        )
        for each in accounts
    ]
