"""A number that moves to an organisation of another cell while a call of it runs."""

from contextlib import ExitStack

import httpx
import pytest

from talktime.core.directory import NumberEntry, Organisation
from talktime.core.limits import BATCH_REQUESTS_MAX, NUMBER_MOVED_MS
from talktime.operations.assign_numbers import assign_number, release_number
from talktime.operations.users import find_user
from tests.books_check import faults
from tests.neighbours import MICROS, add_organisation
from tests.people import PLENTY
from tests.served import SOURCES, Service, SwitchCall, clock_ms, rows_of_books, seeded, serving
from tests.stores import Store

NUMBER, OTHER = "+14255550123", "+14255550124"
SLICE_MICROS, CALL_MICROS = 55_000, 44_000


class Neighbours:
    """Organisations in two cells, and a number that goes from the first to the second."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.demo = seeded(store)
        self.before = add_organisation(store, "south", NUMBER)
        self.after = add_organisation(store, "north", OTHER)

    def move(self, *services: Service) -> None:
        """The number moves; these services know of it."""
        control = self.store.control()
        with control.transaction():
            release_number(control, self.before, NUMBER)
        home = self.store.cell(self.after.cell)
        user = find_user(home, self.after, "desk-north@contoso.example")
        with control.transaction():
            moved = assign_number(
                control, self.after, NUMBER, user=user, allowance=PLENTY, now_ms=clock_ms()
            )
        assert isinstance(moved, NumberEntry)
        for service in services:
            assert service.until(lambda s=service: self.owner(s) == self.after.id)

    def owner(self, service: Service) -> int | None:
        """The number's organisation, as a service knows it."""
        entry = service.engine.directory.directory.number(NUMBER[1:])
        return entry.organisation_id if entry is not None else None

    def wallets(self) -> list[tuple[int, int]]:
        """Balance and what is held of it, of the first and of the second."""
        return [self._wallet(organisation) for organisation in (self.before, self.after)]

    def _wallet(self, organisation: Organisation) -> tuple[int, int]:
        [found] = self.store.cell(organisation.cell).rows(
            "SELECT balance_micros, held_micros FROM wallet WHERE organisation_id = ?",
            [organisation.id],
        )
        return found

    def body(self, sequence: int = 0, number: str = NUMBER) -> dict[str, object]:
        """An authorize of a call from a number."""
        return {"sequence": sequence, "type": "user_out", "from": number, "to": self.demo.callee}

    def faults(self) -> list[str]:
        """What is wrong in the books of either."""
        cells = {self.before.cell, self.after.cell}
        return [fault for cell in cells for fault in faults(self.store.cell(cell))]


def on(service: Service, call: SwitchCall) -> SwitchCall:
    """The same call, conducted over another service."""
    return SwitchCall(service, call.call_id)


@pytest.mark.layouts("sqlite-cells", "postgres-cells", "postgres-servers")
def test_a_call_whose_number_moved_is_answered_where_it_began(store: Store) -> None:
    """By the service that granted it, by one that runs beside it, and by one begun after."""
    both = Neighbours(store)
    with ExitStack() as running:
        first = running.enter_context(serving(store, both.demo))
        beside = running.enter_context(serving(store, both.demo))
        call = first.call()
        granted = call.authorize(**{"from": NUMBER})
        assert granted.status_code == 200, granted.text
        both.move(first, beside)
        after = running.enter_context(serving(store, both.demo))
        books = rows_of_books(store)
        for service in (first, beside, after):
            again = on(service, call).send("authorize", both.body())
            assert (again.status_code, again.content) == (200, granted.content)
            next_one = on(service, call).send("authorize", both.body(sequence=1))
            assert (next_one.status_code, next_one.json()["code"]) == (409, "call_id_taken")
        assert rows_of_books(store) == books
        assert both.wallets() == [(MICROS, SLICE_MICROS), (MICROS, 0)]
        call.sequence = 1
        assert call.next("extend", used_seconds=200).status_code == 200
        settled = on(after, call).send("settle", {"sequence": 2, "used_seconds": 240})
        assert settled.json()["charge"] == "0.044"
        again = on(beside, call).send("authorize", both.body())
        assert (again.status_code, again.content) == (200, granted.content)
    assert both.wallets() == [(MICROS - CALL_MICROS, 0), (MICROS, 0)]
    assert both.faults() == []


@pytest.mark.layouts("sqlite-cells", "postgres-cells")
def test_a_new_call_of_a_number_that_moved_is_its_new_owners(store: Store) -> None:
    both = Neighbours(store)
    both.move()
    with serving(store, both.demo) as service:
        call = service.call()
        granted = call.authorize(**{"from": NUMBER})
        assert granted.status_code == 200, granted.text
        assert both.wallets() == [(MICROS, 0), (MICROS, SLICE_MICROS)]
        again = call.send("authorize", both.body())
        assert (again.status_code, again.content) == (200, granted.content)
        settled = call.next("settle", used_seconds=240)
        assert settled.json()["charge"] == "0.044"
    assert both.wallets() == [(MICROS, 0), (MICROS - CALL_MICROS, 0)]
    assert both.faults() == []


@pytest.mark.layouts("sqlite-cells", "postgres-cells")
def test_calls_whose_number_moved_are_told_from_new_ones_in_a_batch(store: Store) -> None:
    both = Neighbours(store)
    with serving(store, both.demo) as first:
        call = first.call()
        granted = call.authorize(**{"from": NUMBER})
    both.move()
    with serving(store, both.demo) as second:
        settle = {"request": "settle", "sequence": 1, "used_seconds": 240}
        items = [
            {"request": "authorize", "call_id": call.call_id, **both.body()},
            {"call_id": call.call_id, **settle},
            {"request": "authorize", "call_id": "new", **both.body()},
            {"call_id": "new", **settle},
        ]
        answers = second.post("/v1/calls:batch", {"requests": items}).json()["answers"]
    assert [answer["status"] for answer in answers] == [200] * 4
    assert answers[0]["body"] == granted.json()
    assert [answers[place]["body"]["charge"] for place in (1, 3)] == ["0.044"] * 2
    assert both.wallets() == [(MICROS - CALL_MICROS, 0)] * 2
    assert both.faults() == []


@pytest.mark.layouts("sqlite-cells")
def test_while_the_cell_is_away_that_a_number_came_from_its_calls_are_not_granted(
    store: Store,
) -> None:
    """For a day: then no switch repeats a request on a call that began before."""
    both = Neighbours(store)
    both.move()
    away = store.settings.cells[both.before.cell].path
    assert away is not None
    aside = away.with_suffix(".aside")
    tomorrow = SOURCES._replace(clock_ms=lambda: clock_ms() + NUMBER_MOVED_MS)
    with serving(store, both.demo) as today, serving(store, both.demo, sources=tomorrow) as later:
        store.close()
        away.rename(aside)
        call = today.call()
        answer = call.authorize(**{"from": NUMBER})
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert today.call().authorize(**{"from": OTHER}).status_code == 200
        assert later.call().authorize(**{"from": NUMBER}).status_code == 200
        aside.rename(away)
        assert _first_decided(today, call).status_code == 200
    assert both.wallets() == [(MICROS, 0), (MICROS, 3 * SLICE_MICROS)]


def _first_decided(service: Service, call: SwitchCall) -> httpx.Response:
    """Authorize again until it is decided, as a switch does."""
    for _ in range(1_000):
        answer = call.authorize(**{"from": NUMBER})
        if answer.status_code != 503:
            return answer
        with service.engine.refreshed:
            service.engine.refreshed.wait(0.05)
    raise AssertionError("the service did not recover")


@pytest.mark.layouts("sqlite-cells", "postgres-cells")
def test_a_call_id_that_a_call_in_another_cell_has_is_refused(store: Store) -> None:
    both = Neighbours(store)
    with serving(store, both.demo) as service:
        call = service.call()
        assert call.authorize(**{"from": NUMBER}).status_code == 200
        for _ in range(2):
            for sequence, code in ((0, "sequence_reused"), (1, "call_id_taken")):
                answer = call.send("authorize", both.body(sequence, OTHER))
                assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert both.wallets() == [(MICROS, SLICE_MICROS), (MICROS, 0)]
        assert call.next("settle", used_seconds=240).json()["charge"] == "0.044"


@pytest.mark.layouts("sqlite-cells", "postgres-cells")
def test_one_call_id_for_organisations_of_two_cells_in_a_batch_is_the_firsts(store: Store) -> None:
    both = Neighbours(store)
    with serving(store, both.demo) as service:
        item = {"request": "authorize", "call_id": "twice"}
        one, another = [{**item, **both.body(number=number)} for number in (NUMBER, OTHER)]
        sent = [one, *[another] * (BATCH_REQUESTS_MAX - 2), one]
        answers = service.post("/v1/calls:batch", {"requests": sent}).json()["answers"]
    assert [answer["status"] for answer in answers] == [200, *[409] * (len(sent) - 2), 200]
    assert answers[1]["body"]["code"] == "sequence_reused"
    assert answers[-1]["body"] == answers[0]["body"]
    assert both.wallets() == [(MICROS, SLICE_MICROS), (MICROS, 0)]
    assert both.faults() == []
