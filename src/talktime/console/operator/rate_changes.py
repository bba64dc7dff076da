"""What a draft, or an earlier version, would change: counted, drawn, searched."""

from collections import Counter, OrderedDict
from itertools import pairwise
from threading import Lock
from urllib.parse import urlencode

from django.contrib import messages
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import OperatorDesk, Shown
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.operator.words import DIRECTIONS, WAYS
from talktime.console.said import destination_said
from talktime.console.theme.charts import Bar, bar_chart
from talktime.core.ids import id_in
from talktime.core.limits import COMPARISONS_CACHED_MAX, SEARCH_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.rating import Rate
from talktime.operations.import_rates import RateChange
from talktime.operations.rate_drafts import Compared, compare_draft, compare_version
from talktime.store.rate_drafts import RateDraft
from talktime.store.rates import Published, versions_of

ROWS_SHOWN = 50
STEPS = (-50, -20, -5, 0, 5, 20, 50)
"""Bounds in percent, between which changes of price are counted."""
COLUMNS = (
    Column(gettext_lazy("Prefix")),
    Column(gettext_lazy("Destination")),
    Column(gettext_lazy("Change")),
    Column(gettext_lazy("Before, by the minute"), figures=True),
    Column(gettext_lazy("After, by the minute"), figures=True),
)

_kept: OrderedDict[tuple[int, int], Compared] = OrderedDict()
_lock = Lock()


def compared_draft(desk: OperatorDesk, draft: RateDraft) -> Compared:
    """A draft's changes; the last few that were asked for are kept, for the pages of one look.
    Raises LookupError where it is gone."""
    with desk.control.reading():
        versions = versions_of(desk.control, draft.name)
    # What is in force may change while somebody looks: by another version, or by time.
    start_ms = draft.valid_from_ms or desk.now_ms
    before = [each.id for each in versions if each.valid_from_ms < start_ms]
    key = (draft.id, before[-1] if before else 0)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    found = compare_draft(desk.control, draft, desk.now_ms)
    with _lock:
        _kept[key] = found
        while len(_kept) > COMPARISONS_CACHED_MAX:
            _kept.popitem(last=False)
    return found


def versions_counted(desk: OperatorDesk, name: str) -> int:
    """How many versions a card has: another number, and a comparison is not true any more."""
    with desk.control.reading():
        return len(versions_of(desk.control, name))


def compared_with_others(desk: OperatorDesk, versions: int) -> bool:
    """Whether the form was made when the card had not so many versions."""
    return desk.request.POST.get("versions", str(versions)) != str(versions)


def warn_of_another(desk: OperatorDesk) -> None:
    """Say that another version came between a comparison and its publishing."""
    warning = _("Another version was published meanwhile: look what this one changes.")
    messages.warning(desk.request, warning)


def changes_shown(desk: OperatorDesk, found: Published, start_ms: int | None) -> Shown:
    """What publishing a version again would change."""
    versions = versions_counted(desk, found.version.name)  # first: none may come unseen between
    compared = compare_version(desk.control, found.version, start_ms or desk.now_ms)
    return {
        **summary(desk, compared),
        "version": found.version,
        "versions": versions,
        "version_from": desk.wording.moment(found.version.valid_from_ms),
        "starts": desk.in_utc.moment(start_ms) if start_ms else "",
        "table": table(
            _("Changes"), COLUMNS, [change_row(x) for x in compared.changes[:ROWS_SHOWN]]
        ),
        "cut": len(compared.changes) > ROWS_SHOWN,
    }


def summary(desk: OperatorDesk, compared: Compared) -> Shown:
    """How many prefixes change in which way, and by how much."""
    replaced = compared.replaces
    repriced = any(change.way in ("dearer", "cheaper") for change in compared.changes)
    return {
        "replaces": desk.wording.moment(replaced.valid_from_ms) if replaced else "",
        "counts": counted_ways(desk, compared),
        "unchanged": desk.wording.decimal(compared.unchanged),
        "chart": price_chart(desk, compared.changes) if repriced else "",
    }


def counted_ways(desk: OperatorDesk, compared: Compared) -> list[Shown]:
    """How many prefixes get dearer, cheaper, are added, are removed."""
    counts = Counter(change.way for change in compared.changes)
    return [
        {
            "way": way,
            "label": label,
            "tone": tone,
            "count": desk.wording.decimal(counts[way]),
            "any": counts[way] > 0,
        }
        for way, (label, tone) in WAYS.items()
    ]


def price_chart(desk: OperatorDesk, changes: tuple[RateChange, ...]) -> SafeString:
    """How many prices by the minute go down and up, by how much of what they were."""
    labels = [
        *(_("below %(percent)s%%") % {"percent": STEPS[0]},),
        *(f"{low}% … {high}%" for low, high in pairwise(STEPS)),
        _("above %(percent)s%%") % {"percent": f"+{STEPS[-1]}"},
    ]
    counts = [0] * len(labels)
    for change in changes:
        if change.old is None or change.new is None:
            continue
        before, after = change.old.per_minute_micros, change.new.per_minute_micros
        if before == after:
            continue
        percent = (after - before) * 100 // before if before else 100
        counts[sum(percent >= step for step in STEPS)] += 1
    bars = [
        Bar(
            label,
            (0, count) if place >= STEPS.index(0) + 1 else (count,),
            desk.wording.decimal(count),
        )
        for place, (label, count) in enumerate(zip(labels, counts, strict=True))
    ]
    return bar_chart(bars, title=_("Prices by how they change"), legend=(_("Cheaper"), _("Dearer")))


def page_of_changes(desk: OperatorDesk, compared: Compared) -> Shown:
    """A page of the changes that match what is asked for."""
    query = desk.request.GET
    way, text = query.get("way", ""), query.get("q", "").strip()[:SEARCH_TEXT_MAX]
    digits = text.lstrip("+")
    start = id_in(query.get("start", "")) or 0
    found = [
        change
        for change in compared.changes
        if way in ("", change.way) and _matches(change, digits, text.lower())
    ]
    kept = {"way": way, "q": text}
    more = start + ROWS_SHOWN < len(found)
    return {
        "way": way if way in WAYS else "",
        "q": text,
        "found": desk.wording.decimal(len(found)),
        "table": table(
            _("Changes"), COLUMNS, [change_row(x) for x in found[start : start + ROWS_SHOWN]]
        ),
        "newest": f"?{urlencode(kept)}" if start else "",
        "older": f"?{urlencode(kept | {'start': start + ROWS_SHOWN})}" if more else "",
    }


def _matches(change: RateChange, digits: str, text: str) -> bool:
    if not text:
        return True
    if digits.isdecimal():
        return change.prefix.startswith(digits)
    return text in change.destination.lower()


def change_row(change: RateChange) -> list[Cell]:
    """One prefix before and after."""
    word, tone = WAYS[change.way]
    return [
        Cell(
            change.prefix,
            note="" if change.direction == "outbound" else DIRECTIONS[change.direction],
        ),
        Cell(destination_said(change.destination)),
        Cell(tags=(Tag(word, tone),)),
        _price(change.old),
        _price(change.new),
    ]


def _price(rate: Rate | None) -> Cell:
    if rate is None:
        return Cell("-")
    more = f"{rate.first_increment_s}/{rate.next_increment_s}"
    if rate.fee_micros:
        more = f"+ {decimal_text(rate.fee_micros)}, {more}"
    return Cell(decimal_text(rate.per_minute_micros), note=more)
