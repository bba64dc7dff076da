"""Calls whose ids are paths of their own."""

import pytest

from talktime.cli.api import Api, call_path
from tests.served import serving

pytestmark = pytest.mark.layouts("sqlite")


@pytest.mark.parametrize("call_id", ["..", ".", "a/../b", "a?b#c", "%2E", "a b"])
def test_a_call_is_found_whatever_its_id_holds(store, call_id):
    with serving(store) as service:
        api = Api(service.url, service.demo.switch_key)
        try:
            numbers = {"from": service.demo.caller, "to": service.demo.callee}
            asked = {"sequence": 0, "type": "user_out", **numbers}
            granted = api.post(call_path(call_id, "authorize"), asked)
            assert (granted.status, granted.body["call_id"]) == (200, call_id)
            assert api.get(call_path(call_id)).body["call_id"] == call_id
            ended = {"sequence": 1, "used_seconds": 0}
            assert api.post(call_path(call_id, "settle"), ended).status == 200
        finally:
            api.close()


def test_a_refusal_of_the_shell_speaks_to_the_operator(shell, contoso):
    line = shell.error("organisation", "create", "Fabrikam", "--country", "UK")
    assert line.endswith("not 'UK'. Correct what the detail names. (invalid_value)")
