"""The tables of one cell that its operator looks at: sums of the ledger by day, proofs of the
books, how far the work of both is."""

from django.db import models

from talktime.console.identity import Id


class LedgerDay(models.Model):
    """The sums of transfers by UTC day, currency, kind and the accounts they are between (lots as
    two: paid and promotional); of those up to the mark `ledger`. A projection: it can be made anew
    from the transfers."""

    pk = models.CompositePrimaryKey("day", "currency", "kind", "debit_account", "credit_account")
    # Days since 1970-01-01, UTC.
    day = models.IntegerField()
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=16)
    # core/ledger_sums.py says which numbers.
    debit_account = models.SmallIntegerField()
    credit_account = models.SmallIntegerField()
    amount_micros = models.BigIntegerField()
    transfers = models.BigIntegerField()

    class Meta:
        db_table = "ledger_day"


class Burn(models.Model):
    """What an organisation has spent of its credits in the last week; no row for nothing. Noted
    anew each hour, to find those whose credits will not last."""

    organisation_id = Id(primary_key=True)
    week_micros = models.BigIntegerField()

    class Meta:
        db_table = "burn"


class BookCheck(models.Model):
    """What came of one check of the books when it last ran: whoever ran it last."""

    name = models.CharField(max_length=64, primary_key=True)
    rows = models.BigIntegerField()
    broken = models.BigIntegerField()
    took_ms = models.BigIntegerField()
    proved_ms = models.BigIntegerField()
    # The first findings in words, as a JSON array.
    findings = models.TextField()

    class Meta:
        db_table = "book_check"


class WorkMark(models.Model):
    """How far some work of the cell is (of `transfer`, the tables `ledger_day`, mark `ledger`, and
    `wallet_hour`; of `usage_record`, the table `usage_day`), or that it was asked for (`proof`).
    Of sums also their line and their fence (store/unsummed.py)."""

    name = models.CharField(max_length=32, primary_key=True)
    value = models.BigIntegerField()
    at_ms = models.BigIntegerField()

    class Meta:
        db_table = "work_mark"


class Unsummed(models.Model):
    """A row that is not in the sums of a mark yet, although these have passed its id: it came after
    a clock was set back. The job that sums adds it, and takes this away."""

    pk = models.CompositePrimaryKey("name", "id")
    # The mark's.
    name = models.CharField(max_length=32)
    # Of a usage record or a transfer.
    id = models.BigIntegerField()

    class Meta:
        db_table = "unsummed"
