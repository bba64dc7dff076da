"""A catalogue file: checked, shown by what it changes, then imported whole."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.clock import now_ms
from talktime.console.doors import CHANGE, OperatorDesk, Shown, operator_page
from talktime.console.operator.asking import Moment, confirmed, refused
from talktime.console.operator.catalogue_page import report_shown
from talktime.console.roles import OPERATE
from talktime.core.limits import CATALOGUE_FILE_BYTES_MAX
from talktime.core.refusal import Refusal
from talktime.operations.catalogue import CatalogueReport, Writing, import_entries
from talktime.operations.catalogue_file import BadCatalogueFile, read_catalogue_file


class ImportForm(forms.Form):
    """A file, or (to confirm it) what was in it."""

    file = forms.FileField(label=gettext_lazy("File"), required=False)
    text = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)
    valid_from = Moment(
        label=gettext_lazy("From (UTC)"),
        required=False,
        help_text=gettext_lazy("For entries without a beginning of their own. Empty: at once."),
    )

    def content(self) -> bytes:
        """What was uploaded, or sent again."""
        file = self.cleaned_data["file"]
        if file is None:
            return str(self.cleaned_data["text"]).encode()
        return bytes(file.read(CATALOGUE_FILE_BYTES_MAX + 1))


@operator_page(may=OPERATE, methods=CHANGE)
def catalogue_import(desk: OperatorDesk) -> HttpResponse:
    """Take a file, tell what it changes, and change it when that is confirmed."""
    posted = desk.request.method == "POST"
    form = ImportForm(desk.request.POST, desk.request.FILES) if posted else ImportForm()
    shown: Shown = {"form": form}
    if posted and form.is_valid():
        sure, content = confirmed(desk), form.content()
        done = imported(desk, content, form.cleaned_data["valid_from"], dry_run=not sure)
        if isinstance(done, BadCatalogueFile):
            shown["bad"] = done
        elif isinstance(done, Refusal):
            refused(form, done)
        elif sure:
            messages.success(desk.request, _("The catalogue was changed."))
            return redirect("operator-catalogue")
        else:
            shown |= {"report": report_shown(desk, done), "text": content.decode()}
            shown["valid_from"] = desk.request.POST.get("valid_from", "")
    wrong = posted and (form.errors or "bad" in shown)
    return desk.page("operator/catalogue_import.html", shown, status=422 if wrong else 200)


def imported(
    desk: OperatorDesk, content: bytes, valid_from_ms: int | None, *, dry_run: bool
) -> CatalogueReport | BadCatalogueFile | Refusal:
    """Put the file's entries into the catalogue, or say what that would change."""
    at_ms = now_ms()
    entries = read_catalogue_file(content, valid_from_ms=valid_from_ms or at_ms)
    if isinstance(entries, BadCatalogueFile):
        return entries
    with desk.control.transaction():
        how = Writing(at_ms, desk.next_id, dry_run, alone=True)
        return import_entries(desk.control, entries, how)
