"""Organisations: make one with its wallet, find it, list all, change one."""

from collections.abc import Callable, Mapping
from typing import Any

from talktime.core.audit import Facts
from talktime.core.catalogue import Catalogue
from talktime.core.directory import COMMERCE_MODELS, CallingRules, Organisation
from talktime.core.ids import id_in
from talktime.core.limits import CARD_NAME_TEXT_MAX, NAME_TEXT_MAX, PAGE_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import (
    can_be_stored,
    check_country,
    check_currency,
    check_limit,
    check_one_of,
    check_policy,
    check_text,
    check_time_zone,
    first,
)
from talktime.store.database import Connection
from talktime.store.organisations import (
    insert_organisation,
    insert_wallet,
    organisation_named,
    organisation_of_id,
    organisations_by_name,
    update_organisation,
    wallet_here,
)
from talktime.store.rates import versions_of
from talktime.store.revisions import DIRECTORY, lock


def create_organisation(
    control: Connection,
    cells: Mapping[str, Connection],
    *,
    name: str,
    cell: str,
    currency: str,
    time_zone: str,
    country: str,
    rate_card: str,
    now_ms: int,
    next_id: Callable[[], int],
    adopt: int | None = None,
) -> Organisation | Refusal:
    """Make an organisation on the prepaid model, with an empty wallet in one of the cells.

    `adopt` is the id of an organisation that the cell has a wallet of, and the control plane does
    not know, because it was restored to a time before it: it gets that id, wallet and model.

    It opens its own transactions, because there are two: the wallet is committed in the cell
    before the control plane names the organisation, so that whoever finds it finds its wallet. When
    the second fails, do it all again: an empty wallet that nobody names stays, and does no harm.

    The rate card may come later (until then calls are refused: no_rate); one that is there must be
    in the organisation's currency. Refuses: invalid_value; already_exists for a name or a wallet in
    use; unknown_organisation where there is no wallet to adopt.
    """
    refusal = first(
        check_text("the name", name, NAME_TEXT_MAX),
        _not_an_id(name),
        check_one_of("the cell", cell, cells),
        check_currency(currency),
        check_time_zone(time_zone),
        check_country("the country", country),
        check_text("the rate card", rate_card, CARD_NAME_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    with control.reading():
        refusal = _taken(control, name) or _wrong_card(control, rate_card, currency)
    if refusal is not None:
        return refusal
    organisation = Organisation(
        next_id(), name, cell, currency, time_zone, country, "prepaid", True, rate_card
    )
    made = _with_wallet(cells[cell], organisation, adopt)
    return made if isinstance(made, Refusal) else _named(control, made, now_ms)


def _with_wallet(
    cell: Connection, organisation: Organisation, adopt: int | None
) -> Organisation | Refusal:
    """Make the wallet; or take the id and the model of one that is there."""
    if adopt is None:
        with cell.transaction():
            insert_wallet(cell, organisation.id, organisation.currency)
        return organisation
    with cell.reading():
        found = wallet_here(cell, adopt)
    if found is None:
        detail = f"cell {organisation.cell} has no wallet of an organisation {adopt}"
        return Refusal("unknown_organisation", detail)
    currency, no_buying = found
    if currency != organisation.currency:
        return Refusal("invalid_value", f"the wallet to be adopted is in {currency}")
    model = no_buying if no_buying in COMMERCE_MODELS else "prepaid"
    return organisation._replace(id=adopt, commerce_model=model)


def _named(control: Connection, organisation: Organisation, now_ms: int) -> Organisation | Refusal:
    with control.transaction():
        lock(control, DIRECTORY)
        refusal = _taken(control, organisation.name) or _known(control, organisation.id)
        if refusal is None:
            insert_organisation(control, organisation, now_ms)
            _note_created(control, organisation)
    return refusal or organisation


def _known(control: Connection, organisation_id: int) -> Refusal | None:
    found = organisation_of_id(control, organisation_id)
    if found is None:
        return None
    return Refusal("already_exists", f"{found.name} has the wallet to be adopted")


def change_organisation(
    control: Connection,
    name: str,
    *,
    active: bool | None = None,
    rate_card: str | None = None,
    time_zone: str | None = None,
    commerce_model: str | None = None,
    rules: Mapping[str, Any] | None = None,
    catalogue: Catalogue,
) -> Organisation | Refusal:
    """Switch an organisation off (its calls are refused) or on, rate it by another card, say how it
    pays and by which clock its days go, set its calling rules.

    `commerce_model` is prepaid, draining (spends what credits it has) or post_usage; `rules` are
    fields of CallingRules and what they are from now on. What is None or not named stays. Running
    calls keep their rate. The caller opens and commits the control plane's transaction.
    Refuses: unknown_organisation; invalid_value, for a card in another currency too.
    """
    lock(control, DIRECTORY)
    found = find_organisation(control, name)
    if isinstance(found, Refusal):
        return found
    changed = found._replace(
        active=found.active if active is None else active,
        rate_card=found.rate_card if rate_card is None else rate_card,
        time_zone=found.time_zone if time_zone is None else time_zone,
        commerce_model=found.commerce_model if commerce_model is None else commerce_model,
        rules=found.rules._replace(**rules or {}),
    )
    refusal = check_one_of("the commerce model", changed.commerce_model, COMMERCE_MODELS)
    if time_zone is not None:
        refusal = refusal or check_time_zone(time_zone)
    if rate_card is not None:
        refusal = refusal or check_text("the rate card", rate_card, CARD_NAME_TEXT_MAX)
        refusal = refusal or _wrong_card(control, rate_card, found.currency)
    if changed.rules != found.rules:
        refusal = refusal or _wrong_rules(catalogue, found.rules, changed.rules)
    if refusal is not None:
        return refusal
    if changed != found:
        update_organisation(control, changed)
        before, after = facts_of(found), facts_of(changed)
        note(control, found.id, "organisation.changed", found.name, before=before, after=after)
    return changed


def facts_of(organisation: Organisation) -> Facts:
    """What of an organisation is kept of a change: how it is charged, by which clock, and its
    calling rules."""
    rules = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in organisation.rules._asdict().items()
    }
    return {
        "active": organisation.active,
        "rate_card": organisation.rate_card,
        "time_zone": organisation.time_zone,
        "commerce_model": organisation.commerce_model,
        **rules,
    }


def find_organisation(control: Connection, name: str) -> Organisation | Refusal:
    """The organisation of this name, or of this id in digits.

    Refuses: unknown_organisation.
    """
    found = None
    id_ = id_in(name)
    if id_ is not None:  # first: nobody may take an organisation's place by being named so
        found = organisation_of_id(control, id_)
    if found is None and can_be_stored(name):
        found = organisation_named(control, name)
    if found is None:
        detail = f"no organisation is named {name[:NAME_TEXT_MAX]!r}"
        return Refusal("unknown_organisation", detail)
    return found


def _not_an_id(name: str) -> Refusal | None:
    if id_in(name) is None:
        return None
    detail = "the name must not be digits alone: those are an organisation's id"
    return Refusal("invalid_value", detail)


def list_organisations(
    control: Connection, *, after: str = "", limit: int = PAGE_ROWS_MAX
) -> list[Organisation]:
    """Organisations by name, at most PAGE_ROWS_MAX; `after` is the last name of the page before."""
    return organisations_by_name(control, after, min(limit, PAGE_ROWS_MAX))


def _note_created(control: Connection, made: Organisation) -> None:
    after: Facts = {
        "currency": made.currency,
        "country": made.country,
        "time_zone": made.time_zone,
        "cell": made.cell,
        "rate_card": made.rate_card,
    }
    note(control, made.id, "organisation.created", made.name, after=after)


def _taken(control: Connection, name: str) -> Refusal | None:
    if organisation_named(control, name) is None:
        return None
    return Refusal("already_exists", f"there is an organisation named {name!r}")


def _wrong_card(control: Connection, rate_card: str, currency: str) -> Refusal | None:
    versions = versions_of(control, rate_card)
    if not versions or versions[0].currency == currency:
        return None
    return Refusal(
        "invalid_value",
        f"the rate card {rate_card} is in {versions[0].currency}, the organisation in {currency}",
    )


def _wrong_rules(catalogue: Catalogue, old: CallingRules, rules: CallingRules) -> Refusal | None:
    both = sorted(rules.allowed_countries & rules.blocked_countries)
    countries = sorted(rules.allowed_countries | rules.blocked_countries)
    return first(
        None if rules.policy == old.policy else check_policy(catalogue, rules.policy),
        *(check_country("a country to call", code) for code in countries),
        Refusal("invalid_value", f"{both[0]} is both allowed and blocked") if both else None,
        check_country("the agreement's country", rules.agreement_country)
        if rules.agreement_country
        else None,
        check_limit("the spend limit", rules.spend_limit_micros),
        check_limit("the post-usage cap", rules.post_usage_cap_micros),
    )
