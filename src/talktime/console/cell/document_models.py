"""The tables of one cell about documents: invoices, credit notes, and what is paid after use."""

from django.db import models
from django.db.models import F, Q

from talktime.console.cell.constraints import not_negative, one_of, positive
from talktime.console.identity import Id


class BillingProfile(models.Model):
    """To whom documents are addressed."""

    organisation_id = Id(primary_key=True)
    legal_name = models.CharField(max_length=200)
    address = models.CharField(max_length=500)
    tax_id = models.CharField(max_length=64)

    class Meta:
        db_table = "billing_profile"


class Document(models.Model):
    """An invoice, credit note or statement as it was issued. Inserted once, never changed; the
    numbers of a cell have no gaps but those of `document_gap`."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    number = models.BigIntegerField()
    issued_ms = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # What is to be paid or was: below zero on a credit note, zero for what was given.
    amount_micros = models.BigIntegerField()
    lot_id = models.BigIntegerField(null=True)
    payment_id = models.BigIntegerField(null=True)
    body = models.TextField()

    class Meta:
        db_table = "document"
        constraints = [
            one_of("kind", ["invoice", "credit_note", "statement"], "document_kind_known"),
            models.UniqueConstraint(fields=["number"], name="document_once_by_number"),
            models.UniqueConstraint(
                fields=["lot_id"],
                condition=Q(kind="invoice", lot_id__isnull=False),
                name="document_one_invoice_a_lot",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation_id", "issued_ms"], name="document_by_time"),
        ]


class DocumentGap(models.Model):
    """Numbers that no document of the cell has or will have: the operator said so after a restore,
    because they may have been given before it. Inserted once, never changed."""

    first_number = models.BigIntegerField(primary_key=True)
    last_number = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=200)
    at_ms = models.BigIntegerField()

    class Meta:
        db_table = "document_gap"
        constraints = [
            positive("first_number", "document_gap_first_positive"),
            models.CheckConstraint(
                condition=Q(last_number__gte=F("first_number")), name="document_gap_in_order"
            ),
        ]


class PostStatement(models.Model):
    """What an organisation pays after use for a month, as closed: which records are in it is in
    table `post_statement_usage`."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    month = models.CharField(max_length=7)
    document_id = models.BigIntegerField()
    state = models.CharField(max_length=16)
    amount_micros = models.BigIntegerField()
    paid_micros = models.BigIntegerField()
    closed_ms = models.BigIntegerField()
    payable_ms = models.BigIntegerField()
    overdue_ms = models.BigIntegerField(null=True)
    blocked_ms = models.BigIntegerField(null=True)
    paid_ms = models.BigIntegerField(null=True)
    paid_note = models.CharField(max_length=500)

    class Meta:
        db_table = "post_statement"
        constraints = [
            one_of("state", ["due", "overdue", "blocked", "paid"], "post_statement_state_known"),
            not_negative("paid_micros", "post_statement_paid_not_negative"),
            models.UniqueConstraint(
                fields=["organisation_id", "month"], name="post_statement_once_a_month"
            ),
        ]
        indexes = [
            models.Index(
                fields=["payable_ms"], condition=~Q(state="paid"), name="post_statement_open"
            )
        ]


class PostStatementUsage(models.Model):
    """A usage record is on one statement at most."""

    usage_id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    statement_id = models.BigIntegerField()

    class Meta:
        db_table = "post_statement_usage"
        indexes = [models.Index(fields=["statement_id"], name="post_usage_of_statement")]
