"""The catalogue: what is sold and how the world is divided, by kind, with dates and history."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.clock import now_ms
from talktime.console.doors import CHANGE, OperatorDesk, Shown, operator_page
from talktime.console.operator.asking import Moment, confirmed, refused
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.operator.words import CATALOGUE_KINDS
from talktime.console.roles import FINANCE, OPERATE
from talktime.console.said import english, said
from talktime.console.shared_forms import SharedForm
from talktime.core.catalogue import KINDS, Catalogues, Entry
from talktime.core.limits import (
    CATALOGUE_CODE_TEXT_MAX,
    CATALOGUE_FILE_BYTES_MAX,
    CHANGE_SHOWN_TEXT_MAX,
)
from talktime.core.refusal import Refusal
from talktime.operations.catalogue import CatalogueReport, Writing, import_entries
from talktime.operations.catalogue_edit import entry_of_text, fields_text
from talktime.operations.catalogue_file import catalogue_text, in_order
from talktime.operations.limit_requests import ask_limit
from talktime.store.catalogue import load_catalogues
from talktime.store.four_eyes import LimitRequest

WAYS = {
    "added": (gettext_lazy("Added"), "good"),
    "changed": (gettext_lazy("Changed"), "warn"),
    "withdrawn": (gettext_lazy("Withdrawn"), "bad"),
}
COLUMNS = (
    Column(gettext_lazy("Code")),
    Column(gettext_lazy("What it is")),
    Column(gettext_lazy("Since")),
    Column(gettext_lazy("Changes next")),
)


class EntryForm(SharedForm):
    """An entry from a moment on."""

    code = forms.CharField(label=gettext_lazy("Code"), max_length=CATALOGUE_CODE_TEXT_MAX)
    fields_yaml = forms.CharField(
        label=gettext_lazy("Fields"),
        required=False,
        max_length=CATALOGUE_FILE_BYTES_MAX,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "code"}),
        help_text=gettext_lazy("In YAML: name: value. What is left out has its default."),
    )
    valid_from = Moment(
        label=gettext_lazy("From (UTC)"),
        required=False,
        help_text=gettext_lazy("Empty: at once. What held before stays known."),
    )
    withdraw = forms.BooleanField(
        label=gettext_lazy("Take it out of the catalogue from then on"), required=False
    )

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind

    def clean_fields_yaml(self) -> str:
        """The fields as the catalogue writes them, where they can be read."""
        text = str(self.cleaned_data["fields_yaml"]).replace("\r\n", "\n")
        entry = entry_of_text(self.kind, self.cleaned_data.get("code", ""), text, 0)
        if isinstance(entry, Refusal) or entry.value is None:
            return text
        return fields_text(entry.value)


def catalogues_of(desk: OperatorDesk) -> Catalogues:
    """All dated entries."""
    with desk.control.reading():
        return load_catalogues(desk.control)


@operator_page(may=FINANCE)
def catalogue(desk: OperatorDesk) -> HttpResponse:
    """The entries of one kind that are in force."""
    kind = desk.request.GET.get("kind", "")
    kind = kind if kind in KINDS else next(iter(KINDS))
    text = desk.request.GET.get("q", "").strip().lower()
    catalogues = catalogues_of(desk)
    later: dict[str, int] = {}
    for entry in catalogues.entries:
        if entry.kind == kind and entry.valid_from_ms > desk.now_ms:
            later.setdefault(entry.code, entry.valid_from_ms)
    found = in_order(e for e in catalogues.entries_at(desk.now_ms) if e.kind == kind)
    rows = [row(desk, each, later.pop(each.code, None)) for each in found if _like(each, text)]
    rows += [new_row(desk, kind, code, from_ms) for code, from_ms in sorted(later.items())]
    shown: Shown = {
        "tabs": [
            {"code": code, "name": name, "here": code == kind}
            for code, name in CATALOGUE_KINDS.items()
        ],
        "kind": kind,
        "q": text,
        "table": table(str(CATALOGUE_KINDS[kind]), COLUMNS, rows),
    }
    return desk.page("operator/catalogue.html", shown)


def _like(entry: Entry, text: str) -> bool:
    return text in f"{entry.code} {getattr(entry.value, 'name', '')}".lower()


def _url(kind: str, code: str) -> str:
    return reverse("operator-catalogue-entry", args=[kind, code])


def row(desk: OperatorDesk, entry: Entry, later_ms: int | None) -> list[Cell]:
    """One entry that is in force."""
    assert entry.value is not None
    name = getattr(entry.value, "name", "")
    lines = [x for x in fields_text(entry.value).splitlines() if not x.startswith("name:")]
    about = " ".join(" ".join(lines).split())
    if len(about) > CHANGE_SHOWN_TEXT_MAX:
        about = f"{about[:CHANGE_SHOWN_TEXT_MAX]}…"
    since = desk.wording.day(entry.valid_from_ms) if entry.valid_from_ms else _("Always")
    named = name and name != entry.code
    return [
        Cell(entry.code, _url(entry.kind, entry.code)),
        Cell(said(name), note=english(about)) if named else Cell(english(about)),
        Cell(since),
        Cell(desk.wording.moment(later_ms) if later_ms else ""),
    ]


def new_row(desk: OperatorDesk, kind: str, code: str, from_ms: int) -> list[Cell]:
    """One that comes later."""
    tags = (Tag(_("Not yet"), "warn"),)
    return [
        Cell(code, _url(kind, code), tags=tags),
        Cell(),
        Cell(),
        Cell(desk.wording.moment(from_ms)),
    ]


@operator_page(may=FINANCE, methods=CHANGE)
def catalogue_entry(desk: OperatorDesk, kind: str, code: str) -> HttpResponse:
    """One entry with its history; changed from a moment on."""
    if kind not in KINDS:
        raise Http404
    catalogues = catalogues_of(desk)
    history = [e for e in catalogues.entries if (e.kind, e.code) == (kind, code)]
    if not history:
        raise Http404
    now = [e for e in history if e.valid_from_ms <= desk.now_ms]
    value = now[-1].value if now else history[0].value
    posted = desk.request.method == "POST"
    if posted and not desk.may(OPERATE):
        raise Http404
    initial = {"code": code, "fields_yaml": fields_text(value) if value else ""}
    data = desk.request.POST.copy()
    data["code"] = code
    form = EntryForm(kind, data if posted else None, initial=initial)
    shown: Shown = {
        "kind": kind,
        "kind_name": CATALOGUE_KINDS[kind],
        "code": code,
        "history": [history_shown(desk, each) for each in reversed(history)],
        "text": fields_text(value) if value else "",
    }
    return _edited(desk, kind, form, shown, posted=posted)


def history_shown(desk: OperatorDesk, entry: Entry) -> dict[str, Any]:
    """One version of an entry."""
    return {
        "from": desk.in_utc.moment(entry.valid_from_ms) if entry.valid_from_ms else "",
        "text": fields_text(entry.value) if entry.value else "",
        "withdrawn": entry.value is None,
        "later": entry.valid_from_ms > desk.now_ms,
    }


@operator_page(may=OPERATE, methods=CHANGE)
def catalogue_new(desk: OperatorDesk, kind: str) -> HttpResponse:
    """A new entry of a kind."""
    if kind not in KINDS:
        raise Http404
    posted = desk.request.method == "POST"
    form = EntryForm(kind, desk.request.POST if posted else None)
    del form.fields["withdraw"]
    shown: Shown = {"kind": kind, "kind_name": CATALOGUE_KINDS[kind], "code": ""}
    shown["names"] = ", ".join(KINDS[kind]._fields[1:])
    return _edited(desk, kind, form, shown, posted=posted)


def _edited(
    desk: OperatorDesk, kind: str, form: EntryForm, shown: Shown, *, posted: bool
) -> HttpResponse:
    """The page with its form; what a change does; or the change."""
    if posted and form.is_valid():
        typed, sure = form.cleaned_data, confirmed(desk)
        done = change(desk, kind, typed, dry_run=not sure)
        if isinstance(done, Refusal):
            refused(form, done)
        elif isinstance(done, LimitRequest):
            messages.warning(desk.request, _("Another operator must approve it now."))
            return redirect("operator-grants")
        elif sure:
            messages.success(desk.request, _("The catalogue was changed."))
            return redirect("operator-catalogue-entry", kind, typed["code"])
        else:
            shown["report"] = report_shown(desk, done)
    shown["form"] = form
    status = 422 if posted and form.errors else 200
    return desk.page("operator/catalogue_entry.html", shown, status=status)


def change(
    desk: OperatorDesk, kind: str, typed: dict[str, Any], *, dry_run: bool
) -> CatalogueReport | LimitRequest | Refusal:
    """Write the entry, or say what of it would change; where it lets one person give more alone,
    ask another operator."""
    at_ms = now_ms()
    from_ms = typed["valid_from"] or at_ms
    if typed.get("withdraw"):
        entry: Entry | Refusal = Entry(kind, typed["code"], from_ms, None)
    else:
        entry = entry_of_text(kind, typed["code"], typed["fields_yaml"], from_ms)
    if isinstance(entry, Refusal):
        return entry
    how = Writing(at_ms, desk.next_id, dry_run, alone=True)
    with desk.control.transaction():
        done = import_entries(desk.control, [entry], how)
        if isinstance(done, Refusal) and done.code == "approval_needed":
            return ask_limit(desk.control, entry, how, actor=desk.actor)
        return done


def report_shown(desk: OperatorDesk, report: CatalogueReport) -> dict[str, Any]:
    """What is different, field by field."""
    return {
        "unchanged": report.unchanged,
        "raises": ", ".join(report.raises),
        "changes": [
            {
                "kind": CATALOGUE_KINDS[each.entry.kind],
                "code": each.entry.code,
                "from": desk.in_utc.moment(each.entry.valid_from_ms),
                "word": WAYS[each.way][0],
                "tone": WAYS[each.way][1],
                "fields": each.fields() if each.entry.value else [],
            }
            for each in report.changes
        ],
    }


@operator_page(may=FINANCE)
def catalogue_file(desk: OperatorDesk) -> HttpResponse:
    """All of it as YAML, the past entries too."""
    text = catalogue_text(catalogues_of(desk).entries)
    answer = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="catalogue.yaml"'
    return answer
