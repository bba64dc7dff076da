"""`talktime usage`: the sums from which usage reports are made."""

from typing import Annotated

import typer

from talktime.cli.installation import cell, control_plane, installation, new_ids
from talktime.cli.output import Json, show, table
from talktime.clock import now_ms
from talktime.operations.sum_usage import forget_sums, sum_usage
from talktime.operations.sweep import Sweep

group = typer.Typer(no_args_is_help=True, help="The sums from which usage reports are made.")


@group.command("rebuild")
def rebuild_command(
    only: Annotated[str, typer.Option("--cell", help="Only this cell.", show_default=False)] = "",
    json: Json = False,
) -> None:
    """Make the sums of usage by day anew from the usage records.

    For when `talktime check-books` says that they differ. Calls go on, and reports stay right
    meanwhile, if slower.
    """
    settings, ids = installation(), new_ids()
    done: dict[str, int] = {}
    with control_plane(settings) as control:
        for name in [only] if only else settings.cells:
            done[name] = 0
            with cell(settings, name) as connection:
                sweep = Sweep(connection, now_ms, ids.next, control=lambda: control)
                forget_sums(connection, now_ms())
                swept = sum_usage(sweep)
                while swept.rows or swept.more:
                    done[name] += swept.rows
                    swept = sum_usage(sweep)
    rows = [(name, f"{records:,}") for name, records in done.items()]
    show(
        json,
        {"records": done},
        table(("Cell", "Records added up"), rows, right=("Records added up",)),
    )
