from django.db import migrations, models

from talktime.console.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [
        ("cell", "0015_creations"),
    ]

    operations = [
        migrations.CreateModel(
            name="DocumentGap",
            fields=[
                ("first_number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("last_number", models.BigIntegerField()),
                ("reason", models.CharField(max_length=500)),
                ("actor", models.CharField(max_length=200)),
                ("at_ms", models.BigIntegerField()),
            ],
            options={
                "db_table": "document_gap",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("first_number__gt", 0)),
                        name="document_gap_first_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("last_number__gte", models.F("first_number"))),
                        name="document_gap_in_order",
                    ),
                ],
            },
        ),
        refuse_changes("document_gap"),
    ]
