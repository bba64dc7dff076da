"""The catalogue, kept as the control plane has it: read whole when its counter has moved."""

from talktime.core.catalogue import Catalogues
from talktime.store.catalogue import CATALOGUE, load_catalogues
from talktime.store.database import Connection
from talktime.store.revisions import revisions


class CatalogueCache:
    """One immutable `catalogues`, replaced whole when an entry has been written."""

    def __init__(self) -> None:
        self.catalogues = Catalogues()
        self._seen = -1

    @property
    def missing(self) -> list[str]:
        """`catalogue`, while it has not been read yet."""
        return [] if self._seen >= 0 else ["catalogue"]

    def refresh(self, control: Connection) -> bool:
        """Read the catalogue if it has changed since the last look; whether it has."""
        counter = revisions(control)[CATALOGUE]
        if counter == self._seen:
            return False
        self.catalogues, self._seen = load_catalogues(control), counter
        return True
