"""The tables that all cells share: organisations and their cells, numbers, keys, rates, sign-in.

Nothing here refers to a row of a cell but by its id. A `revision` column takes the value of the
counter of its kind (table revision); engine processes read the rows above the value they have seen.
"""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from talktime.console.control_plane.account_models import (
    MEMBER_ROLES,
    STAFF_ROLES,
    AccountMail,  # noqa: F401
    AuditEntry,  # noqa: F401
    Creation,  # noqa: F401
    GivenAlone,  # noqa: F401
    Invitation,  # noqa: F401
    LimitRequest,  # noqa: F401
)
from talktime.console.control_plane.provider_models import (  # noqa: F401 - found here by Django
    ProviderSetting,
    SandboxCard,
    SandboxCharge,
    SandboxDispute,
    SandboxEvent,
    SandboxRefund,
    SandboxSwitches,
)
from talktime.console.identity import Id


class Organisation(models.Model):
    id = Id(primary_key=True)
    name = models.CharField(max_length=128)
    cell = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64)
    country = models.CharField(max_length=2)
    commerce_model = models.CharField(max_length=16)
    active = models.BooleanField()
    rate_card = models.CharField(max_length=64)
    calling_rules = models.TextField()
    created_ms = models.BigIntegerField()
    revision = models.BigIntegerField()

    class Meta:
        db_table = "organisation"
        constraints = [
            models.UniqueConstraint(fields=["name"], name="organisation_once_by_name"),
            models.CheckConstraint(
                condition=Q(commerce_model__in=["prepaid", "draining", "post_usage"]),
                name="organisation_commerce_model_known",
            ),
        ]
        indexes = [models.Index(fields=["revision"], name="organisation_by_revision")]


class Number(models.Model):
    digits = models.CharField(max_length=15, primary_key=True)
    organisation_id = models.BigIntegerField()
    user_id = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=16)
    # What a service number answers as: a conference bridge, an auto attendant or a call queue.
    attached = models.CharField(max_length=16)
    active = models.BooleanField()
    # The organisation that had it before, and when it went; null where none had.
    moved_from = models.BigIntegerField(null=True)
    moved_ms = models.BigIntegerField(null=True)
    revision = models.BigIntegerField()

    class Meta:
        db_table = "number"
        constraints = [
            models.CheckConstraint(
                condition=Q(moved_from__isnull=True, moved_ms__isnull=True)
                | Q(moved_from__isnull=False, moved_ms__isnull=False),
                name="number_moved_from_somebody_at_some_time",
            ),
            models.CheckConstraint(
                condition=Q(attached__in=["", "bridge", "attendant", "queue"]),
                name="number_attached_to_something_known",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["user", "toll", "toll_free"]), name="number_kind_known"
            ),
        ]
        indexes = [
            models.Index(fields=["revision"], name="number_by_revision"),
            models.Index(fields=["organisation_id"], name="number_by_organisation"),
            # For the pages of numbers and users.
            models.Index(fields=["organisation_id", "user_id"], name="number_by_user"),
            models.Index(
                fields=["organisation_id", "kind", "active", "digits"], name="number_by_kind"
            ),
        ]


class PaymentEventInbox(models.Model):
    """What was posted to the door of a payment provider's events, as it came. Its signature is
    looked at by a job, which alone knows the provider; then the row goes."""

    id = Id(primary_key=True)
    provider = models.CharField(max_length=16)
    body = models.TextField()
    # The headers that may hold a signature, as a JSON object.
    headers = models.TextField()
    received_ms = models.BigIntegerField()
    due_ms = models.BigIntegerField()

    class Meta:
        db_table = "payment_event_inbox"
        indexes = [models.Index(fields=["due_ms"], name="payment_event_inbox_due")]


class NumberReservation(models.Model):
    """A number kept for an organisation that looks at it, until a time."""

    digits = models.CharField(max_length=15, primary_key=True)
    organisation_id = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    until_ms = models.BigIntegerField()

    class Meta:
        db_table = "number_reservation"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["user", "toll", "toll_free"]),
                name="number_reservation_kind_known",
            ),
        ]


class Switch(models.Model):
    id = Id(primary_key=True)
    name = models.CharField(max_length=64)
    operator = models.CharField(max_length=128)
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "switch"
        constraints = [models.UniqueConstraint(fields=["name"], name="switch_once_by_name")]


class Peer(models.Model):
    """Where a switch speaks Diameter or RADIUS from. A RADIUS secret is sealed."""

    id = Id(primary_key=True)
    switch_id = models.BigIntegerField()
    protocol = models.CharField(max_length=16)
    # Diameter: the Origin-Host, in lower case. RADIUS: any name.
    name = models.CharField(max_length=255)
    realm = models.CharField(max_length=255)
    # Networks (CIDR) that it may come from, a comma between them; empty for any.
    addresses = models.TextField()
    sealed_secret = models.TextField()
    tls = models.BooleanField()
    # Whether numbers without "+" are international.
    plus = models.BooleanField()
    disconnect_to = models.CharField(max_length=255)
    created_ms = models.BigIntegerField()
    revoked_ms = models.BigIntegerField(null=True)
    made_by = models.CharField(max_length=254, null=True)

    class Meta:
        db_table = "peer"
        constraints = [
            models.CheckConstraint(
                condition=Q(protocol__in=["diameter", "radius"]), name="peer_protocol_known"
            ),
            models.UniqueConstraint(
                fields=["protocol", "name"],
                condition=Q(revoked_ms__isnull=True),
                name="peer_once_by_name",
            ),
        ]
        indexes = [models.Index(fields=["switch_id"], name="peer_by_switch")]


class ApiKey(models.Model):
    """The key of a switch, of an organisation's own programs (then `organisation_id` says whose,
    and `switch_id` is 0), or of the operator's (neither). Only its SHA-256 is kept; `used_ms` is
    when it last opened the management API, to the hour."""

    id = Id(primary_key=True)
    switch_id = models.BigIntegerField()
    organisation_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=64)
    secret_hash = models.CharField(max_length=64)
    scopes = models.TextField()
    created_ms = models.BigIntegerField()
    expires_ms = models.BigIntegerField(null=True)
    revoked_ms = models.BigIntegerField(null=True)
    used_ms = models.BigIntegerField(null=True)
    # Who made it, and so knows its text: with it, they cannot approve what they asked for.
    made_by = models.CharField(max_length=254, null=True)
    revision = models.BigIntegerField()

    class Meta:
        db_table = "api_key"
        constraints = [
            models.UniqueConstraint(fields=["secret_hash"], name="api_key_once_by_secret"),
            models.CheckConstraint(
                condition=Q(organisation_id__isnull=True) | Q(switch_id=0),
                name="api_key_of_a_switch_or_an_organisation",
            ),
        ]
        indexes = [
            models.Index(fields=["revision"], name="api_key_by_revision"),
            models.Index(fields=["organisation_id"], name="api_key_by_organisation"),
        ]


class RateCard(models.Model):
    id = Id(primary_key=True)
    name = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    valid_from_ms = models.BigIntegerField()
    imported_ms = models.BigIntegerField()
    source = models.CharField(max_length=255)
    row_count = models.IntegerField()
    revision = models.BigIntegerField()

    class Meta:
        db_table = "rate_card"
        constraints = [
            models.UniqueConstraint(
                fields=["name", "valid_from_ms"], name="rate_card_once_by_start"
            )
        ]
        indexes = [models.Index(fields=["revision"], name="rate_card_by_revision")]


class RateDraft(models.Model):
    """A rate file that was uploaded and checked, until it is published or thrown away."""

    id = Id(primary_key=True)
    name = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    source = models.CharField(max_length=255)
    # Null: from when it is published.
    valid_from_ms = models.BigIntegerField(null=True)
    row_count = models.IntegerField()
    # The file, compressed (zlib) and in base64.
    content = models.TextField()
    made_ms = models.BigIntegerField()
    made_by = models.CharField(max_length=200)

    class Meta:
        db_table = "rate_draft"


class Rate(models.Model):
    """One row of a card. A card is published whole; a trigger refuses to change its rows."""

    id = Id(primary_key=True)
    card_id = models.BigIntegerField()
    direction = models.CharField(max_length=16)
    prefix = models.CharField(max_length=15)
    destination = models.CharField(max_length=200)
    kind = models.CharField(max_length=32)
    country = models.CharField(max_length=2)
    per_minute_micros = models.BigIntegerField()
    fee_micros = models.BigIntegerField()
    first_increment_s = models.IntegerField()
    next_increment_s = models.IntegerField()
    valid_from_ms = models.BigIntegerField()

    class Meta:
        db_table = "rate"
        constraints = [
            models.CheckConstraint(
                condition=Q(direction__in=["outbound", "toll_free_in", "toll_in"]),
                name="rate_direction_known",
            ),
            models.CheckConstraint(
                condition=Q(per_minute_micros__gte=0), name="rate_per_minute_not_negative"
            ),
            models.CheckConstraint(condition=Q(fee_micros__gte=0), name="rate_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(first_increment_s__gte=1), name="rate_first_increment_positive"
            ),
            models.CheckConstraint(
                condition=Q(next_increment_s__gte=1), name="rate_next_increment_positive"
            ),
            models.UniqueConstraint(
                fields=["card_id", "direction", "prefix", "valid_from_ms"],
                name="rate_once_by_prefix",
            ),
        ]


class CatalogueRow(models.Model):
    """One entry of the catalogue (a licence, a country, a policy ...) as it is from a moment on;
    an empty body takes it out of the catalogue."""

    id = Id(primary_key=True)
    kind = models.CharField(max_length=16)
    code = models.CharField(max_length=64)
    valid_from_ms = models.BigIntegerField()
    body = models.TextField()
    revision = models.BigIntegerField()

    class Meta:
        db_table = "catalogue_row"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "code", "valid_from_ms"], name="catalogue_row_once_by_start"
            ),
        ]
        indexes = [models.Index(fields=["revision"], name="catalogue_row_by_revision")]


class Revision(models.Model):
    """Counters that engine processes poll: `directory`, `keys`, `rates`, `catalogue`."""

    name = models.CharField(max_length=32, primary_key=True)
    value = models.BigIntegerField()

    class Meta:
        db_table = "revision"


class AccountManager(BaseUserManager["Account"]):
    def get_by_natural_key(self, username: str | None) -> "Account":
        """The account of this e-mail address, however it was typed."""
        return self.get(email=email_as_kept(username or ""))


class Account(AbstractBaseUser):
    """Someone who signs in to the console, by e-mail address (kept in lower case)."""

    id = Id(primary_key=True)
    email = models.CharField(max_length=254)
    is_active = models.BooleanField()
    created_ms = models.BigIntegerField()
    # What somebody of the operator's may do on every organisation; empty for everybody else.
    staff_role = models.CharField(max_length=16, default="")
    # Who gave the staff role, and which second operator confirmed it; empty: nobody.
    staff_by = models.CharField(max_length=254, default="")
    confirmed_by = models.CharField(max_length=254, default="")
    # Empty: as the browser asks, and as the organisation keeps time.
    language = models.CharField(max_length=16, default="")
    time_zone = models.CharField(max_length=64, default="")

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        db_table = "account"
        constraints = [
            models.UniqueConstraint(fields=["email"], name="account_once_by_email"),
            models.CheckConstraint(
                condition=Q(staff_role__in=list(STAFF_ROLES)), name="account_staff_role_known"
            ),
        ]

    @classmethod
    def normalize_username(cls, username: str) -> str:
        return email_as_kept(username)


class Membership(models.Model):
    """What an account may look after: one organisation, in a role (console/roles.py)."""

    id = Id(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    organisation_id = models.BigIntegerField()
    role = models.CharField(max_length=16)

    class Meta:
        db_table = "membership"
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=list(MEMBER_ROLES)), name="membership_role_known"
            ),
            models.UniqueConstraint(
                fields=["account", "organisation_id"], name="membership_once_each"
            ),
        ]


def email_as_kept(email: str) -> str:
    """How an address is compared and stored: without spaces around it, in lower case."""
    return email.strip().lower()
