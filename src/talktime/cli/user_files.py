"""`talktime user import` and `user export`: an organisation's users as a CSV file."""

from pathlib import Path
from typing import Annotated

import typer

from talktime.cli.csv_files import bad_file, content_of, progress_bar
from talktime.cli.installation import (
    catalogue_of,
    cell,
    control_plane,
    installation,
    new_ids,
    organisation_of,
)
from talktime.cli.output import Json, panel, show
from talktime.cli.users import OrganisationName, all_users, group
from talktime.core.limits import USER_FILE_BYTES_MAX
from talktime.operations.csv_rows import BadFile, RowErrors
from talktime.operations.user_file import read_user_file, user_csv
from talktime.operations.users import put_users


@group.command("import")
def import_users_command(
    organisation: OrganisationName,
    file: Annotated[Path, typer.Argument(help="CSV of users.", exists=True, dir_okay=False)],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would change; write nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Make and change users by a CSV file: all of them, or none.

    Every bad row is named by line and reason. docs/reference/user-files.md describes the file.
    """
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        catalogue = catalogue_of(control)
    errors = RowErrors()
    with progress_bar() as progress:
        task = progress.add_task("Reading", total=None)

        def tell(doing: str, rows: int) -> None:
            progress.update(task, description=f"Users {doing}", completed=rows)

        rows = read_user_file(content_of(file, USER_FILE_BYTES_MAX), errors, progress=tell)
        progress.update(task, total=len(rows))
        with cell(settings, owner.cell) as connection, connection.transaction():
            written = put_users(
                connection,
                owner,
                rows,
                errors,
                catalogue=catalogue,
                next_id=new_ids().next,
                dry_run=dry_run,
                progress=tell,
            )
            if isinstance(written, BadFile):
                raise bad_file(file, written)
    facts = {name.capitalize(): f"{getattr(written, name):,}" for name in written._fields[:3]}
    title = "Dry run: nothing was written" if dry_run else f"Users of {owner.name}"
    show(json, {"organisation": owner.name, **written._asdict()}, panel(title, facts))


@group.command("export")
def export_users_command(organisation: OrganisationName) -> None:
    """Print all users as a CSV file that `user import` takes."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.reading():
        for line in user_csv(all_users(connection, owner)):
            print(line, end="")
