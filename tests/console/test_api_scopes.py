"""Every address of the management API is for whom its document says. Mirrors
src/talktime/console/api/door.py."""

import json
from contextlib import closing

import pytest
from django.test import Client

from talktime.console.api.document import document, operations
from talktime.core.keys import OPERATOR, ORGANISATION_SCOPES, SCOPES
from talktime.operations.keys import create_key
from talktime.operations.organisations import create_organisation
from tests.console.money import SECRETS, Money

TOLD = json.loads(document())
AT_ORGANISATION = [each for each in operations() if each[3].at_organisation]
VALUES = {
    "kind": "setting", "to": "prepaid", "month": "2026-11", "number": "MAIN-000001",
    "from_time": "2026-11-01T00:00:00Z", "to_time": "2026-11-02T00:00:00Z",
}  # fmt: skip


@pytest.fixture(scope="module")
def money(shared_installation):
    """Contoso, Fabrikam beside it, and a key of each kind."""
    return Money(shared_installation)


def key_of(money, owner, *scopes):
    with closing(money.control()) as control, control.transaction():
        return create_key(
            *(control, owner), name="portal", scopes=scopes, now_ms=money.now_ms,
            next_id=money.ids, entropy=next(SECRETS).to_bytes(32, "big"),
        )  # fmt: skip


def client_of(made):
    return Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {made.text}"})


def asked(client, operation, organisation):
    """Send a request of an operation, with the body that the document has as its example."""
    method, address, _, told = operation
    path = address.replace("{organisation}", organisation)
    for name in [part.split("}")[0] for part in path.split("{")[1:]]:
        path = path.replace(f"{{{name}}}", VALUES.get(name, "7"))
    headers = {"idempotency-key": f"{method} {path}"}
    body = json.dumps(told.sent or {})
    days = ("/usage", "/dial-out", "/usage/sums", "/usage/csv", "/usage/zip", "/usage/xlsx")
    if address.endswith(days) and "statements" not in address:
        path += "?from_day=2026-11-01&to_day=2026-11-02"
    if address.endswith("/terms"):
        path += "?amount=100"
    if address.endswith("/of-number"):
        path += "?number=%2B442079460958"
    return client.generic(method, path, body, content_type="application/json", headers=headers)


def test_every_operation_says_its_scope_and_money_its_idempotency_key():
    for method, address, name, told in operations():
        said = TOLD["paths"][address][method.lower()]
        scopes = {scope for each in said["security"] for scope in each["key"]}
        assert scopes == set(told.scopes), name
        assert scopes <= set(SCOPES) - {"calls", "quotes"}, name
        assert scopes or name == "get_health"
        headers = [each for each in said["parameters"] if each["in"] == "header"]
        must = [each["required"] for each in headers if each["name"] == "Idempotency-Key"]
        assert must == ([True] if told.moves_money else [False] if told.makes else []), name
        if method != "GET" and told.sent is None:
            assert "requestBody" not in said, f"{name} has a body and no example of it"


def test_another_organisations_key_finds_nothing_at_any_address(money, shared_installation):
    with closing(money.control()) as control, closing(money.cell()) as cell:
        other = create_organisation(
            *(control, {"main": cell}), name=f"Fabrikam {money.ids()}", cell="main",
            currency="USD", time_zone="UTC", country="US", rate_card="standard",
            now_ms=money.now_ms, next_id=money.ids,
        )  # fmt: skip
    strange = client_of(key_of(money, other, *ORGANISATION_SCOPES))
    for operation in AT_ORGANISATION:
        for name in ("Contoso", str(money.owner.id)):
            response = asked(strange, operation, name)
            told = operation[3]
            wanted = "scope_missing" if told.scopes == (OPERATOR,) else "unknown_organisation"
            assert response.json()["code"] == wanted, operation[:3]
    listed = strange.get("/api/v1/organisations").json()["organisations"]
    assert [each["name"] for each in listed] == [other.name]


def test_no_operation_of_the_operators_opens_to_an_organisations_key(money):
    own = client_of(key_of(money, money.owner, *ORGANISATION_SCOPES))
    for operation in operations():
        if OPERATOR in operation[3].scopes and len(operation[3].scopes) == 1:
            assert asked(own, operation, "Contoso").json()["code"] == "scope_missing"


def test_a_key_opens_what_its_scopes_say_and_nothing_else(money):
    for scope in ORGANISATION_SCOPES:
        own = client_of(key_of(money, money.owner, scope))
        for operation in AT_ORGANISATION:
            if scope not in operation[3].scopes:
                assert asked(own, operation, "Contoso").status_code == 403, (scope, operation)
    reader = client_of(key_of(money, money.owner, "read"))
    for operation in AT_ORGANISATION:
        if "read" in operation[3].scopes and operation[0] == "GET":
            assert asked(reader, operation, "Contoso").status_code in (200, 404), operation
