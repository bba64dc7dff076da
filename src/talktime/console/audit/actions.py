"""Every action that is kept in the audit log, in words for people; `{subject}` is of what.

Whoever lets something else be changed notes it (operations/audit.py), and adds its words here: a
test compares the two.
"""

# The one that only marks a text to be translated, without Django being set up.
from django.utils.translation.trans_null import gettext_noop as _

ACTIONS: dict[str, str] = {
    # Organisations, and how they pay.
    "organisation.created": _("Organisation {subject} was created"),
    "organisation.changed": _("Settings of organisation {subject} were changed"),
    "model.changed": _("How {subject} pays was changed"),
    "model.moved_by_reseller": _("{subject} was marked as moved by its reseller"),
    "billing_profile.set": _("The billing address was changed"),
    # Money.
    "wallet.made": _("{subject} was given an empty wallet after a restore"),
    "wallet.funded": _("Credits were added by hand"),
    "purchase.begun": _("A purchase was begun"),
    "purchase.received": _("The payment of an invoice was confirmed"),
    "payment.cancelled": _("Payment {subject} was cancelled"),
    "refund.begun": _("A refund of payment {subject} was begun"),
    "credits.taken_back": _("Credits of lot {subject} were taken back"),
    "grant.given": _("Credits were granted"),
    "grant.asked": _("A grant was asked for that needs approval"),
    "grant.approved": _("Grant request {subject} was approved"),
    "grant.rejected": _("Grant request {subject} was rejected"),
    "limit.asked": _("It was asked that one person may give more {subject} alone"),
    "limit.approved": _("That one person may give more {subject} alone was approved"),
    "limit.rejected": _("That one person may give more {subject} alone was rejected"),
    "statement.paid": _("A payment of the statement of {subject} was recorded"),
    "statement.payment_undone": _("A payment of the statement of {subject} was undone"),
    "statement.credit_settled": _("What {subject} was billed too much after use was settled"),
    "documents.skipped": _("Numbers of documents before {subject} were left out after a restore"),
    "payment_method.added": _("Payment method {subject} was added"),
    "payment_method.removed": _("Payment method {subject} was removed"),
    "payment_method.first": _("{subject} was made the first payment method"),
    "card.begun": _("Adding a card was begun"),
    "recharge.set": _("Auto-recharge settings were saved"),
    "recharge.resumed": _("Auto-recharge was resumed"),
    "alerts.set": _("Low-balance alerts were changed"),
    # Who is told.
    "recipient.set": _("Recipient {subject} was added or changed"),
    "recipient.removed": _("Roles were taken from recipient {subject}"),
    "notice.tested": _("A test was sent to {subject}"),
    "delivery.again": _("A notice was sent again to {subject}"),
    "deliveries.again": _("Failed deliveries to {subject} were sent again"),
    "webhook.added": _("Webhook endpoint {subject} was added"),
    "webhook.changed": _("The events of webhook endpoint {subject} were changed"),
    "webhook.rotated": _("The signing secret of {subject} was rotated"),
    "webhook.enabled": _("Webhook endpoint {subject} was enabled"),
    "webhook.disabled": _("Webhook endpoint {subject} was disabled"),
    "webhook.removed": _("Webhook endpoint {subject} was removed"),
    # The telephone.
    "user.created": _("User {subject} was added"),
    "user.changed": _("User {subject} was changed"),
    "group.created": _("Group {subject} was made"),
    "group.changed": _("Group {subject} was changed"),
    "group.deleted": _("Group {subject} was deleted"),
    "number.reserved": _("Number {subject} was reserved"),
    "number.given_up": _("The reservation of number {subject} was given up"),
    "number.assigned": _("Number {subject} was assigned or taken away"),
    "number.attached": _("Number {subject} was attached"),
    "number.released": _("Number {subject} was released"),
    "view.save": _("The saved report {subject} was kept"),
    "view.delete": _("The saved report {subject} was deleted"),
    # Who signs in.
    "member.invited": _("{subject} was invited"),
    "member.added": _("{subject} was added to the team"),
    "member.role_set": _("The role of {subject} was changed"),
    "member.removed": _("{subject} was removed from the team"),
    "invitation.revoked": _("The invitation of {subject} was taken back"),
    "staff.set": _("The staff role of {subject} was changed"),
    "staff.confirmed": _("{subject} was confirmed as an operator of their own"),
    "account.made": _("An account was made for {subject}"),
    "account.opened": _("The account of {subject} was opened again"),
    "account.password_set": _("The password of {subject} was set by the operator"),
    "account.password_changed": _("{subject} changed the password"),
    "account.totp_added": _("{subject} added an authenticator app"),
    "account.totp_removed": _("{subject} removed the authenticator app"),
    "account.passkey_added": _("{subject} added a passkey"),
    "account.passkey_removed": _("{subject} removed a passkey"),
    "account.codes_made": _("{subject} made new recovery codes"),
    "account.single_sign_on_added": _("{subject} signs in by single sign-on too"),
    "account.reader_set": _("Language or time zone of {subject} was changed"),
    # What the operator looks after.
    "switch.created": _("Switch {subject} was created"),
    "peer.created": _("Peer {subject} was added to a switch"),
    "peer.revoked": _("Peer {subject} was revoked"),
    "key.created": _("API key {subject} was created"),
    "key.rotated": _("API key {subject} was rotated"),
    "key.revoked": _("API key {subject} was revoked"),
    "rates.draft_kept": _("A rate file for {subject} was uploaded"),
    "rates.draft_discarded": _("An uploaded rate file for {subject} was thrown away"),
    "rate_card.published": _("A version of rate card {subject} was published"),
    "catalogue.changed": _("The catalogue was changed: {subject}"),
    "provider.set": _("New cards go to {subject}"),
    "provider.removed": _("The keys of payment provider {subject} were removed"),
    "books.proof_asked": _("A proof of the books was asked for"),
    "clock.moved": _("The test clock was moved"),
}

FACTS: dict[str, str] = {
    "active": _("Active"),
    "agreement": _("Agreement"),
    "agreement_country": _("Country of the agreement"),
    "allowed_countries": _("Allowed countries"),
    "amount": _("Amount"),
    "below": _("Told below"),
    "blocked_countries": _("Blocked countries"),
    "cell": _("Cell"),
    "commerce_model": _("Commerce model"),
    "country": _("Country"),
    "currency": _("Currency"),
    "day_max": _("Recharges in 24 hours, at most"),
    "display_name": _("Display name"),
    "email": _("E-mail"),
    "enabled": _("Auto-recharge"),
    "entries": _("Entries changed"),
    "expires": _("Expires"),
    "first": _("First payment method"),
    "groups": _("Groups"),
    "independent_counters": _("Independent counters"),
    "kind": _("Kind"),
    "kinds": _("Events"),
    "language": _("Language"),
    "legal_name": _("Legal name"),
    "licences": _("Licences"),
    "method": _("Method"),
    "month_cap": _("Monthly limit"),
    "moved": _("Moved by its reseller"),
    "name": _("Name"),
    "note": _("Note"),
    "notice": _("Notice"),
    "operator": _("Operator"),
    "pay_as_you_go": _("Pay-as-you-go"),
    "paused": _("Paused"),
    "po_number": _("PO number"),
    "policy": _("Dial-out policy"),
    "post_usage_blocked": _("Blocked for an unpaid statement"),
    "post_usage_cap": _("Monthly post-usage limit"),
    "provider": _("Payment provider"),
    "query": _("Report"),
    "rate_card": _("Rate card"),
    "rates": _("Rates"),
    "reason": _("Reason"),
    "reference": _("Reference"),
    "role": _("Role"),
    "roles": _("Roles"),
    "scopes": _("Scopes"),
    "shown": _("Time shown"),
    "sold_by_reseller": _("Sold by a reseller"),
    "source": _("Source"),
    "spend_limit": _("Spend limit of a user"),
    "staff_role": _("Staff role"),
    "state": _("State"),
    "switch": _("Switch"),
    "tax_id": _("Tax id"),
    "time_zone": _("Time zone"),
    "toll_free_dial_in": _("Toll-free dial-in"),
    "trigger": _("When the balance falls below"),
    "until": _("Until"),
    "usage_location": _("Usage location"),
    "valid_from": _("Valid from"),
}
"""What of a thing is kept, in words; without the units of its name. What is not here is shown by
its own name."""

VALUES: dict[str, dict[str, str]] = {
    "method": {
        "amount": _("Recharge with a fixed amount"),
        "up_to": _("Recharge up to an amount"),
        "invoice": _("Invoice"),
    },
    "commerce_model": {
        "prepaid": _("Prepaid"),
        "draining": _("Moving to post-usage billing"),
        "post_usage": _("Post-usage billing"),
    },
    "kind": {"person": _("Person"), "resource_account": _("Resource account")},
    "state": {
        "active": _("Active"),
        "disabled": _("Disabled"),
        "removed": _("Removed"),
        "revoked": _("Revoked"),
    },
}
"""Facts that are one of a few words."""

ACTORS: dict[str, str] = {
    "account": _("Console"),
    "key": _("API key"),
    "shell": _("Shell"),
    "service": _("Service"),
}


def words_of(action: str, subject: str) -> str:
    """What was done, in English; the action's own name where it is not known.

    >>> words_of("key.revoked", "portal"), words_of("moon.moved", "")
    ('API key portal was revoked', 'moon.moved')
    """
    return ACTIONS.get(action, action).replace("{subject}", subject)
