"""Who gets an organisation's mail: people by address, each with roles, a language and a clock.

The caller opens and commits the cell's transaction.
"""

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import NamedTuple

from babel import Locale, UnknownLocaleError

from talktime.core.limits import EMAIL_NAME_TEXT_MAX, EMAIL_TEXT_MAX, RECIPIENTS_MAX
from talktime.core.notices import ROLES
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_one_of, check_time_zone, first
from talktime.operations.notice_words import LANGUAGES
from talktime.store import recipients as store
from talktime.store.database import Connection

# What every mail server takes. Quoted names and addresses in other letters are refused.
EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)


class Person(NamedTuple):
    """One who gets mail: once for each notice, however many roles they have (R25)."""

    email: str
    roles: tuple[str, ...]
    language: str
    time_zone: str


def add_recipient(
    cell: Connection,
    organisation_id: int,
    email: str,
    *,
    roles: Iterable[str],
    language: str,
    time_zone: str,
    now_ms: int,
    next_id: Callable[[], int],
) -> Person | Refusal:
    """Let this address get mail in these roles too; sets its language and clock for all of them.

    Addresses are compared in lower case. Refuses: invalid_value, unknown_organisation (it has no
    wallet in this cell).
    """
    email, roles = email.strip().lower(), sorted(set(roles))
    refusal = first(
        check_email(email),
        check_roles(roles),
        check_language(language),
        check_time_zone(time_zone),
    )
    if refusal is not None:
        return refusal
    if not store.lock_wallet(cell, organisation_id):
        return Refusal("unknown_organisation", f"there is no organisation {organisation_id} here")
    people = {person.email: person for person in list_recipients(cell, organisation_id)}
    if email not in people and len(people) >= RECIPIENTS_MAX:
        return Refusal("invalid_value", f"an organisation has at most {RECIPIENTS_MAX} recipients")
    for role in roles:
        store.insert_recipient(
            cell,
            store.Recipient(next_id(), organisation_id, email, role, language, time_zone, now_ms),
        )
    store.set_reader(cell, organisation_id, email, language, time_zone)
    added = next(each for each in list_recipients(cell, organisation_id) if each.email == email)
    _note(cell, organisation_id, "recipient.set", people.get(email), added)
    return added


def set_recipient(
    cell: Connection,
    organisation_id: int,
    email: str,
    *,
    roles: Iterable[str],
    language: str,
    time_zone: str,
    now_ms: int,
    next_id: Callable[[], int],
) -> Person | Refusal:
    """Let this address get mail in these roles and no others.

    Refuses what `add_recipient` does.
    """
    wanted = set(roles)
    added = add_recipient(
        *(cell, organisation_id, email),
        roles=wanted,
        language=language,
        time_zone=time_zone,
        now_ms=now_ms,
        next_id=next_id,
    )
    left = set() if isinstance(added, Refusal) else set(added.roles) - wanted
    if isinstance(added, Refusal) or not left:
        return added
    kept = remove_recipient(cell, organisation_id, added.email, roles=left)
    return added if kept is None else kept


def remove_recipient(
    cell: Connection, organisation_id: int, email: str, *, roles: Iterable[str] = ROLES
) -> Person | Refusal | None:
    """Take these roles from an address; what it keeps, None where that is nothing.

    Mail that is on its way to somebody who has no role any more is not sent. Refuses:
    invalid_value, unknown_recipient.
    """
    email, roles = email.strip().lower(), sorted(set(roles))
    refusal = check_roles(roles)
    if refusal is not None:
        return refusal
    people = {person.email: person for person in list_recipients(cell, organisation_id)}
    if not store.delete_roles(cell, organisation_id, email, roles):
        return Refusal("unknown_recipient", f"{email[:EMAIL_TEXT_MAX]!r} gets no such mail")
    kept = {person.email: person for person in list_recipients(cell, organisation_id)}.get(email)
    _note(cell, organisation_id, "recipient.removed", people[email], kept)
    return kept


def list_recipients(cell: Connection, organisation_id: int) -> list[Person]:
    """Everybody who gets mail of an organisation, by address."""
    return people_of(store.recipients_of(cell, [organisation_id]))


def people_of(rows: Iterable[store.Recipient]) -> list[Person]:
    """The people of one organisation's rows, which are in the order of their addresses."""
    people = []
    for email, group in groupby(rows, key=lambda row: row.email):
        each = list(group)
        roles = tuple(role for role in ROLES if role in {row.role for row in each})
        people.append(Person(email, roles, each[0].language, each[0].time_zone))
    return people


def _note(
    cell: Connection, owner: int, action: str, before: Person | None, after: Person | None
) -> None:
    was, is_ = (
        {} if one is None else {**one._asdict(), "roles": list(one.roles)}
        for one in (before, after)
    )
    subject = str((was or is_)["email"])
    note(cell, owner, action, subject, before=was, after=is_, always=True)


def check_email(email: str) -> Refusal | None:
    """An address that mail can be sent to.

    >>> check_email("billing@contoso.example") is None
    True
    >>> check_email("billing@contoso").detail
    "'billing@contoso' is no e-mail address such as billing@contoso.example"
    """
    name = email.partition("@")[0]
    if (
        len(email) <= EMAIL_TEXT_MAX
        and len(name) <= EMAIL_NAME_TEXT_MAX
        and EMAIL.fullmatch(email) is not None
    ):
        return None
    return Refusal(
        "invalid_value",
        f"{email[:40]!r} is no e-mail address such as billing@contoso.example",
    )


def check_roles(roles: Iterable[str]) -> Refusal | None:
    """One role or more of those there are."""
    roles = list(roles)
    if not roles:
        return Refusal("invalid_value", f"a recipient needs a role: {', '.join(ROLES)}")
    return first(*(check_one_of("a role", role, ROLES) for role in roles))


def check_language(tag: str) -> Refusal | None:
    """A language that mail is written in, in any country: en, en-US, de, de-CH.

    >>> check_language("de-CH") is None, check_language("fr").detail
    (True, "the language must be one of en, de, or one with a country such as de-CH, not 'fr'")
    """
    try:
        known = Locale.parse(tag, sep="-").language in LANGUAGES
    except (ValueError, UnknownLocaleError, TypeError):
        known = False
    if known:
        return None
    return Refusal(
        "invalid_value",
        f"the language must be one of {', '.join(LANGUAGES)}, or one with a country such as "
        f"de-CH, not {tag[:40]!r}",
    )
