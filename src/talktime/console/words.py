"""Collect the words of the pages for translation, and compile what was translated.

`python -m talktime.console.words` (`make words`) finds every text marked for translation in the
console's code and templates, and what the rules write themselves (console/spoken.py), brings the
catalogues of `locale/*/LC_MESSAGES/` up to date, compiles them, and says what is missing. A word
whose English changed keeps its translation only as a comment: somebody has to look at it.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from talktime.console.refusals import words_of_the_core
from talktime.console.said import VALUES
from talktime.console.spoken import SAID, spoken

PACKAGE = Path(__file__).parents[1]
LOCALES = Path(__file__).parent / "locale"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
Found = tuple[str, int, str | tuple[str, ...], list[str], str | None]


def found_words() -> Iterator[Found]:
    """Every marked text with its file, line, comments and context."""
    for path in sorted(PACKAGE.rglob("*.py")) + sorted(PACKAGE.rglob("templates/**/*.html")):
        source = path.read_text()
        if path.suffix == ".html":
            source = templatize(source)
        options = {"encoding": "utf-8"}
        place = str(path.relative_to(PACKAGE))
        for line, words, comments, context in extract(
            "python", BytesIO(source.encode()), KEYWORDS, ("Translators:",), options
        ):
            yield place, line, words, comments, context


def collected() -> Catalog:
    """All words, untranslated."""
    catalog = Catalog(charset="utf-8")
    for place, _, words, comments, context in found_words():
        # The line changes with every edit above it, and says little.
        catalog.add(words, locations=[(place, 0)], auto_comments=comments, context=context)
    for text in words_of_the_core():
        catalog.add(text, locations=[("core", 0)])
    for place, text in spoken():
        if text not in catalog:
            catalog.add(text, locations=[(place, 0)], context=SAID)
    for text in VALUES:
        catalog.add(text, locations=[("core", 0)], context=SAID)
    return catalog


def catalogues() -> list[Path]:
    """The files with translations, one a language."""
    return sorted(LOCALES.glob("*/LC_MESSAGES/django.po"))


def updated(path: Path, words: Catalog) -> Catalog:
    """A language's catalogue with all words of today, and none besides."""
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.parents[1].name)
    catalog.update(words, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    return catalog


def untranslated(catalog: Catalog) -> list[str]:
    """The words that are missing, or whose translation lost a placeholder or has one too many."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalog
        if message.id and (message.fuzzy or not _whole(message))
    ]


def _whole(message: Message) -> bool:
    ids = (message.id,) if isinstance(message.id, str) else message.id
    forms = [
        str(form or "")
        for form in (message.string if isinstance(message.string, tuple) else (message.string,))
    ]
    # One thing may be said without its number: "a call".
    wanted, least = _placeholders(ids[-1]), _placeholders(ids[0])
    if not all(forms):
        return False
    *single, last = [_placeholders(form) for form in forms]
    return last == wanted and all(each <= least for each in single)


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(PLACEHOLDER.findall(text))


def texts(catalog: Catalog) -> tuple[bytes, bytes]:
    """A catalogue as it stands in its files: readable, and compiled."""
    catalog.creation_date = catalog.revision_date = WRITTEN  # no other change than of words
    readable, compiled = BytesIO(), BytesIO()
    write_po(readable, catalog, width=100, sort_output=True, omit_header=True)
    write_mo(compiled, catalog)
    return readable.getvalue(), compiled.getvalue()


def main() -> int:
    """Bring every language up to date; 1 where words are missing."""
    words, missing = collected(), 0
    for path in catalogues():
        catalog = updated(path, words)
        readable, compiled = texts(catalog)
        path.write_bytes(readable)
        path.with_suffix(".mo").write_bytes(compiled)
        lacking = untranslated(catalog)
        missing += len(lacking)
        sys.stdout.write(f"{path.parents[1].name}: {len(catalog)} words, {len(lacking)} missing\n")
        sys.stdout.writelines(f"  {word!r}\n" for word in lacking[:20])
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
