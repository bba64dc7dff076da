"""Where the operator's pages look: every cell that answers, or one organisation in its own."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import structlog
from django.http import Http404, HttpResponse

from talktime.clock import now_ms
from talktime.console.databases import current
from talktime.console.doors import OperatorDesk
from talktime.console.kept_connections import lent
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.ids import id_in
from talktime.operations.billing_profiles import seller_of
from talktime.operations.counters import Counters
from talktime.operations.four_eyes import room_of
from talktime.operations.grants import Giver
from talktime.operations.ledger_sums import summed_until
from talktime.operations.till import Counter
from talktime.store.database import Connection, Outage
from talktime.store.health import organisations_of_ids
from talktime.store.organisations import organisation_of_id
from talktime.store.revisions import revisions

log = structlog.get_logger(__name__)

PAGE_ROWS = 50


class Cells(NamedTuple):
    """The cells that answer, by name, and the names of those that do not."""

    open: dict[str, Connection]
    away: list[str]


class Place(NamedTuple):
    """One organisation where its books are."""

    owner: Organisation
    cell: Connection
    control: Connection
    counters: Counters

    @property
    def counter(self) -> Counter:
        """Where it pays."""
        return self.counters.of(self.owner)

    @property
    def catalogue(self) -> Catalogue:
        """What is sold now."""
        return self.counters.catalogue

    @property
    def giver(self) -> Giver:
        """Where grants to it are given."""
        counter = self.counter
        return Giver(
            *(self.cell, self.owner, self.control, self.catalogue, counter.now_ms),
            next_id=counter.next_id,
            seller=counter.seller,
        )

    def room_micros(self, actor: str) -> int:
        """What somebody may give alone now, in the organisation's currency."""
        giver = self.giver
        with self.control.transaction():
            return room_of(self.control, giver.catalogue, self.owner.currency, actor, giver.now_ms)


class CellAway(Exception):
    """The organisation's cell does not answer."""

    def __init__(self, owner: Organisation) -> None:
        super().__init__(owner.cell)
        self.owner = owner


@contextmanager
def all_cells() -> Iterator[Cells]:
    """A connection to every cell that answers."""
    with ExitStack() as opened:
        found = Cells({}, [])
        for name, address in current().cells.items():
            try:
                cell = opened.enter_context(lent(address))
                with cell.reading():
                    revisions(cell)
                found.open[name] = cell
            except Outage as error:
                log.error("a cell does not answer", cell=name, reason=str(error))
                found.away.append(name)
        yield found


def figures_until_ms(cells: Cells) -> int | None:
    """Until when the ledger's sums of these cells are; None where they are of now."""
    times = []
    for cell in cells.open.values():
        with cell.reading():
            times.append(summed_until(cell))
    return min((each for each in times if each is not None), default=None)


@contextmanager
def organisation_at(desk: OperatorDesk, organisation_id: int) -> Iterator[Place]:
    """One organisation with its cell. Raises Http404 where there is none, CellAway where its cell
    does not answer."""
    with desk.control.reading():
        owner = organisation_of_id(desk.control, organisation_id)
    if owner is None:
        raise Http404
    address = current().cells.get(owner.cell)
    try:
        if address is None:
            raise Outage(f"this process does not know the cell {owner.cell}")
        with lent(address) as cell:
            control, seller = desk.control, seller_of(current())
            counters = Counters(lambda: control, cell, now_ms, desk.next_id, seller)
            yield Place(owner, cell, control, counters)
    except Outage as error:
        log.error("a cell does not answer", cell=owner.cell, reason=str(error))
        raise CellAway(owner) from error


def away(desk: OperatorDesk, error: CellAway) -> HttpResponse:
    """The page that says so."""
    return desk.page("operator/cell_away.html", {"owner": error.owner}, status=503)


def owners_of(desk: OperatorDesk, ids: Iterable[int]) -> dict[int, Organisation]:
    """Organisations by id."""
    with desk.control.reading():
        return organisations_of_ids(desk.control, ids)


def number_in(text: str) -> int:
    """An id that stands in an address; 0 for what is none."""
    return id_in(text) or 0
