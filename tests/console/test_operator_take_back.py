"""Credits taken back in the console, by the forms of its pages. Mirrors
src/talktime/console/operator/take_back_page.py."""

from contextlib import closing

from talktime.console.cell.models import Lot, TakenBack
from talktime.core.rating import Rate
from talktime.operations.execute import execute
from talktime.operations.expire_lots import expire_lots
from talktime.operations.sweep import Sweep
from tests.commands import authorize
from tests.console.test_operator_flows import CELL, EMAIL, Staff, at, ordered
from tests.console.test_operator_flows import money as money
from tests.console.test_operator_flows import staff as staff
from tests.console.test_pages import words_of


def test_credits_entered_by_mistake_are_taken_back_once_and_told(money, staff):
    staff.sure(at(money, "grant/"), amount="200", reason="Instead of 20")
    lot = Lot.objects.using(CELL).get()
    path = at(money, f"lots/{lot.id}/take-back/")
    assert f'href="/operator/{path}"' in staff.get(at(money)).content.decode()
    seen = staff.client.get(f"/organisations/{money.owner.id}/credits/lots/{lot.id}/")
    assert f'href="/operator/{path}"' in seen.content.decode()
    form = staff.get(path)
    assert 'name="amount" value="200"' in form.content.decode()
    refused = staff.post(path, form, amount="200.01", reason="Much", owe="on")
    assert refused.status_code == 422
    assert "above 0 and at most 200 USD, not 200.01" in words_of(refused)
    asked, done = staff.sure(path, amount="180", reason="Typed a zero too many")
    assert "To take back US$180.00" in words_of(asked)
    assert "becomes a debt" not in words_of(asked)
    assert (done.status_code, staff.post(path, asked).status_code) == (302, 302)
    taken = TakenBack.objects.using(CELL).get()
    assert (taken.amount_micros, taken.debt_micros) == (180_000_000, 0)
    assert (taken.actor, taken.reason) == (EMAIL, "Typed a zero too many")
    assert Lot.objects.using(CELL).get().remaining_micros == 20_000_000
    shown = staff.client.get(f"/organisations/{money.owner.id}/credits/lots/{lot.id}/")
    assert "Credits taken back by the operator" in words_of(shown)
    listed = staff.get(at(money))
    assert "US$200.00 US$180.00 taken back US$20.00" in words_of(listed)
    assert f'href="/operator/{path}"' in listed.content.decode()
    staff.sure(path, amount="20", reason="All of it")
    for page in (listed.request["PATH_INFO"], shown.request["PATH_INFO"]):
        assert path not in staff.client.get(page).content.decode()


def test_what_is_held_is_taken_back_as_a_debt_where_the_operator_says_so(money, staff):
    staff.sure(at(money, "grant/"), amount="200", reason="Instead of 20")
    lot = Lot.objects.using(CELL).get()
    with closing(money.cell()) as cell, cell.transaction():
        rate = Rate("49", "Germany", 50_000_000, 0, 60, 60)
        asked = authorize(
            "c1", organisation_id=money.owner.id, at_ms=money.now_ms, requested_s=60, rate=rate
        )
        execute(cell, [asked], money.now_ms, money.ids)
    path = at(money, f"lots/{lot.id}/take-back/")
    form = staff.get(path)
    assert 'name="amount" value="150"' in form.content.decode()
    refused = staff.post(path, form, amount="200", reason="All of it")
    assert f"150 USD of lot {lot.id} is free, not 200. Take back what is free" in words_of(refused)
    asked, done = staff.sure(path, amount="200", reason="All of it", owe="on")
    assert "US$50.00 of it is not free any more: it becomes a debt" in words_of(asked)
    assert done.status_code == 302
    taken = TakenBack.objects.using(CELL).get()
    assert (taken.voided_micros, taken.debt_micros) == (150_000_000, 50_000_000)
    nothing = staff.get(path)
    assert nothing.status_code == 409
    assert "was taken back or has expired. Leave the lot as it is" in words_of(nothing)


def test_a_lot_that_has_expired_whole_is_not_offered_to_be_taken_back(money, staff):
    staff.sure(at(money, "grant/"), amount="20", reason="Goodwill")
    lot = Lot.objects.using(CELL).get()
    path = at(money, f"lots/{lot.id}/take-back/")
    assert path in staff.get(at(money)).content.decode()
    with closing(money.cell()) as cell:
        expire_lots(Sweep(cell, lambda: lot.expires_ms, money.ids))
    assert path not in staff.get(at(money)).content.decode()


def test_what_is_no_lot_or_was_paid_for_is_not_taken_back(money, staff):
    payment = ordered(money).payment
    staff.sure(at(money, f"payments/{payment.id}/receipt/"), reference="B 9")
    lot = Lot.objects.using(CELL).get()
    refused = staff.get(at(money, f"lots/{lot.id}/take-back/"))
    assert refused.status_code == 409
    assert "refund the payment instead" in words_of(refused)
    assert staff.get(at(money, "lots/5/take-back/")).status_code == 404
    assert "Credits entered by hand" not in words_of(staff.get(at(money)))
    finance = Staff(money, "finance@operator.example", "finance")
    assert finance.get(at(money, f"lots/{lot.id}/take-back/")).status_code == 404
