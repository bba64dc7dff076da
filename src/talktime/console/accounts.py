"""Accounts of people who sign in to the console, and what they may look after."""

import secrets
import time

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from talktime.config import CONTROL_PLANE_ALIAS
from talktime.console.control_plane.models import Account, Membership, Organisation, email_as_kept
from talktime.core.ids import NODES, Ids


class AccountError(ValueError):
    """The account cannot be made as asked; the message says why."""


def create_admin(email: str, password: str, organisation_id: int) -> int:
    """Make this person an admin of the organisation, able to sign in; returns the account's id.

    Done again it sets the password and makes nothing twice. Raises AccountError for an address that
    is none, a password too weak, and an organisation that does not exist. Django must be set up
    (`databases.set_up`) and the control plane migrated.
    """
    email = email_as_kept(email)
    try:
        validate_email(email)
        validate_password(password, Account(email=email))
    except ValidationError as error:
        raise AccountError(" ".join(error.messages)) from error
    ids = Ids(secrets.randbelow(NODES), now_ms)
    with transaction.atomic(using=CONTROL_PLANE_ALIAS):
        if not Organisation.objects.filter(id=organisation_id).exists():
            raise AccountError(f"There is no organisation {organisation_id}.")
        account = Account.objects.filter(email=email).first()
        if account is None:
            account = Account(id=ids.next(), email=email, created_ms=now_ms())
        account.is_active = True
        account.set_password(password)
        account.save()
        Membership.objects.get_or_create(
            account=account,
            organisation_id=organisation_id,
            defaults={"id": ids.next(), "role": "admin"},
        )
    return int(account.id)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
