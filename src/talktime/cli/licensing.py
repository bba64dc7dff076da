"""`talktime licensing`: which licences are needed for what."""

from typing import Annotated, Any

import typer

from talktime.cli.failures import unless_refused
from talktime.cli.installation import control_plane, installation
from talktime.cli.output import Json, show, table
from talktime.clock import now_ms
from talktime.operations.licensing_table import PAYERS, Row, Way, licensing_table
from talktime.store.catalogue import load_catalogues


def licensing_command(
    country: Annotated[
        str, typer.Option(help="Usage location of the user, and country of the organisation.")
    ] = "US",
    json: Json = False,
) -> None:
    """Say which licences let a user do what, and who pays then.

    Found by trying the licences of this installation's catalogue on calls that are made up.
    """
    with control_plane(installation()) as control, control.reading():
        catalogues = load_catalogues(control)
    found = unless_refused(licensing_table(catalogues, country.upper(), now_ms()))
    rows = [
        (row.feature.name if way is row.ways[0] else " ", words(way), PAYERS[way.paid_by])
        for row in found
        for way in row.ways
    ]
    document = {"country": country.upper(), "features": [document_of_row(row) for row in found]}
    show(json, document, table(("To", "a user needs", "paid by"), rows))


def words(way: Way) -> str:
    """The licences of one way: `MCOEV or MCOCAP, and MCOPSTNC`."""
    return ", and ".join(" or ".join(choice) for choice in way.choices) or "no licence"


def document_of_row(row: Row) -> dict[str, Any]:
    """A feature for programs."""
    return {
        "feature": row.feature.name,
        "ways": [{"one_of_each": way.choices, "paid_by": way.paid_by} for way in row.ways],
    }
