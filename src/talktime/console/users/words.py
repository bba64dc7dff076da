"""What licences, policies and calls are called in the pages of users."""

from collections.abc import Iterable
from typing import NamedTuple

from babel import Locale
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import Desk
from talktime.console.said import said
from talktime.core.catalogue import (
    ANY,
    CONFERENCING,
    CREDITS,
    DEFAULT_POLICY,
    DOMESTIC,
    EXTENDED_DIAL_OUT,
    NOBODY,
    PAY_AS_YOU_GO,
    PER_MINUTE,
    PHONE,
    PLAN,
    RESOURCE,
    ZONE_A,
    Catalogue,
    DialOutPolicy,
    Licence,
    Minutes,
)
from talktime.core.directory import (
    ATTENDANT,
    BRIDGE,
    NOT_ATTACHED,
    PERSON,
    QUEUE,
    RESOURCE_ACCOUNT,
    TOLL,
    TOLL_FREE,
    USER_NUMBER,
)
from talktime.core.included import EVERYWHERE

KINDS: dict[str, Promise] = {
    PERSON: gettext_lazy("Person"),
    RESOURCE_ACCOUNT: gettext_lazy("Resource account"),
}
NUMBER_KINDS: dict[str, Promise] = {
    USER_NUMBER: gettext_lazy("User number"),
    TOLL: gettext_lazy("Service number, toll"),
    TOLL_FREE: gettext_lazy("Service number, toll-free"),
}
ATTACHMENTS: dict[str, Promise] = {
    NOT_ATTACHED: gettext_lazy("Nothing"),
    BRIDGE: gettext_lazy("Conference bridge"),
    ATTENDANT: gettext_lazy("Auto attendant"),
    QUEUE: gettext_lazy("Call queue"),
}
FEATURES: dict[str, Promise] = {
    PHONE: gettext_lazy("phone system"),
    PLAN: gettext_lazy("calling plan"),
    PAY_AS_YOU_GO: gettext_lazy("every call out is paid by the minute"),
    CONFERENCING: gettext_lazy("audio conferencing"),
    PER_MINUTE: gettext_lazy("meetings are paid by the minute"),
    EXTENDED_DIAL_OUT: gettext_lazy("dial-out to the USA and Canada without end"),
    CREDITS: gettext_lazy("calls on Communications Credits"),
    RESOURCE: gettext_lazy("for auto attendants and call queues"),
}
MEETING_SCOPES: dict[str, Promise] = {
    ANY: gettext_lazy("Any destination"),
    DOMESTIC: gettext_lazy("In the same country or region as the organizer"),
    ZONE_A: gettext_lazy("Zone A countries or regions only"),
    NOBODY: gettext_lazy("Don't allow"),
}
CALL_SCOPES: dict[str, Promise] = {
    ANY: gettext_lazy("Any destination"),
    DOMESTIC: gettext_lazy("In the same country or region as the user"),
    NOBODY: gettext_lazy("Don't allow"),
}
CALL_TYPES: dict[str, dict[str, Promise]] = {
    PERSON: {
        "user_out": gettext_lazy("Call this number"),
        "conf_out": gettext_lazy("Dial out to this number from a meeting"),
        "user_in": gettext_lazy("Be called (no number needed)"),
        "conf_in": gettext_lazy("Have people dial in to a meeting on this service number"),
    },
    RESOURCE_ACCOUNT: {
        "ucap_out": gettext_lazy("Call or transfer out to this number"),
        "ucap_in": gettext_lazy("Answer on this service number"),
    },
}
"""What can be asked of a user of each kind, by the call's type."""


class LicenceShown(NamedTuple):
    """A licence with what it brings a user at one place."""

    code: str
    name: str
    brings: str


def licence_name(catalogue: Catalogue, code: str) -> str:
    """A licence's name; its code where the catalogue has lost it."""
    licence = catalogue.licences.get(code)
    return said(licence.name) if licence else code


def licence_names(catalogue: Catalogue, codes: Iterable[str]) -> list[str]:
    """The names of licences, in their order."""
    return sorted(licence_name(catalogue, code) for code in codes)


def licence_shown(desk: Desk, licence: Licence, usage_location: str) -> LicenceShown:
    """A licence with what it brings a user there: features, minutes, other licences."""
    parts = [str(words) for feature, words in FEATURES.items() if feature in licence.features]
    parts += _minutes(desk, licence, licence.minutes_in(usage_location))
    if licence.includes:
        names = ", ".join(licence_name(desk.catalogue, code) for code in licence.includes)
        parts.append(_("with %(licences)s") % {"licences": names})
    brings = ", ".join(parts)
    return LicenceShown(licence.code, said(licence.name), brings[:1].upper() + brings[1:])


def _minutes(desk: Desk, licence: Licence, minutes: Minutes) -> list[str]:
    texts = (
        (minutes.domestic, _("%(count)s minutes a month within the country")),
        (minutes.international, _("%(count)s minutes a month abroad")),
        (minutes.conference, _("%(count)s minutes a month of dial-out from meetings")),
    )
    parts = [text % {"count": desk.wording.decimal(count)} for count, text in texts if count]
    if parts and not licence.pooled:
        parts.append(_("shared with nobody"))
    return parts


def policy_label(policy: DialOutPolicy) -> str:
    """A dial-out policy by what it allows."""
    meetings, calls = MEETING_SCOPES[policy.conference], CALL_SCOPES[policy.user]
    return _("Meetings: %(meetings)s. Calls: %(calls)s.") % {
        "meetings": meetings,
        "calls": calls,
    }


def policies_shown(desk: Desk) -> list[tuple[str, str]]:
    """The dial-out policies to choose from; the first is the organisation's."""
    catalogue = desk.catalogue
    name = desk.owner.rules.policy or catalogue.settings.get(DEFAULT_POLICY, "")
    own = catalogue.policies.get(name)
    label = policy_label(own) if own else name
    first = _("As the organisation (%(policy)s)") % {"policy": label}
    others = [(each.name, policy_label(each)) for each in catalogue.policies.values()]
    return [("", first), *others]


def country_name(locale: Locale, code: str) -> str:
    """A country's name in the reader's language; its code where it has none."""
    return str(locale.territories.get(code, code))


def area_name(locale: Locale, area: str) -> str:
    """Where a pool's minutes can be used: in a country, or everywhere."""
    return _("everywhere") if area == EVERYWHERE else country_name(locale, area)


def countries_shown(locale: Locale) -> list[tuple[str, str]]:
    """All countries to choose from, by name."""
    found = [
        (code, str(name))
        for code, name in locale.territories.items()
        if len(code) == 2 and code.isalpha() and code not in ("EU", "EZ", "UN", "ZZ", "XA", "XB")
    ]
    return sorted(found, key=lambda each: each[1].casefold())
