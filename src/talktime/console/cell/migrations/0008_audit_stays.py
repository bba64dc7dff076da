from django.db import migrations

from talktime.console.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("cell", "0007_audit_and_usage")]
    operations = [refuse_changes("audit_entry")]
