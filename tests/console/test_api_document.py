"""The management API's document tells the truth. Mirrors src/talktime/console/api/document.py."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from talktime.config import settings_from
from talktime.console.api.document import document
from talktime.core.keys import OPERATOR_SCOPES
from talktime.operations.keys import create_key
from talktime.operations.seed_demo import ORGANISATION
from talktime.store.database import connect
from tests.serving import serving


def for_the_demo() -> dict[str, Any]:
    """The document with the demo's organisation as the only one, so that requests come far."""
    told: dict[str, Any] = json.loads(document())
    for methods in told["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "organisation":
                    parameter["schema"] = {"type": "string", "enum": [ORGANISATION]}
    return told


described = schemathesis.openapi.from_dict(for_the_demo())
described.config.phases.coverage.enabled = False


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The real service with the demo in it, for all requests, and a key that opens everything."""
    environ = {"TALKTIME_DATA": str(tmp_path_factory.mktemp("data"))}
    with serving(environ, "--demo") as service:
        place = settings_from(environ).control_plane
        with closing(connect(place)) as control, control.transaction():
            made = create_key(
                *(control, None), name="fuzz", scopes=OPERATOR_SCOPES, now_ms=1,
                next_id=lambda: 7, entropy=bytes(32),
            )  # fmt: skip
        yield service.url, made.text


@described.parametrize()
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_generated_request_is_answered_as_the_document_says(
    case: schemathesis.Case, fuzzed: tuple[str, str]
) -> None:
    url, key = fuzzed
    headers = {"Authorization": f"Bearer {key}"}
    # No schema tells the names, ids and values that are there from others.
    case.call_and_validate(
        base_url=url, headers=headers, excluded_checks=[positive_data_acceptance]
    )
