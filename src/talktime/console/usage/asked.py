"""From the address of a report to what is asked of the books."""

from django.utils.translation import gettext as _

from talktime.console.doors import Desk
from talktime.console.usage.forms import UsageForm
from talktime.operations.usage_report import Asked, Reader, number_wanted
from talktime.store.usage_days import ALL_USERS, Wanted
from talktime.store.usage_rows import ANY_NUMBER
from talktime.store.users import users_called


def form_of(desk: Desk, reader: Reader) -> UsageForm:
    """The filters of the address, with the choices that there are. Reads in the open snapshot."""
    form = UsageForm(desk.request.GET, desk.now_ms)
    countries, capabilities = reader.present(Asked(*form.days))
    form.offer(countries, capabilities, desk.wording.locale.language)
    form.full_clean()
    return form


def asked_of(desk: Desk, form: UsageForm) -> Asked | None:
    """What the report is about; None where a filter is wrong, which is then said beside it."""
    typed = form.cleaned_data if form.is_valid() else {}
    if not typed:
        return None
    user_id = ALL_USERS
    if typed["user"]:
        users = users_called(desk.cell, desk.owner.id, typed["user"])
        if len(users) != 1:
            form.add_error(
                "user",
                _("Several users have this name: use the username.")
                if users
                else _("Nobody has this name or username."),
            )
            return None
        user_id = users[0].id
    masked_digits = desk.catalogue.country(desk.owner.country).masked_digits
    number = number_wanted(typed["number"], masked_digits) if typed["number"] else ANY_NUMBER
    wanted = Wanted(user_id, typed["type"], typed["country"], typed["context"], typed["capability"])
    return Asked(*form.days, wanted, number, typed["conference_id"])
