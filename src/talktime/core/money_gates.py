"""Who may pay money for a call: the gates of licence, organisation and rate, and the limits that
count. Pure."""

from talktime.core.catalogue import (
    CREDITS,
    PAY_AS_YOU_GO,
    RESOURCE_ACCOUNT_CALLS,
    Catalogue,
)
from talktime.core.directory import Organisation, User
from talktime.core.entitlements import Entitlements
from talktime.core.included import Included
from talktime.core.meters import month_of, post_usage_key, spending_key
from talktime.core.payers import CREDITS_CAPABILITY, FREE_CALL, Payers
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.core.world import World

BOT_OUT = "ucap_out"
PER_MINUTE_CAPABILITY = "MCOMEETACPEA"
OVERDUE_DETAIL = "a statement of what was used before is long overdue"


def payers_of_money(
    world: World,
    organisation: Organisation,
    user: User | None,
    *,
    credits_allowed: bool,
    capability: str,
    no_money: Refusal | None = None,
    included: Included | None = None,
    unpriced: bool = False,
) -> Payers:
    """The payers of a call: the minutes found, credits where they may be used, post-usage where it
    is on, within the spend limit of the user. What goes on past its minutes `unpriced` is free, and
    marked so (D10)."""
    rules, month = organisation.rules, month_of(world.at_ms)
    limit_micros = None
    if user is not None:
        limit_micros = user.spend_limit_micros
        if limit_micros is None:
            limit_micros = rules.spend_limit_micros
    after_use, shortage = False, "insufficient_credit"
    if organisation.commerce_model != "prepaid":
        after_use = paid_after_use(organisation)
        if not after_use:
            shortage = "statement_overdue" if blocked_after_use(organisation) else "post_usage_off"
    return Payers(
        included.pool if included is not None else "",
        included.guard if included is not None else "",
        spending_key(month, user.id) if user is not None else "",
        post_usage_key(month) if after_use else "",
        limit_micros,
        rules.post_usage_cap_micros if after_use else None,
        credits_allowed,
        no_money.code if no_money is not None else "",
        no_money.detail if no_money is not None else "",
        shortage,
        included.capability if included is not None else "",
        FREE_CALL if unpriced else capability,
    )


def money_line(per_minute: bool) -> str:
    """The line of an outbound call that money may pay for."""
    if per_minute:
        return "licence: conferencing is paid per minute"
    return "licence: Communications Credits (MCOPSTNC)"


def money_capability(per_minute: bool) -> str:
    """The capability of an outbound call that money pays."""
    return PER_MINUTE_CAPABILITY if per_minute else CREDITS_CAPABILITY


def paid_after_use(organisation: Organisation) -> bool:
    """Whether calls that credits do not pay are billed after use (R72, D14): pay-as-you-go is on,
    and no statement is so long overdue that such calls are blocked."""
    return _may_pay_after_use(organisation) and not organisation.rules.post_usage_blocked


def blocked_after_use(organisation: Organisation) -> bool:
    """Whether only a statement that is long overdue keeps calls from being paid after use."""
    return _may_pay_after_use(organisation) and organisation.rules.post_usage_blocked


def _may_pay_after_use(organisation: Organisation) -> bool:
    return organisation.commerce_model != "prepaid" and organisation.rules.pay_as_you_go


def money_refused(
    catalogue: Catalogue,
    type_: str,
    organisation: Organisation,
    user: User | None,
    has: Entitlements,
    per_minute: bool,
) -> tuple[Refusal | None, Refusal | None]:
    """Why the user may not use credits for an outbound call, and why nobody pays money for it,
    whatever its rate; None each where nothing is against it."""
    no_licence = None if per_minute else unlicensed(catalogue, type_, user, has)
    no_money = planless(catalogue, user, has) if type_ == BOT_OUT else None
    if no_money is None and not paid_after_use(organisation):
        no_money = no_licence or not_offered(catalogue, organisation)
        if no_money is not None and blocked_after_use(organisation):
            no_money = Refusal("statement_overdue", OVERDUE_DETAIL)
    return no_licence, no_money


def planless(catalogue: Catalogue, user: User | None, has: Entitlements) -> Refusal | None:
    """Why nobody pays money for this resource account's calls: it has no plan for them (R34)."""
    if _bots_need_nothing(catalogue) or PAY_AS_YOU_GO in has.features:
        return None
    name = user.name if user is not None else "the caller"
    return Refusal("no_user_credit_capability", f"{name} has no Pay-As-You-Go calling plan")


def unlicensed(
    catalogue: Catalogue, type_: str, user: User | None, has: Entitlements
) -> Refusal | None:
    """Why this user may not use credits (R29, R34)."""
    if CREDITS in has.features or (type_ == BOT_OUT and _bots_need_nothing(catalogue)):
        return None
    name = user.name if user is not None else "the caller"
    return Refusal("no_user_credit_capability", f"{name} has no licence MCOPSTNC")


def _bots_need_nothing(catalogue: Catalogue) -> bool:
    """Whether an organisation's credits pay for its resource accounts' calls as they are."""
    return catalogue.settings.get(RESOURCE_ACCOUNT_CALLS) == CREDITS


def not_offered(catalogue: Catalogue, organisation: Organisation) -> Refusal | None:
    """Why this organisation can have no credits (R30)."""
    if organisation.commerce_model != "prepaid" or catalogue.country(organisation.country).credits:
        return None
    detail = f"Communications Credits are not offered in {organisation.country}"
    return Refusal("no_tenant_credit_capability", detail)


def rate_of(
    organisation: Organisation, world: World, direction: str, digits: str
) -> Rate | Refusal:
    """The rate of a number in the organisation's card (R62). Refuses: no_rate."""
    card = world.rate_cards.in_force(organisation.rate_card, world.at_ms)
    if card is None:
        return Refusal("no_rate", f"the rate card {organisation.rate_card} is not in force")
    if card.currency != organisation.currency:
        detail = f"the rate card {card.name} is in {card.currency}, the wallet in "
        return Refusal("no_rate", detail + organisation.currency)
    rate = card.find(direction, digits, world.at_ms)
    if rate is None:
        return Refusal("no_rate", f"+{digits} matches no prefix of the rate card {card.name}")
    return rate
