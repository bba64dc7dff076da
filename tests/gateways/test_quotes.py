"""Dry runs over HTTP. Mirrors src/talktime/operations/quote.py."""

import msgspec
import pytest

from talktime.core.directory import Organisation
from talktime.gateways.http import answers
from talktime.operations.user_changes import UserChange
from talktime.operations.users import create_user
from tests.people import CATALOGUE
from tests.served import Service, new_id, rows_of_books
from tests.stores import Store


def test_a_quote_tells_price_and_payer_and_holds_nothing(service: Service, store: Store) -> None:
    before = rows_of_books(store)
    body = {"type": "user_out", "from": service.demo.caller, "to": service.demo.callee}
    answer = service.post("/v1/quotes", {**body, "for_seconds": 61})
    quote = msgspec.json.decode(answer.content, type=answers.Quote)
    assert (quote.decision, quote.granted_seconds, quote.final) == ("would_grant", 300, False)
    assert quote.to == service.demo.callee
    assert quote.paid_by == [answers.PaidBy(source="credits", seconds=300, amount="0.055")]
    assert quote.balance == answers.Balance(currency="USD", available="105")
    assert quote.lasts_seconds == 86_400
    paid_by = [answers.PaidBy(source="credits", seconds=120, amount="0.022")]
    assert quote.cost == answers.Cost(
        seconds=61, billed_seconds=120, charge="0.022", paid_by=paid_by
    )
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite")
def test_a_quote_refuses_what_authorize_would_refuse(service: Service) -> None:
    for changed, status, code in (
        ({"from": "+14255559999"}, 404, "unknown_caller"),
        ({"to": "+1"}, 422, "invalid_number"),
        ({"at": "2001-01-01T00:00:00Z"}, 422, "time_out_of_range"),
        ({"sequence": 0}, 422, "invalid_request"),
        ({"for_seconds": 86_401}, 422, "invalid_request"),
    ):
        body = {"type": "user_out", "from": service.demo.caller, "to": service.demo.callee}
        answer = service.post("/v1/quotes", {**body, **changed})
        assert (answer.status_code, answer.json()["code"]) == (status, code), changed


@pytest.mark.layouts("sqlite")
def test_a_quote_says_who_pays_and_where_nobody_may(service: Service, store: Store) -> None:
    organisation = Organisation(
        *(int(service.demo.organisation_id), "Contoso Demo", "main", "USD", "UTC", "US"),
        *("prepaid", True, "demo"),
    )
    new = UserChange(
        "own-minutes@contoso.example",
        display_name="Own minutes",
        usage_location="US",
        licences=frozenset({"MCOEV", "MCOPSTN8"}),
    )
    cell = store.cell()
    with cell.transaction():
        create_user(cell, organisation, new, catalogue=CATALOGUE, next_id=new_id)
    directory = service.engine.directory.directory
    assert service.until(lambda: directory.user_named(new.name) is not None)
    body = {"type": "user_out", "user": new.name, "to": "+12065550123", "for_seconds": 7_260}
    quote = msgspec.json.decode(service.post("/v1/quotes", body).content, type=answers.Quote)
    assert quote.lasts_seconds == 7_200
    assert quote.cost is not None
    assert [(part.source, part.seconds, part.amount) for part in quote.cost.paid_by] == [
        ("pool", 7_200, None),
        ("nobody", 60, quote.cost.charge),
    ]
    assert f"no money beyond them: {new.name} has no licence MCOPSTNC" in quote.because


@pytest.mark.layouts("sqlite")
def test_a_call_to_an_emergency_number_is_quoted_free(service: Service) -> None:
    body = {"type": "user_out", "from": service.demo.caller, "to": "911"}
    quote = msgspec.json.decode(service.post("/v1/quotes", body).content, type=answers.Quote)
    assert quote.paid_by == [answers.PaidBy(source="free", seconds=300)]
