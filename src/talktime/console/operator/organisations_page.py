"""All organisations: found, filtered by what needs somebody, and a new one made."""

from collections.abc import Sequence
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
from talktime.console.operator.choices import (
    FIRST_CARD,
    offer_cards,
    offer_currencies,
    offer_places,
)
from talktime.console.operator.places import PAGE_ROWS, all_cells
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.operator.words import COMMERCE_MODELS, FLAGS
from talktime.console.roles import FINANCE, OPERATE
from talktime.core.directory import Organisation
from talktime.core.limits import NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.organisation_health import (
    FLAGS as FLAG_NAMES,
)
from talktime.operations.organisation_health import (
    NAME,
    NEWEST,
    OrganisationHealth,
    Wanted,
    burn_noted_ms,
    days_left,
    organisations_page,
    week_began_ms,
)
from talktime.operations.organisations import create_organisation, find_organisation

COLUMNS = (
    Column(gettext_lazy("Organisation")),
    Column(gettext_lazy("Balance"), figures=True),
    Column(gettext_lazy("Spent in 7 days"), figures=True),
    Column(gettext_lazy("Lasts"), figures=True),
    Column(gettext_lazy("Needs somebody")),
)


class NewOrganisation(forms.Form):
    """What a new organisation is made of."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=NAME_TEXT_MAX)
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        help_text=gettext_lazy("Where it is: it decides what is sold to it, and on which terms."),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Its credits expire by this clock, and its pages show it."),
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"),
        initial="USD",
        help_text=gettext_lazy("Of its wallet, for good."),
    )
    rate_card = forms.ChoiceField(
        label=gettext_lazy("Rate card"),
        initial=FIRST_CARD,
        help_text=gettext_lazy("It must be in the organisation's currency."),
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
        noted_ms = burn_noted_ms(cells.open) if wanted.flag == "burning" else None
    kept = {"q": wanted.text, "flag": wanted.flag, "sort": wanted.sort}
    here = reverse("operator-organisations")
    more = f"{here}?{urlencode(kept | {'after': found.after})}" if found.after else ""
    shown = {
        "wanted": wanted,
        "flags": [(code, words[0]) for code, words in FLAGS.items()],
        "table": table(_("Organisations"), COLUMNS, [row(desk, each, gone) for each in found.rows]),
        "away": gone,
        "newest": f"{here}?{urlencode(kept)}" if wanted.after else "",
        "older": more,
        "since": desk.in_utc.day(week_began_ms(desk.now_ms)),
        "noted": None if noted_ms is None else desk.wording.moment(noted_ms),
        "filtered": bool(wanted.text or wanted.flag),
    }
    return desk.page("operator/organisations.html", shown)


def row(desk: OperatorDesk, health: OrganisationHealth, away: Sequence[str]) -> list[Cell]:
    """One organisation in the table; `away` are the cells that do not answer."""
    owner, wallet = health.organisation, health.wallet
    url = reverse("operator-organisation", args=[owner.id])
    tags = tuple(Tag(*FLAGS[flag]) for flag in health.flags)
    name = Cell(owner.name, url, note=f"{owner.country} · {COMMERCE_MODELS[owner.commerce_model]}")
    if wallet is None:
        why = Tag(_("Cell away") if owner.cell in away else _("No wallet"), "bad")
        return [name, Cell("?"), Cell("?"), Cell("?"), Cell(tags=(why,))]
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
    if days == 0:
        return _("Less than a day")
    words = ngettext("%(days)s day", "%(days)s days", days)
    return words % {"days": desk.wording.decimal(days)}


@operator_page(may=OPERATE, methods=CHANGE)
def new_organisation(desk: OperatorDesk) -> HttpResponse:
    """Make an organisation."""
    posted = desk.request.method == "POST"
    form = NewOrganisation(desk.request.POST) if posted else NewOrganisation()
    cells = sorted(current().cells)
    form.fields["cell"].choices = [(name, name) for name in cells]  # type: ignore[attr-defined]
    offer_places(form, desk)
    offer_currencies(form, desk)
    offer_cards(form, desk)
    if posted and form.is_valid():
        done = made(desk, form.cleaned_data)
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("%(name)s was made.") % {"name": done.name})
            return redirect("operator-organisation", done.id)
        there = _the_same(desk, form.cleaned_data)
        if done.code == "already_exists" and there is not None:
            said = _("%(name)s is there already, as the form says.")
            messages.info(desk.request, said % {"name": there.name})
            return redirect("operator-organisation", there.id)
        refused(form, done)
    return form_page(
        *(desk, form),
        title=_("New organisation"),
        button=_("Make it"),
        back=reverse("operator-organisations"),
        back_name=_("Organisations"),
        lead=_("It begins prepaid, with an empty wallet. Then add its users and its admins."),
    )


def _the_same(desk: OperatorDesk, typed: dict[str, str]) -> Organisation | None:
    """The organisation of this name, where it is what the form says: the form was sent twice."""
    with desk.control.reading():
        found = find_organisation(desk.control, typed["name"])
    if isinstance(found, Refusal):
        return None
    return found if all(getattr(found, name) == value for name, value in typed.items()) else None


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
            currency=typed["currency"],
            time_zone=typed["time_zone"],
            country=typed["country"],
            rate_card=typed["rate_card"],
            now_ms=now_ms(),
            next_id=desk.next_id,
        )
