"""`talktime usage`: the sums from which reports are made."""

from collections.abc import Callable
from typing import Annotated

import typer

from talktime.cli.failures import Failure
from talktime.cli.installation import cell, control_plane, installation, new_ids
from talktime.cli.output import Json, show, table
from talktime.clock import now_ms
from talktime.operations.ledger_sums import forget_ledger, sum_ledger
from talktime.operations.sum_usage import forget_sums, sum_usage
from talktime.operations.sum_wallets import forget_wallets, sum_wallets
from talktime.operations.sweep import Sweep, Swept
from talktime.store.database import Connection

group = typer.Typer(no_args_is_help=True, help="The sums from which reports are made.")
Forget = Callable[[Connection, int], None]
Add = Callable[[Sweep], Swept]
SUMS: dict[str, tuple[Forget, Add]] = {
    "usage": (forget_sums, sum_usage),
    "ledger": (forget_ledger, sum_ledger),
    "wallets": (forget_wallets, sum_wallets),
}


@group.command("rebuild")
def rebuild_command(
    of: Annotated[
        str,
        typer.Option(
            help="usage (of records, by day), ledger (of transfers, by day) or wallets (of "
            "transfers, by hour)."
        ),
    ] = "usage",
    only: Annotated[str, typer.Option("--cell", help="Only this cell.", show_default=False)] = "",
    json: Json = False,
) -> None:
    """Make sums anew from what they are the sums of.

    For when `talktime check-books` says that they differ. Calls go on. Reports and balances stay
    right meanwhile, if slower; the operator's accounts say of when they are.
    """
    if of not in SUMS:
        raise Failure(f"{of!r} is none of {', '.join(SUMS)}")
    forget, add = SUMS[of]
    settings, ids = installation(), new_ids()
    done: dict[str, int] = {}
    with control_plane(settings) as control:
        for name in [only] if only else settings.cells:
            done[name] = 0
            with cell(settings, name) as connection:
                sweep = Sweep(connection, now_ms, ids.next, control=lambda: control, cell=name)
                forget(connection, now_ms())
                swept = add(sweep)
                while swept.rows or swept.more:
                    done[name] += swept.rows
                    swept = add(sweep)
    rows = [(name, f"{records:,}") for name, records in done.items()]
    columns = ("Cell", "Added up")
    show(json, {"records": done}, table(columns, rows, right=("Added up",)))
