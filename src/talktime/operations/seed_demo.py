"""A demo organisation to try everything on: users, numbers, a funded wallet, rates and a switch.

The numbers exist by the rules of their countries, and are set aside there for fiction: nobody has
them. Every step looks first whether its part is there, so a second start (or one after a crash in
the middle) adds what is missing and changes nothing else.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from talktime.core.catalogue import Catalogue
from talktime.core.directory import (
    ATTENDANT,
    NOT_ATTACHED,
    PERSON,
    RESOURCE_ACCOUNT,
    TOLL,
    TOLL_FREE,
    USER_NUMBER,
    Organisation,
    User,
)
from talktime.core.expiry import expires_ms
from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import assign_number
from talktime.operations.csv_rows import BadFile
from talktime.operations.find_numbers import find_number
from talktime.operations.fund import fund
from talktime.operations.import_rates import import_rates
from talktime.operations.keys import (
    ENTROPY_BYTES,
    create_key,
    create_switch,
    find_switch,
    key_text,
    secret_hash,
)
from talktime.operations.number_quotas import Allowance, read_allowance
from talktime.operations.organisations import create_organisation, find_organisation
from talktime.operations.rate_file import read_rate_file
from talktime.operations.seed_demo_money import ADMIN_EMAIL, ensure_money
from talktime.operations.user_changes import UserChange
from talktime.operations.users import create_user, find_user
from talktime.store.catalogue import load_catalogues
from talktime.store.database import Connection
from talktime.store.keys import key_of_hash
from talktime.store.rates import versions_of

ORGANISATION = "Contoso Demo"
TIME_ZONE = "America/Los_Angeles"
CARD, CURRENCY = "demo", "USD"
CARD_FILE = Path(__file__).parents[1] / "demo_rates.csv"
CARD_FROM_MS = 1_577_836_800_000  # 2020-01-01
OPERATOR_EMAIL = "operator@contoso.example"
SWITCH, OPERATOR = "Demo switch", "Contoso Voice"
CALLER, CALLEE, TOLL_FREE_NUMBER = "+14255550100", "+442079460958", "+18005550199"

PURCHASE_MICROS, GRANT_MICROS = 100_000_000, 5_000_000
GRANT_MONTHS = 3

Value = TypeVar("Value")
Entropy = Callable[[int], bytes]


class Demo(NamedTuple):
    """What one needs to try the demo; the numbers with + as a switch sends them."""

    organisation_id: int
    organisation: str
    switch_key: str
    caller: str
    callee: str
    toll_free: str
    admin_email: str
    admin_password: str
    operator_email: str
    operator_password: str


class _UserSeed(NamedTuple):
    name: str
    display_name: str
    usage_location: str
    licences: tuple[str, ...]
    kind: str
    numbers: tuple[tuple[str, str], ...]


_USERS = (
    _UserSeed(
        *("front-desk@contoso.example", "Front desk", "US", ("MCOPSTNC", "MCOPSTN1", "MCOEV")),
        *(PERSON, ((CALLER, USER_NUMBER),)),
    ),
    _UserSeed(
        *("boardroom-oslo@contoso.example", "Boardroom Oslo", "NO"),
        *(("MCOPSTNC", "MCOPSTN1", "MCOEV"), PERSON, (("+14255550101", USER_NUMBER),)),
    ),
    _UserSeed(
        *("main-line@contoso.example", "Main line", "US"),
        ("PHONESYSTEM_VIRTUALUSER", "MCOPSTN_PAYG_1", "MCOPSTNC"),
        *(RESOURCE_ACCOUNT, (("+14255550110", TOLL), (TOLL_FREE_NUMBER, TOLL_FREE))),
    ),
)


class NotSeeded(ValueError):
    """The demo cannot be put into this installation; the message says why and what to do."""


def seed_demo(
    control: Connection,
    cells: Mapping[str, Connection],
    *,
    now_ms: int,
    next_id: Callable[[], int],
    entropy: Entropy,
    switch_key: str = "",
    admin_password: str = "",
    operator_password: str = "",
) -> Demo:
    """Put the demo into an installation, in transactions of its own, and tell how to use it.

    `switch_key` and the passwords are those of an earlier start: they cannot be read back from
    the databases. A key that opens nothing (any more) is replaced by a new one; a password is made
    where none is given. The accounts that sign in with them are the console's affair, not made
    here.
    `entropy(n)` gives n bytes of chance. Raises NotSeeded where what is there is not as the demo
    left it, and Outage.
    """
    with control.transaction():
        _ensure_card(control, now_ms, next_id)
    organisation = _ensure_organisation(control, cells, now_ms, next_id)
    with control.reading():
        catalogue = load_catalogues(control).in_force(now_ms)
    cell = cells[organisation.cell]
    with cell.transaction():
        users = [_ensure_user(cell, organisation, seed, catalogue, next_id) for seed in _USERS]
    _ensure_funds(cell, organisation, now_ms, next_id)
    ensure_money(control, cell, organisation, now_ms, next_id)
    with cell.reading():
        allowance = read_allowance(cell, organisation, catalogue)
    with control.transaction():
        for seed, user in zip(_USERS, users, strict=True):
            _ensure_numbers(control, organisation, user, seed, allowance, now_ms)
        switch_key = _ensure_key(control, switch_key, now_ms, next_id, entropy)
    return Demo(
        organisation.id,
        organisation.name,
        switch_key,
        CALLER,
        CALLEE,
        TOLL_FREE_NUMBER,
        ADMIN_EMAIL,
        admin_password or _password(entropy),
        OPERATOR_EMAIL,
        operator_password or _password(entropy),
    )


def _password(entropy: Entropy) -> str:
    return key_text(entropy(ENTROPY_BYTES)).removeprefix("tt_")


def _ensure_card(control: Connection, now_ms: int, next_id: Callable[[], int]) -> None:
    if versions_of(control, CARD):
        return
    rows = read_rate_file(CARD_FILE.read_bytes(), valid_from_ms=CARD_FROM_MS)
    if isinstance(rows, BadFile):
        raise ValueError(f"{CARD_FILE.name} cannot be read: {rows.errors[0]}")
    report = import_rates(
        control,
        rows,
        name=CARD,
        currency=CURRENCY,
        source="the demo's own rates",
        valid_from_ms=CARD_FROM_MS,
        now_ms=now_ms,
        next_id=next_id,
    )
    _made(report)


def _ensure_organisation(
    control: Connection,
    cells: Mapping[str, Connection],
    now_ms: int,
    next_id: Callable[[], int],
) -> Organisation:
    with control.reading():
        found = find_organisation(control, ORGANISATION)
    if isinstance(found, Organisation):
        return found
    return _made(
        create_organisation(
            control,
            cells,
            name=ORGANISATION,
            cell=next(iter(cells)),
            currency=CURRENCY,
            time_zone=TIME_ZONE,
            country="US",
            rate_card=CARD,
            now_ms=now_ms,
            next_id=next_id,
        )
    )


def _ensure_user(
    cell: Connection,
    organisation: Organisation,
    seed: _UserSeed,
    catalogue: Catalogue,
    next_id: Callable[[], int],
) -> User:
    found = find_user(cell, organisation, seed.name)
    if isinstance(found, User):
        return found
    new = UserChange(
        seed.name,
        display_name=seed.display_name,
        usage_location=seed.usage_location,
        licences=frozenset(seed.licences),
        kind=seed.kind,
    )
    return _made(create_user(cell, organisation, new, catalogue=catalogue, next_id=next_id))


def _ensure_numbers(
    control: Connection,
    organisation: Organisation,
    user: User,
    seed: _UserSeed,
    allowance: Allowance,
    now_ms: int,
) -> None:
    for text, kind in seed.numbers:
        if isinstance(find_number(control, text), Refusal):
            _made(
                assign_number(
                    control,
                    organisation,
                    text,
                    kind=kind,
                    user=user,
                    attached=NOT_ATTACHED if kind == USER_NUMBER else ATTENDANT,
                    allowance=allowance,
                    now_ms=now_ms,
                )
            )


def _ensure_key(
    control: Connection,
    text: str,
    now_ms: int,
    next_id: Callable[[], int],
    entropy: Entropy,
) -> str:
    switch = find_switch(control, SWITCH)
    if isinstance(switch, Refusal):
        switch = _made(
            create_switch(control, name=SWITCH, operator=OPERATOR, now_ms=now_ms, next_id=next_id)
        )
    known = key_of_hash(control, secret_hash(text))
    if known is not None and known.switch_id == switch.id and known.usable(now_ms):
        return text
    new = create_key(
        control,
        switch,
        name="demo",
        now_ms=now_ms,
        next_id=next_id,
        entropy=entropy(ENTROPY_BYTES),
    )
    return _made(new).text


def _ensure_funds(
    cell: Connection, organisation: Organisation, now_ms: int, next_id: Callable[[], int]
) -> None:
    """A purchase of a year, and a gift that is spent first because it expires earlier (D6)."""
    gift_until_ms = expires_ms(now_ms, organisation.time_zone, GRANT_MONTHS)
    for source, micros, until_ms, reason in (
        ("purchase", PURCHASE_MICROS, None, "the demo's first purchase"),
        ("grant", GRANT_MICROS, gift_until_ms, "a gift to try the demo with"),
    ):
        funded = fund(
            cell,
            organisation,
            amount_micros=micros,
            source=source,
            reason=reason,
            actor="demo",
            idempotency_key=f"demo {source}",
            lasts_until_ms=until_ms,
            promotional=source == "grant",
            now_ms=now_ms,
            next_id=next_id,
        )
        # An earlier start put it there, with an expiry counted from its own time.
        if not (isinstance(funded, Refusal) and funded.code == "idempotency_key_reused"):
            _made(funded)


def _made(value: Value | Refusal) -> Value:
    """What was made; the demo's own input is in order, so a "no" has a reason outside of it."""
    if isinstance(value, Refusal):
        raise NotSeeded(
            f"the demo cannot be seeded: {value.detail}. `talktime check-books` tells more; "
            "set TALKTIME_DATA to a new folder for a new demo"
        )
    return value
