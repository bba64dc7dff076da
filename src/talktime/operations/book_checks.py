"""What is proven of a cell's books, check by check."""

from typing import NamedTuple

from talktime.store import book_checks as sql
from talktime.store import document_checks as documents
from talktime.store import meter_checks as meters
from talktime.store import sum_checks as sums
from talktime.store import usage_day_checks as days
from talktime.store.database import Statement


class Check(NamedTuple):
    """One thing to prove: its name, what it says, over which table's rows, and a finding in words.

    In `words`, {id}, {other} and the amounts {expected} and {found} (as plain numbers {of} and
    {number}) stand for the broken row's.
    """

    name: str
    proves: str
    table: str
    statement: Statement
    words: str


ANEW = "seconds or calls may differ as well; `talktime usage rebuild` makes them anew"
CHECKS = (
    Check(
        "wallet_lots",
        "every wallet is the sum of its lots less its debt",
        "wallet",
        sql.WALLET_LOTS,
        "the wallet says {found}; its lots less its debt make {expected}",
    ),
    Check(
        "lot_transfers",
        "every lot has left what its transfers left in it",
        "lot",
        sql.LOT_TRANSFERS,
        "lot {id} has {found} left; its transfers make {expected}",
    ),
    Check(
        "debt_transfers",
        "every wallet owes what its transfers say it owes",
        "wallet",
        sql.DEBT_TRANSFERS,
        "the wallet owes {found}; its transfers make {expected}",
    ),
    Check(
        "lot_amounts",
        "every lot's amount is what one transfer brought in",
        "lot",
        sql.LOT_AMOUNTS,
        "lot {id} was {found} when new; its largest transfer in is {expected}",
    ),
    Check(
        "lot_remaining",
        "no lot is below zero or above its amount",
        "lot",
        sql.LOT_REMAINING,
        "lot {id} has {found} left, beyond the bound of {expected}",
    ),
    Check(
        "lot_held",
        "no lot holds less than nothing or more than it has left",
        "lot",
        sql.LOT_HELD,
        "lot {id} holds {found}, beyond the bound of {expected}",
    ),
    Check(
        "lot_spent",
        "a lot is marked as spent when, and only when, nothing is left of it",
        "lot",
        sql.LOT_SPENT,
        "lot {id} has {found} left, which its mark denies",
    ),
    Check(
        "wallet_holds",
        "every wallet holds what its lots hold",
        "wallet",
        sql.WALLET_HOLDS,
        "the wallet holds {found}; its lots hold {expected}",
    ),
    Check(
        "lot_holds",
        "every lot holds what open calls hold of it",
        "lot",
        sql.LOT_HOLDS,
        "lot {id} holds {found}; open calls hold {expected} of it",
    ),
    Check(
        "holds_without_call",
        "no lot holds money for no call",
        "lot",
        sql.HOLDS_WITHOUT_CALL,
        "lot {id} holds {found}, and no open call names it",
    ),
    Check(
        "call_holds",
        "every open call holds the sum of its parts",
        "call",
        sql.CALL_HOLDS,
        "call {id} holds {found}; its parts make {expected}",
    ),
    Check(
        "closed_holds",
        "no closed call still holds money",
        "call",
        sql.CLOSED_HOLDS,
        "call {id} is closed and holds {found}",
    ),
    Check(
        "call_sweeps",
        "every open call is looked at when its deadline passes, or before",
        "call",
        sql.CALL_SWEEPS,
        "call {id} is open, and its deadline would pass without notice",
    ),
    Check(
        "transfer_accounts",
        "transfers sum to zero over all known accounts",
        "transfer",
        sql.TRANSFER_ACCOUNTS,
        "transfer {id} of {found} is to or from account {other}, which the organisation has not",
    ),
    Check(
        "transfer_kinds",
        "every transfer moves money between the accounts that its kind says",
        "transfer",
        sql.TRANSFER_KINDS,
        "transfer {id} does not fit its kind in its accounts, amount or usage record",
    ),
    Check(
        "taken_back",
        "what was taken back of every lot, and what of it is owed, is what its transfers say",
        "taken_back",
        sql.TAKEN_BACK,
        "{found} was taken back of lot {id} (5: as a debt); its transfers make {expected}",
    ),
    Check(
        "transfer_usage",
        "no transfer names a usage record that is not there",
        "transfer",
        sql.TRANSFER_USAGE,
        "transfer {id} of {found} is for usage record {other}, which is not there",
    ),
    Check(
        "usage_transfers",
        "every usage record's charge is the sum of its transfers; without a charge it has none",
        "usage_record",
        sql.USAGE_TRANSFERS,
        "usage record {id} charges {found}; its transfers make {expected}",
    ),
    Check(
        "usage_once",
        "every call has one usage record, and at most one correction of it",
        "usage_record",
        sql.USAGE_ONCE,
        "call {id} has other usage records than one, and one correction at most",
    ),
    Check(
        "usage_calls",
        "every usage record is of the call it names, where that is still kept",
        "usage_record",
        sql.USAGE_CALLS,
        "usage record {id} differs from its call {other} in organisation, switch or call_id",
    ),
    Check(
        "usage_currency",
        "every usage record is in its wallet's currency",
        "usage_record",
        sql.USAGE_CURRENCY,
        "usage record {id} is in another currency than the wallet",
    ),
    Check(
        "call_charges",
        "every call was charged what its usage records say",
        "call",
        sql.CALL_CHARGES,
        "call {id} was charged {found}; its usage records make {expected}",
    ),
    Check(
        "call_usage",
        "every closed call names its usage record, no other call names one",
        "call",
        sql.CALL_USAGE,
        "call {id} does not fit the usage record that it names ({other})",
    ),
    Check(
        "usage_parts",
        "minutes paid no more seconds than were billed, post-usage no more than was charged",
        "usage_record",
        meters.USAGE_PARTS,
        "usage record {id} has more paid by minutes or after use than in all",
    ),
    Check(
        "usage_after_use",
        "every usage record has as much to pay after use as its transfers say",
        "usage_record",
        meters.USAGE_AFTER_USE,
        "usage record {id} has {found} to pay after use; its transfers make {expected}",
    ),
    Check(
        "meter_used",
        "every meter of minutes, spending and post-usage is the sum of its usage records",
        "meter",
        meters.METER_USED,
        "meter {id} has {number} used; usage records make {of}",
    ),
    Check(
        "meter_held",
        "every meter holds what open calls hold of it",
        "meter",
        meters.METER_HELD,
        "meter {id} holds {number}; open calls hold {of} of it",
    ),
    Check(
        "meter_total",
        "no meter is below zero or used beyond its total",
        "meter",
        meters.METER_TOTAL,
        "meter {id} has {number} used and held, of {of}",
    ),
    Check(
        "answer_calls",
        "every stored answer belongs to a call",
        "answer",
        sql.ANSWER_CALLS,
        "answer {other} of call {id} has no call",
    ),
    Check(
        "document_numbers",
        "numbers of documents have no gaps but those written down; their counter is at the last",
        "document",
        documents.DOCUMENT_NUMBERS,
        "document {id} has number {number}; without a gap it is {of} (document 0: the counter, or "
        "a gap that was written down)",
    ),
    Check(
        "payment_invoices",
        "every payment that bought credits has one invoice, of its amount",
        "payment",
        documents.PAYMENT_INVOICES,
        "payment {id} of {expected} has no one invoice of it for lot {other}; {found} is invoiced",
    ),
    Check(
        "statement_usage",
        "every statement is the sum of its usage records, of its document and its transfer",
        "post_statement",
        documents.STATEMENT_USAGE,
        "statement {id} is of {found}; its usage records make {expected}",
    ),
    Check(
        "statement_payments",
        "every statement is paid as far as its payments and their transfers say",
        "post_statement",
        documents.STATEMENT_PAYMENTS,
        "{found} of statement {id} is paid; the transfers make {expected}",
    ),
    Check(
        "usage_days",
        "every user's sums of a day are those of the usage records up to the cursor",
        "usage_day",
        days.USAGE_DAYS,
        f"the sums of day {{id}} of user {{other}} charge {{found}}, not {{expected}}; {ANEW}",
    ),
    Check(
        "usage_all_users",
        "the sums of a day of all users are the sums of each",
        "usage_day",
        days.USAGE_ALL_USERS,
        f"the sums of day {{id}} of all users charge {{found}}, of each {{expected}}; {ANEW}",
    ),
    Check(
        "usage_users",
        "every user's totals of a day are the sums of the user's rows",
        "usage_user",
        days.USAGE_USERS,
        f"the totals of day {{id}} of user {{other}} charge {{found}}, not {{expected}}; {ANEW}",
    ),
    Check(
        "usage_months",
        "every user's totals of months are those of the days",
        "usage_user",
        days.USAGE_USER_MONTHS,
        f"the months of user {{other}} charge {{found}}, the days {{expected}}; {ANEW}",
    ),
    Check(
        "ledger_days",
        "the sums of transfers by day are those of the transfers up to their mark",
        "ledger_day",
        sums.LEDGER_DAYS,
        "the sums of day {id} from account {other} move {found}, the transfers {expected}; their "
        "number may differ as well; `talktime usage rebuild --of ledger` makes them anew",
    ),
    Check(
        "wallet_hours",
        "the sums of a wallet by hour and account are those of its transfers up to their mark",
        "wallet_hour",
        sums.WALLET_HOURS,
        "the sums of hour {id} of account {other} come to {found}, its transfers to {expected}; "
        "what calls took may differ as well; `talktime usage rebuild --of wallets` makes them anew",
    ),
)
