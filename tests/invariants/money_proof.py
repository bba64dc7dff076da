"""What must hold of money that came in, whatever happened: proven against the bank's own books."""

from talktime.core.recharging import DAY_MS, Wanted
from talktime.operations.check_books import check_books
from talktime.operations.recharge_settings import view_recharge
from tests.books_check import faults
from tests.invariants.money_world import World

OPEN_RECHARGES = "SELECT COUNT(*) FROM payment WHERE kind = 'recharge' AND closed_ms IS NULL"
BOUGHT = (
    "SELECT COALESCE(SUM(l.amount_micros), 0) FROM lot l JOIN payment p ON p.lot_id = l.id "
    "JOIN payment_try t ON t.payment_id = p.id WHERE t.state = 'succeeded'"
)
BY_INVOICE = (
    "SELECT COALESCE(SUM(l.amount_micros), 0) FROM lot l JOIN payment p ON p.lot_id = l.id "
    "JOIN payment_method m ON m.id = p.method_id WHERE m.kind = 'invoice'"
)
LOTS = "SELECT COALESCE(SUM(amount_micros), 0), COUNT(*) FROM lot WHERE source <> 'adjustment'"
UNCREDITED = (
    "SELECT p.id FROM payment p JOIN payment_try t ON t.payment_id = p.id "
    "WHERE t.state = 'succeeded' AND (p.lot_id IS NULL OR p.state <> 'succeeded')"
)
UNPAID = (
    "SELECT p.id FROM payment p JOIN payment_method m ON m.id = p.method_id AND m.kind = 'card' "
    "WHERE p.state = 'succeeded' AND NOT EXISTS (SELECT 1 FROM payment_try t "
    "WHERE t.payment_id = p.id AND t.state = 'succeeded' AND t.amount_micros = p.amount_micros)"
)
INVOICES = (
    "SELECT COUNT(*) FROM document d JOIN lot l ON l.id = d.lot_id "
    "WHERE d.kind = 'invoice' AND l.source <> 'adjustment'"
)
DOCUMENTS = "SELECT COUNT(*), COALESCE(MAX(number), 0) FROM document"
TOLD = "SELECT COUNT(*) FROM outbox WHERE kind IN ('purchase.succeeded', 'recharge.succeeded')"
# What came in from outside, less what went back: the other side of every such transfer.
FUNDING = (
    "SELECT COALESCE(SUM(CASE WHEN debit_account = 1 THEN amount_micros ELSE 0 END), 0) "
    "- COALESCE(SUM(CASE WHEN credit_account = 1 THEN amount_micros ELSE 0 END), 0) FROM transfer"
)
BY_HAND = (
    "SELECT COALESCE(SUM(r.amount_micros), 0) FROM refund r JOIN payment p ON p.id = r.payment_id "
    "JOIN payment_method m ON m.id = p.method_id WHERE m.kind = 'invoice'"
)
STILL_OPEN = "SELECT id, state, due_ms FROM payment WHERE closed_ms IS NULL AND state <> 'invoiced'"

NOT_FORGOTTEN = "SELECT id FROM payment_method WHERE forget_ms IS NOT NULL"


def hold_always(world: World) -> None:
    """After every step, whatever it was: at most one open attempt, clean books, honest money."""
    cell = world.plain_cell
    assert cell.rows(OPEN_RECHARGES)[0][0] <= 1, "two open attempts"
    assert world.bank.charged_twice() == [], "a try was charged twice"
    assert cell.rows(UNCREDITED) == [], "money was taken, and there is no credit"
    assert cell.rows(UNPAID) == [], "there is credit, and no money was taken"
    micros, lots = cell.rows(LOTS)[0]
    assert micros <= world.bank.total_charged_micros(world.organisation.id) + by_invoice(world)
    assert cell.rows(INVOICES)[0][0] == lots, "a funding has no invoice, or two"
    count, last = cell.rows(DOCUMENTS)[0]
    assert count == last, "the numbers of documents have gaps"
    assert cell.rows(TOLD)[0][0] == lots, "a funding was not told, or twice"


def hold_at_the_end(world: World) -> None:
    """When all is well again: what the bank took is what was bought, nothing is left open, and
    nothing that should be bought is not."""
    cell = world.plain_cell
    hold_always(world)
    assert faults(cell) == []
    checked = check_books(cell, world.clock_ms)
    assert checked.clean, [finding.words for finding in checked.findings]
    charged = world.bank.total_charged_micros(world.organisation.id)
    micros, _ = cell.rows(LOTS)[0]
    assert charged + by_invoice(world) == micros, "the bank took another sum than was bought"
    assert cell.rows(BOUGHT)[0][0] == charged
    kept = world.bank.kept_micros(world.organisation.id) + by_invoice(world)
    assert cell.rows(FUNDING)[0][0] == kept - cell.rows(BY_HAND)[0][0], (
        "another sum is at the bank than the books say"
    )
    for _, state, due_ms in cell.rows(STILL_OPEN):
        assert state in ("declined", "charging", "confirming", "unknown"), state
        assert due_ms is not None
        assert due_ms > world.now_ms - DAY_MS, f"nobody cares about a payment that is {state}"
    counter = world._counter()
    marks = {"prepaid": [None], "draining": ["draining"], "post_usage": ["post_usage"]}
    [(mark,)] = cell.rows("SELECT no_buying FROM wallet")
    assert mark in marks[counter.organisation.commerce_model], f"{mark} after all is well"
    assert cell.rows(NOT_FORGOTTEN) == [], "a removed card can still be charged"
    standing = view_recharge(counter).standing
    assert not isinstance(standing, Wanted), "a recharge is due, and nothing is done"


def by_invoice(world: World) -> int:
    """What was bought by invoice: the bank knows nothing of it."""
    return int(world.plain_cell.rows(BY_INVOICE)[0][0])
