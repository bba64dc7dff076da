from django.db import migrations, models

from talktime.console.append_only import allow_changes, refuse_changes


class Migration(migrations.Migration):
    dependencies = [
        ("cell", "0016_document_gaps"),
    ]

    operations = [
        # SQLite makes a table anew for a column that is never null: its triggers would be lost.
        allow_changes("usage_record"),
        # Without a default in the database: a process of an earlier version, which would leave
        # the conference out of a call's record, can write neither calls nor records.
        migrations.AddField(
            model_name="call",
            name="conference_id",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="usagerecord",
            name="conference_id",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        refuse_changes("usage_record"),
    ]
