from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cell", "0011_purchases_to_approve"),
    ]

    operations = [
        migrations.AddField(
            model_name="wallet",
            name="version",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
    ]
