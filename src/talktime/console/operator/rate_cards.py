"""Rate cards: their versions and dates, a version's rates, an earlier version published again."""

from collections.abc import Iterator

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.clock import now_ms
from talktime.console.databases import current
from talktime.console.doors import CHANGE, OperatorDesk, Shown, operator_page
from talktime.console.operator.asking import Moment, confirmed, form_page, refused
from talktime.console.operator.rate_changes import (
    changes_shown,
    compared_with_others,
    versions_counted,
    warn_of_another,
)
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.operator.words import DIRECTIONS
from talktime.console.roles import FINANCE, OPERATE
from talktime.console.said import destination_said, said
from talktime.core.limits import SEARCH_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.rates import RateRow
from talktime.core.refusal import Refusal
from talktime.operations.rate_drafts import csv_of_version, publish_again
from talktime.store.database import connect
from talktime.store.rate_drafts import drafts
from talktime.store.rates import Published, published, search_version, version_of_id

RATES_SHOWN = 100
DRAFTS_SHOWN = 20
CARD_COLUMNS = (
    Column(gettext_lazy("Card")),
    Column(gettext_lazy("Currency")),
    Column(gettext_lazy("In force since")),
    Column(gettext_lazy("Rows"), figures=True),
    Column(gettext_lazy("Comes next")),
    Column(gettext_lazy("Versions"), figures=True),
)
VERSION_COLUMNS = (
    Column(gettext_lazy("From (UTC)")),
    Column(gettext_lazy("State")),
    Column(gettext_lazy("Rows"), figures=True),
    Column(gettext_lazy("Published")),
    Column(gettext_lazy("From file")),
    Column(gettext_lazy("Download"), heard=True),
    Column(gettext_lazy("Publish again"), heard=True),
)
RATE_COLUMNS = (
    Column(gettext_lazy("Prefix")),
    Column(gettext_lazy("Destination")),
    Column(gettext_lazy("Way")),
    Column(gettext_lazy("By the minute"), figures=True),
    Column(gettext_lazy("Connection"), figures=True),
    Column(gettext_lazy("Increments"), figures=True),
)


class AgainForm(forms.Form):
    """From when an earlier version's rows hold again."""

    valid_from = Moment(
        label=gettext_lazy("In force from (UTC)"),
        required=False,
        help_text=gettext_lazy("Empty: at once."),
    )


@operator_page(may=FINANCE)
def rate_cards(desk: OperatorDesk) -> HttpResponse:
    """All cards, and the drafts that wait."""
    with desk.control.reading():
        versions = published(desk.control)
        waiting = drafts(desk.control, DRAFTS_SHOWN)
    names = list(dict.fromkeys(each.version.name for each in versions))
    rows = [card_row(desk, name, [x for x in versions if x.version.name == name]) for name in names]
    shown: Shown = {
        "table": table(_("Rate cards"), CARD_COLUMNS, rows),
        "drafts": [
            {
                "draft": each,
                "from": desk.wording.moment(each.valid_from_ms) if each.valid_from_ms else "",
                "made": desk.wording.moment(each.made_ms),
                "rows": desk.wording.decimal(each.row_count),
            }
            for each in waiting
        ],
    }
    return desk.page("operator/rate_cards.html", shown)


def card_row(desk: OperatorDesk, name: str, versions: list[Published]) -> list[Cell]:
    """One card; its versions with the latest start first."""
    holds, following = in_force(versions, desk.now_ms), None
    for each in versions:
        if each.version.valid_from_ms > desk.now_ms:
            following = each
    return [
        Cell(name, reverse("operator-rate-card", args=[name])),
        Cell(versions[0].version.currency),
        Cell(
            desk.wording.moment(holds.version.valid_from_ms) if holds else "",
            tags=() if holds else (Tag(_("Not in force yet"), "warn"),),
        ),
        Cell(desk.wording.decimal(holds.version.row_count) if holds else ""),
        Cell(desk.wording.moment(following.version.valid_from_ms) if following else ""),
        Cell(desk.wording.decimal(len(versions))),
    ]


def in_force(versions: list[Published], at_ms: int) -> Published | None:
    """The version that holds at a moment, of a card's (the latest start first)."""
    return next((each for each in versions if each.version.valid_from_ms <= at_ms), None)


@operator_page(may=FINANCE)
def rate_card(desk: OperatorDesk, name: str) -> HttpResponse:
    """A card's versions, and the rates of one of them."""
    text = desk.request.GET.get("q", "").strip()[:SEARCH_TEXT_MAX]
    wanted = desk.request.GET.get("version", "")
    with desk.control.reading():
        versions = published(desk.control, name)
        if not versions:
            # An organisation may have a card before it has a version: its page leads here.
            return desk.page("operator/no_rate_card.html", {"name": name})
        holds = in_force(versions, desk.now_ms)
        seen = next((x for x in versions if str(x.version.id) == wanted), holds or versions[0])
        search = text.lstrip("+") if text.isprintable() else ""
        rates = search_version(desk.control, seen.version.id, search, RATES_SHOWN + 1)
    shown: Shown = {
        "name": name,
        "currency": versions[0].version.currency,
        "versions": table(
            _("Versions"), VERSION_COLUMNS, [version_row(desk, x, holds) for x in versions]
        ),
        "seen": seen.version,
        "seen_from": desk.wording.moment(seen.version.valid_from_ms),
        "q": text,
        "cut": len(rates) > RATES_SHOWN,
        "most": RATES_SHOWN,
        "rates": table(
            _("Rates"), RATE_COLUMNS, [rate_row(desk, x, seen) for x in rates[:RATES_SHOWN]]
        ),
    }
    return desk.page("operator/rate_card.html", shown)


def version_row(desk: OperatorDesk, each: Published, holds: Published | None) -> list[Cell]:
    """One version of a card."""
    version = each.version
    tag, again = Tag(_("Earlier")), Cell()
    if each == holds:
        tag = Tag(_("In force"), "good")
    elif version.valid_from_ms > desk.now_ms:
        tag = Tag(_("Scheduled"), "warn")
    elif desk.may(OPERATE):
        again = Cell(_("Publish again"), reverse("operator-rates-again", args=[version.id]))
    here = reverse("operator-rate-card", args=[version.name])
    return [
        Cell(desk.in_utc.moment(version.valid_from_ms), f"{here}?version={version.id}"),
        Cell(tags=(tag,)),
        Cell(desk.wording.decimal(version.row_count)),
        Cell(desk.wording.moment(each.imported_ms)),
        Cell(each.source),
        Cell(_("Download"), reverse("operator-rates-file", args=[version.id])),
        again,
    ]


def rate_row(desk: OperatorDesk, row: RateRow, seen: Published) -> list[Cell]:
    """One rate."""
    rate, later = row.rate, ""
    if row.valid_from_ms > seen.version.valid_from_ms:
        later = _("from %(moment)s") % {"moment": desk.wording.moment(row.valid_from_ms)}
    kind = " · ".join(each for each in (row.country, said(row.kind)) if each)
    return [
        Cell(rate.prefix),
        Cell(destination_said(rate.destination), note=kind),
        Cell(DIRECTIONS[row.direction], note=later),
        Cell(decimal_text(rate.per_minute_micros)),
        Cell(decimal_text(rate.fee_micros)),
        Cell(f"{rate.first_increment_s}/{rate.next_increment_s}"),
    ]


@operator_page(may=FINANCE)
def rates_file(desk: OperatorDesk, version_id: int) -> HttpResponse:
    """A version as a CSV file."""
    with desk.control.reading():
        found = version_of_id(desk.control, version_id)
    if found is None:
        raise Http404

    def lines() -> Iterator[str]:
        # Sent after the page's own connection is closed.
        control = connect(current().control_plane)
        try:
            with control.reading():
                yield from csv_of_version(control, found)
        finally:
            control.close()

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="rates-{version_id}.csv"'
    return answer  # type: ignore[return-value]


@operator_page(may=OPERATE, methods=CHANGE)
def rates_again(desk: OperatorDesk, version_id: int) -> HttpResponse:
    """Publish an earlier version's rows again, from a moment on."""
    with desk.control.reading():
        found = version_of_id(desk.control, version_id)
    if found is None:
        raise Http404
    version = found.version
    posted = desk.request.method == "POST"
    form = AgainForm(desk.request.POST) if posted else AgainForm()
    back = reverse("operator-rate-card", args=[version.name])
    if posted and form.is_valid():
        start_ms = form.cleaned_data["valid_from"]
        versions = versions_counted(desk, version.name)
        stale, done, at_ms = compared_with_others(desk, versions), None, now_ms()
        if confirmed(desk) and not stale:
            done = publish_again(
                *(desk.control, version_id),
                versions=versions,
                valid_from_ms=start_ms or at_ms,
                now_ms=at_ms,
                next_id=desk.next_id,
            )
            stale = done is None
        if done is None:
            shown = changes_shown(desk, found, start_ms)
            if stale and not any(each["any"] for each in shown["counts"]):  # sent twice
                messages.info(desk.request, _("Nothing changes: the same rates are in force."))
                return redirect("operator-rate-card", version.name)
            if stale:
                warn_of_another(desk)
            return desk.page("operator/rates_again.html", {**shown, "back": back, "form": form})
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("The version was published."))
            return redirect("operator-rate-card", version.name)
        refused(form, done)
    return form_page(
        *(desk, form),
        title=_("Publish an earlier version again"),
        button=_("Compare"),
        back=back,
        back_name=version.name,
        facts=[
            (_("Card"), version.name),
            (_("Version from"), desk.wording.moment(version.valid_from_ms)),
            (_("Rows"), desk.wording.decimal(version.row_count)),
        ],
        lead=_("Its rows become a new version. Versions that were in force stay as they are."),
    )
