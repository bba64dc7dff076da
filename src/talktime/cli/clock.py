"""`talktime clock`: the test clock, with which months pass in a minute. Never in production."""

from contextlib import ExitStack
from typing import Annotated, Any

import typer

from talktime.cli.failures import Failure
from talktime.cli.installation import cell, control_plane, installation
from talktime.cli.output import Json, moment, panel, show
from talktime.clock import ahead_in_words, ahead_ms, is_movable, movable_clock, now_ms, real_ms, utc
from talktime.config import Settings
from talktime.operations.clock_moves import note_move
from talktime.operations.newest_row import newest_row_ms

group = typer.Typer(no_args_is_help=True, help="The test clock. Never in production.")


@group.command("show")
def show_command(json: Json = False) -> None:
    """Show what time it is for the service, and how far a test clock is ahead."""
    installation()
    show_clock(json)


@group.command("advance")
def advance_command(
    to: Annotated[
        str,
        typer.Argument(
            help="A span (30d, 12h, 45min), or a moment to come (2027-03-01, 2027-03-01T12:00Z).",
            metavar="SPAN",
        ),
    ],
    json: Json = False,
) -> None:
    """Move the test clock forward, for all processes of this installation at once.

    What comes due on the way is done by the jobs as soon as they see it. There is no way back.
    """
    with control_plane(installation()) as control:
        clock, before_ms = movable_clock(), now_ms()
        clock.move(to)
        note_move(control, before_ms, now_ms())
    show_clock(json)


@group.command("reset")
def reset_command(
    yes: Annotated[bool, typer.Option("--yes", help="Really do it.")] = False,
    json: Json = False,
) -> None:
    """Let the test clock show real time again, where nothing was made ahead of that.

    Otherwise it refuses: ids and books are ordered by time. Begin with an empty data folder then.
    """
    settings = installation()
    clock = movable_clock()
    if not yes:
        raise Failure("nothing was done: say --yes to let the clock show real time again")
    newest_ms = newest_row_of(settings)
    if newest_ms > real_ms():
        raise Failure(
            f"there is data of {utc(newest_ms)}, after the real time: the clock cannot go back "
            "behind it. Use an empty data folder (TALKTIME_DATA) or wait until then"
        )
    with control_plane(settings) as control:
        before_ms = now_ms()
        clock.reset()
        note_move(control, before_ms, now_ms())
    show_clock(json)


def newest_row_of(settings: Settings) -> int:
    """When the newest row of all databases was made."""
    with ExitStack() as opened:
        control = opened.enter_context(control_plane(settings))
        cells = [opened.enter_context(cell(settings, name)) for name in settings.cells]
        return newest_row_ms(control, cells)


def show_clock(json: bool) -> None:
    """Show the clock that this process follows."""
    document: dict[str, Any] = {
        "now": moment(now_ms()),
        "real": moment(real_ms()),
        "ahead_ms": ahead_ms(),
        "test_clock": is_movable(),
    }
    facts = {
        "Now": document["now"],
        "Real time": document["real"],
        "Test clock": ahead_in_words(ahead_ms()) if is_movable() else "off",
    }
    show(json, document, panel("Clock", facts))
