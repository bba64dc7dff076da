"""Routing, caches that follow, and several engines at once. Mirrors src/talktime/engine."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from talktime.core.rates import RateRow
from talktime.core.rating import Rate
from talktime.operations.import_rates import import_rates
from talktime.operations.organisations import change_organisation
from talktime.operations.seed_demo import CARD, CARD_FROM_MS
from talktime.operations.user_changes import UserChange
from talktime.operations.users import change_user
from tests.books_check import faults
from tests.neighbours import MICROS, add_organisation
from tests.people import CATALOGUE
from tests.served import Service, clock_ms, new_id, seeded, serving
from tests.stores import Store

CALLED = "+442079460958"


@pytest.fixture
def service(store: Store) -> Iterator[Service]:
    """The charging API on a store, over HTTP."""
    with serving(store) as running:
        yield running


@pytest.mark.layouts("sqlite-cells", "postgres-cells", "postgres-servers")
def test_each_organisation_is_charged_in_its_own_cell(service: Service, store: Store) -> None:
    numbers = {cell: f"+1425555012{place}" for place, cell in enumerate(store.cells)}
    homes = {cell: add_organisation(store, cell, number) for cell, number in numbers.items()}
    directory = service.engine.directory.directory
    assert service.until(
        lambda: all(
            directory.number(number[1:]) is not None
            and directory.user_named(f"desk-{cell}@contoso.example") is not None
            for cell, number in numbers.items()
        )
    )
    items = [
        {"request": verb, "call_id": cell, "sequence": sequence, **body}
        for sequence, (verb, body) in enumerate(
            [("authorize", {"type": "user_out", "to": CALLED}), ("settle", {"used_seconds": 60})]
        )
        for cell in store.cells
    ]
    for item in items:
        if item["request"] == "authorize":
            item["from"] = numbers[str(item["call_id"])]
    answers = service.post("/v1/calls:batch", {"requests": items}).json()["answers"]
    assert [answer["status"] for answer in answers] == [200] * 6
    assert [answer["body"]["call_id"] for answer in answers] == list(store.cells) * 2
    for cell, organisation in homes.items():
        found = store.cell(cell).rows(
            "SELECT balance_micros FROM wallet WHERE organisation_id = ?", [organisation.id]
        )
        assert found == [(MICROS - 11_000,)]
        assert service.get(f"/v1/calls/{cell}").json()["state"] == "settled"


@pytest.mark.layouts("sqlite-cells", "postgres-cells")
def test_an_engine_that_has_never_seen_a_call_finds_its_cell(store: Store) -> None:
    demo = seeded(store)
    add_organisation(store, "south", "+14255550123")
    with serving(store, demo) as first, serving(store, demo) as second:
        call = first.call()
        granted = call.authorize(**{"from": "+14255550123"})
        assert granted.status_code == 200, granted.text
        extend = {"sequence": 1, "used_seconds": 240}
        settle = {"sequence": 2, "used_seconds": 300}
        assert second.get(call.path).json()["state"] == "open"
        extended = second.post(f"{call.path}/extend", extend)
        assert extended.json()["granted_seconds"] == 300
        assert first.post(f"{call.path}/extend", extend).content == extended.content
        settled = second.post(f"{call.path}/settle", settle)
        assert settled.json()["charge"] == "0.055"
        items = [{"request": "settle", "call_id": call.call_id, **settle}] * 2
        answers = first.post("/v1/calls:batch", {"requests": items}).json()["answers"]
        assert [answer["body"] for answer in answers] == [settled.json()] * 2


@pytest.mark.layouts("postgres", "sqlite")
def test_several_engines_on_one_wallet_never_oversell_it(store: Store) -> None:
    demo = seeded(store)
    add_organisation(store, "main", "+14255550123")
    with ExitStack() as running:
        engines = [running.enter_context(serving(store, demo)) for _ in range(3)]
        calls = [engine.call() for engine in engines for _ in range(20)]
        with ThreadPoolExecutor(12) as threads:
            answers = list(
                threads.map(lambda call: call.authorize(**{"from": "+14255550123"}), calls)
            )
            # 1.00 pays eighteen slices of 0.055, and one of 0.01 is too short for a minute.
            assert sum(answer.status_code == 200 for answer in answers) == 18
            assert sum(answer.status_code == 402 for answer in answers) == 42
            granted = [
                call for call, answer in zip(calls, answers, strict=True) if answer.is_success
            ]
            settled = list(threads.map(lambda call: call.next("settle", used_seconds=300), granted))
        assert {answer.json()["charge"] for answer in settled} == {"0.055"}
    assert faults(store.cell()) == []
    balances = store.cell().rows("SELECT balance_micros, held_micros FROM wallet ORDER BY 1")
    assert balances == [(10_000, 0), (105 * MICROS, 0)]


@pytest.mark.layouts("sqlite", "postgres", "postgres-servers")
def test_what_changes_in_the_directory_is_known_to_every_engine(store: Store) -> None:
    demo = seeded(store)
    with serving(store, demo) as first, serving(store, demo) as second:
        both = (first, second)
        number = "+14255550123"
        assert first.call().authorize(**{"from": number}).json()["code"] == "unknown_caller"
        organisation = add_organisation(store, "main", number)
        user = f"desk-{organisation.cell}@contoso.example"
        for service in both:
            directory = service.engine.directory.directory
            assert service.until(lambda d=directory: d.number(number[1:]) is not None)
            assert service.until(lambda d=directory: d.user_named(user) is not None)
            assert service.call().authorize(**{"from": number}).status_code == 200
        home = store.cell()
        with home.transaction():
            less = UserChange(user, remove=frozenset({"MCOPSTNC"}))
            change_user(home, organisation, less, catalogue=CATALOGUE)
        for service in both:
            directory = service.engine.directory.directory
            assert service.until(lambda d=directory: "MCOPSTNC" not in d.user_named(user).licences)
            answer = service.call().authorize(**{"from": number})
            assert (answer.status_code, answer.json()["code"]) == (403, "no_user_credit_capability")
        control = store.control()
        with control.transaction():
            change_organisation(control, organisation.name, active=False, catalogue=CATALOGUE)
        for service in both:
            directory = service.engine.directory.directory
            assert service.until(lambda d=directory: not d.organisation(organisation.id).active)
            answer = service.call().authorize(**{"from": number})
            assert (answer.status_code, answer.json()["code"]) == (403, "organisation_inactive")


@pytest.mark.layouts("sqlite", "postgres")
def test_a_published_card_is_used_by_every_engine_from_its_start_on(store: Store) -> None:
    demo = seeded(store)
    with serving(store, demo) as first, serving(store, demo) as second:
        control, start_ms = store.control(), clock_ms() - 1_000
        rate = Rate("44", "Everywhere", 500_000, 0, 1, 1)
        with control.transaction():
            import_rates(
                control,
                [RateRow("outbound", rate, start_ms)],
                name=CARD,
                currency="USD",
                source="a test",
                valid_from_ms=start_ms,
                now_ms=clock_ms(),
                next_id=new_id,
            )
        assert start_ms > CARD_FROM_MS
        for service in (first, second):
            rates = service.engine.rates
            assert service.until(
                lambda r=rates: r.cards.find(CARD, "outbound", "447", start_ms) == rate
            )
            price = service.call().authorize().json()["price"]
            assert (price["destination"], price["per_minute"]) == ("Everywhere", "0.5")


@pytest.mark.layouts("sqlite")
def test_a_call_id_of_another_organisation_is_refused_and_its_call_stays(
    service: Service, store: Store
) -> None:
    add_organisation(store, "main", "+14255550123")
    directory = service.engine.directory.directory
    assert service.until(lambda: directory.number("14255550123") is not None)
    assert service.until(lambda: directory.user_named("desk-main@contoso.example") is not None)
    call = service.call()
    call.authorize()
    other = {"type": "user_out", "from": "+14255550123", "to": CALLED}
    for sequence, code in ((0, "sequence_reused"), (1, "call_id_taken")):
        answer = call.send("authorize", {"sequence": sequence, **other})
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    extended = call.next("extend", used_seconds=240)
    assert extended.status_code == 200, extended.text
    assert call.next("settle", used_seconds=240).json()["charge"] == "0.044"
