"""A "no" in the reader's language.

What was wrong this time (`detail`) is written by the rules themselves, in English, with the values
at hand; console/said.py says it in other languages. A detail that it does not know stands beside
the title of its kind.
"""

from collections.abc import Iterator

from django.utils.translation import gettext

from talktime.console.said import capitalised, known, said
from talktime.core.recharging import NO_BUYING, WHY_NOT, NotWanted
from talktime.core.refusal import REFUSALS, Refusal


def sentence(refusal: Refusal) -> str:
    """The reason and the remedy.

    >>> from django.utils.translation import override
    >>> with override("en"):
    ...     sentence(Refusal("unknown_key", "there is no key 7"))
    'There is no key 7. List the keys and use one of their ids.'
    """
    kind = refusal.kind
    detail = known(refusal.detail)
    if detail is None:
        return f"{gettext(kind.title)} ({refusal.detail}). {gettext(kind.remedy)}"
    return f"{capitalised(detail)}. {gettext(kind.remedy)}"


def not_wanted(standing: NotWanted) -> str:
    """Why auto-recharge buys nothing now."""
    words = gettext(WHY_NOT[standing.code])
    return f"{words}: {said(standing.detail)}" if standing.detail else words


def words_of_the_core() -> Iterator[str]:
    """The texts of the core's tables that pages show, for whoever translates."""
    for kind in REFUSALS.values():
        yield from (kind.title, kind.remedy, kind.who)
    yield from WHY_NOT.values()
    yield from NO_BUYING.values()
