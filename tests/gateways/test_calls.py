"""Whole calls over HTTP. Mirrors src/talktime/gateways/http/app.py."""

import pytest

from tests.served import Service


@pytest.mark.layouts("sqlite", "postgres")
def test_a_call_is_authorized_extended_and_settled(service: Service) -> None:
    call = service.call()
    granted = call.authorize()
    assert granted.status_code == 200, granted.text
    print(granted.text)
    extended = call.next("extend", used_seconds=290)
    print(extended.text)
    settled = call.next("settle", used_seconds=301, cause="normal_clearing")
    print(settled.text)
    print(call.show())
