"""What becomes of a statement that is not paid: it is called to mind, overdue, then calls that
would be paid after use are blocked (D14).

Statements are in the cells, who is blocked stands in the organisation's rules in the control plane:
the cell is committed first, and what differs is put right by every run.
"""

from collections.abc import Callable

from talktime.core.directory import Organisation
from talktime.core.limits import CLOSE_BATCH_MAX
from talktime.core.post_usage import (
    BLOCKED,
    DAY_MS,
    DUE,
    REMINDED_DAYS,
    Deadlines,
    moved_on,
)
from talktime.operations.close_month import deadlines_of
from talktime.operations.post_statements import tell
from talktime.operations.sweep import Sweep, Swept
from talktime.store import post_statements as store
from talktime.store.database import Connection
from talktime.store.organisations import (
    blocked_organisations,
    organisation_of_id,
    update_organisation,
    wallets_here,
)
from talktime.store.revisions import DIRECTORY, lock


def dun_statements(sweep: Sweep) -> Swept:
    """Move the unpaid statements of a cell on, and block or let go whom that concerns; counts the
    statements moved. Each is a transaction of its own. Raises Outage."""
    if sweep.settings is None or sweep.control is None:
        raise ValueError("statements are moved with the settings and the control plane")
    settings, control = sweep.settings, sweep.control()
    deadlines = deadlines_of(settings)
    moved, after_id, full, blocked = 0, 0, True, set[int]()
    while full and not sweep.stopping():
        reminded_ms = sweep.clock_ms() + REMINDED_DAYS * DAY_MS
        with sweep.connection.reading():
            found = store.statements_to_move(
                sweep.connection, reminded_ms, after_id, CLOSE_BATCH_MAX
            )
        for statement in found:
            organisation_id = statement.organisation_id
            with control.reading():
                organisation = organisation_of_id(control, organisation_id)
            if organisation is None:
                continue
            now_ms, next_id = sweep.clock_ms(), sweep.next_id
            with sweep.connection.transaction():
                moved += move_statement(
                    sweep.connection,
                    organisation,
                    statement.id,
                    deadlines,
                    now_ms=now_ms,
                    next_id=next_id,
                )
            if statement.payable_ms <= now_ms:
                blocked.add(organisation_id)
        full = len(found) == CLOSE_BATCH_MAX
        after_id = found[-1].id if found else after_id
    with control.reading():
        flagged = blocked_organisations(control)
    with sweep.connection.reading():
        blocked |= wallets_here(sweep.connection, flagged)
    for organisation_id in sorted(blocked):
        sync_block(control, sweep.connection, organisation_id)
    return Swept(moved)


def move_statement(
    cell: Connection,
    organisation: Organisation,
    statement_id: int,
    deadlines: Deadlines,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> bool:
    """Move one statement on as time has it, and tell of each step once; whether it moved. The
    caller opens and commits the transaction; the wallet is locked here."""
    currency = store.lock_wallet(cell, organisation.id)
    statement = store.statement_of_id(cell, organisation.id, statement_id)
    if statement is None or currency is None or statement.paid_ms is not None:
        return False
    moved = moved_on(statement, deadlines, now_ms)
    if moved.state == statement.state == DUE:
        tell(cell, organisation, DUE, moved, currency, now_ms=now_ms, next_id=next_id)
        return False
    if moved == statement:
        return False
    store.update_statement(cell, moved)
    if moved.state != DUE:
        # After downtime both steps may be due at once: the last one says it all.
        tell(cell, organisation, moved.state, moved, currency, now_ms=now_ms, next_id=next_id)
    return True


def sync_block(control: Connection, cell: Connection, organisation_id: int) -> bool:
    """Block an organisation's calls that would be paid after use, or let them go, as its
    statements have it now; whether it is blocked. Opens the control plane's transaction, in which
    the cell is read: whoever comes last has seen the latest."""
    with control.reading():
        organisation = organisation_of_id(control, organisation_id)
    blocked = _is_blocked(cell, organisation_id)
    if organisation is None or organisation.rules.post_usage_blocked == blocked:
        return blocked
    with control.transaction():
        lock(control, DIRECTORY)
        organisation = organisation_of_id(control, organisation_id)
        blocked = _is_blocked(cell, organisation_id)
        if organisation is not None and organisation.rules.post_usage_blocked != blocked:
            rules = organisation.rules._replace(post_usage_blocked=blocked)
            update_organisation(control, organisation._replace(rules=rules))
    return blocked


def _is_blocked(cell: Connection, organisation_id: int) -> bool:
    with cell.reading():
        unpaid = store.open_statements(cell, organisation_id)
    return any(statement.state == BLOCKED for statement in unpaid)
