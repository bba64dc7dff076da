"""A whole stack of other people's as the client: their node, their state machine, their threads."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from diameter.message.avp.grouped import ImsInformation, ServiceInformation
from diameter.message.commands import CreditControlRequest
from diameter.message.constants import APP_DIAMETER_CREDIT_CONTROL_APPLICATION
from diameter.node import Node
from diameter.node.application import SimpleThreadingApplication

from talktime.core.commands import EndCall
from talktime.operations.execute import execute
from tests.gateways.diameter import asked
from tests.gateways.diameter.serving import CALLEE, CALLER, ORGANISATION_ID, Charging, charging
from tests.served import PATIENCE_S, clock_ms, new_id
from tests.stores import Store

pytestmark = [
    pytest.mark.layouts("sqlite"),
    # Their threads may fall over a socket that closes while they stop: that is no fault of ours.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


class Stack:
    """Their node, connected; `told` has the sessions that it was asked to re-authorize."""

    def __init__(self, port: int) -> None:
        self.told: list[str] = []
        self.asked = threading.Event()
        self.node = Node(asked.HOST, asked.REALM, ip_addresses=["127.0.0.1"])
        peer = self.node.add_peer(
            f"aaa://{asked.OUR_HOST}:{port}", asked.OUR_REALM, ["127.0.0.1"], is_persistent=True
        )
        application = APP_DIAMETER_CREDIT_CONTROL_APPLICATION
        self._app = SimpleThreadingApplication(
            application, is_auth_application=True, request_handler=self._on_request
        )
        self.node.add_application(self._app, [peer], [asked.REALM])
        self.node.start()
        self._app.wait_for_ready(PATIENCE_S)

    def _on_request(self, app: Any, message: Any) -> Any:
        self.told.append(message.session_id)
        answer = app.generate_answer(message, result_code=2001)
        self.asked.set()
        return answer

    def send(self, message: CreditControlRequest) -> Any:
        """Send a request and wait for its answer."""
        return self._app.send_request(message, timeout=PATIENCE_S)


@pytest.fixture
def served(store: Store) -> Iterator[Charging]:
    """A service with an hour of credits."""
    logging.getLogger("diameter").setLevel(logging.CRITICAL)
    with charging(store) as running:
        yield running


def test_their_node_charges_a_call_and_ends_it_when_it_is_told(served: Charging) -> None:
    stack = Stack(served.port)
    try:
        parties = ImsInformation(role_of_node=0, node_functionality=6)
        parties.calling_party_address = [f"sip:{CALLER}@ua"]
        parties.called_party_address = f"sip:{CALLEE}@gw"
        first = asked.credit("s;1", asked.INITIAL, 0, asked=30)
        first.service_information = ServiceInformation(ims_information=parties)
        assert stack.send(first).result_code == 2001
        update = asked.credit("s;1", asked.UPDATE, 1, used=20, asked=30)
        answer = stack.send(update)
        service = answer.multiple_services_credit_control[0]
        assert service.granted_service_unit.cc_time == 30
        cell = served.store.cell()
        with cell.transaction():
            end = EndCall(served.switch.id, "s;1", ORGANISATION_ID, "organisation_inactive")
            execute(cell, [end], clock_ms(), new_id)
        assert stack.asked.wait(PATIENCE_S)
        assert stack.told == ["s;1"]
        last = asked.credit("s;1", asked.TERMINATION, 2, used=9)
        assert stack.send(last).result_code == 2001
    finally:
        stack.node.stop()
    assert served.usage("s;1") == [("call", 29, 29_000)]
