"""The books of one batch: what was loaded, and what deciding has changed in it.

`store.load` fills them under the wallets' locks, `core.decide` changes them, `store.save` writes
back what changed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from talktime.core.calls import Call, UsageRecord
from talktime.core.ledger import Lot, Parts, Transfer, Wallet
from talktime.core.meters import WARNED_PERCENT, Meter
from talktime.core.notices import Notice
from talktime.core.outcomes import StoredAnswer

CallKey = tuple[int, str]
"""(switch id, the switch's call_id)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The operator's settings for grants (D8), and from how many per cent used on a pool of minutes
    is warned of (D4)."""

    slice_s: int = 300
    grace_s: int = 60
    pool_warning_percent: int = WARNED_PERCENT


@dataclass(slots=True)
class Books:
    """Wallets by organisation, calls and answers by key, and the rows to be added. `next_id` makes
    ids."""

    next_id: Callable[[], int]
    terms: Terms = field(default_factory=Terms)
    wallets: dict[int, Wallet] = field(default_factory=dict)
    calls: dict[CallKey, Call] = field(default_factory=dict)
    meters: dict[tuple[int, str], Meter] = field(default_factory=dict)
    answers: dict[tuple[int, int], StoredAnswer] = field(default_factory=dict)
    lots_by_key: dict[tuple[int, str], Lot] = field(default_factory=dict)
    new_lots: list[Lot] = field(default_factory=list)
    new_answers: list[StoredAnswer] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    usage: list[UsageRecord] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    notice_ids: list[int] = field(default_factory=list)

    def meter(self, organisation_id: int, key: str) -> Meter:
        """The organisation's meter of this key; a new one where nothing was used of it yet."""
        meter = self.meters.get((organisation_id, key))
        if meter is None:
            meter = self.meters[organisation_id, key] = Meter(organisation_id, key)
        return meter

    def tell(self, notice: Notice) -> None:
        """Have something told; its id is made now, so that ids are the same however commands are
        cut into batches."""
        self.notices.append(notice)
        self.notice_ids.append(self.next_id())

    def transfer(
        self,
        organisation_id: int,
        debit_account: int,
        credit_account: int,
        micros: int,
        kind: str,
        usage_id: int | None,
        at_ms: int,
    ) -> None:
        """Add one transfer."""
        self.transfers.append(
            Transfer(
                self.next_id(),
                organisation_id,
                debit_account,
                credit_account,
                micros,
                kind,
                usage_id,
                at_ms,
            )
        )

    def transfers_from(
        self,
        wallet: Wallet,
        parts: Parts,
        credit_account: int,
        kind: str,
        usage_id: int | None,
        at_ms: int,
    ) -> None:
        """Add one transfer for each lot in `parts`."""
        for lot_id, micros in parts:
            self.transfer(
                wallet.organisation_id, lot_id, credit_account, micros, kind, usage_id, at_ms
            )
