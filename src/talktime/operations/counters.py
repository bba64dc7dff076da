"""Where organisations pay, for whoever works through many of them: jobs, pages, the shell."""

from collections.abc import Callable

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.documents import Seller
from talktime.core.figures import figures_of
from talktime.operations.eligibility import bounds_of, not_offered
from talktime.operations.invoices import UNNAMED
from talktime.operations.till import Counter
from talktime.store.catalogue import load_catalogues
from talktime.store.database import Connection
from talktime.store.organisations import organisation_of_id


class Counters:
    """Makes the counter of any organisation of one cell; the catalogue is read when first needed.

    For one run, or one request: what it has read is not read again.
    """

    def __init__(
        self,
        control: Callable[[], Connection],
        cell: Connection,
        clock_ms: Callable[[], int],
        next_id: Callable[[], int],
        seller: Seller = UNNAMED,
    ) -> None:
        self._control, self._cell = control, cell
        self._clock_ms, self._next_id, self._seller = clock_ms, next_id, seller
        self._catalogue: Catalogue | None = None

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue in force."""
        if self._catalogue is None:
            control = self._control()
            with control.reading():
                self._catalogue = load_catalogues(control).in_force(self._clock_ms())
        return self._catalogue

    def of_id(self, organisation_id: int) -> Counter | None:
        """The counter of the organisation of this id; None where nobody has it."""
        control = self._control()
        with control.reading():
            organisation = organisation_of_id(control, organisation_id)
        return None if organisation is None else self.of(organisation)

    def of(self, organisation: Organisation) -> Counter:
        """The counter of an organisation: closed to buying where it may not buy."""
        why_not = not_offered(self.catalogue, organisation)
        return Counter(
            self._cell,
            organisation,
            bounds_of(self.catalogue, organisation.currency),
            self._clock_ms(),
            self._next_id,
            self._seller,
            "" if why_not is None else why_not.code,
            figures_of(self.catalogue.settings),
        )
