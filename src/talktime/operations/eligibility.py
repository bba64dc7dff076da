"""May an organisation buy credits, and how much at once? (R6, R7, R71, D14)"""

from typing import NamedTuple

from talktime.core.catalogue import Catalogue
from talktime.core.currencies import chargeable_unit_micros
from talktime.core.directory import Organisation
from talktime.core.money import decimal_text, parse_micros
from talktime.core.recharging import Bounds
from talktime.core.refusal import Refusal


class NotOffered(NamedTuple):
    """Why an organisation cannot buy: a code that its wallet keeps, and words."""

    code: str
    detail: str


def why_not_buy(
    catalogue: Catalogue, organisation: Organisation, *, by_operator: bool = False
) -> Refusal | None:
    """The exact reason why this organisation cannot buy credits; None where it can.

    An operator may fund what the organisation may not buy by itself: one whose plans a reseller
    sells, or with an agreement of another country. Refuses: organisation_inactive,
    credits_not_offered. Source: R7, R71, D14.
    """
    found = not_offered(catalogue, organisation, by_operator=by_operator)
    if found is None:
        return None
    code = "organisation_inactive" if found.code == "inactive" else "credits_not_offered"
    return Refusal(code, found.detail)


def why_not_enter(
    catalogue: Catalogue, organisation: Organisation, source: str, micros: int, debt_micros: int
) -> Refusal | None:
    """Why an operator may not enter this much by hand: a purchase keeps the rules of buying, for
    it is one (R6, R7, D14), but who may buy nothing on the way to post-usage billing, or on it,
    can pay what they owe, in parts or whole; what is given is the operator's.

    Refuses: organisation_inactive, credits_not_offered; as `check_amount`.
    """
    if source != "purchase":
        return None
    name, currency = organisation.name, organisation.currency
    if organisation.active and organisation.commerce_model != "prepaid" and debt_micros:
        most_micros = owed_at_most_micros(debt_micros, currency)
        if micros > most_micros:
            owed = f"{decimal_text(most_micros)} {currency}"
            detail = f"{name} may buy nothing: no more than the {owed} that it owes can be entered"
            return Refusal("credits_not_offered", detail)
        return _check_whole("the amount", micros, currency)
    bounds = bounds_of(catalogue, organisation.currency)
    return why_not_buy(catalogue, organisation, by_operator=True) or check_amount(
        "the amount", micros, bounds, organisation.currency
    )


def not_offered(
    catalogue: Catalogue, organisation: Organisation, *, by_operator: bool = False
) -> NotOffered | None:
    """The same, as its wallet keeps it."""
    name, rules, country = organisation.name, organisation.rules, organisation.country
    if not organisation.active:
        return NotOffered("inactive", f"{name} is switched off")
    if organisation.commerce_model == "draining":
        return NotOffered(
            "draining",
            f"{name} is moving to post-usage billing: it uses up the credits it has, then pays "
            "after use; nothing else is to be done",
        )
    if organisation.commerce_model == "post_usage":
        return NotOffered("post_usage", f"{name} is billed after use: it needs no credits")
    if not catalogue.country(country).credits:
        return NotOffered("country", f"Communications Credits are not offered in {country}")
    if rules.sold_by_reseller and not by_operator:
        detail = f"the plans of {name} are bought through a reseller: ask the reseller to fund it"
        return NotOffered("reseller", detail)
    if rules.agreement_country not in ("", country) and not by_operator:
        return NotOffered(
            "agreement",
            f"the billing agreement of {name} is of {rules.agreement_country}, the organisation of "
            f"{country}: contact support",
        )
    return None


def bounds_of(catalogue: Catalogue, currency: str) -> Bounds:
    """What one purchase may be in this currency, in micros: whole units that can be charged.

    A currency without an entry has the bounds of all others.
    """
    entry = catalogue.currency(currency)
    return Bounds(parse_micros(entry.minimum), parse_micros(entry.maximum))


def check_amount(what: str, micros: int, bounds: Bounds, currency: str) -> Refusal | None:
    """Whether this much can be bought at once (R6).

    Refuses: amount_out_of_bounds, with the bounds; invalid_value for a part of the smallest unit.
    """
    if not bounds.minimum_micros <= micros <= bounds.maximum_micros:
        least, most = decimal_text(bounds.minimum_micros), decimal_text(bounds.maximum_micros)
        detail = f"{what} must be from {least} to {most} {currency}, not {decimal_text(micros)}"
        return Refusal("amount_out_of_bounds", detail)
    return _check_whole(what, micros, currency)


def owed_at_most_micros(debt_micros: int, currency: str) -> int:
    """The least amount that can be paid and pays a debt."""
    unit_micros = chargeable_unit_micros(currency)
    return -(-debt_micros // unit_micros) * unit_micros


def _check_whole(what: str, micros: int, currency: str) -> Refusal | None:
    unit_micros = chargeable_unit_micros(currency)
    if micros % unit_micros:
        detail = f"{what} must be a multiple of {decimal_text(unit_micros)} {currency}"
        return Refusal("invalid_value", detail)
    return None
