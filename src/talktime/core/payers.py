"""Who may pay for a call, found before it begins and kept with it until it ends; its
limits alone follow those of now (core/ending.py).

Included minutes pay first, then the organisation's credits, then post-usage billing (D11). A call
that none of them can go on paying ends.
"""

import json
from functools import lru_cache
from typing import NamedTuple

from talktime.core.limits import RATES_CACHED_MAX
from talktime.core.refusal import Refusal

CREDITS_CAPABILITY = "MCOPSTNPP"
"""The capability code of a call that Communications Credits paid (reference, 5.3)."""


FREE_CALL = "FREECALL"
"""The capability of seconds that had to be given free for want of a rate (D10)."""


class Payers(NamedTuple):
    """Meters by key (core/meters.py), limits in micros, capability codes (R70).

    `pool` is the meter of the included minutes that pay; `guard` a second one that must not be
    used up either (D12). `spending` is the user's, within the limit; `post_usage` the
    organisation's, within the cap (None: without end). `credits` says whether the lots may pay;
    where nobody may pay money, `money_code` and `money_detail` are the refusal that says why.
    `shortage` is the code of the refusal when the money is used up.
    """

    pool: str = ""
    guard: str = ""
    spending: str = ""
    post_usage: str = ""
    spend_limit_micros: int | None = None
    post_usage_cap_micros: int | None = None
    credits: bool = True
    money_code: str = ""
    money_detail: str = ""
    shortage: str = "insufficient_credit"
    free_capability: str = ""
    paid_capability: str = CREDITS_CAPABILITY

    @property
    def meters(self) -> list[str]:
        """The keys of the meters that the call moves or looks at."""
        return [key for key in (self.pool, self.guard, self.spending, self.post_usage) if key]

    @property
    def no_money(self) -> Refusal | None:
        """Why nobody pays money for this call; None where somebody may."""
        return Refusal(self.money_code, self.money_detail) if self.money_code else None

    def text(self) -> str:
        """As the call's row keeps it: a JSON array whose first four are the meters."""
        return _payers_text(self)

    @staticmethod
    def parse(text: str) -> "Payers":
        """Read back what `text` wrote; of a call from before there were payers, credits alone.

        >>> Payers.parse(Payers(pool="2026-11/minutes/P/US/domestic").text()).meters
        ['2026-11/minutes/P/US/domestic']
        """
        return _parsed_payers(text)


CREDITS_ALONE = Payers()


@lru_cache(RATES_CACHED_MAX)
def _payers_text(payers: Payers) -> str:
    return json.dumps(payers, separators=(",", ":"), ensure_ascii=False)


@lru_cache(RATES_CACHED_MAX)
def _parsed_payers(text: str) -> Payers:
    return Payers(*json.loads(text)) if text else CREDITS_ALONE
