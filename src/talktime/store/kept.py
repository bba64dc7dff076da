"""An organisation's books as this connection's last batch on them left them, so that the next one
need not read them again.

They are current as long as the wallet's `version` is: whoever changes an organisation's wallet,
lots, open calls or meters counts it up, under the wallet's lock (save.py). The lock is taken in any
case, and the version read, but where the database itself says that nobody else has written to it.

A batch takes out what it may change, and puts it back only after its commit: of one that failed
nothing is left here, and the next one reads. For one connection, and all that it writes: another
database, or the same one brought back from a copy, may have the same versions of other books.
"""

from collections import OrderedDict
from collections.abc import Iterable

from talktime.core.books import Books, CallKey
from talktime.core.calls import OPEN, Call
from talktime.core.ledger import Wallet
from talktime.core.limits import KEPT_ORGANISATIONS_MAX, KEPT_ROWS_MAX
from talktime.core.meters import Meter


class KeptBooks:
    """Of one organisation: its wallet with the open lots, open calls, and meters."""

    __slots__ = ("as_of", "calls", "meters", "sure", "wallet")

    def __init__(self, wallet: Wallet) -> None:
        self.wallet = wallet
        self.as_of: int | None = None
        self.sure = False
        self.calls: dict[CallKey, Call] = {}
        self.meters: dict[str, Meter] = {}

    @property
    def rows(self) -> int:
        """How many calls and meters."""
        return len(self.calls) + len(self.meters)


class Kept:
    """What is kept for one connection: `books` of the organisations asked about last, as many as
    fit."""

    def __init__(
        self,
        organisations_max: int = KEPT_ORGANISATIONS_MAX,
        rows_max: int = KEPT_ROWS_MAX,
    ) -> None:
        self._organisations_max = organisations_max
        self._rows_max = rows_max
        self.books: OrderedDict[int, KeptBooks] = OrderedDict()
        self._rows = 0
        self._taken: dict[int, KeptBooks] = {}
        self._saved: Books | None = None
        self._as_of: int | None = None

    def take(
        self, organisation_ids: Iterable[int], data_version: int | None
    ) -> dict[int, KeptBooks]:
        """Take out what is kept of these organisations. What is `sure` has the `data_version` of
        the database, which nobody else has written to since; of the rest, who has its locks says
        what is current, by deleting what is not."""
        self._taken, self._saved, self._as_of = {}, None, data_version
        for organisation_id in organisation_ids:
            books = self.books.pop(organisation_id, None)
            if books is not None:
                self._rows -= books.rows
                books.sure = books.as_of is not None and books.as_of == data_version
                self._taken[organisation_id] = books
        return self._taken

    def saved(self, books: Books) -> None:
        """These were written back; they are kept once that is committed."""
        self._saved = books

    def committed(self) -> None:
        """The transaction of what was saved last is committed."""
        books, self._saved = self._saved, None
        if books is None:
            return
        locked = {
            organisation_id: self._up_to_date(wallet)
            for organisation_id, wallet in books.wallets.items()
        }
        # A call of somebody else's, whose id was asked for, was read without a lock.
        for (organisation_id, key), meter in books.meters.items():
            if organisation_id in locked:
                meter.written()
                locked[organisation_id].meters[key] = meter
        for call_key, call in books.calls.items():
            of_one = locked.get(call.organisation_id)
            if of_one is not None and call.state == OPEN:
                call.written()
                of_one.calls[call_key] = call
            elif of_one is not None:
                of_one.calls.pop(call_key, None)
        for organisation_id, of_one in locked.items():
            of_one.as_of = self._as_of
            self._keep(organisation_id, of_one)

    def _up_to_date(self, wallet: Wallet) -> KeptBooks:
        wallet.written()
        taken = self._taken.get(wallet.organisation_id)
        return taken if taken is not None else KeptBooks(wallet)

    def _keep(self, organisation_id: int, books: KeptBooks) -> None:
        if books.rows > self._rows_max // 2:
            books = KeptBooks(books.wallet)
            books.as_of = self._as_of
        self.books[organisation_id] = books
        self._rows += books.rows
        while len(self.books) > self._organisations_max or self._rows > self._rows_max:
            _, oldest = self.books.popitem(last=False)
            self._rows -= oldest.rows
