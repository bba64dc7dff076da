"""`talktime organisation`: make one with its wallet, look at it, change it, list all."""

from contextlib import ExitStack
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from talktime.cli.commerce_model import move_command, moved_to
from talktime.cli.failures import no_wallet, unless_refused
from talktime.cli.installation import (
    all_pages,
    catalogue_of,
    cell,
    control_plane,
    installation,
    new_ids,
    organisation_of,
)
from talktime.cli.output import Json, amount, document_of, moment, panel, show, table
from talktime.cli.users import limit_micros
from talktime.clock import now_ms
from talktime.core.books import Terms
from talktime.core.commands import ExpireLots
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.ledger import Wallet
from talktime.core.money import decimal_text
from talktime.operations.organisations import (
    change_organisation,
    create_organisation,
    list_organisations,
)
from talktime.operations.restored_wallets import make_missing_wallet
from talktime.operations.user_changes import NO_LIMIT
from talktime.store.load import load

group = typer.Typer(no_args_is_help=True, help="Organisations, each with one wallet.")

Name = Annotated[str, typer.Argument(help="Its name: contoso.example.", metavar="NAME")]


@group.command("create")
def create_command(
    name: Name,
    country: Annotated[str, typer.Option(help="Its country: US.")],
    currency: Annotated[str, typer.Option(help="Currency of its wallet, for good.")] = "USD",
    time_zone: Annotated[
        str, typer.Option(help="Its time zone: Europe/Oslo. Money expires by it.")
    ] = "UTC",
    rate_card: Annotated[str, typer.Option(help="The rate card its calls cost by.")] = "standard",
    cell_name: Annotated[
        str, typer.Option("--cell", help="Where its books are. Default: the first cell.")
    ] = "",
    adopt: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=ID_MAX,
            help="Id of a wallet there that check-books says the directory lacks.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make an organisation, prepaid, with an empty wallet; or, after a restore, the organisation of
    a wallet that nobody knows any more."""
    settings = installation()
    home = cell_name or next(iter(settings.cells))
    with ExitStack() as opened:
        control = opened.enter_context(control_plane(settings))
        cells = {home: opened.enter_context(cell(settings, home))}
        made = unless_refused(
            create_organisation(
                control,
                cells,
                name=name,
                cell=home,
                currency=currency,
                time_zone=time_zone,
                country=country,
                rate_card=rate_card,
                now_ms=now_ms(),
                next_id=new_ids().next,
                adopt=adopt,
            )
        )
    show(json, document_of(made), picture(made))


@group.command("make-wallet")
def make_wallet_command(name: Name, json: Json = False) -> None:
    """Give an organisation an empty wallet, where a restore of its cell has lost it.

    A wallet that is there stays as it is. Users and settings are to be made again.
    """
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, name)
    with cell(settings, owner.cell) as connection, connection.transaction():
        made = make_missing_wallet(connection, owner)
    said = "has an empty wallet now" if made else "has its wallet: nothing was changed"
    show(json, {"organisation_id": str(owner.id), "made": made}, Text(f"{owner.name} {said}."))


@group.command("list")
def list_command(json: Json = False) -> None:
    """List all organisations by name."""
    with control_plane(installation()) as control, control.reading():
        found = all_pages(
            lambda after: list_organisations(control, after=after), "", lambda each: each.name
        )
    columns = ("Name", "Country", "Currency", "Time zone", "Rate card", "Active")
    rows = [
        (each.name, each.country, each.currency, each.time_zone, each.rate_card, each.active)
        for each in found
    ]
    empty = "There are no organisations: `talktime organisation create` makes one."
    document = {"organisations": [document_of(each) for each in found]}
    show(json, document, table(columns, rows, empty=empty))


@group.command("show")
def show_command(name: Name, json: Json = False) -> None:
    """Show an organisation with its balance and its lots."""
    settings = installation()
    at_ms = now_ms()
    with control_plane(settings) as control:
        found = organisation_of(control, name)
    with cell(settings, found.cell) as connection, connection.reading():
        books = load(connection, [ExpireLots(found.id)], new_ids().next, Terms(), lock=False)
    wallet = books.wallets.get(found.id)
    if wallet is None:
        raise no_wallet(found)
    document = {**document_of(found), "wallet": wallet_document(wallet, at_ms)}
    show(json, document, picture(found, wallet, at_ms), lots_table(wallet, at_ms))


Active = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Let its calls through, or refuse them.")
]
RateCard = Annotated[str | None, typer.Option(help="The rate card from now on.")]
CommerceModel = Annotated[
    str | None,
    typer.Option(help="prepaid or post_usage; `talktime organisation move` says what that does."),
]
Policy = Annotated[
    str | None, typer.Option(help="Dial-out policy of its users; '' for the catalogue's.")
]
AllowedCountries = Annotated[
    str | None, typer.Option(help="The only countries that can be called: US,CA; '' for all.")
]
BlockedCountries = Annotated[
    str | None, typer.Option(help="Countries that are never called: US,CA; '' for none.")
]
SpendLimit = Annotated[
    str | None, typer.Option(help="Most that a user may spend a month: 25.50, or none.")
]
PayAsYouGo = Annotated[
    bool | None, typer.Option(help="Let calls be paid after use, where it is not prepaid.")
]
PostUsageCap = Annotated[
    str | None, typer.Option(help="Most that is paid after use a month: 1000, or none.")
]
SoldByReseller = Annotated[
    bool | None, typer.Option(help="Its plans are bought through a reseller, who funds it.")
]
AgreementCountry = Annotated[
    str | None, typer.Option(help="Country of its billing agreement: US; '' for its own.")
]
IndependentCounters = Annotated[
    bool | None, typer.Option(help="Domestic and international minutes end each for itself.")
]


@group.command("change")
def change_command(
    name: Name,
    active: Active = None,
    rate_card: RateCard = None,
    commerce_model: CommerceModel = None,
    policy: Policy = None,
    allowed_countries: AllowedCountries = None,
    blocked_countries: BlockedCountries = None,
    spend_limit: SpendLimit = None,
    pay_as_you_go: PayAsYouGo = None,
    post_usage_cap: PostUsageCap = None,
    independent_counters: IndependentCounters = None,
    sold_by_reseller: SoldByReseller = None,
    agreement_country: AgreementCountry = None,
    json: Json = False,
) -> None:
    """Switch an organisation off or on, say how it pays and what its users may call."""
    rules: dict[str, Any] = {
        "policy": policy,
        "allowed_countries": countries_of(allowed_countries),
        "blocked_countries": countries_of(blocked_countries),
        "spend_limit_micros": limit_micros(spend_limit),
        "pay_as_you_go": pay_as_you_go,
        "post_usage_cap_micros": limit_micros(post_usage_cap),
        "independent_counters": independent_counters,
        "sold_by_reseller": sold_by_reseller,
        "agreement_country": agreement_country,
    }
    given = {
        rule: None if value == NO_LIMIT else value
        for rule, value in rules.items()
        if value is not None
    }
    with control_plane(installation()) as control:
        catalogue = catalogue_of(control)
        with control.transaction():
            changed = unless_refused(
                change_organisation(
                    control,
                    name,
                    active=active,
                    rate_card=rate_card,
                    rules=given,
                    catalogue=catalogue,
                )
            )
    if commerce_model is not None:
        changed = moved_to(changed, commerce_model)
    show(json, document_of(changed), picture(changed))


def countries_of(text: str | None) -> frozenset[str] | None:
    """Countries as typed: US,CA or US CA.

    >>> sorted(countries_of("us, CA"))
    ['CA', 'US']
    """
    return None if text is None else frozenset(text.upper().replace(",", " ").split())


def picture(
    organisation: Organisation, wallet: Wallet | None = None, at_ms: int = 0
) -> RenderableType:
    """An organisation for people."""
    facts: dict[str, object] = {
        "Id": organisation.id,
        "Country": organisation.country,
        "Time zone": organisation.time_zone,
        "Rate card": organisation.rate_card,
        "Model": organisation.commerce_model,
        "Cell": organisation.cell,
        "Active": organisation.active,
        **rules_shown(organisation),
    }
    if wallet is None:
        facts["Currency"] = organisation.currency
    else:
        currency = wallet.currency
        facts["Balance"] = amount(wallet.balance_micros, currency)
        facts["Held"] = amount(wallet.held_micros, currency)
        facts["Available"] = amount(wallet.available_micros(at_ms), currency)
        if wallet.debt_micros:
            facts["Debt"] = amount(wallet.debt_micros, currency)
    return panel(organisation.name, facts)


def rules_shown(organisation: Organisation) -> dict[str, object]:
    """What of an organisation's calling rules is not as it comes, for people."""
    rules, currency = organisation.rules, organisation.currency
    limit, cap = rules.spend_limit_micros, rules.post_usage_cap_micros
    shown: dict[str, object] = {
        "Dial-out policy": rules.policy,
        "Allowed countries": ", ".join(sorted(rules.allowed_countries)),
        "Blocked countries": ", ".join(sorted(rules.blocked_countries)),
        "Spend limit": "" if limit is None else f"{amount(limit, currency)} a user and month",
        "Paid after use": "on" if rules.pay_as_you_go else "",
        "At most": "" if cap is None else f"{amount(cap, currency)} a month",
        "Counters": "each for itself" if rules.independent_counters else "",
        "Funded by": "its reseller" if rules.sold_by_reseller else "",
        "Agreement of": rules.agreement_country,
    }
    return {name: value for name, value in shown.items() if value}


def wallet_document(wallet: Wallet, at_ms: int) -> dict[str, Any]:
    """A wallet for programs."""
    return {
        "currency": wallet.currency,
        "balance": decimal_text(wallet.balance_micros),
        "held": decimal_text(wallet.held_micros),
        "debt": decimal_text(wallet.debt_micros),
        "available": decimal_text(wallet.available_micros(at_ms)),
        "lots": [
            {
                "lot_id": str(lot.id),
                "source": lot.source,
                "amount": decimal_text(lot.amount_micros),
                "remaining": decimal_text(lot.remaining_micros),
                "held": decimal_text(lot.held_micros),
                "purchased": moment(lot.purchased_ms),
                "expires": moment(lot.expires_ms),
                "expired": lot.expires_ms <= at_ms,
                "reason": lot.reason,
                "actor": lot.actor,
            }
            for lot in wallet.lots
        ],
    }


def lots_table(wallet: Wallet, at_ms: int) -> RenderableType:
    """A wallet's lots for people, in the order in which they are spent."""
    currency = wallet.currency
    rows = [
        (
            *(lot.source, amount(lot.amount_micros, currency)),
            *(amount(lot.remaining_micros, currency), amount(lot.held_micros, currency)),
            f"{moment(lot.expires_ms)}{' (expired)' if lot.expires_ms <= at_ms else ''}",
            *(lot.actor, lot.reason),
        )
        for lot in wallet.lots
    ]
    columns = ("Source", "Amount", "Left", "Held", "Expires", "By", "Reason")
    empty = "Nothing was funded, or all of it is spent."
    return table(columns, rows, title="Lots", right=("Amount", "Left", "Held"), empty=empty)


group.command("move")(move_command)
