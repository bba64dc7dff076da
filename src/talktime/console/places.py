"""Countries and destinations in the reader's language."""

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy

BETWEEN = " - "
PARTS: dict[str, Promise] = {
    "Mobile": pgettext_lazy("destination", "Mobile"),
    "Landline": pgettext_lazy("destination", "Landline"),
    "Freephone": pgettext_lazy("destination", "Freephone"),
    "Toll-free": pgettext_lazy("destination", "Toll-free"),
    "Toll-free in": pgettext_lazy("destination", "Toll-free in"),
    "Toll in": pgettext_lazy("destination", "Toll in"),
    "Shared cost": pgettext_lazy("destination", "Shared cost"),
    "Premium": pgettext_lazy("destination", "Premium"),
    "Paging": pgettext_lazy("destination", "Paging"),
    "Wide area": pgettext_lazy("destination", "Wide area"),
    "Satellite phones": pgettext_lazy("destination", "Satellite phones"),
    "North America freephone": pgettext_lazy("destination", "North America freephone"),
    "United States and Canada": pgettext_lazy("destination", "United States and Canada"),
}
"""What rate cards call the parts of a destination, besides its country."""


def destination(name: str) -> str:
    """A rate card's destination in the reader's language, as far as its parts are known.

    >>> from django.utils.translation import override
    >>> with override("de"):
    ...     [destination(name) for name in ("Germany - Mobile", "Brazil - Sao Paulo Mobile", "X")]
    ['Deutschland - Mobil', 'Brasilien - Sao Paulo Mobil', 'X']
    """
    language = (get_language() or "en").partition("-")[0]
    return name if language == "en" else _destination(name, language)


@lru_cache(8_192)
def _destination(name: str, language: str) -> str:
    parts = name.split(BETWEEN)
    words = [_part(part, language) for part in parts]
    # A place within a country has a name of its own; where the country is not known, nothing is.
    if words[0] is None:
        return name
    return BETWEEN.join(word or _of_a_place(part) for word, part in zip(words, parts, strict=True))


def _of_a_place(part: str) -> str:
    """A place's own name, perhaps with what is called there behind it: Sao Paulo Mobile."""
    place, _, what = part.rpartition(" ")
    return f"{place} {PARTS[what]}" if place and what in PARTS else part


def _part(part: str, language: str) -> str | None:
    if part in PARTS:
        return str(PARTS[part])
    return _countries(language).get(part)


@lru_cache
def _countries(language: str) -> dict[str, str]:
    """The countries' names in a language, by their English names."""
    try:
        names = Locale.parse(language).territories
    except (UnknownLocaleError, ValueError):
        return {}
    english = Locale.parse("en").territories
    return {name: str(names[code]) for code, name in english.items() if code in names}
