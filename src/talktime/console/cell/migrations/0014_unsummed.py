from django.db import migrations, models

# Where the sums are, what comes behind them is noted from now on.
PUT_LINES = """
    INSERT INTO work_mark (name, value, at_ms)
    SELECT name || '_line', value, at_ms FROM work_mark
    WHERE name IN ('usage_day', 'ledger', 'wallet_hour')"""
TAKE_LINES = "DELETE FROM work_mark WHERE name LIKE '%_line' OR name LIKE '%_fence'"


class Migration(migrations.Migration):
    dependencies = [
        ("cell", "0013_taken_back"),
    ]

    operations = [
        migrations.CreateModel(
            name="Unsummed",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "name",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=32)),
                ("id", models.BigIntegerField()),
            ],
            options={
                "db_table": "unsummed",
            },
        ),
        migrations.RunSQL(PUT_LINES, TAKE_LINES),
    ]
