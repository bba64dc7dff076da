"""Dry runs over HTTP. Mirrors src/talktime/operations/quote.py."""

import msgspec
import pytest

from talktime.gateways.http import answers
from tests.served import Service, rows_of_books
from tests.stores import Store


def test_a_quote_tells_price_and_payer_and_holds_nothing(service: Service, store: Store) -> None:
    before = rows_of_books(store)
    body = {"type": "user_out", "from": service.demo.caller, "to": service.demo.callee}
    answer = service.post("/v1/quotes", {**body, "for_seconds": 61})
    quote = msgspec.json.decode(answer.content, type=answers.Quote)
    assert (quote.decision, quote.granted_seconds, quote.final) == ("would_grant", 300, False)
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
def test_a_call_to_an_emergency_number_is_quoted_free(service: Service) -> None:
    body = {"type": "user_out", "from": service.demo.caller, "to": "911"}
    quote = msgspec.json.decode(service.post("/v1/quotes", body).content, type=answers.Quote)
    assert quote.paid_by == [answers.PaidBy(source="free", seconds=300)]
