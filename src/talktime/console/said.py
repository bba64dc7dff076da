"""What the rules wrote in English, in the reader's language.

Rules, operations and jobs write English with the values at hand: "60 s to Germany cost 0.015 USD".
Which text that was is found by its pattern (console/spoken.py collects them, the catalogues
translate them); its values are put into the translation. A value may be such a text itself, or an
amount. What nobody knows stays as it is.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from babel.messages.mofile import read_mo
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from talktime.console.places import destination
from talktime.console.spoken import FIELD, SAID
from talktime.core.limits import SAID_CACHED_MAX, SAID_TEXT_MAX

LOCALES = Path(__file__).parent / "locale"
VALUES = (
    # Values that are words: what is in a state, of a kind, one of a few.
    *("no", "a", "user", "toll", "person", "resource", "attendant", "queue", "premium"),
    *("shared-cost", "charging", "unknown", "declined", "confirming", "invoiced", "succeeded"),
    *("failed", "cancelled", "waiting", "ready", "removed", "charged", "open", "won", "lost"),
    *(" and ", " or ", "this organisation"),
    *("landline", "mobile", "mixed", "non-geographic", "special", "freephone"),
    *("pending", "disabled", "enabled", "page", "card", "charge", "dispute", "Card", "Emergency"),
)
GIVEN_NAMES = frozenset(
    {
        # Values that people have named: never taken for a text, unless the catalogue has the name.
        *("name", "name2", "email", "user", "organizer", "display_name", "organisation_name"),
        *(
            "actor",
            "owner",
            "invited_by",
            "asked_by",
            "decided_by",
            "created_by",
            "shown",
            "unknown",
        ),
        *("group", "target", "to", "subject", "text", "word", "host", "reference", "code", "code2"),
    }
)
PLACES_OR_NAMES = GIVEN_NAMES | {"destination"}
CODES = frozenset({"known", "possible", "values", "kinds", "columns", "directions", "languages"})
"""Values that are lists of words to be written as they are."""
AMOUNT = re.compile(r"-?\d+\.\d+(?: [A-Z]{3})?")
QUOTED = re.compile(r"""('[^']*'|"[^"]*") (.+)""", re.DOTALL)
FIGURE = re.compile(r"(?:_s|_max|_micros|^id|_id|digits)\d*$")
"""Values without spaces, by their names."""
NAMED = re.compile(r"([A-Z0-9_]+) \((.+)\)")
CODE = re.compile(r"[A-Z0-9_]+")
JOINTS = ("; ", ", or ", " and ", " or ", ", ")
LETTERS_LEAST = 2
LETTERS_WEAK = 6
WORDS = re.compile(r"[a-z]{2,}")
DEPTH_MAX = 5


class Template(NamedTuple):
    """A text with values: how it is found, and how it is said."""

    pattern: re.Pattern[str]
    longest: str
    names: tuple[str, ...]
    translation: str
    weak: bool = False
    """Of few letters of its own."""


class Spoken(NamedTuple):
    """What one language has of these texts; the templates with most letters first."""

    texts: dict[str, str]
    templates: tuple[Template, ...]


def said(text: str) -> str:
    """A text of the rules in the reader's language; as it is where it is not known.

    >>> from django.utils.translation import override
    >>> with override("de"):
    ...     said("there is no key 7")
    'es gibt keinen Schlüssel 7'
    """
    return known(text) or text


def said_capital(text: str) -> str:
    """The same as it begins a sentence."""
    return capitalised(said(text))


def said_marked(text: str, *, capital: bool = False) -> str | SafeString:
    """The same for a page: what could not be said is marked as English.

    >>> from django.utils.translation import override
    >>> with override("de"):
    ...     said_marked("what nobody has written")
    '<span lang="en">what nobody has written</span>'
    """
    found = known(text)
    words = text if found is None else found
    if capital:
        words = capitalised(words)
    if found is not None or not re.search(r"[a-z]{2}", text):
        return words
    return english(words)


def english(text: str) -> SafeString:
    """A text that is English, or names of fields, in whatever language the page is."""
    return format_html('<span lang="en">{}</span>', text)


def capitalised(text: str) -> str:
    """A text as it begins a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def destination_said(name: str) -> str:
    """A destination of a call or a rate, which may be one of those that no rate card has."""
    words = known(name) if " " in name or name in VALUES else None
    return words or destination(name)


def known(text: str) -> str | None:
    """A text of the rules in the reader's language; None where it is not known there."""
    language = (get_language() or "en").partition("-")[0]
    if language == "en" or not text:
        return text
    return _known(text[:SAID_TEXT_MAX], language)


@lru_cache(SAID_CACHED_MAX)
def _known(text: str, language: str) -> str | None:
    found = _found(text, language, DEPTH_MAX)
    return None if found is None else found.strip()


def _found(text: str, language: str, depth: int) -> str | None:
    if not depth:
        return None
    exact = _exact(text, language)
    if exact is not None:
        return exact
    for template in spoken_in(language).templates:
        if template.longest in text:
            match = template.pattern.fullmatch(text)
            if match and (not template.weak or _understood(template, match, language, depth)):
                return _filled(template, match, language, depth)
    return _put_together(text, language, depth)


def _exact(text: str, language: str) -> str | None:
    """A text without values: of the rules, or one that pages have too."""
    found = spoken_in(language).texts.get(text)
    if found is None and " " in text.strip():
        words = gettext(text)
        found = words if words != text else None
    return found


def _understood(template: Template, match: re.Match[str], language: str, depth: int) -> bool:
    """Whether all values that are words are known: "A has B" fits much that nobody wrote."""
    return all(
        name in PLACES_OR_NAMES
        or not WORDS.search(text or "")
        or _known_value(text, language, depth - 1)
        for name, text in zip(template.names, match.groups(), strict=True)
    )


def _known_value(text: str, language: str, depth: int) -> bool:
    return (_joined(text, language, depth) or _found(text, language, depth)) is not None


def _filled(template: Template, match: re.Match[str], language: str, depth: int) -> str:
    values = {
        name: _value(name, text or "", language, depth - 1)
        for name, text in zip(template.names, match.groups(), strict=True)
    }
    return FIELD.sub(lambda field: values.get(field[1], field[0]), template.translation)


def _value(name: str, text: str, language: str, depth: int) -> str:
    if name in CODES:
        return text
    if name == "destination":
        return spoken_in(language).texts.get(text) or destination(text)
    if name in GIVEN_NAMES:
        return spoken_in(language).texts.get(text, text) if " " in text else text
    if AMOUNT.fullmatch(text):
        return text.replace(".", ",") if language == "de" else text
    named = NAMED.fullmatch(text)
    if named:
        return f"{named[1]} ({spoken_in(language).texts.get(named[2], named[2])})"
    return _joined(text, language, depth) or _found(text, language, depth) or text


def _put_together(text: str, language: str, depth: int) -> str | None:
    """Several texts that follow each other, or one about something quoted."""
    quoted = QUOTED.fullmatch(text)
    if quoted and (rest := _found(quoted[2], language, depth - 1)) is not None:
        return f"{quoted[1]} {rest}"
    what, colon, rest = text.partition(": ")
    if colon and (words := _found(rest, language, depth - 1)) is not None:
        return f"{_found(what, language, depth - 1) or what}: {words}"
    return _joined(text, language, depth)


def _joined(text: str, language: str, depth: int) -> str | None:
    """Several texts in a row, or codes."""
    texts = spoken_in(language).texts
    for joint in JOINTS:
        if joint in text:
            parts = [
                part if CODE.fullmatch(part) else _found(part, language, depth - 1)
                for part in text.split(joint)
            ]
            if all(part is not None for part in parts):
                return (texts.get(joint) or joint).join(part for part in parts if part is not None)
    return None


@lru_cache
def spoken_in(language: str) -> Spoken:
    """The texts of the rules in one language, from its compiled catalogue."""
    texts: dict[str, str] = {}
    templates: list[tuple[bool, int, Template]] = []
    path = LOCALES / language / "LC_MESSAGES" / "django.mo"
    for text, translation in _translated(path):
        if FIELD.search(text):
            letters = len(re.sub(r"[^a-zA-Z]", "", FIELD.sub("", text)))
            found = compiled(text, translation)._replace(weak=letters < LETTERS_WEAK)
            templates.append((text[0] == "{", -letters, found))
        else:
            texts[text] = translation
    # What begins with words of its own first: a value in front would take them for its own.
    templates.sort(key=lambda each: each[:2])
    return Spoken(texts, tuple(each for _, letters, each in templates if -letters >= LETTERS_LEAST))


def _translated(path: Path) -> Iterator[tuple[str, str]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for message in read_mo(file):
            # Babel reads what it writes as text as bytes.
            if message.context in (SAID, SAID.encode()) and message.string:
                yield str(message.id), str(message.string)


def compiled(text: str, translation: str) -> Template:
    """A text as a pattern whose values are groups.

    >>> compiled("there is no key {id}", "").pattern.fullmatch("there is no key 7").groups()
    ('7',)
    """
    if text.endswith(" "):  # what comes behind it was added later
        text, translation = f"{text}{{rest}}", f"{translation}{{rest}}"
    names: list[str] = []
    pattern, end = "", 0
    for field in FIELD.finditer(text):
        group = r"(\S*?)" if FIGURE.search(field[1]) else "(.*?)"
        pattern += re.escape(text[end : field.start()]) + group
        names.append(field[1])
        end = field.end()
    pattern += re.escape(text[end:])
    if names[0] == "prefix" and not text.startswith("prefix"):  # some rates are of no prefix
        pattern = pattern.replace(r"(.*?)\ ", r"(?:(\d+) )?", 1)
    longest = max(FIELD.split(text)[::2], key=len)
    return Template(re.compile(pattern, re.DOTALL), longest, tuple(names), translation)
