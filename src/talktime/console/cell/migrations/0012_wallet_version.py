from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cell", "0011_purchases_to_approve"),
    ]

    operations = [
        # A process of an earlier version, which would not count the new column up, names this one
        # when it locks a wallet: it finds a database of another version, and writes nothing.
        migrations.RenameField(
            model_name="wallet",
            old_name="low_micros",
            new_name="lowest_micros",
        ),
        migrations.AddField(
            model_name="wallet",
            name="version",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
    ]
