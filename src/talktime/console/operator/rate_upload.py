"""Upload a rate file: checked row by row, compared with what is in force, then published."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.clock import now_ms
from talktime.console.doors import CHANGE, OperatorDesk, operator_page
from talktime.console.operator.asking import Facts, Moment, confirm, confirmed, not_done, refused
from talktime.console.operator.choices import FIRST_CARD
from talktime.console.operator.rate_changes import (
    compared_draft,
    compared_with_others,
    counted_ways,
    page_of_changes,
    summary,
    versions_counted,
    warn_of_another,
)
from talktime.console.roles import FINANCE, OPERATE
from talktime.core.limits import CARD_NAME_TEXT_MAX, DRAFT_ROWS_MAX, SOURCE_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.csv_rows import BadFile
from talktime.operations.rate_drafts import Upload, discard_draft, keep_draft, publish_draft
from talktime.store.rate_drafts import RateDraft, draft_of_id
from talktime.store.rates import card_names, versions_of

FIRST_CURRENCY = "USD"


class UploadForm(forms.Form):
    """A file, and for which card from when."""

    name = forms.CharField(label=gettext_lazy("Rate card"), max_length=CARD_NAME_TEXT_MAX)
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3)
    valid_from = Moment(
        label=gettext_lazy("In force from (UTC)"),
        required=False,
        help_text=gettext_lazy("Empty: as soon as it is published."),
    )
    file = forms.FileField(label=gettext_lazy("File"))


@operator_page(may=OPERATE, methods=CHANGE)
def rate_upload(desk: OperatorDesk) -> HttpResponse:
    """Take a file and check it."""
    posted = desk.request.method == "POST"
    with desk.control.reading():
        names = card_names(desk.control)
        begun = _begun(desk, names)
    known = ", ".join(names) or "-"
    form = (
        UploadForm(desk.request.POST, desk.request.FILES) if posted else UploadForm(initial=begun)
    )
    form.fields["name"].help_text = _("Known: %(cards)s. Another name makes a new card.") % {
        "cards": known
    }
    form.fields["file"].help_text = _(
        "CSV, or CSV compressed by gzip, of at most %(rows)s rows. The command import-rates takes "
        "more."
    ) % {"rows": desk.wording.decimal(DRAFT_ROWS_MAX)}
    bad: BadFile | None = None
    if posted and form.is_valid():
        typed = form.cleaned_data
        upload = Upload(
            *(typed["name"], typed["currency"].upper()),
            typed["file"].name[-SOURCE_TEXT_MAX:],
            typed["valid_from"],
            typed["file"].read(),
            desk.actor,
        )
        done = keep_draft(desk.control, upload, now_ms=now_ms(), next_id=desk.next_id)
        if isinstance(done, RateDraft):
            return redirect("operator-rate-draft", done.id)
        if isinstance(done, Refusal):
            refused(form, done)
        else:
            bad = done
    status = 422 if posted else 200
    more = max(bad.count - len(bad.errors), 0) if bad else 0
    shown = {"form": form, "bad": bad, "more": more}
    return desk.page("operator/rate_upload.html", shown, status=status)


def _begun(desk: OperatorDesk, names: list[str]) -> dict[str, str]:
    """What the form begins with: the card that the reader comes from, the only one there is, or
    what the first is to be; nothing where there are several to choose from."""
    wanted = desk.request.GET.get("card", "")[:CARD_NAME_TEXT_MAX]
    name = wanted or (names[0] if len(names) == 1 else "" if names else FIRST_CARD)
    if name not in names:
        return {"name": name, "currency": "" if names else FIRST_CURRENCY}
    return {"name": name, "currency": versions_of(desk.control, name)[0].currency}


@operator_page(may=FINANCE)
def rate_draft(desk: OperatorDesk, draft_id: int) -> HttpResponse:
    """A draft against what is in force."""
    draft = _draft(desk, draft_id)
    versions = versions_counted(desk, draft.name)  # first: none may come unseen between
    try:
        compared = compared_draft(desk, draft)
    except LookupError as error:
        raise Http404 from error
    late = draft.valid_from_ms is not None and draft.valid_from_ms < desk.now_ms
    shown = {
        **summary(desk, compared),
        **page_of_changes(desk, compared),
        "draft": draft,
        "rows": desk.wording.decimal(draft.row_count),
        "starts": desk.in_utc.moment(draft.valid_from_ms) if draft.valid_from_ms else "",
        "made": desk.wording.moment(draft.made_ms),
        "late": late,
        "versions": versions,
    }
    return desk.page("operator/rate_draft.html", shown)


@operator_page(may=OPERATE, methods=("POST",))
def publish_rates(desk: OperatorDesk, draft_id: int) -> HttpResponse:
    """Publish a draft, after it was confirmed; or throw it away."""
    if desk.request.POST.get("discard"):
        discard_draft(desk.control, draft_id)
        messages.success(desk.request, _("The draft was thrown away."))
        return redirect("operator-rate-cards")
    with desk.control.reading():
        draft = draft_of_id(desk.control, draft_id)
    if draft is None:  # the form was sent twice, or somebody else was quicker
        messages.info(
            desk.request,
            _("This upload is not there any more: it was published or thrown away."),
        )
        return redirect("operator-rate-cards")
    versions = versions_counted(desk, draft.name)
    if compared_with_others(desk, versions):
        warn_of_another(desk)
        return redirect("operator-rate-draft", draft_id)
    if not confirmed(desk):
        starts = desk.in_utc.moment(draft.valid_from_ms) if draft.valid_from_ms else _("At once")
        changes = _changes(desk, draft)
        return confirm(
            desk,
            title=_("Publish rates"),
            facts=[
                (_("Card"), f"{draft.name}, {draft.currency}"),
                (_("In force from (UTC)"), starts),
                (_("Rows"), desk.wording.decimal(draft.row_count)),
                (_("From file"), draft.source),
                *changes,
            ],
            effects=[
                _("Calls that begin from then on are rated by it; running ones keep their rate."),
                _("A published version is never changed: a correction is another version."),
            ],
            button=_("Publish"),
            back=reverse("operator-rate-draft", args=[draft_id]),
        )
    done = publish_draft(
        desk.control, draft_id, versions=versions, now_ms=now_ms(), next_id=desk.next_id
    )
    if done is None:
        warn_of_another(desk)
        return redirect("operator-rate-draft", draft_id)
    if isinstance(done, Refusal):
        return not_done(desk, done, reverse("operator-rate-draft", args=[draft_id]))
    messages.success(desk.request, _("The version was published."))
    return redirect("operator-rate-card", draft.name)


def _changes(desk: OperatorDesk, draft: RateDraft) -> Facts:
    """What it changes, counted as on the page before."""
    try:
        counts = counted_ways(desk, compared_draft(desk, draft))
    except LookupError as error:
        raise Http404 from error
    return [(str(each["label"]), each["count"]) for each in counts]


def _draft(desk: OperatorDesk, draft_id: int) -> RateDraft:
    with desk.control.reading():
        draft = draft_of_id(desk.control, draft_id)
    if draft is None:
        raise Http404
    return draft
