from django.db import migrations, models

import talktime.console.identity
from talktime.console.append_only import allow_changes, refuse_changes


class Migration(migrations.Migration):
    dependencies = [
        ("control_plane", "0002_rates_stay"),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogueRow",
            fields=[
                ("id", talktime.console.identity.Id(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=16)),
                ("code", models.CharField(max_length=64)),
                ("valid_from_ms", models.BigIntegerField()),
                ("body", models.TextField()),
                ("revision", models.BigIntegerField()),
            ],
            options={
                "db_table": "catalogue_row",
            },
        ),
        # SQLite makes a table anew for another constraint: its triggers would be lost.
        allow_changes("rate", verbs=("update",)),
        migrations.RemoveConstraint(
            model_name="rate",
            name="rate_direction_known",
        ),
        migrations.AddField(
            model_name="number",
            name="attached",
            field=models.CharField(default="", max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="organisation",
            name="calling_rules",
            field=models.TextField(default="{}"),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="number",
            constraint=models.CheckConstraint(
                condition=models.Q(("attached__in", ["", "bridge", "attendant", "queue"])),
                name="number_attached_to_something_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(("direction__in", ["outbound", "toll_free_in", "toll_in"])),
                name="rate_direction_known",
            ),
        ),
        migrations.AddIndex(
            model_name="cataloguerow",
            index=models.Index(fields=["revision"], name="catalogue_row_by_revision"),
        ),
        migrations.AddConstraint(
            model_name="cataloguerow",
            constraint=models.UniqueConstraint(
                fields=("kind", "code", "valid_from_ms"), name="catalogue_row_once_by_start"
            ),
        ),
        refuse_changes("rate", verbs=("update",)),
    ]
