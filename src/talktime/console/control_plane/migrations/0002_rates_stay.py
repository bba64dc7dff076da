from django.db import migrations

from talktime.console.append_only import refuse_changes


class Migration(migrations.Migration):
    """A published rate is never changed: a new price is a new card. Old cards may be removed."""

    dependencies = [("control_plane", "0001_initial")]
    operations = [refuse_changes("rate", verbs=("update",))]
