"""Accounts of people who sign in to the console, and what they may look after."""

import secrets
import time

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from talktime.config import CONTROL_PLANE_ALIAS
from talktime.console.control_plane.models import Account, Membership, Organisation, email_as_kept

RANDOM_BITS = 22  # beside 41 bits of milliseconds: 63 bits, so ids stay positive in a BIGINT


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
    with transaction.atomic(using=CONTROL_PLANE_ALIAS):
        if not Organisation.objects.filter(id=organisation_id).exists():
            raise AccountError(f"There is no organisation {organisation_id}.")
        account = Account.objects.filter(email=email).first()
        if account is None:
            account = Account(id=new_id(), email=email, created_ms=now_ms())
        account.is_active = True
        account.set_password(password)
        account.save()
        Membership.objects.get_or_create(
            account=account,
            organisation_id=organisation_id,
            defaults={"id": new_id(), "role": "admin"},
        )
    return int(account.id)


def new_id() -> int:
    """An id ordered by time; the random part keeps two processes apart."""
    return now_ms() << RANDOM_BITS | secrets.randbits(RANDOM_BITS)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
