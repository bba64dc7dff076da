"""`/api/v1/organisations`: the tenants, their settings, and how they pay."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.payments import Payment
from talktime.console.api.shapes import (
    Amount,
    AskedPage,
    IdText,
    Moment,
    Sent,
    SentAmount,
    Shown,
    listing,
)
from talktime.console.databases import current
from talktime.console.kept_connections import lent
from talktime.core.directory import Organisation as AnOrganisation
from talktime.core.keys import BILLING, OPERATOR, READ, USERS
from talktime.core.limits import CARD_NAME_TEXT_MAX, NAME_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.refusal import Refusal
from talktime.operations.commerce_models import (
    ASKED,
    Preview,
    blocked_move,
    change_model,
    own_cap,
    preview_change,
)
from talktime.operations.money_documents import payment_document
from talktime.operations.organisations import (
    change_organisation,
    create_organisation,
    find_organisation,
    list_organisations,
)
from talktime.store.catalogue import load_catalogues

SEES = (READ, BILLING, OPERATOR)
PAID_LATER = frozenset({"pay_as_you_go", "post_usage_cap"})
"""The rules that are about money; the others say who may call whom."""
every = Resource("Organisations", "The tenants.", at_organisation=False)
one = Resource("Organisation", "One tenant: its settings.")
model = Resource("Commerce model", "Prepaid credits, or billing after use, and the way between.")
Answer = dict[str, Any]


class Rules(Shown):
    """What an organisation has decided for all its users."""

    policy: str
    allowed_countries: list[str]
    blocked_countries: list[str]
    spend_limit: Amount | None
    pay_as_you_go: bool
    post_usage_cap: Amount | None
    independent_counters: bool
    sold_by_reseller: bool
    agreement_country: str
    post_usage_blocked: bool
    moved: bool


class Organisation(Shown):
    """A tenant: one wallet, one currency, one rate card."""

    organisation_id: IdText
    name: str
    cell: str
    currency: str
    time_zone: str
    country: str
    commerce_model: str
    active: bool
    rate_card: str
    rules: Rules


class LotLeft(Shown):
    """Credits that are left."""

    lot_id: IdText
    remaining: Amount
    expires: Moment


class ModelChange(Shown):
    """What a change of the model would do. `refused` says why it cannot be made; `blocked`, what
    keeps the organisation from being moved by its reseller."""

    commerce_model: str
    to: str
    balance: Amount
    held: Amount
    lots: list[LotLeft]
    recharge: bool
    attempt: Payment | None
    refused: str | None
    blocked: str
    effects: list[str]


class SentOrganisation(Sent):
    """An organisation to be made."""

    name: str = Field(min_length=1, max_length=NAME_TEXT_MAX)
    currency: str = Field(pattern="^[A-Z]{3}$")
    country: str = Field(pattern="^[A-Z]{2}$")
    time_zone: str = "UTC"
    rate_card: str = Field("standard", max_length=CARD_NAME_TEXT_MAX)
    cell: str | None = Field(None, description="Without it, the first.")


class SentRules(Sent):
    """Rules as sent: what is not named stays."""

    policy: str = ""
    allowed_countries: list[str] = []
    blocked_countries: list[str] = []
    spend_limit: SentAmount | None = None
    pay_as_you_go: bool = False
    post_usage_cap: SentAmount | None = None


class SentOperatorRules(SentRules):
    """Rules that the operator alone changes, beside the others."""

    independent_counters: bool = False
    sold_by_reseller: bool = False
    agreement_country: str = ""


class SentSettings(Sent):
    """Settings as sent: what is not named stays."""

    active: bool | None = None
    rate_card: str | None = Field(None, max_length=CARD_NAME_TEXT_MAX)
    rules: SentOperatorRules | None = None


class SentModel(Sent):
    """How the organisation is to pay."""

    to: Literal["prepaid", "post_usage"]


@every.reads("/organisations", listing("organisations", Organisation), by=(READ, OPERATOR))
def get_organisations(asked: Asked, page: AskedPage) -> Answer:
    """The organisations that the key opens, by name."""
    with asked.control.reading():
        if asked.key.organisation_id is not None:
            own = find_organisation(asked.control, str(asked.key.organisation_id))
            found = [] if isinstance(own, Refusal) or page.cursor else [own]
        else:
            found = list_organisations(asked.control, after=page.cursor, limit=page.limit)
    answer: Answer = asked.page(page, "organisations", found, lambda each: each.name)
    return {**answer, "organisations": [_shown(each) for each in found]}


@every.does(
    *("POST", "/organisations", Organisation),
    by=(OPERATOR,),
    refusals=("already_exists",),
    sent={"name": "Contoso", "currency": "USD", "country": "US", "time_zone": "America/New_York"},
)
def post_organisation(asked: Asked, sent: SentOrganisation) -> Answer | Refusal:
    """Make an organisation, with an empty wallet."""
    name = sent.cell or next(iter(current().cells))
    address = current().cells.get(name)
    if address is None:
        return Refusal("invalid_value", f"there is no cell {name[:40]!r}")
    with lent(address) as cell:
        made = create_organisation(
            *(asked.control, {name: cell}),
            **sent.model_dump(exclude={"cell"}),
            cell=name,
            now_ms=asked.now_ms,
            next_id=asked.next_id,
        )
    return made if isinstance(made, Refusal) else _shown(made)


@one.reads("", Organisation, by=SEES)
def get_organisation(asked: Asked) -> Answer:
    """An organisation with its settings."""
    return _shown(asked.owner)


@one.does(
    *("PATCH", "", Organisation),
    by=(OPERATOR,),
    sent={"rate_card": "standard", "rules": {"blocked_countries": ["CU"]}},
)
def patch_organisation(asked: Asked, sent: SentSettings) -> Answer | Refusal:
    """Switch an organisation off or on, rate it by another card, set its rules."""
    return _changed(asked, sent.rules, active=sent.active, rate_card=sent.rate_card)


@one.does(
    *("PATCH", "/rules", Organisation),
    by=(BILLING, USERS),
    sent={"blocked_countries": ["CU"], "post_usage_cap": "500"},
)
def patch_rules(asked: Asked, sent: SentRules) -> Answer | Refusal:
    """Say what holds for all users: policy, countries, limits, pay-as-you-go.

    An organisation's own key sets policy, countries and spend limit with the scope `users`, and
    with `billing` switches pay-as-you-go and lowers the limit of what is paid after use. A key of
    the operator's sets all of them with `billing`.
    """
    given, own = sent.model_dump(exclude_unset=True), asked.key.organisation_id is not None
    refusal = _not_by(asked.key.scopes, given, own)
    if refusal is None and own and "post_usage_cap" in given:
        refusal = own_cap(asked.owner, given["post_usage_cap"])
    return _changed(asked, sent) if refusal is None else refusal


def _not_by(scopes: frozenset[str], given: Mapping[str, Any], own: bool) -> Refusal | None:
    """Why a key, an organisation's own or not, may not set these rules: each has its scope."""
    for scope, names in ((USERS, set(given) - PAID_LATER), (BILLING, PAID_LATER & set(given))):
        if names and scope not in scopes and (own or BILLING not in scopes):
            detail = f"the key lacks the scope {scope!r} for {', '.join(sorted(names))}"
            return Refusal("scope_missing", detail)
    return None


@model.reads("/commerce-model/{to}", ModelChange, by=SEES[:2])
def get_model_change(asked: Asked, to: Literal["prepaid", "post_usage"]) -> Answer | Refusal:
    """What it would do to change how the organisation pays."""
    shown = preview_change(asked.counter, to)
    return shown if isinstance(shown, Refusal) else _change(shown)


@model.does(
    *("POST", "/commerce-model", Organisation),
    by=(BILLING,),
    moves_money=True,
    refusals=("still_owed",),
    sent={"to": ASKED[1]},
)
def post_model(asked: Asked, sent: SentModel) -> Answer | Refusal:
    """Change how the organisation pays.

    To post_usage, it first uses up the credits that it has (draining).
    """
    done = change_model(asked.control, asked.counter, sent.to, actor=asked.actor)
    return done if isinstance(done, Refusal) else _shown(done)


def _changed(asked: Asked, sent: SentRules | None, **more: Any) -> Answer | Refusal:
    rules = None
    if sent is not None:
        given = sent.model_dump(exclude_unset=True)
        renamed = {"spend_limit": "spend_limit_micros", "post_usage_cap": "post_usage_cap_micros"}
        rules = {renamed.get(name, name): value for name, value in given.items()}
        for name in ("allowed_countries", "blocked_countries"):
            if name in rules:
                rules[name] = frozenset(rules[name])
    with asked.control.transaction():
        done = change_organisation(
            *(asked.control, str(asked.owner.id)),
            **more,
            rules=rules,
            catalogue=load_catalogues(asked.control).in_force(asked.now_ms),
        )
    return done if isinstance(done, Refusal) else _shown(done)


def _shown(owner: AnOrganisation) -> Answer:
    rules = owner.rules
    return {
        **owner._asdict(),
        "organisation_id": str(owner.id),
        "rules": {
            **rules._asdict(),
            "allowed_countries": sorted(rules.allowed_countries),
            "blocked_countries": sorted(rules.blocked_countries),
            "spend_limit": rules.spend_limit_micros,
            "post_usage_cap": rules.post_usage_cap_micros,
        },
    }


def _change(shown: Preview) -> Answer:
    return {
        "commerce_model": shown.organisation.commerce_model,
        "to": shown.to,
        "balance": decimal_text(shown.balance_micros),
        "held": decimal_text(shown.held_micros),
        "lots": [
            {"lot_id": each.id, "remaining": each.remaining_micros, "expires": each.expires_ms}
            for each in shown.lots
        ],
        "recharge": shown.recharge_on,
        "attempt": None if shown.attempt is None else payment_document(shown.attempt),
        "refused": None if shown.refusal is None else shown.refusal.detail,
        "blocked": blocked_move(shown.organisation, shown.recharge_on),
        "effects": list(shown.effects),
    }
