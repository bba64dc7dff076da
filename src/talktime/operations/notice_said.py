"""How the texts of notices are kept: one `Language` for each that mail is written in."""

from collections.abc import Mapping
from typing import NamedTuple

ORGANISATION, NOTICES = "", "notices/"
"""Where a mail's link leads, below the organisation's page."""


class Said(NamedTuple):
    """One notice: its subject, what happened, what it means, and the one step to take."""

    subject: str
    happened: str
    means: str
    step: str
    link: str
    place: str = ORGANISATION


class Language(NamedTuple):
    """All texts of one language. `titles` is empty where core/notices.py has them already."""

    code: str
    said: Mapping[str, Said]
    titles: Mapping[str, str]
    facts: Mapping[str, str]
    reasons: Mapping[str, str]
    models: Mapping[str, str]
    counters: Mapping[str, str]
    minutes: str
    footer: str
    colon: str
