"""Add a card: begun by a person, entered on a page of the provider's, found there by a job.

A card number never comes near us. Who begins one looks at it again until there is a page to go to
(`url`), and again when the person has come back, until the card is there.
"""

from talktime.core.charges import (
    CardAdded,
    CardPage,
    Failed,
    Misconfigured,
    Unknown,
    Waiting,
)
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    ANSWER_TEXT_MAX,
    CARD_SETUP_MS_MAX,
    CARD_SETUPS_OPEN_MAX,
    RETURN_URL_TEXT_MAX,
)
from talktime.core.payments import CARD, PaymentMethod
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_text, first
from talktime.operations.payment_methods import add_method
from talktime.operations.till import Counter
from talktime.store.card_setups import (
    CardSetup,
    customer_at,
    insert_setup,
    open_setups,
    setup_of_id,
    update_setup,
)
from talktime.store.load import LOCK_WALLETS

STARTED, WAITING, DONE, FAILED = ("started", "waiting", "done", "failed")
SOON_MS, OFTEN_MS, SELDOM_MS = 5_000, 600_000, 3_600_000
"""It is asked every five seconds for ten minutes, then each hour."""
CardAnswer = CardPage | CardAdded | Waiting | Failed | Unknown | Misconfigured
SETUP_PLACE = "{setup}"


def begin_card(
    counter: Counter, *, provider: str, return_url: str, actor: str
) -> CardSetup | Refusal:
    """As `set_up_card`, in a transaction of its own. Refuses: invalid_value."""
    with counter.cell.transaction():
        return set_up_card(counter, provider=provider, return_url=return_url, actor=actor)


def set_up_card(
    counter: Counter, *, provider: str, return_url: str, actor: str
) -> CardSetup | Refusal:
    """Begin to add a card at this provider, inside the caller's transaction; a job gets its page
    at once. The person comes back to `return_url`; `{setup}` in it becomes the id of what is begun.

    Refuses: invalid_value, for too many at once too.
    """
    setup_id = counter.next_id()
    back = return_url.replace(SETUP_PLACE, str(setup_id))
    refusal = first(
        check_text("the actor", actor, ACTOR_TEXT_MAX),
        check_text("the address to come back to", back, RETURN_URL_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    cell, organisation_id, now_ms = counter.cell, counter.organisation.id, counter.now_ms
    cell.rows(LOCK_WALLETS, [[organisation_id]])
    if open_setups(cell, organisation_id, now_ms - CARD_SETUP_MS_MAX) >= CARD_SETUPS_OPEN_MAX:
        detail = f"{CARD_SETUPS_OPEN_MAX} cards are being added already: try again tomorrow"
        return Refusal("invalid_value", detail)
    setup = CardSetup(
        *(setup_id, organisation_id, provider, STARTED, back, ""),
        *(customer_at(cell, organisation_id, provider), "", 0, None, "", 0),
        *(now_ms, now_ms, actor),
    )
    insert_setup(cell, setup)
    note(cell, organisation_id, "card.begun", after={"provider": provider})
    return setup


def find_card_setup(counter: Counter, setup_id: int) -> CardSetup | Refusal:
    """How adding a card stands. Refuses: unknown_payment_method."""
    with counter.cell.reading():
        found = setup_of_id(counter.cell, counter.organisation.id, setup_id)
    return found or Refusal("unknown_payment_method", f"no card is being added as {setup_id}")


def note_card(counter: Counter, setup_id: int, answer: CardAnswer) -> CardSetup | None:
    """Write down what the provider said: there is a page, nothing yet, or the card, which becomes
    the last of the methods. Noted twice, it is added once; None where there is no such set-up."""
    cell, organisation_id, now_ms = counter.cell, counter.organisation.id, counter.now_ms
    with cell.transaction():
        cell.rows(LOCK_WALLETS, [[organisation_id]])
        setup = setup_of_id(cell, organisation_id, setup_id)
        if setup is None or setup.state in (DONE, FAILED):
            return setup
        setup.tries = min(setup.tries + 1, 30_000)
        match answer:
            case CardPage() if now_ms - setup.created_ms < CARD_SETUP_MS_MAX:
                setup.state, setup.url = WAITING, answer.url
                setup.customer_ref, setup.setup_ref = answer.customer_ref, answer.setup_ref
                setup.due_ms = now_ms + SOON_MS
            case CardAdded():
                _added(counter, setup, answer)
            case Failed():
                _over(setup, FAILED, answer.detail)
            case Unknown() | Misconfigured() if now_ms - setup.created_ms < CARD_SETUP_MS_MAX:
                setup.detail, setup.due_ms = (
                    answer.detail[:ANSWER_TEXT_MAX],
                    _next_ms(setup, now_ms),
                )
            case Waiting() if now_ms - setup.created_ms < CARD_SETUP_MS_MAX:
                setup.detail, setup.due_ms = "", _next_ms(setup, now_ms)
            case _:
                _over(setup, FAILED, "No card was entered within a day")
        update_setup(cell, setup)
    return setup


def _added(counter: Counter, setup: CardSetup, card: CardAdded) -> None:
    method = PaymentMethod(
        counter.next_id(),
        setup.organisation_id,
        CARD,
        "active",
        0,
        setup.provider,
        setup.customer_ref,
        card.method_ref,
        card.brand[:32],
        card.last4[:4],
        card.exp_year,
        card.exp_month,
        *("", ""),
        counter.now_ms,
        setup.created_by,
    )
    added = add_method(counter.cell, method)
    if isinstance(added, Refusal):
        _over(setup, FAILED, added.detail)
    else:
        setup.method_id = added.id
        _over(setup, DONE, "")


def _over(setup: CardSetup, state: str, detail: str) -> None:
    setup.state, setup.detail, setup.due_ms = state, detail[:ANSWER_TEXT_MAX], None


def _next_ms(setup: CardSetup, now_ms: int) -> int:
    often = now_ms - setup.created_ms < OFTEN_MS
    return now_ms + (SOON_MS if often else SELDOM_MS)
