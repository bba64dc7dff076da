"""The menus: where each page of an organisation, and of the operator, is found."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from talktime.console.roles import FINANCE, OPERATE, SEE, TEAM, Permission

TEST_CLOCK = "clock"
"""The url name of the page that is there outside production alone."""


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
USERS_PAGES = (
    *("user", "check-call", "import-users", "change-users", "groups", "group", "numbers"),
    *("attach-number", "assign-numbers", "release-number", "calling-rules"),
)
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
            Entry(_("Users and licences"), "users", SEE, USERS_PAGES),
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
            Entry(_("Blocked users"), "blocked-users"),
        ),
    ),
    Group(
        _("Settings"),
        (
            Entry(_("Notices"), "notices", SEE, NOTICES_TOO),
            Entry(_("Webhooks"), "webhooks", SEE, ("webhook", "add-webhook", "webhook-kinds")),
            Entry(_("API keys"), "keys", TEAM, ("new-key", "rotate-key", "revoke-key")),
            Entry(_("Team"), "team", SEE, ("member",)),
            Entry(_("Audit log"), "audit"),
        ),
    ),
)
RATE_PAGES = (
    *("operator-rate-card", "operator-rate-upload", "operator-rate-draft", "operator-rates-again"),
)
CATALOGUE_PAGES = (
    *("operator-catalogue-entry", "operator-catalogue-new", "operator-catalogue-import"),
)
OWNER_PAGES = (
    *("operator-organisation", "operator-new-organisation", "operator-grant", "operator-adjust"),
    *("operator-change", "operator-close", "operator-model", "operator-refund"),
)
SWITCH_PAGES = (
    *("operator-new-switch", "operator-new-key", "operator-rotate-key", "operator-revoke-key"),
)
OPERATOR_MENU = (
    Group(
        "",
        (
            Entry(_("Overview"), "operator", FINANCE),
            Entry(_("Organisations"), "operator-organisations", FINANCE, OWNER_PAGES),
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
            Entry(_("Rate cards"), "operator-rate-cards", FINANCE, RATE_PAGES),
            Entry(_("Catalogue"), "operator-catalogue", FINANCE, CATALOGUE_PAGES),
        ),
    ),
    Group(
        _("Service"),
        (
            Entry(_("Live load"), "operator-live", FINANCE),
            Entry(_("Running calls"), "operator-calls", FINANCE),
            Entry(_("Books"), "operator-books", FINANCE),
            Entry(_("Jobs and deliveries"), "operator-jobs", FINANCE),
            Entry(_("Switches and keys"), "operator-switches", OPERATE, SWITCH_PAGES),
            Entry(_("Staff"), "operator-staff", OPERATE),
            Entry(_("Audit log"), "operator-audit", FINANCE),
            Entry(_("Test clock"), TEST_CLOCK, OPERATE),
        ),
    ),
)
