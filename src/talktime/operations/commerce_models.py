"""How an organisation pays: prepaid or after use, and the way between them (D14, R71-R74).

    prepaid ──► draining ──► post_usage      asked for; by itself, when no credits are left
       └───────────┴─────────────┘           asked for; where nothing is owed

The wallet is marked as moving in the cell before the control plane has the new model, so that
nothing can be bought any more when calls begin to be paid after use. The job `move_wallets`
finishes what was interrupted in between; whoever opens the till then keeps with the wallet why
nothing can be bought, as the model has it.
"""

from typing import NamedTuple

from talktime.core.directory import COMMERCE_MODELS, Organisation
from talktime.core.ledger import Lot, Wallet
from talktime.core.limits import ACTOR_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.notices import Notice, notice
from talktime.core.payments import Payment, Till
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.counters import Counters
from talktime.operations.input_checks import check_one_of, check_text
from talktime.operations.recharge_settings import note_recharge, plan_of, turn_off
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.till import CLOSED, MOVING, Counter, NoWallet, counter_refusal, open_till
from talktime.store import post_statements as statements
from talktime.store.database import Connection
from talktime.store.organisations import (
    marked_wallets,
    organisation_of_id,
    organisations_on_the_move,
    prepaid_among,
    update_organisation,
    wallets_here,
)
from talktime.store.revisions import DIRECTORY, lock
from talktime.store.wallet_shown import till_shown, wallet_shown

PREPAID, DRAINING, POST_USAGE = COMMERCE_MODELS
ASKED = (PREPAID, POST_USAGE)
"""What can be asked for; on the way to post_usage an organisation is draining."""
MOVED_BLOCKED = (
    "the reseller has moved this organisation to post-usage billing, but auto-recharge is still on "
    "and would refill the balance for ever: turn auto-recharge off"
)


class Preview(NamedTuple):
    """What a change of the model would do, to be shown before it is made.

    `lots` are the credits that are left, the soonest to expire first; `attempt` is the recharge on
    its way. `refusal` says why the change cannot be made; `effects` say in words what it does.
    """

    organisation: Organisation
    to: str
    balance_micros: int
    held_micros: int
    lots: tuple[Lot, ...]
    recharge_on: bool
    attempt: Payment | None
    refusal: Refusal | None
    effects: tuple[str, ...]


def own_cap(organisation: Organisation, cap_micros: int | None) -> Refusal | None:
    """Whether an organisation itself may set this monthly limit of what it pays after use (micros;
    None for none): a limit that is there is the operator's risk, and may only be lowered. Refuses:
    invalid_value."""
    old_micros = organisation.rules.post_usage_cap_micros
    if old_micros is None or (cap_micros is not None and cap_micros <= old_micros):
        return None
    limit = f"{decimal_text(old_micros)} {organisation.currency}"
    detail = f"the monthly limit is {limit}: it can be lowered here, and raised by the operator"
    return Refusal("invalid_value", detail)


def preview_change(counter: Counter, to: str) -> Preview | Refusal:
    """What it would do to change the organisation's model to prepaid or post_usage; takes no lock.
    Refuses: invalid_value, unknown_organisation."""
    refusal = check_one_of("the commerce model", to, ASKED)
    if refusal is not None:
        return refusal
    cell, organisation = counter.cell, counter.organisation
    with cell.reading():
        wallet = wallet_shown(cell, organisation.id, counter.next_id)
        till = till_shown(cell, organisation.id, counter.now_ms)
        owed = _still_owed(cell, organisation) if to == PREPAID else None
        credit_micros = statements.credit_after_use(cell, organisation.id)
    if wallet is None:
        return counter_refusal(NoWallet(f"organisation {organisation.id} has no wallet"))
    return Preview(
        organisation,
        to,
        wallet.balance_micros,
        wallet.held_micros,
        tuple(lot for lot in wallet.lots if lot.expires_ms > counter.now_ms),
        till.recharge is not None and till.recharge.enabled,
        till.open_recharge(),
        owed,
        _effects(organisation, wallet, till, to, counter.now_ms, credit_micros),
    )


def change_model(
    control: Connection, counter: Counter, to: str, *, actor: str
) -> Organisation | Refusal:
    """Change how the organisation pays, in transactions of its own: first the cell's, then the
    control plane's. To post_usage: it is draining until its credits are used up or expired, and
    post_usage at once where it has none. Again is no harm.

    Refuses: invalid_value; unknown_organisation; still_owed on the way to prepaid, saying what.
    """
    refusal = check_one_of("the commerce model", to, ASKED)
    refusal = refusal or check_text("the actor", actor, ACTOR_TEXT_MAX)
    if refusal is not None:
        return refusal
    model = counter.organisation.commerce_model
    if model == to or (model == DRAINING and to == POST_USAGE):
        return counter.organisation
    try:
        if to == PREPAID:
            return _end(control, counter, actor)
        return _drain(control, counter, actor)
    except NoWallet as error:
        return counter_refusal(error)


def mark_moved(control: Connection, organisation: Organisation, moved: bool) -> Organisation:
    """Note that the organisation's reseller has moved it to post-usage billing (R73); the caller
    opens and commits the control plane's transaction. The job makes the change, unless
    auto-recharge is on: then `blocked_move` says what to do."""
    rules = organisation.rules._replace(moved=moved)
    changed = organisation._replace(rules=rules)
    if changed != organisation:
        update_organisation(control, changed)
        before, after = {"moved": organisation.rules.moved}, {"moved": moved}
        note(
            *(control, organisation.id, "model.moved_by_reseller", organisation.name),
            before=before,
            after=after,
        )
    return changed


def blocked_move(organisation: Organisation, recharge_on: bool) -> str:
    """What keeps an organisation that was moved by its reseller from being billed after use, with
    the one step to take; empty where nothing does (R73)."""
    moved = organisation.rules.moved and organisation.commerce_model == PREPAID
    return MOVED_BLOCKED if moved and recharge_on else ""


def move_wallets(sweep: Sweep) -> Swept:
    """Move on what is on its way to post-usage billing in a cell: finish what was interrupted,
    begin where a reseller has moved an organisation, end where no credits are left; counts the
    changes. Raises Outage."""
    if sweep.control is None:
        raise ValueError("models are changed with the control plane")
    control, cell = sweep.control(), sweep.connection
    with control.reading():
        found = organisations_on_the_move(control)
    with cell.reading():
        ids = wallets_here(cell, found) | marked_wallets(cell, [MOVING])
        closed = marked_wallets(cell, [DRAINING, POST_USAGE])
    with control.reading():
        # Read after the marks were: they were moved back since, and the mark was left.
        ids |= prepaid_among(control, closed)
    counters, moved = Counters(sweep.control, cell, sweep.clock_ms, sweep.next_id), 0
    for organisation_id in sorted(ids):
        counter = counters.of_id(organisation_id)
        if sweep.stopping():
            break
        if counter is not None:
            moved += _moved_on(control, counter)
    return Swept(moved)


def _moved_on(control: Connection, counter: Counter) -> bool:
    organisation = counter.organisation
    with counter.cell.reading():
        wallet = wallet_shown(counter.cell, organisation.id, counter.next_id)
        till = till_shown(counter.cell, organisation.id, counter.now_ms)
    if wallet is None:
        return False
    if wallet.no_buying in (DRAINING, POST_USAGE) and organisation.commerce_model == PREPAID:
        return _open_again(counter, "The change to prepaid was finished")
    if wallet.no_buying != MOVING:
        if organisation.commerce_model == PREPAID:
            due = organisation.rules.moved and not (till.recharge and till.recharge.enabled)
        else:
            due = _used_up(wallet, till, counter.now_ms)
        if not due:
            return False
    actor = "the reseller" if organisation.rules.moved else "the service"
    return _drain(control, counter, actor) != organisation


def _drain(control: Connection, counter: Counter, actor: str) -> Organisation:
    """Turn auto-recharge off and let nothing be bought; then write the model: post_usage where no
    credits are left."""
    with open_till(counter) as collector:
        wallet, till = collector.wallet, collector.till
        if till.recharge is not None and till.recharge.enabled:
            before = plan_of(till.recharge)
            turn_off(till, counter.now_ms, actor)
            note_recharge(counter, before, till.recharge)
        if wallet.no_buying != MOVING:
            wallet.no_buying, wallet.watch_changed = MOVING, True
        empty = _used_up(wallet, till, counter.now_ms)
    model = POST_USAGE if empty else DRAINING
    changed = _written(control, counter.organisation.id, model)
    why = "The credits are used up or expired" if empty else f"Changed by {actor}"
    _tell(counter, model, model, why)
    return changed


def _end(control: Connection, counter: Counter, actor: str) -> Organisation | Refusal:
    """Let credits be bought again, where nothing is owed."""
    with counter.cell.reading():
        owed = _still_owed(counter.cell, counter.organisation)
    if owed is not None:
        return owed
    with open_till(counter):
        pass  # the mark of the old model is there, whoever takes it away tells of the new one
    changed = _written(control, counter.organisation.id, PREPAID)
    _open_again(counter._replace(no_buying=""), f"Changed by {actor}")
    return changed


def _open_again(counter: Counter, reason: str) -> bool:
    """Take the mark of the old model away and tell of the new one: once, whether it is the change
    itself or the job that finishes it. The counter is of the new model."""
    with open_till(counter) as collector:
        marked = collector.wallet.no_buying in CLOSED
        if marked:
            collector.wallet.no_buying, collector.wallet.watch_changed = None, True
            collector.books.tell(_changed(counter, PREPAID, reason))
    return marked


def _tell(counter: Counter, model: str, no_buying: str, reason: str) -> None:
    """Keep with the wallet why nothing can be bought now, and tell of the new model."""
    with open_till(counter) as collector:
        collector.wallet.no_buying, collector.wallet.watch_changed = no_buying, True
        collector.books.tell(_changed(counter, model, reason))


def _changed(counter: Counter, model: str, reason: str) -> Notice:
    return notice(
        counter.organisation.id,
        "model.changed",
        f"model.changed/{model}/{counter.now_ms}",
        counter.now_ms,
        model=model,
        reason=reason,
    )


def _written(control: Connection, organisation_id: int, model: str) -> Organisation:
    with control.transaction():
        lock(control, DIRECTORY)
        found = organisation_of_id(control, organisation_id)
        if found is None:
            raise LookupError(f"organisation {organisation_id} is gone")
        rules = found.rules._replace(moved=False) if model == PREPAID else found.rules
        changed = found._replace(commerce_model=model, rules=rules)
        if changed != found:
            update_organisation(control, changed)
            note(
                *(control, found.id, "model.changed", found.name),
                before={"commerce_model": found.commerce_model, "moved": found.rules.moved},
                after={"commerce_model": model, "moved": rules.moved},
            )
    return changed


def _used_up(wallet: Wallet, till: Till, now_ms: int) -> bool:
    left = any(lot.expires_ms > now_ms and lot.remaining_micros for lot in wallet.lots)
    return not left and wallet.held_micros == 0 and till.open_recharge() is None


def _still_owed(cell: Connection, organisation: Organisation) -> Refusal | None:
    currency = organisation.currency
    for statement in statements.open_statements(cell, organisation.id):
        left = decimal_text(statement.to_pay_micros(currency))
        detail = f"{left} {currency} of the statement of {statement.month} is left to pay"
        return Refusal("still_owed", detail)
    running = statements.calls_after_use(cell, organisation.id)
    if running:
        return Refusal("still_owed", f"calls that are paid after use are running: {running}")
    unbilled_micros = sum(statements.unbilled_by_month(cell, organisation.id).values())
    if unbilled_micros > 0:
        detail = f"{decimal_text(unbilled_micros)} {currency} was used and is on no statement yet"
        return Refusal("still_owed", detail)
    return None


def _effects(
    organisation: Organisation, wallet: Wallet, till: Till, to: str, now_ms: int, credit_micros: int
) -> tuple[str, ...]:
    if to == PREPAID:
        said = [
            "calls are paid by credits alone, which can be bought again",
            "auto-recharge stays off until it is turned on",
        ]
        if credit_micros:
            credit = f"{decimal_text(credit_micros)} {organisation.currency}"
            said.append(
                f"{credit} was billed too much after use: the operator makes credits of it, or "
                "pays it out"
            )
        return tuple(said)
    rules, currency = organisation.rules, organisation.currency
    said = ["no credits can be bought any more"]
    if till.recharge is not None and till.recharge.enabled:
        said.append("auto-recharge is turned off")
    if till.open_recharge() is not None:
        said.append("the recharge on its way is finished, and its credits are used up too")
    bought_micros = till.purchases_open_micros()
    if bought_micros:
        amount = f"{decimal_text(bought_micros)} {currency}"
        said.append(
            f"purchases of {amount} on their way are finished: what is paid of them is used up "
            "first, too"
        )
    left_micros = sum(lot.remaining_micros for lot in wallet.lots if lot.expires_ms > now_ms)
    if left_micros:
        left = f"{decimal_text(left_micros)} {currency}"
        said.append(f"the {left} left is used up first; what is not used expires as before")
    cap = rules.post_usage_cap_micros
    if not rules.pay_as_you_go:
        said.append(
            "pay-as-you-go is off: then calls that need money are refused; turn it on to have them "
            "billed monthly"
        )
    elif cap is None:
        said.append("then calls are billed monthly, without a limit")
    else:
        said.append(f"then calls are billed monthly, up to {decimal_text(cap)} {currency} a month")
    return tuple(said)
