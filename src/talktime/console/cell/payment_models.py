"""The tables of one cell about money that comes in and goes back: methods, payments, refunds.

An open payment, refund or card set-up has a `due_ms`: when a job does its next step.
"""

from django.db import models
from django.db.models import F, Q

from talktime.console.cell.constraints import not_negative, one_of, positive
from talktime.console.identity import Id


class Recharge(models.Model):
    """An organisation's auto-recharge: its settings, and why it is paused where it is."""

    organisation_id = Id(primary_key=True)
    enabled = models.BooleanField()
    trigger_micros = models.BigIntegerField()
    # `amount`: the amount is added; `up_to`: the balance is topped up to the amount (D1).
    method = models.CharField(max_length=16)
    amount_micros = models.BigIntegerField()
    month_cap_micros = models.BigIntegerField(null=True)
    day_max = models.SmallIntegerField()
    paused_code = models.CharField(max_length=32)
    paused_detail = models.CharField(max_length=500)
    paused_ms = models.BigIntegerField(null=True)
    changed_ms = models.BigIntegerField()
    changed_by = models.CharField(max_length=200)

    class Meta:
        db_table = "recharge"
        constraints = [
            one_of("method", ["amount", "up_to"], "recharge_method_known"),
            not_negative("trigger_micros", "recharge_trigger_not_negative"),
            positive("amount_micros", "recharge_amount_positive"),
            positive("day_max", "recharge_day_max_positive"),
        ]


class AlertLevel(models.Model):
    """A balance below which the organisation is told, once; 0 stands for a balance used up."""

    pk = models.CompositePrimaryKey("organisation_id", "below_micros")
    organisation_id = models.BigIntegerField()
    below_micros = models.BigIntegerField()
    fired_ms = models.BigIntegerField(null=True)
    # Told about at this balance: it is armed again when the balance is above it and the level.
    fired_at_micros = models.BigIntegerField(null=True)

    class Meta:
        db_table = "alert_level"
        constraints = [not_negative("below_micros", "alert_level_not_negative")]


class PaymentMethod(models.Model):
    """A card (the provider's tokens and what may be shown of it) or an agreement to pay invoices.
    Lower `priority` is tried first."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=16)
    priority = models.SmallIntegerField()
    provider = models.CharField(max_length=16)
    customer_ref = models.CharField(max_length=255)
    method_ref = models.CharField(max_length=255)
    brand = models.CharField(max_length=32)
    last4 = models.CharField(max_length=4)
    exp_year = models.SmallIntegerField(null=True)
    exp_month = models.SmallIntegerField(null=True)
    agreement = models.CharField(max_length=64)
    po_number = models.CharField(max_length=64)
    created_ms = models.BigIntegerField()
    created_by = models.CharField(max_length=200)
    # From when on the provider is to forget a card that was removed; none once it has.
    forget_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "payment_method"
        constraints = [
            one_of("kind", ["card", "invoice"], "payment_method_kind_known"),
            one_of("state", ["active", "removed"], "payment_method_state_known"),
            models.CheckConstraint(
                condition=Q(exp_month__isnull=True) | Q(exp_month__gte=1, exp_month__lte=12),
                name="payment_method_month_known",
            ),
            # R10: who pays by invoice has agreed to it; a card is known by its token.
            models.CheckConstraint(
                condition=(Q(kind="card") & ~Q(method_ref="") & Q(agreement="", po_number=""))
                | (Q(kind="invoice", method_ref="") & ~Q(agreement="")),
                name="payment_method_whole",
            ),
            models.CheckConstraint(
                condition=Q(forget_ms__isnull=True) | Q(kind="card", state="removed"),
                name="payment_method_forgotten_when_removed",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation_id"], name="payment_method_of_org"),
            models.Index(
                fields=["forget_ms"],
                condition=Q(forget_ms__isnull=False),
                name="payment_method_to_forget",
            ),
        ]


class CardSetup(models.Model):
    """A card being added on a page of the provider's; our side of it."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    provider = models.CharField(max_length=16)
    state = models.CharField(max_length=16)
    return_url = models.CharField(max_length=500)
    url = models.CharField(max_length=2000)
    customer_ref = models.CharField(max_length=255)
    setup_ref = models.CharField(max_length=255)
    priority = models.SmallIntegerField()
    method_id = models.BigIntegerField(null=True)
    detail = models.CharField(max_length=500)
    tries = models.SmallIntegerField()
    due_ms = models.BigIntegerField(null=True)
    created_ms = models.BigIntegerField()
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "card_setup"
        constraints = [
            one_of("state", ["started", "waiting", "done", "failed"], "card_setup_state_known"),
            models.CheckConstraint(
                condition=Q(due_ms__isnull=True) | Q(state__in=["started", "waiting"]),
                name="card_setup_due_while_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_ms"], condition=Q(due_ms__isnull=False), name="card_setup_due"
            )
        ]


PAYMENT_STATES = (
    *("charging", "unknown", "declined", "confirming", "invoiced"),
    *("succeeded", "failed", "cancelled"),
)


class Payment(models.Model):
    """One try to get money: a purchase, a recharge attempt, or the payment of a statement. At most
    one recharge of a wallet is open, by the index (D2, R16)."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=16)
    method_id = models.BigIntegerField(null=True)
    amount_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    idempotency_key = models.CharField(max_length=200)
    body_hash = models.BigIntegerField()
    po_number = models.CharField(max_length=64)
    actor = models.CharField(max_length=200)
    # How often all methods were declined so far (D3); what the last answer was.
    declines = models.SmallIntegerField()
    code = models.CharField(max_length=64)
    detail = models.CharField(max_length=500)
    action_url = models.CharField(max_length=2000)
    due_ms = models.BigIntegerField(null=True)
    created_ms = models.BigIntegerField()
    closed_ms = models.BigIntegerField(null=True)
    lot_id = models.BigIntegerField(null=True)
    statement_id = models.BigIntegerField(null=True)
    refunded_micros = models.BigIntegerField()

    class Meta:
        db_table = "payment"
        constraints = [
            one_of("kind", ["purchase", "recharge", "statement"], "payment_kind_known"),
            one_of("state", PAYMENT_STATES, "payment_state_known"),
            positive("amount_micros", "payment_amount_positive"),
            not_negative("refunded_micros", "payment_refunded_not_negative"),
            models.CheckConstraint(
                condition=Q(refunded_micros__lte=F("amount_micros")),
                name="payment_refunded_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(closed_ms__isnull=True)
                & ~Q(state__in=["succeeded", "failed", "cancelled"])
                | Q(closed_ms__isnull=False, due_ms__isnull=True)
                & Q(state__in=["succeeded", "failed", "cancelled"]),
                name="payment_closed_when_over",
            ),
            # No credit without payment, no payment without credit.
            models.CheckConstraint(
                condition=Q(lot_id__isnull=True) & (~Q(state="succeeded") | Q(kind="statement"))
                | Q(lot_id__isnull=False, state="succeeded") & ~Q(kind="statement"),
                name="payment_lot_when_paid",
            ),
            models.UniqueConstraint(
                fields=["organisation_id", "idempotency_key"], name="payment_once_by_key"
            ),
            models.UniqueConstraint(
                fields=["organisation_id"],
                condition=Q(kind="recharge", closed_ms__isnull=True),
                name="payment_one_open_recharge",
            ),
            models.UniqueConstraint(
                fields=["lot_id"], condition=Q(lot_id__isnull=False), name="payment_one_lot"
            ),
        ]
        indexes = [
            models.Index(fields=["due_ms"], condition=Q(due_ms__isnull=False), name="payment_due"),
            models.Index(fields=["id"], condition=Q(closed_ms__isnull=True), name="payment_open"),
            models.Index(fields=["organisation_id", "created_ms"], name="payment_by_time"),
        ]


class PaymentTry(models.Model):
    """One charge asked of a provider; its id is the idempotency key there. An answer that did not
    come leaves it `unknown`: the provider is asked, and never charges it again."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    payment_id = models.BigIntegerField()
    number = models.SmallIntegerField()
    method_id = models.BigIntegerField()
    provider = models.CharField(max_length=16)
    state = models.CharField(max_length=16)
    amount_micros = models.BigIntegerField()
    provider_ref = models.CharField(max_length=255)
    code = models.CharField(max_length=64)
    detail = models.CharField(max_length=500)
    # How often it was asked about since its answer did not come.
    asked = models.SmallIntegerField()
    created_ms = models.BigIntegerField()
    closed_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "payment_try"
        constraints = [
            one_of(
                "state",
                [
                    "sending",
                    "unknown",
                    "confirming",
                    "succeeded",
                    "declined",
                    "refused",
                    "cancelled",
                ],
                "payment_try_state_known",
            ),
            positive("amount_micros", "payment_try_amount_positive"),
            models.UniqueConstraint(
                fields=["payment_id", "number"], name="payment_try_once_by_number"
            ),
            models.UniqueConstraint(
                fields=["payment_id"],
                condition=Q(closed_ms__isnull=True),
                name="payment_try_one_open",
            ),
            models.UniqueConstraint(
                fields=["payment_id"],
                condition=Q(state="succeeded"),
                name="payment_try_one_success",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider_ref"], condition=~Q(provider_ref=""), name="payment_try_by_ref"
            ),
        ]


class Refund(models.Model):
    """Money that goes back: a refund by the operator, or a chargeback by the cardholder's bank."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    payment_id = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    # A refund: asked, unknown, done, failed. A chargeback: open, lost, won (reinstated).
    state = models.CharField(max_length=16)
    amount_micros = models.BigIntegerField()
    # Of it, what was taken from the payment's lot, and what was spent already and became a debt.
    voided_micros = models.BigIntegerField()
    debt_micros = models.BigIntegerField()
    idempotency_key = models.CharField(max_length=200)
    body_hash = models.BigIntegerField()
    provider_ref = models.CharField(max_length=255)
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=200)
    detail = models.CharField(max_length=500)
    asked = models.SmallIntegerField()
    due_ms = models.BigIntegerField(null=True)
    created_ms = models.BigIntegerField()
    closed_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "refund"
        constraints = [
            one_of("kind", ["refund", "chargeback"], "refund_kind_known"),
            one_of(
                "state",
                ["asked", "unknown", "done", "failed", "open", "lost", "won"],
                "refund_state_known",
            ),
            positive("amount_micros", "refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(amount_micros=F("voided_micros") + F("debt_micros")),
                name="refund_is_voided_and_debt",
            ),
            models.UniqueConstraint(
                fields=["organisation_id", "idempotency_key"], name="refund_once_by_key"
            ),
        ]
        indexes = [
            models.Index(fields=["due_ms"], condition=Q(due_ms__isnull=False), name="refund_due"),
            models.Index(fields=["payment_id"], name="refund_of_payment"),
            models.Index(fields=["id"], condition=Q(closed_ms__isnull=True), name="refund_open"),
        ]


class ProviderEvent(models.Model):
    """A provider said that something happened to what `object_ref` names. A hint: what is true now
    is asked of the provider."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    provider = models.CharField(max_length=16)
    event_ref = models.CharField(max_length=255)
    kind = models.CharField(max_length=64)
    object_ref = models.CharField(max_length=255)
    payment_id = models.BigIntegerField()
    tries = models.SmallIntegerField()
    detail = models.CharField(max_length=500)
    received_ms = models.BigIntegerField()
    due_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "provider_event"
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "event_ref"], name="provider_event_once_by_ref"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_ms"], condition=Q(due_ms__isnull=False), name="provider_event_due"
            )
        ]


class GrantRequest(models.Model):
    """A grant, or a purchase entered by hand, above the limit: another operator must approve it."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    state = models.CharField(max_length=16)
    amount_micros = models.BigIntegerField()
    promotional = models.BooleanField()
    lasts_until_ms = models.BigIntegerField(null=True)
    idempotency_key = models.CharField(max_length=200)
    body_hash = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    asked_by = models.CharField(max_length=200)
    asked_ms = models.BigIntegerField()
    decided_by = models.CharField(max_length=200)
    decided_ms = models.BigIntegerField(null=True)
    lot_id = models.BigIntegerField(null=True)
    # What it is to be: a purchase that an operator enters by hand needs the approval too.
    source = models.CharField(max_length=16)

    class Meta:
        db_table = "grant_request"
        constraints = [
            one_of("source", ["grant", "purchase"], "grant_request_source_known"),
            one_of("state", ["asked", "approved", "rejected"], "grant_request_state_known"),
            positive("amount_micros", "grant_request_amount_positive"),
            models.CheckConstraint(
                condition=~Q(asked_by=F("decided_by")), name="grant_request_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(state="approved", lot_id__isnull=False)
                | ~Q(state="approved") & Q(lot_id__isnull=True),
                name="grant_request_lot_when_approved",
            ),
            models.UniqueConstraint(
                fields=["organisation_id", "idempotency_key"], name="grant_request_once_by_key"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation_id"], name="grant_request_of_org"),
            models.Index(fields=["id"], condition=Q(state="asked"), name="grant_request_asked"),
        ]
