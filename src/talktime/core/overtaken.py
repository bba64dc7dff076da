"""Notices that have been overtaken by what happened since: mail about them is not sent late."""

from collections.abc import Iterable

from talktime.core.notices import Notice

ABOUT = {
    "lot.": "lot_id",
    "pool.": "pool",
    "statement.": "statement_id",
    "recharge.": "payment_id",
    "purchase.": "payment_id",
}
"""The fact by which two notices of one family are about the same thing."""

ONLY_THE_LATEST = {
    "lot.expiring",
    "pool.warning",
    "statement.due",
    "statement.overdue",
    "recharge.failed",
    "purchase.failed",
    "purchase.invoiced",
    "purchase.reminded",
}


def overtaken(
    notice: Notice, later: Iterable[Notice], balance_micros: int | None, now_ms: int
) -> str:
    """Why nobody needs mail about this any more, in words; empty where somebody does.

    `later` are notices of the same organisation that came after it, `balance_micros` is what it
    has now.

    >>> low = Notice(1, "balance.low", "k", 0, {"threshold_micros": 5})
    >>> overtaken(low, [], 6, 0), overtaken(low, [], 4, 0)
    ('overtaken: the balance is above the threshold again', '')
    """
    facts = notice.facts
    if balance_micros is not None:
        if notice.kind == "balance.zero" and balance_micros > 0:
            return "overtaken: there are credits again"
        threshold_micros = facts.get("threshold_micros")
        if isinstance(threshold_micros, int) and balance_micros > threshold_micros:
            return "overtaken: the balance is above the threshold again"
    if notice.kind not in ONLY_THE_LATEST:
        return ""
    expires_ms = facts.get("expires_ms")
    if notice.kind == "lot.expiring" and isinstance(expires_ms, int) and expires_ms <= now_ms:
        return "overtaken: the credits have expired since"
    family = notice.kind.partition(".")[0] + "."
    about = ABOUT[family]
    for each in later:
        same = each.kind.startswith(family) and each.facts.get(about) == facts.get(about)
        if same and each.key != notice.key:
            return f"overtaken: {each.kind} followed"
    return ""
