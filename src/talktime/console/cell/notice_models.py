"""The tables of one cell about what people and programs are told, and about the jobs."""

from django.db import models
from django.db.models import Q

from talktime.console.cell.constraints import one_of
from talktime.console.identity import Id


class Outbox(models.Model):
    """Something happened that somebody is to be told. Written in the transaction in which it
    happened; the same `key` is told once."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    at_ms = models.BigIntegerField()
    facts = models.TextField()
    # When it was given to its recipients and endpoints as deliveries; until then, null.
    spread_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "outbox"
        constraints = [
            models.UniqueConstraint(fields=["organisation_id", "key"], name="outbox_once_by_key"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(spread_ms__isnull=True), name="outbox_new"),
            models.Index(fields=["organisation_id", "at_ms"], name="outbox_by_time"),
        ]


class Delivery(models.Model):
    """One notice to one address (mail) or endpoint (webhook)."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    outbox_id = models.BigIntegerField()
    channel = models.CharField(max_length=16)
    # The e-mail address, or the endpoint's id.
    target = models.CharField(max_length=254)
    state = models.CharField(max_length=16)
    tries = models.SmallIntegerField()
    detail = models.CharField(max_length=500)
    due_ms = models.BigIntegerField(null=True)
    tried_ms = models.BigIntegerField(null=True)
    # Of the last try: how long it took, and the body of a webhook's answer, as far as it is kept.
    took_ms = models.IntegerField(null=True)
    answer = models.TextField()

    class Meta:
        db_table = "delivery"
        constraints = [
            one_of("channel", ["mail", "webhook"], "delivery_channel_known"),
            one_of("state", ["due", "sent", "failed", "dropped"], "delivery_state_known"),
            models.CheckConstraint(
                condition=Q(state="due", due_ms__isnull=False)
                | ~Q(state="due") & Q(due_ms__isnull=True),
                name="delivery_due_while_open",
            ),
            models.UniqueConstraint(
                fields=["outbox_id", "channel", "target"], name="delivery_once_by_target"
            ),
        ]
        indexes = [
            models.Index(fields=["due_ms"], condition=Q(due_ms__isnull=False), name="delivery_due"),
            models.Index(
                fields=["organisation_id", "channel", "target", "id"], name="delivery_by_target"
            ),
        ]


class Recipient(models.Model):
    """Who gets an organisation's mail, in which role: one row for each role of a person."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    email = models.CharField(max_length=254)
    role = models.CharField(max_length=32)
    language = models.CharField(max_length=16)
    time_zone = models.CharField(max_length=64)
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "recipient"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation_id", "email", "role"], name="recipient_once_by_role"
            ),
        ]


class WebhookEndpoint(models.Model):
    """Where an organisation's programs are told. The secrets are sealed (operations/sealing.py)."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    url = models.CharField(max_length=2000)
    state = models.CharField(max_length=16)
    detail = models.CharField(max_length=500)
    # Notice kinds, as a JSON array; empty for all.
    kinds = models.TextField()
    secret = models.TextField()
    # The secret before a rotation, which signs too until it ends.
    old_secret = models.TextField()
    old_until_ms = models.BigIntegerField(null=True)
    created_ms = models.BigIntegerField()
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "webhook_endpoint"
        constraints = [
            one_of("state", ["active", "disabled", "removed"], "webhook_endpoint_state_known"),
        ]
        indexes = [models.Index(fields=["organisation_id"], name="webhook_endpoint_of_org")]


class JobRun(models.Model):
    """How a job of this cell last ran: of all its runners, whichever ran last."""

    job = models.CharField(max_length=64, primary_key=True)
    began_ms = models.BigIntegerField()
    ended_ms = models.BigIntegerField()
    worked_ms = models.BigIntegerField(null=True)
    rows = models.IntegerField()
    failure = models.CharField(max_length=500)

    class Meta:
        db_table = "job_run"
