from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cell", "0010_forgotten_cards"),
    ]

    operations = [
        migrations.AddField(
            model_name="grantrequest",
            name="source",
            field=models.CharField(default="grant", max_length=16),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="grantrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["grant", "purchase"])),
                name="grant_request_source_known",
            ),
        ),
    ]
