"""The document tells the truth. Mirrors src/talktime/gateways/http/openapi.py."""

import json
from collections.abc import Iterator

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from talktime.core.limits import ENDING_WAIT_S_MAX
from talktime.core.refusal import REFUSALS
from talktime.gateways.http.examples import ANSWERS, REQUESTS
from talktime.gateways.http.openapi import OPERATIONS, document
from tests.served import Service, serving
from tests.stores import Stores

described = schemathesis.openapi.from_dict(json.loads(document()))


@pytest.fixture(scope="module")
def fuzzed(stores: Stores) -> Iterator[Service]:
    """One service for all the generated requests."""
    store = stores.make("sqlite")
    with serving(store) as running:
        yield running
    stores.drop(store)


@described.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_generated_request_is_answered_as_the_document_says(
    case: schemathesis.Case, fuzzed: Service
) -> None:
    headers = {"Authorization": f"Bearer {fuzzed.demo.switch_key}"}
    # 422 is also the answer to numbers that do not exist and times that are far off, which no
    # schema can tell; and a batch goes on when one of its requests is malformed.
    untold = [positive_data_acceptance]
    if case.path == "/v1/calls:batch":
        untold.append(negative_data_rejection)
    # A wait that nothing ends would be waited for.
    if case.path == "/v1/calls:ending" and str(case.query.get("wait", "")).isdecimal():
        wait = int(case.query["wait"])
        case.query["wait"] = min(wait, 1) if wait <= ENDING_WAIT_S_MAX else wait
    case.call_and_validate(base_url=fuzzed.url, headers=headers, excluded_checks=untold)


def test_the_examples_of_the_document_are_what_the_structs_take_and_give() -> None:
    for operation in OPERATIONS:
        if operation.name in REQUESTS:
            sent = msgspec.json.encode(REQUESTS[operation.name])
            assert isinstance(msgspec.json.decode(sent, type=operation.request), operation.request)
        if operation.name in ANSWERS:
            given = msgspec.json.encode(ANSWERS[operation.name])
            decoded = msgspec.json.decode(given, type=operation.answer)
            assert msgspec.json.decode(msgspec.json.encode(decoded)) == ANSWERS[operation.name]


def test_every_refusal_that_a_switch_can_meet_is_in_the_document() -> None:
    told = {code for operation in OPERATIONS for code in operation.codes}
    by_the_operator_alone = {
        code
        for code, kind in REFUSALS.items()
        if code.startswith("unknown_") and kind.status == 404
    } | {"idempotency_key_reused", "already_exists", "invalid_value"}
    of_the_directory = {
        *("licence_not_possible", "users_not_possible"),
        *("never_funded", "number_reserved", "quota_reached"),
    }
    of_money = {
        *("credits_not_offered", "amount_out_of_bounds", "payment_not_possible"),
        *("approval_needed", "idempotency_key_missing", "month_open", "still_owed", "lot_spent"),
        "nothing_to_take_back",
    }
    of_no_operation = {"not_found", "method_not_allowed", *of_money}
    of_no_operation |= {"range_too_long", "too_many_requests", "internal_error"}
    of_no_operation |= {"last_owner", "too_many_invitations", "another_account"}
    of_no_operation |= {"nothing_to_refund"}  # Diameter alone gives back
    of_no_operation |= {"not_in_sandbox", "sandbox_not_possible", "provider_in_use"}
    assert set(REFUSALS) - told - of_no_operation <= (by_the_operator_alone | of_the_directory)
