"""Mail to people about their accounts, until it is sent. The caller opens and commits.

It is taken and finished as deliveries are (store/deliveries.py).
"""

from typing import NamedTuple

from talktime.core.deliveries import Next
from talktime.core.limits import DETAIL_TEXT_MAX
from talktime.store.database import Both, Connection

_COLUMNS = "id, to_email, kind, sealed_content, state, tries, due_ms, created_ms, tried_ms, detail"
INSERT_MAIL = f"INSERT INTO account_mail ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ANY_MAIL_DUE = "SELECT 1 FROM account_mail WHERE state = 'due' AND due_ms <= ? LIMIT 1"
_DUE = (
    f"SELECT {_COLUMNS} FROM account_mail WHERE state = 'due' AND due_ms <= ? "
    "ORDER BY due_ms, id LIMIT ?"
)
LOCK_MAIL = Both(f"{_DUE} FOR UPDATE SKIP LOCKED", _DUE)
TAKE_MAIL = (
    "UPDATE account_mail SET due_ms = ?, tried_ms = ?, tries = tries + 1 "
    "WHERE id = ANY(?) AND state = 'due'"
)
# The content goes with the last try: it may hold a link that signs in.
FINISH_MAIL = (
    "UPDATE account_mail SET state = ?, tries = ?, detail = ?, due_ms = ?, "
    "sealed_content = CASE WHEN ? = 'due' THEN sealed_content ELSE '' END "
    "WHERE id = ? AND state = 'due' AND tries = ?"
)
FORGET_MAIL = "DELETE FROM account_mail WHERE state <> 'due' AND created_ms < ?"


class StoredMail(NamedTuple):
    """One mail. Its content is sealed, and empty once it was sent or given up."""

    id: int
    to_email: str
    kind: str
    sealed_content: str
    state: str
    tries: int
    due_ms: int | None
    created_ms: int
    tried_ms: int | None = None
    detail: str = ""


def insert_mail(connection: Connection, mail: StoredMail) -> None:
    """Mail that is to be sent."""
    connection.run(INSERT_MAIL, mail)


def any_mail_due(connection: Connection, now_ms: int) -> bool:
    """Whether there is any to be sent now. Takes no lock."""
    return bool(connection.rows(ANY_MAIL_DUE, (now_ms,)))


def take_mail(connection: Connection, now_ms: int, until_ms: int, limit: int) -> list[StoredMail]:
    """Take what is due, this try counted; nobody else does until `until_ms`."""
    due = [StoredMail(*row) for row in connection.rows(LOCK_MAIL, (now_ms, limit))]
    if due:
        connection.run(TAKE_MAIL, (until_ms, now_ms, [each.id for each in due]))
    return [each._replace(due_ms=until_ms, tried_ms=now_ms, tries=each.tries + 1) for each in due]


def finish_mail(connection: Connection, taken: StoredMail, after: Next) -> bool:
    """Write what came of it; False where another has taken it since."""
    values = (after.state, after.tries, after.detail[:DETAIL_TEXT_MAX], after.due_ms, after.state)
    return connection.run(FINISH_MAIL, (*values, taken.id, taken.tries)) == 1


def forget_mail(connection: Connection, before_ms: int) -> int:
    """Forget what was sent or given up, and is older; how many."""
    return connection.run(FORGET_MAIL, (before_ms,))
