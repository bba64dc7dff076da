"""Prove that a cell and the directory belong together: whoever has a wallet is known, and the
other way round. No other check sees a cell that was lost and made anew, for its books are clean.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from talktime.core.limits import FINDINGS_SHOWN_MAX
from talktime.operations.check_books import BooksChecked, Checked, Finding
from talktime.store.database import Connection
from talktime.store.organisations import currencies_in_cell, organisation_of_id, wallets_of_cell

NAME = "directory_wallets"
PROVES = (
    "every organisation of the directory has its wallet in its cell, in its currency, "
    "and every wallet with lots its organisation"
)
TABLE = "wallet"


def check_directory(
    control: Connection, connection: Connection, cell: str, clock_ms: Callable[[], int]
) -> Checked:
    """Compare the organisations that the control plane has in a cell with the cell's wallets.

    Neither connection may be in a transaction. The two databases are read one after the other: a
    wallet is made before its organisation, so it is there when the cell is read second; and it is
    funded only afterwards, so an organisation that is not there yet is looked for once more. An
    empty wallet that nobody names is what an organisation leaves that was not made in the end.
    Raises Outage.
    """
    began_ms = clock_ms()
    with control.reading():
        currencies = currencies_in_cell(control, cell)
    with connection.snapshot():
        wallets = wallets_of_cell(connection)
    with control.reading():
        broken = [*_lost(currencies, wallets), *_unnamed(control, cell, currencies, wallets)]
    findings = tuple(
        Finding(NAME, each, (each,), None, None, f"organisation {each}: {words}")
        for each, words in islice(sorted(broken), FINDINGS_SHOWN_MAX)
    )
    return Checked(NAME, PROVES, len(wallets), len(broken), findings, clock_ms() - began_ms)


def with_directory(books: BooksChecked, checked: Checked) -> BooksChecked:
    """What came of all checks on one cell, this one among them."""
    return BooksChecked((*books.checks, checked), books.took_ms + checked.took_ms)


def _lost(
    currencies: dict[int, str], wallets: dict[int, tuple[str, bool]]
) -> Iterator[tuple[int, str]]:
    for organisation_id, currency in currencies.items():
        if organisation_id not in wallets:
            yield organisation_id, "the directory has it in this cell, which has no wallet of it"
        elif wallets[organisation_id][0] != currency:
            found = wallets[organisation_id][0]
            yield organisation_id, f"the wallet is in {found}, the directory says {currency}"


def _unnamed(
    control: Connection,
    cell: str,
    currencies: dict[int, str],
    wallets: dict[int, tuple[str, bool]],
) -> Iterator[tuple[int, str]]:
    for organisation_id, (_, in_use) in wallets.items():
        if organisation_id in currencies or not in_use:
            continue
        found = organisation_of_id(control, organisation_id)
        if found is None:
            yield organisation_id, "it has a wallet with money, and the directory does not know it"
        elif found.cell != cell:
            words = f"it has a wallet with money here, and the directory has it in {found.cell}"
            yield organisation_id, words
