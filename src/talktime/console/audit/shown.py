"""Changes as the pages and files about them show them: in words, in the reader's own wording."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from talktime.console.audit.actions import ACTIONS, ACTORS, FACTS, VALUES
from talktime.console.said import said
from talktime.core.audit import Change, Value
from talktime.operations.wording import Wording

NOTHING = "\N{EM DASH}"
UNITS = ("_micros", "_ms")
WRITTEN = ("reason", "note", "detail", "why")
"""Facts that the service may have written itself."""
CSV_HEADER = (
    *("At", "Actor kind", "Actor", "Place", "Organisation", "Action", "Subject", "What"),
    *("Field", "Before", "After"),
)


class Owner(NamedTuple):
    """Whose change it is: the organisation's name, and the currency of amounts that name none."""

    name: str
    currency: str


NOBODY = Owner("", "")


def words_of(action: str, subject: str = "\N{HORIZONTAL ELLIPSIS}") -> str:
    """What was done, in the reader's language; the action's own name where it is not known."""
    return _(ACTIONS[action]).replace("{subject}", subject) if action in ACTIONS else action


def action_choices() -> list[tuple[str, str]]:
    """All actions in words, in the order of these."""
    return sorted(((each, words_of(each)) for each in ACTIONS), key=lambda one: one[1].casefold())


def change_shown(change: Change, wording: Wording, owner: Owner) -> dict[str, Any]:
    """One change for people."""
    actor = change.actor
    return {
        "id": change.id,
        "at": wording.moment(change.at_ms),
        "words": words_of(change.action, change.subject),
        "action": change.action,
        "actor": actor.name,
        "kind": _(ACTORS[actor.kind]) if actor.kind in ACTORS else actor.kind,
        "place": actor.place,
        "owner": owner.name,
        "owner_id": change.organisation_id,
        "happened": not change.before,
        "facts": list(facts_shown(change, wording, owner)),
    }


def facts_shown(change: Change, wording: Wording, owner: Owner) -> Iterator[dict[str, str]]:
    """What differs: what it was and what it is; what is empty on both sides is left out."""
    currency = str(change.after.get("currency") or change.before.get("currency") or owner.currency)
    for name in dict.fromkeys((*change.before, *change.after)):
        before, after = (
            value_shown(name, side.get(name), wording, currency)
            for side in (change.before, change.after)
        )
        if (before, after) != (NOTHING, NOTHING):
            yield {"name": name_shown(name), "before": before, "after": after}


def name_shown(name: str) -> str:
    """A fact's name in words."""
    short = bare(name)
    return _(FACTS[short]) if short in FACTS else short


def bare(name: str) -> str:
    """A fact's name without its unit.

    >>> bare("amount_micros"), bare("kind")
    ('amount', 'kind')
    """
    return next((name.removesuffix(unit) for unit in UNITS if name.endswith(unit)), name)


def value_shown(name: str, value: Value, wording: Wording, currency: str) -> str:
    """A value as its reader writes it; a dash for nothing."""
    if value is None or value == "" or value == []:
        return NOTHING
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(value_shown(name, _typed(name, each), wording, currency) for each in value)
    if isinstance(value, int):
        if name.endswith("_micros"):
            return wording.money(value, currency).in_full if currency else wording.decimal(value)
        return wording.moment(value) if name.endswith("_ms") else wording.decimal(value)
    words = VALUES.get(name, {}).get(value, "")
    if words:
        return _(words)
    return said(value) if name in WRITTEN else value


def _typed(name: str, text: str) -> Value:
    number = name.endswith(UNITS) and text.isascii() and text.isdigit()
    return int(text) if number else text


def csv_rows(
    changes: Iterable[tuple[Change, Owner]], wording: Wording, at: Any
) -> Iterator[Sequence[str]]:
    """The rows of a file: one for each fact, one for a change without any. `at` writes a moment."""
    yield CSV_HEADER
    for change, owner in changes:
        shown = change_shown(change, wording, owner)
        head = (
            *(at(change.at_ms), change.actor.kind, change.actor.name, change.actor.place),
            *(owner.name, change.action, change.subject, shown["words"]),
        )
        facts = [(each["name"], each["before"], each["after"]) for each in shown["facts"]]
        for fact in facts or [("", "", "")]:
            yield tuple(plain(cell) for cell in (*head, *fact))


def plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> plain("=1+1"), plain("Contoso")
    ("'=1+1", 'Contoso')
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
