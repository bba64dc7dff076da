"""The rate cards, kept as the control plane has them: a published version is read once."""

from talktime.core.rates import RateCards
from talktime.store.database import Connection
from talktime.store.rates import load_cards


class RateCache:
    """One immutable `cards`, replaced whole when a version has been published."""

    def __init__(self) -> None:
        self.cards = RateCards()
        self._seen = 0
        self._loaded = False

    @property
    def missing(self) -> list[str]:
        """`rate cards`, while they have not been read yet."""
        return [] if self._loaded else ["rate cards"]

    def refresh(self, control: Connection) -> bool:
        """Read the versions published since the last look; whether there were any."""
        before = self._seen
        self.cards, self._seen = load_cards(control, self.cards, before)
        first, self._loaded = not self._loaded, True
        return first or self._seen != before
