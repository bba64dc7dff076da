"""Where an organisation pays, for the commands about its money."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from talktime.cli.failures import Failure, no_wallet
from talktime.cli.installation import (
    cell,
    control_plane,
    installation,
    new_ids,
    organisation_of,
)
from talktime.clock import now_ms
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.money import parse_micros
from talktime.core.refusal import Refusal
from talktime.operations.billing_profiles import seller_of
from talktime.operations.counters import Counters
from talktime.operations.eligibility import why_not_buy
from talktime.operations.grants import Giver
from talktime.operations.till import Counter, NoWallet
from talktime.store.database import Connection


class OpenCounter(NamedTuple):
    """An organisation, where it pays, why it may not buy, and what it is told by: the control plane
    and its catalogue."""

    owner: Organisation
    counter: Counter
    why_not: Refusal | None
    control: Connection
    catalogue: Catalogue


@contextmanager
def counter_of(name: str) -> Iterator[OpenCounter]:
    """The counter of an organisation, its connections closed at the end."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, name)
        with cell(settings, owner.cell) as connection:
            counters = Counters(
                *(lambda: control, connection, now_ms, new_ids().next, seller_of(settings))
            )
            why_not = why_not_buy(counters.catalogue, owner)
            try:
                counter, catalogue = counters.of(owner), counters.catalogue
                yield OpenCounter(owner, counter, why_not, control, catalogue)
            except NoWallet as error:
                raise no_wallet(owner) from error


def giver_of(opened: OpenCounter) -> Giver:
    """Where grants are given."""
    counter = opened.counter
    return Giver(
        counter.cell,
        opened.owner,
        opened.control,
        opened.catalogue,
        counter.now_ms,
        counter.next_id,
        counter.seller,
        by_shell=True,
    )


def micros_of(text: str, what: str) -> int:
    """An amount as typed, in micros; Failure where it is none."""
    try:
        return parse_micros(text)
    except ValueError as error:
        raise Failure(f"{what}: {error}") from error
