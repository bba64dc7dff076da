import django.db.models.expressions
from django.db import migrations, models

import talktime.console.identity
from talktime.console.append_only import allow_changes, refuse_changes

# What a wallet has is looked at once when the jobs start: they find what to watch it for.
LOOK_AT_ALL = "UPDATE wallet SET attention_ms = 0 WHERE first_funded_ms IS NOT NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("cell", "0004_meters_and_licences"),
    ]

    operations = [
        # SQLite makes a table anew to change a constraint: its triggers would be lost.
        allow_changes("transfer"),
        migrations.CreateModel(
            name="AlertLevel",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organisation_id",
                        "below_micros",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("organisation_id", models.BigIntegerField()),
                ("below_micros", models.BigIntegerField()),
                ("fired_ms", models.BigIntegerField(null=True)),
                ("fired_at_micros", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "alert_level",
            },
        ),
        migrations.CreateModel(
            name="BillingProfile",
            fields=[
                (
                    "organisation_id",
                    talktime.console.identity.Id(primary_key=True, serialize=False),
                ),
                ("legal_name", models.CharField(max_length=200)),
                ("address", models.CharField(max_length=500)),
                ("tax_id", models.CharField(max_length=64)),
            ],
            options={
                "db_table": "billing_profile",
            },
        ),
        migrations.CreateModel(
            name="CardSetup",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("provider", models.CharField(max_length=16)),
                ("state", models.CharField(max_length=16)),
                ("return_url", models.CharField(max_length=500)),
                ("url", models.CharField(max_length=2000)),
                ("customer_ref", models.CharField(max_length=255)),
                ("setup_ref", models.CharField(max_length=255)),
                ("priority", models.SmallIntegerField()),
                ("method_id", models.BigIntegerField(null=True)),
                ("detail", models.CharField(max_length=500)),
                ("tries", models.SmallIntegerField()),
                ("due_ms", models.BigIntegerField(null=True)),
                ("created_ms", models.BigIntegerField()),
                ("created_by", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "card_setup",
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("outbox_id", models.BigIntegerField()),
                ("channel", models.CharField(max_length=16)),
                ("target", models.CharField(max_length=254)),
                ("state", models.CharField(max_length=16)),
                ("tries", models.SmallIntegerField()),
                ("detail", models.CharField(max_length=500)),
                ("due_ms", models.BigIntegerField(null=True)),
                ("tried_ms", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "delivery",
            },
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=16)),
                ("number", models.BigIntegerField()),
                ("issued_ms", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("amount_micros", models.BigIntegerField()),
                ("lot_id", models.BigIntegerField(null=True)),
                ("payment_id", models.BigIntegerField(null=True)),
                ("body", models.TextField()),
            ],
            options={
                "db_table": "document",
            },
        ),
        migrations.CreateModel(
            name="GrantRequest",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("state", models.CharField(max_length=16)),
                ("amount_micros", models.BigIntegerField()),
                ("promotional", models.BooleanField()),
                ("lasts_until_ms", models.BigIntegerField(null=True)),
                ("idempotency_key", models.CharField(max_length=200)),
                ("body_hash", models.BigIntegerField()),
                ("reason", models.CharField(max_length=500)),
                ("asked_by", models.CharField(max_length=200)),
                ("asked_ms", models.BigIntegerField()),
                ("decided_by", models.CharField(max_length=200)),
                ("decided_ms", models.BigIntegerField(null=True)),
                ("lot_id", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "grant_request",
            },
        ),
        migrations.CreateModel(
            name="JobRun",
            fields=[
                ("job", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("began_ms", models.BigIntegerField()),
                ("ended_ms", models.BigIntegerField()),
                ("worked_ms", models.BigIntegerField(null=True)),
                ("rows", models.IntegerField()),
                ("failure", models.CharField(max_length=500)),
            ],
            options={
                "db_table": "job_run",
            },
        ),
        migrations.CreateModel(
            name="Outbox",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=64)),
                ("key", models.CharField(max_length=200)),
                ("at_ms", models.BigIntegerField()),
                ("facts", models.TextField()),
                ("spread_ms", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "outbox",
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=16)),
                ("state", models.CharField(max_length=16)),
                ("method_id", models.BigIntegerField(null=True)),
                ("amount_micros", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("idempotency_key", models.CharField(max_length=200)),
                ("body_hash", models.BigIntegerField()),
                ("po_number", models.CharField(max_length=64)),
                ("actor", models.CharField(max_length=200)),
                ("declines", models.SmallIntegerField()),
                ("code", models.CharField(max_length=64)),
                ("detail", models.CharField(max_length=500)),
                ("action_url", models.CharField(max_length=2000)),
                ("due_ms", models.BigIntegerField(null=True)),
                ("created_ms", models.BigIntegerField()),
                ("closed_ms", models.BigIntegerField(null=True)),
                ("lot_id", models.BigIntegerField(null=True)),
                ("statement_id", models.BigIntegerField(null=True)),
                ("refunded_micros", models.BigIntegerField()),
            ],
            options={
                "db_table": "payment",
            },
        ),
        migrations.CreateModel(
            name="PaymentMethod",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=16)),
                ("state", models.CharField(max_length=16)),
                ("priority", models.SmallIntegerField()),
                ("provider", models.CharField(max_length=16)),
                ("customer_ref", models.CharField(max_length=255)),
                ("method_ref", models.CharField(max_length=255)),
                ("brand", models.CharField(max_length=32)),
                ("last4", models.CharField(max_length=4)),
                ("exp_year", models.SmallIntegerField(null=True)),
                ("exp_month", models.SmallIntegerField(null=True)),
                ("agreement", models.CharField(max_length=64)),
                ("po_number", models.CharField(max_length=64)),
                ("created_ms", models.BigIntegerField()),
                ("created_by", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "payment_method",
            },
        ),
        migrations.CreateModel(
            name="PaymentTry",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("payment_id", models.BigIntegerField()),
                ("number", models.SmallIntegerField()),
                ("method_id", models.BigIntegerField()),
                ("provider", models.CharField(max_length=16)),
                ("state", models.CharField(max_length=16)),
                ("amount_micros", models.BigIntegerField()),
                ("provider_ref", models.CharField(max_length=255)),
                ("code", models.CharField(max_length=64)),
                ("detail", models.CharField(max_length=500)),
                ("asked", models.SmallIntegerField()),
                ("created_ms", models.BigIntegerField()),
                ("closed_ms", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "payment_try",
            },
        ),
        migrations.CreateModel(
            name="PostStatement",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("month", models.CharField(max_length=7)),
                ("document_id", models.BigIntegerField()),
                ("state", models.CharField(max_length=16)),
                ("amount_micros", models.BigIntegerField()),
                ("paid_micros", models.BigIntegerField()),
                ("closed_ms", models.BigIntegerField()),
                ("payable_ms", models.BigIntegerField()),
                ("overdue_ms", models.BigIntegerField(null=True)),
                ("blocked_ms", models.BigIntegerField(null=True)),
                ("paid_ms", models.BigIntegerField(null=True)),
                ("paid_note", models.CharField(max_length=500)),
            ],
            options={
                "db_table": "post_statement",
            },
        ),
        migrations.CreateModel(
            name="PostStatementUsage",
            fields=[
                ("usage_id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("statement_id", models.BigIntegerField()),
            ],
            options={
                "db_table": "post_statement_usage",
            },
        ),
        migrations.CreateModel(
            name="ProviderEvent",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("provider", models.CharField(max_length=16)),
                ("event_ref", models.CharField(max_length=255)),
                ("kind", models.CharField(max_length=64)),
                ("object_ref", models.CharField(max_length=255)),
                ("payment_id", models.BigIntegerField()),
                ("tries", models.SmallIntegerField()),
                ("detail", models.CharField(max_length=500)),
                ("received_ms", models.BigIntegerField()),
                ("due_ms", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "provider_event",
            },
        ),
        migrations.CreateModel(
            name="Recharge",
            fields=[
                (
                    "organisation_id",
                    talktime.console.identity.Id(primary_key=True, serialize=False),
                ),
                ("enabled", models.BooleanField()),
                ("trigger_micros", models.BigIntegerField()),
                ("method", models.CharField(max_length=16)),
                ("amount_micros", models.BigIntegerField()),
                ("month_cap_micros", models.BigIntegerField(null=True)),
                ("day_max", models.SmallIntegerField()),
                ("paused_code", models.CharField(max_length=32)),
                ("paused_detail", models.CharField(max_length=500)),
                ("paused_ms", models.BigIntegerField(null=True)),
                ("changed_ms", models.BigIntegerField()),
                ("changed_by", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "recharge",
            },
        ),
        migrations.CreateModel(
            name="Recipient",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("email", models.CharField(max_length=254)),
                ("role", models.CharField(max_length=32)),
                ("language", models.CharField(max_length=16)),
                ("time_zone", models.CharField(max_length=64)),
                ("created_ms", models.BigIntegerField()),
            ],
            options={
                "db_table": "recipient",
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("payment_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=16)),
                ("state", models.CharField(max_length=16)),
                ("amount_micros", models.BigIntegerField()),
                ("voided_micros", models.BigIntegerField()),
                ("debt_micros", models.BigIntegerField()),
                ("idempotency_key", models.CharField(max_length=200)),
                ("body_hash", models.BigIntegerField()),
                ("provider_ref", models.CharField(max_length=255)),
                ("reason", models.CharField(max_length=500)),
                ("actor", models.CharField(max_length=200)),
                ("detail", models.CharField(max_length=500)),
                ("asked", models.SmallIntegerField()),
                ("due_ms", models.BigIntegerField(null=True)),
                ("created_ms", models.BigIntegerField()),
                ("closed_ms", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "refund",
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("url", models.CharField(max_length=2000)),
                ("state", models.CharField(max_length=16)),
                ("detail", models.CharField(max_length=500)),
                ("kinds", models.TextField()),
                ("secret", models.TextField()),
                ("old_secret", models.TextField()),
                ("old_until_ms", models.BigIntegerField(null=True)),
                ("created_ms", models.BigIntegerField()),
                ("created_by", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "webhook_endpoint",
            },
        ),
        migrations.RemoveConstraint(
            model_name="transfer",
            name="transfer_kind_known",
        ),
        migrations.AddField(
            model_name="wallet",
            name="alert_below_micros",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="wallet",
            name="alert_from_micros",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="wallet",
            name="attention_ms",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="wallet",
            name="low_micros",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="wallet",
            name="no_buying",
            field=models.CharField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="wallet",
            name="recharge_below_micros",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="wallet",
            index=models.Index(
                condition=models.Q(("attention_ms__isnull", False)),
                fields=["attention_ms"],
                name="wallet_attention",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
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
                        ],
                    )
                ),
                name="transfer_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertlevel",
            constraint=models.CheckConstraint(
                condition=models.Q(("below_micros__gte", 0)), name="alert_level_not_negative"
            ),
        ),
        migrations.AddIndex(
            model_name="cardsetup",
            index=models.Index(
                condition=models.Q(("due_ms__isnull", False)),
                fields=["due_ms"],
                name="card_setup_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardsetup",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["started", "waiting", "done", "failed"])),
                name="card_setup_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardsetup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("due_ms__isnull", True), ("state__in", ["started", "waiting"]), _connector="OR"
                ),
                name="card_setup_due_while_open",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("due_ms__isnull", False)),
                fields=["due_ms"],
                name="delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["organisation_id"], name="delivery_of_org"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["mail", "webhook"])),
                name="delivery_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["due", "sent", "failed", "dropped"])),
                name="delivery_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_ms__isnull", False), ("state", "due")),
                    models.Q(models.Q(("state", "due"), _negated=True), ("due_ms__isnull", True)),
                    _connector="OR",
                ),
                name="delivery_due_while_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("outbox_id", "channel", "target"), name="delivery_once_by_target"
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["organisation_id", "issued_ms"], name="document_by_time"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["invoice", "credit_note", "statement"])),
                name="document_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(fields=("number",), name="document_once_by_number"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "invoice"), ("lot_id__isnull", False)),
                fields=("lot_id",),
                name="document_one_invoice_a_lot",
            ),
        ),
        migrations.AddIndex(
            model_name="grantrequest",
            index=models.Index(fields=["organisation_id"], name="grant_request_of_org"),
        ),
        migrations.AddConstraint(
            model_name="grantrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["asked", "approved", "rejected"])),
                name="grant_request_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="grantrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="grant_request_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="grantrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("asked_by", models.F("decided_by")), _negated=True),
                name="grant_request_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="grantrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lot_id__isnull", False), ("state", "approved")),
                    models.Q(
                        models.Q(("state", "approved"), _negated=True), ("lot_id__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="grant_request_lot_when_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="grantrequest",
            constraint=models.UniqueConstraint(
                fields=("organisation_id", "idempotency_key"), name="grant_request_once_by_key"
            ),
        ),
        migrations.AddIndex(
            model_name="outbox",
            index=models.Index(
                condition=models.Q(("spread_ms__isnull", True)), fields=["id"], name="outbox_new"
            ),
        ),
        migrations.AddIndex(
            model_name="outbox",
            index=models.Index(fields=["organisation_id", "at_ms"], name="outbox_by_time"),
        ),
        migrations.AddConstraint(
            model_name="outbox",
            constraint=models.UniqueConstraint(
                fields=("organisation_id", "key"), name="outbox_once_by_key"
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("due_ms__isnull", False)), fields=["due_ms"], name="payment_due"
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["organisation_id", "created_ms"], name="payment_by_time"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["purchase", "recharge", "statement"])),
                name="payment_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "charging",
                            "unknown",
                            "declined",
                            "confirming",
                            "invoiced",
                            "succeeded",
                            "failed",
                            "cancelled",
                        ],
                    )
                ),
                name="payment_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="payment_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded_micros__gte", 0)),
                name="payment_refunded_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded_micros__lte", models.F("amount_micros"))),
                name="payment_refunded_within_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_ms__isnull", True),
                        models.Q(
                            ("state__in", ["succeeded", "failed", "cancelled"]), _negated=True
                        ),
                    ),
                    models.Q(
                        ("closed_ms__isnull", False),
                        ("due_ms__isnull", True),
                        ("state__in", ["succeeded", "failed", "cancelled"]),
                    ),
                    _connector="OR",
                ),
                name="payment_closed_when_over",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("lot_id__isnull", True),
                        models.Q(
                            models.Q(("state", "succeeded"), _negated=True),
                            ("kind", "statement"),
                            _connector="OR",
                        ),
                    ),
                    models.Q(
                        ("lot_id__isnull", False),
                        ("state", "succeeded"),
                        models.Q(("kind", "statement"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="payment_lot_when_paid",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("organisation_id", "idempotency_key"), name="payment_once_by_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_ms__isnull", True), ("kind", "recharge")),
                fields=("organisation_id",),
                name="payment_one_open_recharge",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lot_id__isnull", False)),
                fields=("lot_id",),
                name="payment_one_lot",
            ),
        ),
        migrations.AddIndex(
            model_name="paymentmethod",
            index=models.Index(fields=["organisation_id"], name="payment_method_of_org"),
        ),
        migrations.AddConstraint(
            model_name="paymentmethod",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["card", "invoice"])),
                name="payment_method_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentmethod",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["active", "removed"])),
                name="payment_method_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentmethod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("exp_month__isnull", True),
                    models.Q(("exp_month__gte", 1), ("exp_month__lte", 12)),
                    _connector="OR",
                ),
                name="payment_method_month_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentmethod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind", "card"),
                        models.Q(("method_ref", ""), _negated=True),
                        ("agreement", ""),
                        ("po_number", ""),
                    ),
                    models.Q(
                        ("kind", "invoice"),
                        ("method_ref", ""),
                        models.Q(("agreement", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="payment_method_whole",
            ),
        ),
        migrations.AddIndex(
            model_name="paymenttry",
            index=models.Index(
                condition=models.Q(("provider_ref", ""), _negated=True),
                fields=["provider_ref"],
                name="payment_try_by_ref",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymenttry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "sending",
                            "unknown",
                            "confirming",
                            "succeeded",
                            "declined",
                            "refused",
                            "cancelled",
                        ],
                    )
                ),
                name="payment_try_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymenttry",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="payment_try_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="paymenttry",
            constraint=models.UniqueConstraint(
                fields=("payment_id", "number"), name="payment_try_once_by_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="paymenttry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_ms__isnull", True)),
                fields=("payment_id",),
                name="payment_try_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymenttry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "succeeded")),
                fields=("payment_id",),
                name="payment_try_one_success",
            ),
        ),
        migrations.AddIndex(
            model_name="poststatement",
            index=models.Index(
                condition=models.Q(("state", "paid"), _negated=True),
                fields=["payable_ms"],
                name="post_statement_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="poststatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["due", "overdue", "blocked", "paid"])),
                name="post_statement_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="poststatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("paid_micros__gte", 0)), name="post_statement_paid_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="poststatement",
            constraint=models.UniqueConstraint(
                fields=("organisation_id", "month"), name="post_statement_once_a_month"
            ),
        ),
        migrations.AddIndex(
            model_name="poststatementusage",
            index=models.Index(fields=["statement_id"], name="post_usage_of_statement"),
        ),
        migrations.AddIndex(
            model_name="providerevent",
            index=models.Index(
                condition=models.Q(("due_ms__isnull", False)),
                fields=["due_ms"],
                name="provider_event_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="providerevent",
            constraint=models.UniqueConstraint(
                fields=("provider", "event_ref"), name="provider_event_once_by_ref"
            ),
        ),
        migrations.AddConstraint(
            model_name="recharge",
            constraint=models.CheckConstraint(
                condition=models.Q(("method__in", ["amount", "up_to"])),
                name="recharge_method_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="recharge",
            constraint=models.CheckConstraint(
                condition=models.Q(("trigger_micros__gte", 0)), name="recharge_trigger_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="recharge",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="recharge_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="recharge",
            constraint=models.CheckConstraint(
                condition=models.Q(("day_max__gt", 0)), name="recharge_day_max_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(
                fields=("organisation_id", "email", "role"), name="recipient_once_by_role"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("due_ms__isnull", False)), fields=["due_ms"], name="refund_due"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["payment_id"], name="refund_of_payment"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["refund", "chargeback"])), name="refund_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["asked", "unknown", "done", "failed", "open", "lost", "won"])
                ),
                name="refund_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="refund_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount_micros",
                        django.db.models.expressions.CombinedExpression(
                            models.F("voided_micros"), "+", models.F("debt_micros")
                        ),
                    )
                ),
                name="refund_is_voided_and_debt",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                fields=("organisation_id", "idempotency_key"), name="refund_once_by_key"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(fields=["organisation_id"], name="webhook_endpoint_of_org"),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["active", "disabled", "removed"])),
                name="webhook_endpoint_state_known",
            ),
        ),
        migrations.RunSQL(LOOK_AT_ALL, migrations.RunSQL.noop),
        refuse_changes("transfer"),
        refuse_changes("document"),
        refuse_changes("post_statement_usage"),
    ]
