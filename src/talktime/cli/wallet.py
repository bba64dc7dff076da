"""`talktime wallet`: what an organisation has, when it expires, and whether it is kept filled."""

from talktime.cli.counters import counter_of
from talktime.cli.organisations import lots_table
from talktime.cli.output import Json, amount, moment, panel, show, table
from talktime.cli.purchases import Organisation_
from talktime.cli.recharge import picture as recharge_picture
from talktime.operations.money_documents import wallet_document
from talktime.operations.wallet_view import view_wallet


def wallet_command(organisation: Organisation_, json: Json = False) -> None:
    """Show a wallet: balance, lots, when they expire, and how auto-recharge stands."""
    with counter_of(organisation) as (owner, counter, why_not, *_):
        view = view_wallet(counter, why_not)
    currency = view.currency
    facts = {
        "Available": amount(view.available_micros, currency),
        "Held": amount(view.held_micros, currency),
        "Balance": amount(view.balance_micros, currency),
        "Debt": amount(view.debt_micros, currency),
        "Buying": "possible" if view.why_not is None else view.why_not.detail,
    }
    months = [
        (month.month, moment(month.first_ms), month.lots, amount(month.amount_micros, currency))
        for month in view.calendar
    ]
    calendar = table(
        ("Month", "From", "Lots", "Expires unless spent"),
        months,
        title="Expiry calendar",
        right=("Lots", "Expires unless spent"),
        empty="Nothing will expire.",
    )
    show(
        json,
        wallet_document(owner, view),
        panel(owner.name, facts),
        lots_table(view.recharge.wallet, view.now_ms),
        calendar,
        recharge_picture(owner, view.recharge),
    )
