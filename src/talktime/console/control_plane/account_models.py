"""The tables of people who sign in: invitations, what is mailed to them, what they changed.

What allauth keeps of a person (second factors, sessions, sign-in at another service) is in its own
tables.
"""

from django.db import models
from django.db.models import Q

from talktime.console.identity import Id

MEMBER_ROLES = ("owner", "billing_admin", "voice_admin", "viewer")
STAFF_ROLES = ("", "finance", "operator")


class Invitation(models.Model):
    """Somebody was asked by mail to look after an organisation; of the link's secret only its
    SHA-256 is kept."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    email = models.CharField(max_length=254)
    role = models.CharField(max_length=16)
    secret_hash = models.CharField(max_length=64)
    invited_by = models.CharField(max_length=254)
    created_ms = models.BigIntegerField()
    expires_ms = models.BigIntegerField()
    accepted_ms = models.BigIntegerField(null=True)
    revoked_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "invitation"
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=list(MEMBER_ROLES)), name="invitation_role_known"
            ),
            models.UniqueConstraint(fields=["secret_hash"], name="invitation_once_by_secret"),
        ]
        indexes = [
            models.Index(fields=["organisation_id", "created_ms"], name="invitation_by_time")
        ]


class AccountMail(models.Model):
    """Mail to a person about their account, until it is handed over: it may hold a secret link, so
    its content is sealed, and gone once it is sent."""

    id = Id(primary_key=True)
    to_email = models.CharField(max_length=254)
    kind = models.CharField(max_length=32)
    sealed_content = models.TextField()
    state = models.CharField(max_length=16)
    tries = models.IntegerField()
    due_ms = models.BigIntegerField(null=True)
    created_ms = models.BigIntegerField()
    tried_ms = models.BigIntegerField(null=True)
    detail = models.CharField(max_length=300)

    class Meta:
        db_table = "account_mail"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["due", "sent", "failed"]), name="account_mail_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["due_ms"], condition=Q(state="due"), name="account_mail_due"),
        ]


class Creation(models.Model):
    """What a program had made over the management API under an idempotency key, or a form of the
    console under its own, and the answer without its secret; the same again gets it once more.
    `owner_id` is an organisation's, or 0."""

    pk = models.CompositePrimaryKey("owner_id", "idempotency_key")
    owner_id = models.BigIntegerField()
    idempotency_key = models.CharField(max_length=200)
    # Of the request and the installation's key together.
    body_hash = models.BigIntegerField()
    answer = models.TextField()
    asked_ms = models.BigIntegerField()

    class Meta:
        db_table = "creation"
        indexes = [models.Index(fields=["asked_ms"], name="creation_age")]


class GivenAlone(models.Model):
    """What a person gave, or set out to give, without approval; forgotten after 24 hours. The
    limit counts all of it, whichever cell it went to."""

    id = Id(primary_key=True)
    person = models.CharField(max_length=254)
    organisation_id = models.BigIntegerField()
    idempotency_key = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    amount_micros = models.BigIntegerField()
    at_ms = models.BigIntegerField()

    class Meta:
        db_table = "given_alone"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0), name="given_alone_amount_positive"
            ),
            models.UniqueConstraint(
                fields=["person", "organisation_id", "idempotency_key"],
                name="given_alone_once_by_key",
            ),
        ]
        indexes = [models.Index(fields=["at_ms"], name="given_alone_by_time")]


class LimitRequest(models.Model):
    """A currency's entry of the catalogue that would let one person give more alone: asked for,
    until a second operator decides."""

    id = Id(primary_key=True)
    code = models.CharField(max_length=3)
    valid_from_ms = models.BigIntegerField()
    entry_text = models.TextField()
    state = models.CharField(max_length=16)
    asked_by = models.CharField(max_length=254)
    asked_ms = models.BigIntegerField()
    decided_by = models.CharField(max_length=254)
    decided_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "limit_request"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="asked", decided_ms__isnull=True)
                | Q(state__in=["approved", "rejected"], decided_ms__isnull=False),
                name="limit_request_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="asked"), name="limit_request_asked")
        ]


class AuditEntry(models.Model):
    """One change of something that the control plane keeps: who, what, before and after. Inserted
    once, never changed. The cells have the same table for what they keep."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField(null=True)
    actor_kind = models.CharField(max_length=16)
    actor = models.CharField(max_length=254)
    place = models.CharField(max_length=64)
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=254)
    before = models.TextField()
    after = models.TextField()
    at_ms = models.BigIntegerField()

    class Meta:
        db_table = "audit_entry"
        indexes = [
            models.Index(fields=["organisation_id", "at_ms", "id"], name="control_audit_by_owner"),
            models.Index(fields=["at_ms", "id"], name="control_audit_by_time"),
        ]
