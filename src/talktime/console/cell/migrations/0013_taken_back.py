import django.db.models.expressions
from django.db import migrations, models

import talktime.console.identity
from talktime.console.append_only import allow_changes, refuse_changes


class Migration(migrations.Migration):
    dependencies = [
        ("cell", "0012_wallet_version"),
    ]

    operations = [
        # SQLite makes a table anew to change a constraint: its triggers would be lost.
        allow_changes("transfer"),
        migrations.CreateModel(
            name="TakenBack",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("lot_id", models.BigIntegerField()),
                ("amount_micros", models.BigIntegerField()),
                ("voided_micros", models.BigIntegerField()),
                ("debt_micros", models.BigIntegerField()),
                ("idempotency_key", models.CharField(max_length=200)),
                ("body_hash", models.BigIntegerField()),
                ("reason", models.CharField(max_length=500)),
                ("actor", models.CharField(max_length=200)),
                ("at_ms", models.BigIntegerField()),
            ],
            options={
                "db_table": "taken_back",
            },
        ),
        migrations.RemoveConstraint(
            model_name="transfer",
            name="transfer_kind_known",
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
                            "take_back",
                        ],
                    )
                ),
                name="transfer_kind_known",
            ),
        ),
        migrations.AddIndex(
            model_name="takenback",
            index=models.Index(fields=["organisation_id", "lot_id"], name="taken_back_of_lot"),
        ),
        migrations.AddConstraint(
            model_name="takenback",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="taken_back_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="takenback",
            constraint=models.CheckConstraint(
                condition=models.Q(("voided_micros__gte", 0)), name="taken_back_voided_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="takenback",
            constraint=models.CheckConstraint(
                condition=models.Q(("debt_micros__gte", 0)), name="taken_back_debt_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="takenback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount_micros",
                        django.db.models.expressions.CombinedExpression(
                            models.F("voided_micros"), "+", models.F("debt_micros")
                        ),
                    )
                ),
                name="taken_back_is_voided_and_debt",
            ),
        ),
        migrations.AddConstraint(
            model_name="takenback",
            constraint=models.UniqueConstraint(
                fields=("organisation_id", "idempotency_key"), name="taken_back_once_by_key"
            ),
        ),
        refuse_changes("transfer"),
        refuse_changes("taken_back"),
    ]
