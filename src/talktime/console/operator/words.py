"""The operator's words for codes: flags, states, accounts, kinds."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FLAGS: dict[str, tuple[Promise, str]] = {
    "zero": (_("No credit"), "bad"),
    "low": (_("Low balance"), "warn"),
    "debt": (_("In debt"), "bad"),
    "burning": (_("Less than a week left"), "warn"),
    "paused": (_("Recharge paused"), "bad"),
    "moved": (_("Move blocked"), "bad"),
    "overdue": (_("Statement overdue"), "bad"),
    "credit": (_("Billed too much"), "warn"),
    "silent": (_("Nobody is told"), "warn"),
    "closed": (_("Closed"), ""),
}
COMMERCE_MODELS: dict[str, Promise] = {
    "prepaid": _("Prepaid"),
    "draining": _("Moving to post-usage billing"),
    "post_usage": _("Post-usage billing"),
}
ACCOUNTS: dict[int, Promise] = {
    1: _("Funding: money that came in"),
    2: _("Revenue: what calls cost"),
    3: _("Forfeitures: expired credits"),
    4: _("Grants: money that was given"),
    5: _("Debt: owed beyond credits"),
    6: _("Adjustments by hand"),
    7: _("Used, to be billed after use"),
    8: _("Receivables: billed after use"),
    101: _("Credits that were paid for"),
    102: _("Promotional credits"),
}
PAYMENT_KINDS: dict[str, Promise] = {
    "purchase": _("Purchase"),
    "recharge": _("Auto-recharge"),
    "statement": _("Statement"),
}
REFUND_STATES: dict[str, tuple[Promise, str]] = {
    "asked": (_("To be sent"), "warn"),
    "unknown": (_("Outcome not known"), "bad"),
    "open": (_("Disputed"), "bad"),
}
CATALOGUE_KINDS: dict[str, Promise] = {
    "licence": _("Licences"),
    "country": _("Countries"),
    "special_prefix": _("Special numbers"),
    "policy": _("Dial-out policies"),
    "number_tier": _("Number quotas"),
    "currency": _("Currencies"),
    "setting": _("Settings"),
}
DIRECTIONS: dict[str, Promise] = {
    "outbound": _("Outbound"),
    "toll_free_in": _("Toll-free, inbound"),
    "toll_in": _("Toll, inbound"),
}
WAYS: dict[str, tuple[Promise, str]] = {
    "dearer": (_("Dearer"), "bad"),
    "cheaper": (_("Cheaper"), "good"),
    "added": (_("Added"), ""),
    "dropped": (_("Removed"), "warn"),
}
CALL_TYPES: dict[str, Promise] = {
    "user_out": _("Call by a user"),
    "user_out_conf": _("User adds a party"),
    "user_out_transfer": _("Transfer by a user"),
    "user_out_forwarding": _("Forwarded by a user"),
    "conf_out": _("Dial-out of a meeting"),
    "ucap_out": _("Call by an application"),
    "user_in": _("Call to a user"),
    "unassigned_in": _("Call to an unassigned number"),
    "conf_in": _("Dial-in to a meeting"),
    "ucap_in": _("Call to an application"),
}
DELIVERY_STATES: dict[str, tuple[Promise, str]] = {
    "due": (_("Waiting"), "warn"),
    "sent": (_("Sent"), "good"),
    "failed": (_("Failed"), "bad"),
    "dropped": (_("Dropped"), ""),
}
CHANNELS: dict[str, Promise] = {"mail": _("Mail"), "webhook": _("Webhook")}
