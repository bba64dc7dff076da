"""The menus: where each page of an organisation, and of the operator, is found."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from talktime.console.roles import FINANCE, OPERATE, SEE, TEAM, Permission


class Entry(NamedTuple):
    """One line of a menu: the page's url name, and beside which others' pages it is lit."""

    label: Promise
    url_name: str
    may: Permission = SEE
    lit_by: tuple[str, ...] = ()


class Group(NamedTuple):
    """Entries below a heading; the first group has none."""

    label: Promise | str
    entries: tuple[Entry, ...]


NOTICES_TOO = ("delivery", "recipients", "recipient", "add-recipient")
ORGANISATION_MENU = (
    Group("", (Entry(_("Home"), "organisation"),)),
    Group(
        _("Billing"),
        (
            Entry(_("Your products"), "products", SEE, ("switch-to-post-usage",)),
            Entry(_("Communication Credits"), "credits", SEE, ("recharge", "alerts", "add-funds")),
            Entry(_("Payment methods"), "methods", SEE, ("remove-method", "card-setup")),
            Entry(_("Purchases and expiry"), "lots", SEE, ("lot", "payments", "payment")),
            Entry(_("Transactions"), "transactions"),
            Entry(_("Invoices and statements"), "invoices"),
        ),
    ),
    Group(
        _("Calling"),
        (
            Entry(_("Users and licences"), "users", SEE, ("user", "import-users")),
            Entry(_("Plans and licensing"), "plans"),
            Entry(_("Rates"), "rates"),
        ),
    ),
    Group(
        _("Analytics & reports"),
        (
            Entry(_("Usage reports"), "usage", SEE, ("call",)),
            Entry(_("Minute pools"), "pools"),
            Entry(_("Dial-out from meetings"), "dial-out"),
        ),
    ),
    Group(
        _("Settings"),
        (
            Entry(_("Notices"), "notices", SEE, NOTICES_TOO),
            Entry(_("Webhooks"), "webhooks", SEE, ("webhook", "add-webhook", "webhook-kinds")),
            Entry(_("API keys"), "keys", TEAM, ("new-key",)),
            Entry(_("Team"), "team", SEE, ("member",)),
            Entry(_("Audit log"), "audit"),
        ),
    ),
)
OPERATOR_MENU = (
    Group(
        "",
        (
            Entry(_("Overview"), "operator", FINANCE),
            Entry(_("Organisations"), "operator-organisations", FINANCE),
        ),
    ),
    Group(
        _("Money"),
        (
            Entry(_("Money by month"), "operator-money", FINANCE),
            Entry(_("Trial balance"), "operator-trial-balance", FINANCE),
            Entry(_("Payments to look at"), "operator-payments", FINANCE),
            Entry(_("Grants to approve"), "operator-grants", FINANCE),
        ),
    ),
    Group(
        _("Selling"),
        (
            Entry(_("Rate cards"), "operator-rate-cards", FINANCE, ("operator-rate-card",)),
            Entry(_("Catalogue"), "operator-catalogue", FINANCE),
        ),
    ),
    Group(
        _("Service"),
        (
            Entry(_("Live load"), "operator-live", FINANCE),
            Entry(_("Running calls"), "operator-calls", FINANCE),
            Entry(_("Books"), "operator-books", FINANCE),
            Entry(_("Jobs and deliveries"), "operator-jobs", FINANCE),
            Entry(_("Switches and keys"), "operator-switches", OPERATE),
            Entry(_("Staff"), "operator-staff", OPERATE),
            Entry(_("Audit log"), "operator-audit", FINANCE),
        ),
    ),
)
