"""What is known when a call begins, for the gates to look things up in."""

from typing import NamedTuple

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Directory
from talktime.core.rates import RateCards


class World(NamedTuple):
    """What is known when a call begins: all of it immutable or changed by whole entries."""

    directory: Directory
    rate_cards: RateCards
    catalogue: Catalogue
    at_ms: int
