import django.db.models.expressions
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import talktime.console.identity
from talktime.console.append_only import allow_changes, refuse_changes

# Every licence was a user's own; a wallet was funded first with its first lot.
OWN_LICENCES = "UPDATE person SET own_licences = licences"
FIRST_FUNDS = (
    "UPDATE wallet SET first_funded_ms = (SELECT MIN(purchased_ms) FROM lot "
    "WHERE lot.organisation_id = wallet.organisation_id)"
)
# A call belongs to the month in which it was set up (D13): its row says when, while it is kept.
MONTHS = {
    "sqlite": "strftime('%Y-%m', {} / 1000, 'unixepoch')",
    "postgresql": "to_char(to_timestamp({} / 1000) AT TIME ZONE 'UTC', 'YYYY-MM')",
}
BEGINNING = (
    "COALESCE((SELECT c.started_ms FROM call c WHERE c.id = usage_record.call_id), started_ms)"
)
USAGE_MONTHS = "UPDATE usage_record SET month = {}"
SPENDING = (
    "INSERT INTO meter (organisation_id, key, used, held) "
    "SELECT organisation_id, month || '/spending/' || user_id, SUM(charge_micros), 0 "
    "FROM usage_record WHERE user_id IS NOT NULL AND type LIKE '%out%' "
    "GROUP BY organisation_id, month, user_id"
)
# What runs, or waits for a late report, counts for its user when it ends: by credits, as it began.
UNSETTLED = (
    """UPDATE call SET payers = '["","","' || {} || '/spending/' || user_id || """
    """'","",null,null,true,"","","insufficient_credit","","MCOPSTNPP"]' """
    "WHERE settle_sequence IS NULL AND user_id IS NOT NULL AND type LIKE '%out%'"
)
HELD = (
    "INSERT INTO meter (organisation_id, key, used, held) "
    "SELECT organisation_id, {} || '/spending/' || user_id, 0, SUM(held_micros) FROM call "
    "WHERE state = 'open' AND user_id IS NOT NULL AND type LIKE '%out%' AND held_micros > 0 "
    "GROUP BY organisation_id, {} || '/spending/' || user_id "
    "ON CONFLICT (organisation_id, key) DO UPDATE SET held = excluded.held"
)


def carry_over(apps: Apps | StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Fill the new columns of what is there, and leave room for the meters' updates."""
    schema_editor.execute(OWN_LICENCES)
    schema_editor.execute(FIRST_FUNDS)
    month = MONTHS[schema_editor.connection.vendor]
    schema_editor.execute(USAGE_MONTHS.format(month.format(BEGINNING)), None)
    schema_editor.execute(SPENDING, None)
    started = month.format("started_ms")
    schema_editor.execute(UNSETTLED.format(started), None)
    schema_editor.execute(HELD.format(started, started), None)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE meter SET (fillfactor = 50)")


class Migration(migrations.Migration):
    dependencies = [
        ("cell", "0003_room_for_updates"),
    ]

    operations = [
        # SQLite makes a table anew to add a column with a default: its triggers would be lost.
        allow_changes("usage_record"),
        migrations.CreateModel(
            name="LicenceGroup",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("organisation_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=64)),
                ("licences", models.TextField()),
            ],
            options={
                "db_table": "licence_group",
            },
        ),
        migrations.CreateModel(
            name="Meter",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organisation_id",
                        "key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("organisation_id", models.BigIntegerField()),
                ("key", models.CharField(max_length=128)),
                ("used", models.BigIntegerField()),
                ("held", models.BigIntegerField()),
                ("total", models.BigIntegerField(null=True)),
                ("warned_ms", models.BigIntegerField(null=True)),
                ("full_ms", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "meter",
            },
        ),
        migrations.AddField(
            model_name="call",
            name="payers",
            field=models.TextField(default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="call",
            name="pool_s",
            field=models.IntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="call",
            name="post_micros",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="usagerecord",
            name="month",
            field=models.CharField(default="", max_length=7),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="usagerecord",
            name="pool",
            field=models.CharField(default="", max_length=128),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="usagerecord",
            name="pool_s",
            field=models.IntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="usagerecord",
            name="post_micros",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="user",
            name="groups",
            field=models.TextField(default="[]"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="user",
            name="own_licences",
            field=models.TextField(default="[]"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="user",
            name="policy",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="user",
            name="spend_limit_micros",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="toll_free_dial_in",
            field=models.BooleanField(default=True),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="wallet",
            name="first_funded_ms",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="call",
            constraint=models.CheckConstraint(
                condition=models.Q(("pool_s__gte", 0)), name="call_pool_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="call",
            constraint=models.CheckConstraint(
                condition=models.Q(("post_micros__gte", 0)), name="call_post_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="licencegroup",
            constraint=models.UniqueConstraint(
                fields=("organisation_id", "name"), name="licence_group_once_by_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="meter",
            constraint=models.CheckConstraint(
                condition=models.Q(("used__gte", 0)), name="meter_used_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="meter",
            constraint=models.CheckConstraint(
                condition=models.Q(("held__gte", 0)), name="meter_held_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="meter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("total__isnull", True),
                    (
                        "total__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("used"), "+", models.F("held")
                        ),
                    ),
                    _connector="OR",
                ),
                name="meter_within_total",
            ),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        refuse_changes("usage_record"),
    ]
