"""`talktime migrate`: bring the databases to this version."""

from talktime.cli.installation import installation
from talktime.cli.output import Json, show


def migrate_command(json: Json = False) -> None:
    """Bring the databases to this version: the control plane, then each cell. Safe to repeat."""
    from talktime.console.migrate import migrate

    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if not json:
            print(line, flush=True)

    migrate(installation(), say)
    if json:
        databases = [
            dict(zip(("database", "outcome"), line.rsplit(": ", 1), strict=True)) for line in said
        ]
        show(True, {"databases": databases})
