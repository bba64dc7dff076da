"""Find organisations among all, over all cells, with what of each needs somebody: in pages.

A flag is a fact of now, read from the cell. With a flag asked for, each cell gives its next few by
id and the control plane their names; without, the control plane gives a page by name and the cells
say how those do. So a page costs the same among a hundred organisations and fifty thousand.
"""

from collections.abc import Mapping
from typing import NamedTuple

from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX, id_in
from talktime.core.limits import BURN_BATCH_MAX, NAME_TEXT_MAX, PAGE_ROWS_MAX
from talktime.core.recharging import DAY_MS
from talktime.operations.commerce_models import POST_USAGE, PREPAID
from talktime.operations.input_checks import can_be_stored
from talktime.operations.sweep import Sweep, Swept
from talktime.store import health as store
from talktime.store.database import Connection
from talktime.store.health import BURN_DAYS, WalletHealth
from talktime.store.work_marks import BURN, lock_mark, mark, put_mark

FLAGS = (
    *("zero", "low", "debt", "burning", "paused", "moved", "overdue", "credit", "silent", "closed"),
)
"""What may need somebody: nothing left, little left, money owed, little left for the burn, a
paused recharge, a move that auto-recharge blocks, a late statement, more billed after use than was
used, nobody to tell, switched off."""
NAME, NEWEST = ("name", "newest")

Cells = Mapping[str, Connection]
"""The cells that answer, by name."""


class OrganisationHealth(NamedTuple):
    """An organisation, its wallet (None while its cell is away) and its flags."""

    organisation: Organisation
    wallet: WalletHealth | None
    flags: tuple[str, ...]


class Wanted(NamedTuple):
    """Which organisations to show: those that match a text (a part of the name, an id, a number, a
    user's name or an account's e-mail address), those with a flag; by name or the newest first;
    after the last of the page before (`after`: its name, or its id where a flag is asked for or
    the newest come first)."""

    text: str = ""
    flag: str = ""
    sort: str = NAME
    after: str = ""
    limit: int = 50


class HealthPage(NamedTuple):
    """Organisations with what needs somebody; `after` is where the next page begins, empty at the
    end."""

    rows: tuple[OrganisationHealth, ...]
    after: str


def organisations_page(
    control: Connection, cells: Cells, wanted: Wanted, now_ms: int
) -> HealthPage:
    """One page of organisations. Unknown flags and sorts are taken for none. Raises Outage where a
    database fails meanwhile."""
    limit = max(1, min(wanted.limit, PAGE_ROWS_MAX))
    text = wanted.text.strip()[:NAME_TEXT_MAX]
    if not can_be_stored(text):
        return HealthPage((), "")
    if wanted.flag in FLAGS and text:
        return _flagged_among(control, cells, wanted._replace(text=text, limit=limit), now_ms)
    if wanted.flag in FLAGS:
        return _flagged(control, cells, wanted._replace(limit=limit), now_ms)
    found = _found(control, cells, wanted._replace(text=text), limit + 1)
    more = len(found) > limit
    page = found[:limit]
    rows = health_of(cells, page, now_ms)
    last = page[-1] if page else None
    after = "" if last is None or not more else _cursor(wanted.sort, last)
    return HealthPage(tuple(rows), after)


def note_burn(sweep: Sweep) -> Swept:
    """Note how much each wallet of a cell has spent in the last week, some thousand at a time.
    Raises Outage."""
    cell, now_ms = sweep.connection, sweep.clock_ms()
    with cell.transaction():
        after_id = lock_mark(cell, BURN, now_ms)
        last_id = store.keep_burn(cell, after_id, _since_day(now_ms), BURN_BATCH_MAX)
        put_mark(cell, BURN, last_id or 0, now_ms)
    return Swept(0, more=last_id is not None and not sweep.stopping())


def burn_noted_ms(cells: Cells) -> int | None:
    """When what was spent in a week was last noted in all of these cells (ms since the epoch), by
    which the flag `burning` is found; None where it was not yet. Raises Outage."""
    noted: list[int] = []
    for cell in cells.values():
        with cell.reading():
            found = mark(cell, BURN)
        if found is None:
            return None
        noted.append(found[1])
    return min(noted, default=None)


def week_began_ms(now_ms: int) -> int:
    """From when on the burn of a moment counts: a midnight (UTC), in ms since the epoch.

    >>> week_began_ms(10 * DAY_MS + 5) // DAY_MS
    4
    """
    return _since_day(now_ms) * DAY_MS


def health_of(
    cells: Cells, organisations: list[Organisation], now_ms: int
) -> list[OrganisationHealth]:
    """How these organisations do. Raises Outage."""
    wallets: dict[int, WalletHealth] = {}
    for name, cell in cells.items():
        ids = [each.id for each in organisations if each.cell == name]
        if ids:
            with cell.reading():
                found = store.wallets_of(cell, ids, _since_day(now_ms))
            wallets.update((each.organisation_id, each) for each in found)
    return [
        OrganisationHealth(each, wallets.get(each.id), _flags(each, wallets.get(each.id)))
        for each in organisations
    ]


def _found(control: Connection, cells: Cells, wanted: Wanted, rows_max: int) -> list[Organisation]:
    ids = _named_otherwise(control, cells, wanted.text) if wanted.text else set()
    with control.reading():
        if wanted.sort == NEWEST:
            before_id = id_in(wanted.after) or ID_MAX
            return store.newest_matching(control, wanted.text, ids, before_id, rows_max)
        return store.organisations_matching(control, wanted.text, ids, wanted.after, rows_max)


def _named_otherwise(control: Connection, cells: Cells, text: str) -> set[int]:
    """Organisations that a text names by something else than their name."""
    digits = "".join(each for each in text if each.isascii() and each.isdigit())
    only_digits = not text.strip("+0123456789 -()./")
    email = text.lower() if "@" in text else ""
    with control.reading():
        found = store.owners_by_account_or_number(control, email, digits if only_digits else "")
    if only_digits and 0 < len(digits) < 19:
        found.add(int(digits))
    for cell in cells.values():
        with cell.reading():
            found.update(store.owners_of_users(cell, text.lower(), PAGE_ROWS_MAX))
    return found


def _flagged(control: Connection, cells: Cells, wanted: Wanted, now_ms: int) -> HealthPage:
    after_id, rows_max = id_in(wanted.after) or 0, wanted.limit + 1
    ids: list[int] = []
    if wanted.flag == "closed":
        with control.reading():
            ids = store.closed_after(control, after_id, rows_max)
    elif wanted.flag == "moved":
        ids = [each for each in _blocked_moves(control, cells) if each > after_id]
    else:
        for cell in cells.values():
            with cell.reading():
                ids += store.flagged_after(cell, wanted.flag, after_id, rows_max)
    ids = sorted(ids)[:rows_max]
    page = ids[: wanted.limit]
    with control.reading():
        known = store.organisations_of_ids(control, page)
    rows = health_of(cells, [known[each] for each in page if each in known], now_ms)
    return HealthPage(tuple(rows), str(page[-1]) if len(ids) > wanted.limit else "")


def _flagged_among(control: Connection, cells: Cells, wanted: Wanted, now_ms: int) -> HealthPage:
    """Those with the flag among those that match: of these, the first thousand by name."""
    found = _found(control, cells, wanted._replace(sort=NAME, after=""), PAGE_ROWS_MAX)
    rows = [each for each in health_of(cells, found, now_ms) if wanted.flag in each.flags]
    left = [each for each in rows if each.organisation.name > wanted.after]
    after = left[wanted.limit - 1].organisation.name if len(left) > wanted.limit else ""
    return HealthPage(tuple(left[: wanted.limit]), after)


def _blocked_moves(control: Connection, cells: Cells) -> list[int]:
    with control.reading():
        moved = store.moved_by_cell(control)
    found: set[int] = set()
    for name, ids in moved.items():
        if name in cells:
            with cells[name].reading():
                found |= store.recharging_among(cells[name], ids)
    return sorted(found)


def _flags(organisation: Organisation, wallet: WalletHealth | None) -> tuple[str, ...]:
    """What may need somebody, in the order of FLAGS."""
    is_true = {"closed": not organisation.active}
    if wallet is not None:
        moved = organisation.rules.moved and organisation.commerce_model == PREPAID
        after_use = organisation.commerce_model == POST_USAGE
        is_true |= {
            "zero": wallet.funded and wallet.balance_micros <= 0 and not after_use,
            "low": wallet.low and wallet.balance_micros > 0,
            "debt": wallet.debt_micros > 0,
            "burning": wallet.burn_micros > wallet.balance_micros > 0,
            "paused": wallet.recharge_on and wallet.paused_code != "",
            "moved": moved and wallet.recharge_on,
            "overdue": wallet.overdue,
            "credit": wallet.credit,
            "silent": not wallet.has_recipients,
        }
    return tuple(flag for flag in FLAGS if is_true.get(flag))


def days_left(wallet: WalletHealth) -> int | None:
    """For how many days the balance lasts at the burn of the last week; None where nothing burns.

    >>> wallet = WalletHealth(1, "USD", 10, 0, 0, True, False, False, "", False, True, 7, False)
    >>> days_left(wallet), days_left(wallet._replace(burn_micros=0))
    (10, None)
    """
    if wallet.burn_micros <= 0:
        return None
    return max(wallet.balance_micros, 0) * BURN_DAYS // wallet.burn_micros


def _cursor(sort: str, last: Organisation) -> str:
    return str(last.id) if sort == NEWEST else last.name


def _since_day(now_ms: int) -> int:
    # Today's, so far, is the last of them, as in an organisation's own pace (core/burn.py).
    return now_ms // DAY_MS - BURN_DAYS + 1
