"""Two organisations with users, numbers and rates, and a way to ask for a call of theirs."""

from collections.abc import Callable
from typing import Any

from talktime.core.catalogue import Catalogues
from talktime.core.commands import Authorize
from talktime.core.directory import Directory, NumberEntry, Organisation, User
from talktime.core.rates import PrefixIndex, RateCard, RateCards
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.catalogue_seed import seed_entries
from talktime.operations.resolve import CallRequest, resolve

NOW_MS = 1_795_428_000_000
DAY_MS = 86_400_000

CONTOSO = Organisation(7, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")
FABRIKAM = CONTOSO._replace(id=8, name="Fabrikam", currency="EUR")
CATALOGUES = Catalogues(seed_entries())
CALLING = frozenset({"MCOEV", "MCOPSTN_PAYG_1", "MCOMEETADV"})
CREDITS = CALLING | {"MCOPSTNC"}
BOT = frozenset({"PHONESYSTEM_VIRTUALUSER", "MCOPSTN_PAYG_1", "MCOPSTNC"})
FRONT_DESK = User(
    *(70, 7, "front-desk@contoso.example", "Front desk", "US", CREDITS, "person", True)
)
OSLO = User(*(71, 7, "oslo@contoso.example", "Boardroom Oslo", "NO", CREDITS, "person", True))
BARE = User(*(72, 7, "bare@contoso.example", "Bare", "DE", frozenset(), "person", True))
MAIN_LINE = User(
    *(73, 7, "main-line@contoso.example", "Main line", "US", BOT, "resource_account", True)
)
POOR = User(*(75, 7, "poor@contoso.example", "Poor", "DE", CALLING, "person", True))
FABRIKAM_DESK = User(*(80, 8, "desk@fabrikam.example", "Desk", "US", CREDITS, "person", True))
GUEST, OTHER_GUEST = (
    User(*(number, number // 10, "guest@example.com", "Guest", "US", CREDITS, "person", True))
    for number in (74, 84)
)
GERMANY = Rate("49", "Germany", 15_000, 0, 60, 60)
TOLL_FREE_US = Rate("1800", "Toll-free in", 21_000, 0, 60, 60)


def new_directory() -> Directory:
    """Who is who."""
    directory = Directory()
    directory.apply(
        [CONTOSO, FABRIKAM],
        [
            NumberEntry("14255550100", 7, FRONT_DESK.id, "user"),
            NumberEntry("14255550101", 7, OSLO.id, "user"),
            NumberEntry("14255550102", 7, None, "user"),
            NumberEntry("14255550103", 7, 999, "user"),
            NumberEntry("14255550110", 7, MAIN_LINE.id, "toll"),
            NumberEntry("14255550111", 7, None, "toll"),
            NumberEntry("18005550199", 7, MAIN_LINE.id, "toll_free"),
            NumberEntry("12065550100", 99, None, "toll_free"),
            NumberEntry("12065550101", 8, FABRIKAM_DESK.id, "user"),
            NumberEntry("18885550199", 8, None, "toll_free"),
        ],
        [FRONT_DESK, OSLO, BARE, POOR, MAIN_LINE, FABRIKAM_DESK, GUEST, OTHER_GUEST],
    )
    return directory


def new_rate_cards() -> RateCards:
    """Germany, dearer from a minute on; toll-free numbers of the US."""

    def version(valid_from_ms: int, germany: Rate) -> RateCard:
        indexes = {
            "outbound": PrefixIndex.of([(germany, 0)]),
            "toll_free_in": PrefixIndex.of([(TOLL_FREE_US, 0)]),
        }
        return RateCard(1, "standard", "USD", valid_from_ms, indexes)

    dearer = GERMANY._replace(per_minute_micros=20_000)
    old, new = version(NOW_MS - 90 * DAY_MS, GERMANY), version(NOW_MS + 60_000, dearer)
    return RateCards().with_card(old).with_card(new)


def asking(directory: Directory, rate_cards: RateCards) -> Callable[..., Authorize | Refusal]:
    """Resolves a call from Front desk to Germany, but for what is said."""

    def ask(**said: Any) -> Authorize | Refusal:
        request = CallRequest(
            **{
                "call_key": "C1",
                "sequence": 0,
                "type": "user_out",
                "from_": "+14255550100",
                "to": "+4930123456",
                "requested_s": 300,
            }
            | said
        )
        return resolve(directory, rate_cards, CATALOGUES, request, 11, NOW_MS, 55)

    return ask


def outcome(command: Authorize | Refusal) -> tuple[str, str]:
    """The code and detail of a refusal, wherever it is."""
    refusal = command.refusal if isinstance(command, Authorize) else command
    return refusal.code, refusal.detail
