"""Organisations beside the demo's, each with money and one user who may call abroad."""

from collections.abc import Callable

from talktime.core.directory import Organisation
from talktime.core.refusal import Refusal
from talktime.engine.lanes import place_of
from talktime.operations.assign_numbers import assign_number
from talktime.operations.fund import fund
from talktime.operations.organisations import create_organisation
from talktime.operations.seed_demo import CARD, Demo
from talktime.operations.user_changes import UserChange
from talktime.operations.users import create_user
from tests.people import CATALOGUE, PAYS_AS_IT_GOES, PLENTY
from tests.served import clock_ms, new_id
from tests.stores import Store

MICROS = 1_000_000
NEIGHBOUR = "+14255550123"


def add_organisation(
    store: Store,
    cell: str,
    number: str,
    *,
    funded_micros: int = MICROS,
    next_id: Callable[[], int] = new_id,
) -> Organisation:
    """Another funded organisation, in a cell, with one user and number."""
    control, home = store.control(), store.cell(cell)
    made = create_organisation(
        control,
        {cell: home},
        name=f"Contoso {cell}",
        cell=cell,
        currency="USD",
        time_zone="Europe/Oslo",
        country="US",
        rate_card=CARD,
        now_ms=clock_ms(),
        next_id=next_id,
    )
    assert isinstance(made, Organisation)
    with home.transaction():
        new = UserChange(f"desk-{cell}@contoso.example", licences=PAYS_AS_IT_GOES)
        user = create_user(home, made, new, catalogue=CATALOGUE, next_id=new_id)
    assert not isinstance(user, Refusal)
    with control.transaction():
        entry = assign_number(control, made, number, user=user, allowance=PLENTY, now_ms=clock_ms())
    assert not isinstance(entry, Refusal)
    fund(
        home,
        made,
        amount_micros=funded_micros,
        reason="a test",
        actor="tests",
        idempotency_key="first",
        now_ms=clock_ms(),
        next_id=new_id,
    )
    return made


def add_neighbour(store: Store, demo: Demo) -> Organisation:
    """A rich organisation in the demo's cell, whose number is NEIGHBOUR; on another lane than the
    demo's where there are several."""
    lanes = store.settings.writers_of("main")
    taken = place_of(demo.organisation_id, lanes)

    def next_id() -> int:
        while place_of(found := new_id(), lanes) == taken and lanes > 1:
            pass
        return found

    return add_organisation(store, "main", NEIGHBOUR, funded_micros=100 * MICROS, next_id=next_id)
