from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CHANGING_TABLES = ("wallet", "lot", "call")


def leave_room(apps: Apps | StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Half of each page stays free, so that a row's new version lands beside the old one and no index is touched."""
    if schema_editor.connection.vendor == "postgresql":
        for table in CHANGING_TABLES:
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")


class Migration(migrations.Migration):
    dependencies = [("cell", "0002_append_only")]
    operations = [migrations.RunPython(leave_room, migrations.RunPython.noop)]
