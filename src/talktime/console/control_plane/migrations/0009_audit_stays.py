from django.db import migrations

from talktime.console.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("control_plane", "0008_people")]
    operations = [refuse_changes("audit_entry")]
