"""The tables of docs/reference/catalogue.md and licences.md: the fields of an entry from the types,
what a new installation has from the seed."""

from collections.abc import Callable
from itertools import groupby
from typing import get_type_hints

from docs.worked import table
from talktime.core.catalogue import FEATURES, KINDS, Catalogues, Licence, Minutes
from talktime.core.limits import (
    CATALOGUE_START_MS_MAX,
    LICENCE_MINUTES_MAX,
    MASKED_DIGITS_MAX,
    PREFIX_DIGITS_MAX,
)
from talktime.operations.catalogue_checks import (
    CONFERENCE_WORDS,
    RESOURCE_ACCOUNT_WORDS,
    SETTINGS,
    USER_WORDS,
)
from talktime.operations.catalogue_seed import seed_entries

FIELDS = {
    "licence": {
        "code": "The licence's code, as users are given it.",
        "name": "Its name for people.",
        "features": f"What it lets its user do: of {', '.join(f'`{each}`' for each in FEATURES)}.",
        "includes": "The codes of licences that come with it.",
        "requires": "Lists of features. Other licences of the user must give all of one list.",
        "zones": "The PAYG zones for whose countries it is.",
        "minutes": (
            "Included minutes a month, by country: `domestic`, `international` and `conference`, "
            f"each 0 to {LICENCE_MINUTES_MAX:,}. `*` stands for every country that is not named. "
            "Without zones, and without `*`, the licence is for the countries named here alone."
        ),
        "pooled": "Whether all of a country share the minutes; else they are each user's own.",
        "capability": "The code on the usage record of a call that it pays for.",
        "kinds": "Whom it can be given to: `person`, `resource_account`.",
    },
    "country": {
        "code": "The country (ISO 3166, two letters).",
        "payg_zone": "The zone of its pay-as-you-go plan; none where there is no such plan.",
        "zone_a": "Whether it is in Zone A of audio conferencing.",
        "domestic_area": "The country in whose area calls to it are domestic; its own by default.",
        "minutes_area": "The country in whose area calls to it use domestic minutes.",
        "credits": "Whether organisations of this country can have Communications Credits.",
        "premium": "Whether its premium and shared-cost numbers without an entry can be called.",
        "masked_digits": (
            "How many last digits of others' numbers are hidden in reports, "
            f"0 to {MASKED_DIGITS_MAX}."
        ),
    },
    "special_prefix": {
        "prefix": f"1 to {PREFIX_DIGITS_MAX} digits, country code first, without `+`.",
        "name": "Whose numbers these are, for people.",
        "supported": "Whether they can be called; if so on credits, never on included minutes.",
    },
    "policy": {
        "name": "The policy's name.",
        "conference": f"Where the meetings of a user may call: {' or '.join(CONFERENCE_WORDS)}.",
        "user": f"Where the user may call: {' or '.join(USER_WORDS)}.",
    },
    "number_tier": {
        "licences": "From so many licences on,",
        "service_numbers": "so many service numbers, toll and toll-free each.",
    },
    "currency": {
        "code": "ISO 4217.",
        "minimum": "The least that one purchase may be, in units of the currency (R6).",
        "maximum": "The most that one purchase may be.",
        "approval_above": (
            "What one person may give alone in 24 hours. More needs the approval of a second "
            "operator; so does raising this."
        ),
    },
    "setting": {
        "name": f"One of {', '.join(f'`{each}`' for each in SETTINGS)}.",
        "value": (
            "A policy's name; "
            f"{' or '.join(f'`{each}`' for each in RESOURCE_ACCOUNT_WORDS)}; whole numbers, "
            "several with spaces between."
        ),
    },
}
assert {kind: set(fields) for kind, fields in FIELDS.items()} == {
    kind: set(get_type_hints(value)) for kind, value in KINDS.items()
}


def fields(kind: str) -> Callable[[], str]:
    """The fields of one kind of entry."""

    def made() -> str:
        defaults = KINDS[kind]._field_defaults
        rows = [
            (f"`{name}`", about, _default(defaults[name]) if name in defaults else "must be there")
            for name, about in FIELDS[kind].items()
        ]
        return table(("field", "what it is", "default"), rows)

    return made


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple) and value:
        return "both"
    return f"`{value}`" if isinstance(value, int) or (isinstance(value, str) and value) else "none"


def _licences() -> list[Licence]:
    """The licences of the seed, as its last entries say."""
    last = Catalogues(seed_entries()).in_force(CATALOGUE_START_MS_MAX)
    return [licence for _, licence in sorted(last.licences.items())]


def licences() -> str:
    """The licences of a new installation."""
    rows = []
    for licence in _licences():
        choices = (" and ".join(sorted(choice)) for choice in licence.requires)
        rows.append(
            (
                f"`{licence.code}`",
                licence.name,
                ", ".join(sorted(licence.features)),
                ", ".join(f"`{code}`" for code in licence.includes),
                " or ".join(choices),
                f"`{licence.capability}`" if licence.capability else "",
            )
        )
    heading = ("code", "licence", "lets its user", "comes with it", "needs", "capability")
    return table(heading, rows)


def minutes() -> str:
    """The included minutes of a new installation's licences."""
    rows = []
    for licence in _licences():
        of_country = sorted(licence.minutes.items(), key=lambda each: (each[1], each[0]))
        for each, group in groupby(of_country, key=lambda pair: pair[1]):
            countries = [country for country, _ in group]
            where = "everywhere else" if countries == ["*"] else ", ".join(countries)
            rows.append((f"`{licence.code}`", *_figures(each), where))
    return table(("licence", *Minutes._fields, "in"), rows)


def _figures(minutes_: Minutes) -> tuple[str, ...]:
    return tuple(f"{figure:,}" if figure else "" for figure in minutes_)


TABLES: dict[str, Callable[[], str]] = {
    "licences": licences,
    "licence_minutes": minutes,
    **{f"catalogue_{kind}": fields(kind) for kind in KINDS},
}
