"""Payment providers: their settings, and all that the built-in one (the sandbox) keeps.

The sandbox stands for a service outside: it commits by itself, and the books never join with it.
"""

from django.db import models
from django.db.models import F, Q

from talktime.console.identity import Id
from talktime.core.sandbox import BEHAVIOURS, WEBHOOKS


class ProviderSetting(models.Model):
    """A payment provider's keys, sealed; new cards go to the active one."""

    name = models.CharField(max_length=16, primary_key=True)
    active = models.BooleanField()
    sealed = models.TextField()
    changed_ms = models.BigIntegerField()
    changed_by = models.CharField(max_length=200)

    class Meta:
        db_table = "provider_setting"
        constraints = [
            models.CheckConstraint(
                condition=Q(name__in=["sandbox", "stripe"]), name="provider_setting_name_known"
            ),
            models.UniqueConstraint(
                fields=["active"], condition=Q(active=True), name="provider_setting_one_active"
            ),
        ]


class SandboxSwitches(models.Model):
    """How the sandbox as a whole behaves: one row, or none before it is changed."""

    name = models.CharField(max_length=16, primary_key=True)
    webhooks = models.CharField(max_length=16)
    down = models.BooleanField()
    changed_ms = models.BigIntegerField()
    changed_by = models.CharField(max_length=200)

    class Meta:
        db_table = "sandbox_switches"
        constraints = [
            models.CheckConstraint(
                condition=Q(webhooks__in=list(WEBHOOKS)), name="sandbox_switches_webhooks_known"
            ),
            models.CheckConstraint(condition=Q(name="sandbox"), name="sandbox_switches_one_row"),
        ]


class SandboxCard(models.Model):
    """A card of the sandbox, and what it does when it is charged; `waiting` until somebody adds it
    on the sandbox's page."""

    id = Id(primary_key=True)
    setup_id = models.BigIntegerField()
    organisation_id = models.BigIntegerField()
    customer_ref = models.CharField(max_length=255)
    name = models.CharField(max_length=128)
    return_url = models.CharField(max_length=500)
    state = models.CharField(max_length=16)
    script = models.CharField(max_length=32)
    declines_left = models.SmallIntegerField()
    last4 = models.CharField(max_length=4)
    exp_year = models.SmallIntegerField()
    exp_month = models.SmallIntegerField()
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "sandbox_card"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "added", "failed", "forgotten"]),
                name="sandbox_card_state_known",
            ),
            models.CheckConstraint(
                condition=Q(script__in=list(BEHAVIOURS)), name="sandbox_card_script_known"
            ),
            models.CheckConstraint(
                condition=Q(declines_left__gte=0), name="sandbox_card_declines_not_negative"
            ),
            models.UniqueConstraint(fields=["setup_id"], name="sandbox_card_once_by_setup"),
        ]


class SandboxCharge(models.Model):
    """A charge at the sandbox, once for each try of ours."""

    id = Id(primary_key=True)
    try_id = models.BigIntegerField()
    organisation_id = models.BigIntegerField()
    card_id = models.BigIntegerField()
    amount_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=500)
    return_url = models.CharField(max_length=500)
    state = models.CharField(max_length=16)
    code = models.CharField(max_length=64)
    refunded_micros = models.BigIntegerField()
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "sandbox_charge"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["succeeded", "declined", "confirming"]),
                name="sandbox_charge_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="declined") & ~Q(code="") | ~Q(state="declined") & Q(code=""),
                name="sandbox_charge_declined_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0), name="sandbox_charge_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(refunded_micros=0)
                | Q(
                    state="succeeded",
                    refunded_micros__gt=0,
                    refunded_micros__lte=F("amount_micros"),
                ),
                name="sandbox_charge_refunded_within_charged",
            ),
            models.UniqueConstraint(fields=["try_id"], name="sandbox_charge_once_by_try"),
        ]


class SandboxRefund(models.Model):
    """A refund at the sandbox; one without an id of ours was made at its own console."""

    id = Id(primary_key=True)
    refund_id = models.BigIntegerField(null=True)
    charge_id = models.BigIntegerField()
    amount_micros = models.BigIntegerField()
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "sandbox_refund"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0), name="sandbox_refund_amount_positive"
            ),
            models.UniqueConstraint(
                fields=["refund_id"],
                condition=Q(refund_id__isnull=False),
                name="sandbox_refund_once_by_refund",
            ),
        ]
        indexes = [models.Index(fields=["charge_id"], name="sandbox_refund_of_charge")]


class SandboxDispute(models.Model):
    """Money that the cardholder's bank took back, for the time being or for good."""

    id = Id(primary_key=True)
    charge_id = models.BigIntegerField()
    amount_micros = models.BigIntegerField()
    state = models.CharField(max_length=16)
    created_ms = models.BigIntegerField()

    class Meta:
        db_table = "sandbox_dispute"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "won", "lost"]), name="sandbox_dispute_state_known"
            ),
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0), name="sandbox_dispute_amount_positive"
            ),
        ]
        indexes = [models.Index(fields=["charge_id"], name="sandbox_dispute_of_charge")]


class SandboxEvent(models.Model):
    """A webhook of the sandbox that waits to be sent (`due_ms`), was sent, or never will be. One
    that is sent twice has two rows of the same `event_ref`."""

    id = Id(primary_key=True)
    event_ref = models.CharField(max_length=64)
    kind = models.CharField(max_length=64)
    body = models.TextField()
    tries = models.SmallIntegerField()
    created_ms = models.BigIntegerField()
    due_ms = models.BigIntegerField(null=True)
    sent_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "sandbox_event"
        constraints = [
            models.CheckConstraint(
                condition=Q(due_ms__isnull=True) | Q(sent_ms__isnull=True),
                name="sandbox_event_due_until_sent",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_ms"], condition=Q(due_ms__isnull=False), name="sandbox_event_due"
            )
        ]
