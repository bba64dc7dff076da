"""How the texts of mail about accounts are kept: one `AccountLanguage` for each language."""

from collections.abc import Mapping
from typing import NamedTuple


class AccountSaid(NamedTuple):
    """One mail: its subject, what happened, what it means, the step to take, the link's words."""

    subject: str
    happened: str
    means: str
    step: str
    link: str


class AccountLanguage(NamedTuple):
    """All texts of one language."""

    code: str
    said: Mapping[str, AccountSaid]
    roles: Mapping[str, str]
    facts: Mapping[str, str]
    footer: str
    colon: str
