import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

FILE = Path(__file__).parents[3] / "catalogue_2026.yaml"
CODES = {"special_prefix": "prefix", "policy": "name", "number_tier": "licences", "setting": "name"}
REVISION = 1


def seed(apps: Apps | StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Write the entries of the file, which is never edited, with ids 1, 2, 3 ...

    It reads the file by itself, so that it means the same whatever becomes of the catalogue's code.
    """
    sections = yaml.safe_load(FILE.read_bytes())
    valid_from = sections.pop("valid_from")
    rows = []
    for kind, entries in sections.items():
        for entry in entries:
            row = {
                "kind": kind,
                "code": str(entry[CODES.get(kind, "code")]),
                "valid_from_ms": milliseconds(entry.pop("valid_from", valid_from)),
                "body": json.dumps(entry, separators=(",", ":")),
            }
            rows.append(row)
    database = schema_editor.connection.alias
    catalogue_row = apps.get_model("control_plane", "CatalogueRow")
    catalogue_row.objects.using(database).bulk_create(
        catalogue_row(id=number, revision=REVISION, **row) for number, row in enumerate(rows, 1)
    )
    # A new installation gets its counters when all migrations are done; this one is then there.
    apps.get_model("control_plane", "Revision").objects.using(database).update_or_create(
        name="catalogue", defaults={"value": REVISION}
    )


def milliseconds(day: object) -> int:
    """A day of the file as milliseconds since the epoch, in UTC."""
    at = datetime.fromisoformat(str(day)).replace(tzinfo=UTC)
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


class Migration(migrations.Migration):
    dependencies = [("control_plane", "0003_catalogue_and_rules")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
