"""Add and change users by a CSV file: look at it first, then write all of it or nothing."""

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE, VOICE
from talktime.console.users.list_page import csv_file
from talktime.core.directory import PERSON, User
from talktime.core.licensing import Holder
from talktime.core.limits import UPLOADED_USERS_BYTES_MAX, UPLOADED_USERS_S_MAX, USERS_SELECTED_MAX
from talktime.operations.csv_rows import BadFile, RowErrors
from talktime.operations.user_file import COLUMNS, read_user_file, user_csv
from talktime.operations.users import UsersWritten, put_users

SALT = "talktime.users.import"


@page(may=VOICE, methods=("GET", "HEAD", "POST"))
def import_page(desk: Desk) -> HttpResponse:
    """Upload a file, see what is wrong with it or what it changes, and confirm."""
    if desk.request.method != "POST":
        return _page(desk, {})
    if "write" in desk.request.POST:
        return _written(desk)
    sent = desk.request.FILES.get("file")
    if sent is None:
        return _page(desk, {"problem": _("Choose a file.")}, 422)
    if (sent.size or 0) > UPLOADED_USERS_BYTES_MAX:
        return _page(desk, {"problem": _too_large(desk)}, 422)
    content = sent.read()
    found = _put(desk, content, dry_run=True)
    if isinstance(found, BadFile):
        return _page(desk, {"bad": found, "file_name": sent.name}, 422)
    kept = signing.dumps(content.decode(), salt=_salt(desk), compress=True)
    return _page(desk, {"found": found, "kept": kept, "file_name": sent.name})


@page(may=SEE)
def template(desk: Desk) -> HttpResponse:
    """A file with all columns and one row as an example, to be filled."""
    user = User(
        *(0, desk.owner.id, "front-desk@contoso.example", "Front desk", desk.owner.country),
        *(frozenset({"MCOEV", "MCOPSTN1", "MCOPSTNC"}), PERSON, True),
    )
    return csv_file("".join(user_csv([Holder(user, user.licences)])), "users-template.csv")


def _written(desk: Desk) -> HttpResponse:
    try:
        text = signing.loads(
            desk.request.POST.get("kept", ""), salt=_salt(desk), max_age=UPLOADED_USERS_S_MAX
        )
    except signing.BadSignature:
        return _page(desk, {"problem": _("That was too long ago: choose the file again.")}, 422)
    done = _put(desk, text.encode(), dry_run=False)
    if isinstance(done, BadFile):
        return _page(desk, {"bad": done, "file_name": ""}, 422)
    made = ngettext("%(count)s user was added", "%(count)s users were added", done.created)
    changed = ngettext("%(count)s was changed", "%(count)s were changed", done.changed)
    text = _("%(made)s, %(changed)s.") % {
        "made": made % {"count": desk.wording.decimal(done.created)},
        "changed": changed % {"count": desk.wording.decimal(done.changed)},
    }
    messages.success(desk.request, text)
    return redirect("users", desk.owner.id)


def _put(desk: Desk, content: bytes, *, dry_run: bool) -> UsersWritten | BadFile:
    errors = RowErrors()
    rows = read_user_file(
        content, errors, rows_max=USERS_SELECTED_MAX, bytes_max=UPLOADED_USERS_BYTES_MAX
    )
    with desk.cell.transaction():
        return put_users(
            *(desk.cell, desk.owner, rows, errors),
            catalogue=desk.catalogue,
            next_id=desk.next_id,
            dry_run=dry_run,
        )


def _page(desk: Desk, more: Shown, status: int = 200) -> HttpResponse:
    bad = more.get("bad")
    shown: Shown = {
        **more,
        "columns": COLUMNS,
        "rows_max": desk.wording.decimal(USERS_SELECTED_MAX),
        "bad_cut": bad.count - len(bad.errors) if bad else 0,
    }
    return desk.page("users/import.html", shown, status=status)


def _too_large(desk: Desk) -> str:
    most = desk.wording.decimal(UPLOADED_USERS_BYTES_MAX // 1024 // 1024)
    return _("The file is larger than %(most)s MB. Split it, or use the API.") % {"most": most}


def _salt(desk: Desk) -> str:
    """A file that was looked at for one organisation is no other's."""
    return f"{SALT}.{desk.owner.id}"
