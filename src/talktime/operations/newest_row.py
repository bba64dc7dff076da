"""When the newest row of an installation was made: its clock may not go back behind that."""

from collections.abc import Iterable

from talktime.core.ids import made_ms
from talktime.store.database import Connection
from talktime.store.newest import newest_id_of_cell, newest_id_of_control_plane


def newest_row_ms(control: Connection, cells: Iterable[Connection]) -> int:
    """When the newest row was made, in milliseconds since 1970, by its id."""
    with control.reading():
        newest = newest_id_of_control_plane(control)
    for cell in cells:
        with cell.reading():
            newest = max(newest, newest_id_of_cell(cell))
    return made_ms(newest)
