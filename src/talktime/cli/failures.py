"""What can go wrong without being a bug, and the one line that tells a person what to do."""

import sqlite3
from collections.abc import Sequence
from typing import TypeVar

from talktime.core.directory import Organisation
from talktime.core.refusal import Refusal
from talktime.store.database import Outage
from talktime.store.version import OtherVersion

Value = TypeVar("Value")

DATABASE_ERRORS = frozenset(("OperationalError", "InterfaceError", "ProgrammingError"))
TOLD = frozenset(("AccountError", "ClockError", "ConfigError", "MigrationError", "NotSeeded"))
"""Errors whose messages are for people, by name: not every command loads what they are of."""


class Failure(Exception):
    """The command cannot do what was asked; the message is one line that says what to do.

    `details` are lines to be shown before it: each bad row of a file. `code` is that of a refusal.
    """

    def __init__(
        self, message: str, details: Sequence[str] = (), *, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.details, self.code = tuple(details), code


def unless_refused(result: "Value | Refusal") -> "Value":
    """The value; Failure with the refusal's reason and remedy where it is a refusal."""
    if isinstance(result, Refusal):
        raise refused(result)
    return result


def no_wallet(owner: Organisation) -> Failure:
    """That an organisation's cell knows nothing of its money, and what to do."""
    return Failure(
        f"cell {owner.cell} has no wallet of {owner.name}: most likely it was restored to a time "
        "before it. Restore the right backup, or give it an empty wallet with "
        "`talktime organisation make-wallet`"
    )


def refused(refusal: Refusal) -> Failure:
    """A refusal as what a command ends with."""
    return Failure(refusal_line(refusal), code=refusal.code)


def refusal_line(refusal: Refusal) -> str:
    """A refusal in one line: what is wrong, what to do, the code.

    >>> refusal_line(Refusal("unknown_call", "there is no call c1"))
    'there is no call c1. Authorize the call first. (unknown_call)'
    """
    return f"{refusal.detail}. {refusal.kind.remedy} ({refusal.code})"


def reason_for(error: BaseException) -> str | None:
    """The line for an error that can be expected; None for one that is a bug."""
    if isinstance(error, Failure):
        return one_line(str(error))
    kind = type(error)
    home = kind.__module__.partition(".")[0]
    if home == "talktime" and kind.__name__ in TOLD:
        return one_line(str(error))
    if isinstance(error, OtherVersion):
        return one_line(str(error))
    if isinstance(error, Outage | sqlite3.OperationalError) or home == "psycopg":
        return database_reason(one_line(str(error)))
    if home == "django" and kind.__name__ in DATABASE_ERRORS:
        return database_reason(one_line(str(error)))
    if home in ("httpx", "httpcore"):
        return f"the service does not answer: {one_line(str(error))}. Is `talktime serve` running?"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return None


def database_reason(text: str) -> str:
    """Why the database cannot be used, and what to do."""
    if "no such table" in text or "does not exist" in text:
        return f"the database lacks what this version needs ({text}). Run `talktime migrate`."
    return f"the database cannot be used now: {text}. Check that it runs, and DATABASE_URL."


def one_line(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split()) or "no reason was given"
