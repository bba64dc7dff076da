"""Accounts of people who sign in to the console, and what they may look after."""

import secrets
from typing import NamedTuple

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from talktime.clock import now_ms
from talktime.config import CONTROL_PLANE_ALIAS
from talktime.console.control_plane.models import Account, Membership, Organisation, email_as_kept
from talktime.core.ids import NODES, Ids


class AccountError(ValueError):
    """The account cannot be made as asked; the message says why."""


class Admin(NamedTuple):
    """Who may sign in, and to look after which organisation."""

    account_id: int
    email: str
    organisation_id: int
    organisation: str
    active: bool
    created_ms: int


def create_admin(email: str, password: str | None, organisation_id: int) -> int:
    """Make this person an admin of the organisation, able to sign in; returns the account's id.

    Done again it sets the password, or leaves it where none is given, and makes nothing twice.
    Raises AccountError for an address that is none, a password too weak or missing, and an
    organisation that does not exist. Django must be set up (`databases.set_up`) and the control
    plane migrated.
    """
    email = email_as_kept(email)
    try:
        validate_email(email)
        if password is not None:
            validate_password(password, Account(email=email))
    except ValidationError as error:
        raise AccountError(" ".join(error.messages)) from error
    ids = Ids(secrets.randbelow(NODES), now_ms)
    with transaction.atomic(using=CONTROL_PLANE_ALIAS):
        if not Organisation.objects.filter(id=organisation_id).exists():
            raise AccountError(f"There is no organisation {organisation_id}.")
        account = Account.objects.filter(email=email).first()
        if account is None:
            if password is None:
                raise AccountError(f"There is no account {email}: a new one needs a password.")
            account = Account(id=ids.next(), email=email, created_ms=now_ms())
        account.is_active = True
        if password is not None and not account.check_password(password):
            account.set_password(password)  # ends the sessions under another one
        account.save()
        Membership.objects.get_or_create(
            account=account,
            organisation_id=organisation_id,
            defaults={"id": ids.next(), "role": "owner"},
        )
    return int(account.id)


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
            each.account.is_active,
            each.account.created_ms,
        )
        for each in memberships
    ]
