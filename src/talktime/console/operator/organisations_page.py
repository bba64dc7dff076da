"""All organisations: found, filtered by what needs somebody, and a new one made."""

from contextlib import ExitStack
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from talktime.clock import now_ms
from talktime.console.databases import current
from talktime.console.doors import CHANGE, OperatorDesk, operator_page
from talktime.console.kept_connections import lent
from talktime.console.operator.asking import form_page, refused
from talktime.console.operator.places import PAGE_ROWS, all_cells
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.operator.words import COMMERCE_MODELS, FLAGS
from talktime.console.roles import FINANCE, OPERATE
from talktime.core.directory import Organisation
from talktime.core.limits import CARD_NAME_TEXT_MAX, NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.organisation_health import (
    FLAGS as FLAG_NAMES,
)
from talktime.operations.organisation_health import (
    NAME,
    NEWEST,
    OrganisationHealth,
    Wanted,
    days_left,
    organisations_page,
)
from talktime.operations.organisations import create_organisation
from talktime.store.rates import card_names

COLUMNS = (
    Column(gettext_lazy("Organisation")),
    Column(gettext_lazy("Balance"), figures=True),
    Column(gettext_lazy("Last 7 days"), figures=True),
    Column(gettext_lazy("Lasts"), figures=True),
    Column(gettext_lazy("Needs somebody")),
)


class NewOrganisation(forms.Form):
    """What a new organisation is made of."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=NAME_TEXT_MAX)
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3, initial="USD")
    country = forms.CharField(
        label=gettext_lazy("Country"),
        max_length=2,
        help_text=gettext_lazy("Two letters, such as US or NO."),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"), max_length=64, help_text="Europe/Oslo, UTC"
    )
    rate_card = forms.CharField(
        label=gettext_lazy("Rate card"), max_length=CARD_NAME_TEXT_MAX, initial="standard"
    )
    cell = forms.ChoiceField(
        label=gettext_lazy("Cell"),
        help_text=gettext_lazy("Where its books are. It stays there."),
    )


@operator_page(may=FINANCE)
def organisations(desk: OperatorDesk) -> HttpResponse:
    """A page of organisations."""
    query = desk.request.GET
    wanted = Wanted(
        query.get("q", ""),
        query.get("flag", "") if query.get("flag", "") in FLAG_NAMES else "",
        NEWEST if query.get("sort") == NEWEST else NAME,
        query.get("after", ""),
        PAGE_ROWS,
    )
    with all_cells() as cells:
        found = organisations_page(desk.control, cells.open, wanted, desk.now_ms)
        gone = cells.away
    kept = {"q": wanted.text, "flag": wanted.flag, "sort": wanted.sort}
    here = reverse("operator-organisations")
    more = f"{here}?{urlencode(kept | {'after': found.after})}" if found.after else ""
    shown = {
        "wanted": wanted,
        "flags": [(code, words[0]) for code, words in FLAGS.items()],
        "table": table(_("Organisations"), COLUMNS, [row(desk, each) for each in found.rows]),
        "away": gone,
        "newest": f"{here}?{urlencode(kept)}" if wanted.after else "",
        "older": more,
        "filtered": bool(wanted.text or wanted.flag),
    }
    return desk.page("operator/organisations.html", shown)


def row(desk: OperatorDesk, health: OrganisationHealth) -> list[Cell]:
    """One organisation in the table."""
    owner, wallet = health.organisation, health.wallet
    url = reverse("operator-organisation", args=[owner.id])
    tags = tuple(Tag(*FLAGS[flag]) for flag in health.flags)
    name = Cell(owner.name, url, note=f"{owner.country} · {COMMERCE_MODELS[owner.commerce_model]}")
    if wallet is None:
        away = Tag(_("Cell away"), "bad")
        return [name, Cell("?"), Cell("?"), Cell("?"), Cell(tags=(away,))]
    left = days_left(wallet)
    return [
        name,
        Cell(amount=desk.wording.money(wallet.balance_micros, wallet.currency)),
        Cell(amount=desk.wording.money(wallet.burn_micros, wallet.currency)),
        Cell("" if left is None else days_shown(desk, left)),
        Cell(tags=tags),
    ]


def days_shown(desk: OperatorDesk, days: int) -> str:
    """How long a balance lasts."""
    words = ngettext("%(days)s day", "%(days)s days", days)
    return words % {"days": desk.wording.decimal(days)}


@operator_page(may=OPERATE, methods=CHANGE)
def new_organisation(desk: OperatorDesk) -> HttpResponse:
    """Make an organisation."""
    posted = desk.request.method == "POST"
    form = NewOrganisation(desk.request.POST) if posted else NewOrganisation()
    cells = sorted(current().cells)
    form.fields["cell"].choices = [(name, name) for name in cells]  # type: ignore[attr-defined]
    with desk.control.reading():
        cards = ", ".join(card_names(desk.control))
    form.fields["rate_card"].help_text = _("Known: %(cards)s") % {"cards": cards or "-"}
    if posted and form.is_valid():
        done = made(desk, form.cleaned_data)
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("%(name)s was made.") % {"name": done.name})
            return redirect("operator-organisation", done.id)
        refused(form, done)
    return form_page(
        *(desk, form),
        title=_("New organisation"),
        button=_("Make it"),
        back=reverse("operator-organisations"),
        back_name=_("Organisations"),
        lead=_("It begins prepaid, with an empty wallet. Then add its users and its admins."),
    )


def made(desk: OperatorDesk, typed: dict[str, str]) -> Organisation | Refusal:
    """The organisation, or why it cannot be."""
    with ExitStack() as opened:
        address = current().cells[typed["cell"]]
        cell = opened.enter_context(lent(address))
        return create_organisation(
            desk.control,
            {typed["cell"]: cell},
            name=typed["name"],
            cell=typed["cell"],
            currency=typed["currency"].upper(),
            time_zone=typed["time_zone"],
            country=typed["country"].upper(),
            rate_card=typed["rate_card"],
            now_ms=now_ms(),
            next_id=desk.next_id,
        )
