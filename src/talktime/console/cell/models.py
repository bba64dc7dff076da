"""The tables of one cell: wallets, calls, users here, the others in the modules beside. Django owns
their shape; rows are written by `store` alone.

Times are milliseconds since the epoch (UTC), money is micros of the organisation's currency.
Ids are made by the application. No foreign keys: rows are loaded by the set, ids connect them.
"""

from django.db import models
from django.db.models import F, Q

from talktime.console.cell.audit_models import AuditEntry
from talktime.console.cell.constraints import one_of
from talktime.console.cell.document_models import (
    BillingProfile,
    Document,
    DocumentGap,
    PostStatement,
    PostStatementUsage,
)
from talktime.console.cell.notice_models import (
    Delivery,
    JobRun,
    Outbox,
    Recipient,
    WebhookEndpoint,
)
from talktime.console.cell.operating_models import BookCheck, Burn, LedgerDay, Unsummed, WorkMark
from talktime.console.cell.payment_models import (
    AlertLevel,
    CardSetup,
    GrantRequest,
    Payment,
    PaymentMethod,
    PaymentTry,
    ProviderEvent,
    Recharge,
    Refund,
)
from talktime.console.cell.request_models import Creation, MoneyRequest
from talktime.console.cell.usage_models import (
    SavedView,
    UsageDay,
    UsageRecord,
    UsageUser,
)
from talktime.console.cell.wallet_models import TakenBack, WalletHour
from talktime.console.identity import Id

# Each by itself: ruff takes away an import that it does not see named here.
__all__ = [
    "AlertLevel", "Answer", "AuditEntry", "BillingProfile", "BookCheck", "Burn", "Call",
    "CardSetup", "Creation", "Delivery", "Document", "DocumentGap", "GrantRequest", "JobRun",
    "LedgerDay", "LicenceGroup", "Lot", "Meter", "MoneyRequest", "Outbox", "Payment",
    "PaymentMethod", "PaymentTry", "PostStatement", "PostStatementUsage", "ProviderEvent",
    "Recharge", "Recipient", "Refund", "Revision", "SavedView", "TakenBack", "Transfer", "Unsummed",
    "UsageDay", "UsageRecord", "UsageUser", "User", "Wallet", "WalletHour", "WebhookEndpoint",
    "WorkMark",
]  # fmt: skip


class Wallet(models.Model):
    organisation_id = Id(primary_key=True)
    currency = models.CharField(max_length=3)
    balance_micros = models.BigIntegerField()
    held_micros = models.BigIntegerField()
    debt_micros = models.BigIntegerField()
    first_funded_ms = models.BigIntegerField(null=True)
    # What is watched with every change (core/watch.py): below which available money a recharge is
    # wanted; below and from which balance somebody is told. `attention_ms` asks the job
    # `tend_wallets` to look; the balance was at its lowest at `lowest_micros` since then.
    recharge_below_micros = models.BigIntegerField(null=True)
    alert_below_micros = models.BigIntegerField(null=True)
    alert_from_micros = models.BigIntegerField(null=True)
    attention_ms = models.BigIntegerField(null=True)
    lowest_micros = models.BigIntegerField(null=True)
    # Why no credits can be bought (a code); null where they can.
    no_buying = models.CharField(max_length=32, null=True)
    # Counted up by whatever changes the wallet, its lots, calls or meters (store/save.py): books
    # that were kept are current while it stays (store/kept.py).
    version = models.BigIntegerField()

    class Meta:
        db_table = "wallet"
        constraints = [
            models.CheckConstraint(
                condition=Q(held_micros__gte=0), name="wallet_held_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(debt_micros__gte=0), name="wallet_debt_not_negative"
            ),
        ]
        indexes = [
            models.Index(
                fields=["attention_ms"],
                condition=Q(attention_ms__isnull=False),
                name="wallet_attention",
            )
        ]


class Lot(models.Model):
    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    source = models.CharField(max_length=16)
    priority = models.SmallIntegerField()
    promotional = models.BooleanField()
    amount_micros = models.BigIntegerField()
    remaining_micros = models.BigIntegerField()
    held_micros = models.BigIntegerField()
    purchased_ms = models.BigIntegerField()
    expires_ms = models.BigIntegerField()
    idempotency_key = models.CharField(max_length=200)
    body_hash = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=200)
    # Indexed in place of `remaining_micros`, which changes with every call.
    spent = models.BooleanField()

    class Meta:
        db_table = "lot"
        constraints = [
            one_of("source", ["purchase", "grant", "recharge", "adjustment"], "lot_source_known"),
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="lot_amount_positive"),
            models.CheckConstraint(condition=Q(held_micros__gte=0), name="lot_held_not_negative"),
            models.CheckConstraint(
                condition=Q(held_micros__lte=F("remaining_micros")),
                name="lot_held_within_remaining",
            ),
            models.CheckConstraint(
                condition=Q(remaining_micros__lte=F("amount_micros")),
                name="lot_remaining_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(spent=True, remaining_micros=0)
                | Q(spent=False, remaining_micros__gt=0),
                name="lot_spent_when_nothing_remains",
            ),
            models.UniqueConstraint(
                fields=["organisation_id", "idempotency_key"], name="lot_once_by_key"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation_id"], condition=Q(spent=False), name="lot_open"),
        ]


class Call(models.Model):
    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    switch_id = models.BigIntegerField()
    call_key = models.CharField(max_length=255)
    state = models.CharField(max_length=16)
    type = models.CharField(max_length=32)
    user_id = models.BigIntegerField(null=True)
    from_digits = models.CharField(max_length=15)
    to_digits = models.CharField(max_length=15)
    rate = models.TextField()
    last_sequence = models.IntegerField()
    settle_sequence = models.IntegerField(null=True)
    started_ms = models.BigIntegerField()
    answered_ms = models.BigIntegerField(null=True)
    granted_s = models.IntegerField()
    reported_s = models.IntegerField()
    held_micros = models.BigIntegerField()
    charged_micros = models.BigIntegerField()
    parts = models.TextField()
    deadline_ms = models.BigIntegerField()
    # When supervision looks at the call next; never after its deadline. An extend moves the
    # deadline alone: an indexed column that changed would make every index point anew.
    sweep_ms = models.BigIntegerField()
    closed_ms = models.BigIntegerField(null=True)
    usage_id = models.BigIntegerField(null=True)
    payers = models.TextField()
    pool_s = models.IntegerField()
    post_micros = models.BigIntegerField()
    # The code of the refusal by which a running call is to end; its switch is told.
    ending = models.CharField(max_length=64, null=True)
    # The switch's own id of the conference; empty for none.
    conference_id = models.CharField(max_length=64)

    class Meta:
        db_table = "call"
        constraints = [
            one_of(
                "state", ["open", "settled", "released", "expired", "refused"], "call_state_known"
            ),
            models.CheckConstraint(condition=Q(held_micros__gte=0), name="call_held_not_negative"),
            models.CheckConstraint(
                condition=Q(charged_micros__gte=0), name="call_charged_not_negative"
            ),
            models.CheckConstraint(condition=Q(granted_s__gte=0), name="call_granted_not_negative"),
            models.CheckConstraint(
                condition=Q(reported_s__gte=0), name="call_reported_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(state="open") | Q(held_micros=0), name="call_held_only_while_open"
            ),
            models.CheckConstraint(condition=Q(pool_s__gte=0), name="call_pool_not_negative"),
            models.CheckConstraint(condition=Q(post_micros__gte=0), name="call_post_not_negative"),
            models.UniqueConstraint(fields=["switch_id", "call_key"], name="call_once_by_key"),
        ]
        indexes = [
            models.Index(fields=["sweep_ms"], condition=Q(state="open"), name="call_due"),
            models.Index(
                fields=["switch_id", "id"],
                condition=Q(state="open", ending__isnull=False),
                name="call_ending",
            ),
        ]


class Answer(models.Model):
    """What a switch was told: the same question again gets the same words."""

    pk = models.CompositePrimaryKey("call_id", "sequence")
    call_id = models.BigIntegerField()
    sequence = models.IntegerField()
    organisation_id = models.BigIntegerField()
    body_hash = models.BigIntegerField()
    status = models.SmallIntegerField()
    body = models.TextField()
    at_ms = models.BigIntegerField()

    class Meta:
        db_table = "answer"


class Transfer(models.Model):
    """One movement of money. Inserted once, never changed: a trigger refuses the rest."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    debit_account = models.BigIntegerField()
    credit_account = models.BigIntegerField()
    amount_micros = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    usage_id = models.BigIntegerField(null=True)
    at_ms = models.BigIntegerField()

    class Meta:
        db_table = "transfer"
        constraints = [
            one_of(
                "kind",
                [
                    "purchase",
                    "grant",
                    "usage",
                    "forfeiture",
                    "overdraft",
                    "debt_payment",
                    "correction",
                    "adjustment",
                    "refund",
                    "chargeback",
                    "reinstatement",
                    "statement",
                    "payment",
                    "take_back",
                ],
                "transfer_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0), name="transfer_amount_positive"
            ),
            models.CheckConstraint(
                condition=~Q(debit_account=F("credit_account")),
                name="transfer_between_two_accounts",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation_id", "at_ms"], name="transfer_by_time"),
        ]


class Meter(models.Model):
    """What was used of something in a calendar month: included minutes (in seconds), a user's
    spending, spending after use (in micros). `key` begins with the month: core/meters.py."""

    pk = models.CompositePrimaryKey("organisation_id", "key")
    organisation_id = models.BigIntegerField()
    key = models.CharField(max_length=128)
    used = models.BigIntegerField()
    held = models.BigIntegerField()
    # How much there is of it; null where it has no end, or its limit is kept elsewhere.
    total = models.BigIntegerField(null=True)
    warned_ms = models.BigIntegerField(null=True)
    full_ms = models.BigIntegerField(null=True)

    class Meta:
        db_table = "meter"
        constraints = [
            models.CheckConstraint(condition=Q(used__gte=0), name="meter_used_not_negative"),
            models.CheckConstraint(condition=Q(held__gte=0), name="meter_held_not_negative"),
            models.CheckConstraint(
                condition=Q(total__isnull=True) | Q(total__gte=F("used") + F("held")),
                name="meter_within_total",
            ),
        ]


class User(models.Model):
    """A person or resource account of an organisation (not someone who signs in to the console)."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    name = models.CharField(max_length=128)
    display_name = models.CharField(max_length=128)
    usage_location = models.CharField(max_length=2)
    licences = models.TextField()
    kind = models.CharField(max_length=16)
    active = models.BooleanField()
    # The dial-out policy and the monthly limit of their own; where empty, the organisation's.
    policy = models.CharField(max_length=64)
    spend_limit_micros = models.BigIntegerField(null=True)
    toll_free_dial_in = models.BooleanField()
    # `licences` is what counts on a call: their own and those of their groups.
    own_licences = models.TextField()
    groups = models.TextField()
    revision = models.BigIntegerField()

    class Meta:
        db_table = "person"  # "user" is a reserved word in PostgreSQL
        constraints = [
            one_of("kind", ["person", "resource_account"], "person_kind_known"),
            models.UniqueConstraint(fields=["organisation_id", "name"], name="person_once_by_name"),
        ]
        indexes = [
            models.Index(fields=["revision"], name="person_by_revision"),
            # The operator finds an organisation by one of its users.
            models.Index(fields=["name"], name="person_by_name"),
            # For the pages of users: names to be searched, and the names of users that are alike.
            models.Index(fields=["organisation_id", "name", "display_name"], name="person_by_word"),
            models.Index(
                fields=[
                    *("organisation_id", "usage_location", "kind", "active", "licences"),
                    "name",
                ],
                name="person_by_set",
            ),
        ]


class LicenceGroup(models.Model):
    """Licences that all members of a group have."""

    id = Id(primary_key=True)
    organisation_id = models.BigIntegerField()
    name = models.CharField(max_length=64)
    licences = models.TextField()

    class Meta:
        db_table = "licence_group"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation_id", "name"], name="licence_group_once_by_name"
            ),
        ]


class Revision(models.Model):
    """Counters that engine processes poll: a change of `users` moves the counter of that name."""

    name = models.CharField(max_length=32, primary_key=True)
    value = models.BigIntegerField()

    class Meta:
        db_table = "revision"
