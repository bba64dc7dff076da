from django.db import migrations

from talktime.console.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("cell", "0001_initial")]
    operations = [refuse_changes("transfer"), refuse_changes("usage_record")]
