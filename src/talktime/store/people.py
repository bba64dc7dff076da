"""People who sign in: their accounts, and which organisations they look after, in which role.

The caller opens and commits the control plane's transaction.
"""

from typing import NamedTuple

from talktime.store.database import Connection, Row

_ACCOUNT = "id, email, is_active, staff_role, language, time_zone, staff_by, confirmed_by"
ACCOUNT_OF_EMAIL = f"SELECT {_ACCOUNT} FROM account WHERE email = ? FOR UPDATE"
ACCOUNT_OF_ID = f"SELECT {_ACCOUNT} FROM account WHERE id = ? FOR UPDATE"
INSERT_ACCOUNT = (
    f"INSERT INTO account ({_ACCOUNT}, password, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SET_PASSWORD = "UPDATE account SET password = ? WHERE id = ?"
SET_ACTIVE = "UPDATE account SET is_active = ? WHERE id = ?"
SET_STAFF_ROLE = "UPDATE account SET staff_role = ? WHERE id = ?"
SET_CONFIRMED = "UPDATE account SET staff_by = ?, confirmed_by = ? WHERE id = ?"
SET_READER = "UPDATE account SET language = ?, time_zone = ? WHERE id = ?"

# Whoever changes who looks after an organisation holds its row, so that two owners do not take
# each other's place at once.
OWNERS = (
    f"SELECT {', '.join(f'a.{name.strip()}' for name in _ACCOUNT.split(','))} "
    "FROM membership m JOIN account a ON a.id = m.account_id "
    "WHERE m.organisation_id = ? AND m.role = 'owner' ORDER BY a.email"
)
LOCK_ORGANISATION = "SELECT name FROM organisation WHERE id = ? FOR UPDATE"
MEMBERS = (
    "SELECT m.id, m.account_id, a.email, m.role, a.is_active FROM membership m "
    "JOIN account a ON a.id = m.account_id WHERE m.organisation_id = ? ORDER BY a.email"
)
INSERT_MEMBERSHIP = (
    "INSERT INTO membership (id, account_id, organisation_id, role) VALUES (?, ?, ?, ?)"
)
SET_ROLE = "UPDATE membership SET role = ? WHERE id = ?"
DELETE_MEMBERSHIP = "DELETE FROM membership WHERE id = ?"


class Account(NamedTuple):
    """Somebody who can sign in, while `active`. An empty language or time zone: as the browser
    asks, as the organisation keeps time. Who gave the staff role, and who else confirmed it."""

    id: int
    email: str
    active: bool = True
    staff_role: str = ""
    language: str = ""
    time_zone: str = ""
    staff_by: str = ""
    confirmed_by: str = ""


class Member(NamedTuple):
    """An account in its role at one organisation."""

    id: int
    account_id: int
    email: str
    role: str
    active: bool


def account_of_email(connection: Connection, email: str) -> Account | None:
    """The account of this address (in lower case), locked."""
    rows = connection.rows(ACCOUNT_OF_EMAIL, (email,))
    return _account(rows[0]) if rows else None


def account_of_id(connection: Connection, account_id: int) -> Account | None:
    """The account of this id, locked."""
    rows = connection.rows(ACCOUNT_OF_ID, (account_id,))
    return _account(rows[0]) if rows else None


def insert_account(
    connection: Connection, account: Account, password_hash: str, created_ms: int
) -> None:
    """A new account."""
    connection.run(INSERT_ACCOUNT, (*account, password_hash, created_ms))


def set_password(connection: Connection, account_id: int, password_hash: str) -> None:
    """Sign in with another password from now on."""
    connection.run(SET_PASSWORD, (password_hash, account_id))


def set_active(connection: Connection, account_id: int, active: bool) -> None:
    """Whether the account can sign in."""
    connection.run(SET_ACTIVE, (active, account_id))


def set_staff_role(connection: Connection, account_id: int, role: str) -> None:
    """What the account may do on all organisations."""
    connection.run(SET_STAFF_ROLE, (role, account_id))


def set_confirmed(
    connection: Connection, account_id: int, staff_by: str, confirmed_by: str
) -> None:
    """Who gave the account its staff role, and who confirmed that (empty: nobody)."""
    connection.run(SET_CONFIRMED, (staff_by, confirmed_by, account_id))


def set_reader(connection: Connection, account_id: int, language: str, time_zone: str) -> None:
    """In which language and by which clock the account reads."""
    connection.run(SET_READER, (language, time_zone, account_id))


def lock_organisation(connection: Connection, organisation_id: int) -> str | None:
    """The organisation's name; nobody else changes who looks after it until the transaction ends.
    None where there is none."""
    rows = connection.rows(LOCK_ORGANISATION, (organisation_id,))
    return str(rows[0][0]) if rows else None


def members_of(connection: Connection, organisation_id: int) -> list[Member]:
    """Everybody who looks after an organisation, by address."""
    rows = connection.rows(MEMBERS, (organisation_id,))
    return [Member(*row)._replace(active=bool(row[4])) for row in rows]


def owners_of(connection: Connection, organisation_id: int) -> list[Account]:
    """The accounts of an organisation's owners who may sign in, by address."""
    found = [_account(row) for row in connection.rows(OWNERS, (organisation_id,))]
    return [each for each in found if each.active]


def insert_membership(
    connection: Connection, id_: int, account_id: int, organisation_id: int, role: str
) -> None:
    """Let the account look after the organisation."""
    connection.run(INSERT_MEMBERSHIP, (id_, account_id, organisation_id, role))


def set_role(connection: Connection, member: Member, role: str) -> None:
    """Give a member another role."""
    connection.run(SET_ROLE, (role, member.id))


def delete_membership(connection: Connection, member: Member) -> None:
    """Take an organisation from somebody."""
    connection.run(DELETE_MEMBERSHIP, (member.id,))


def _account(row: Row) -> Account:
    return Account(*row)._replace(active=bool(row[2]))
