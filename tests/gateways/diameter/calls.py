"""The requests of a call to Germany, as Kamailio sends them, and what is read of their answers."""

from typing import Any

from tests.gateways.diameter.asked import INITIAL, credit
from tests.gateways.diameter.serving import CALLEE, CALLER

KAMAILIO = {"calling": f"sip:{CALLER}@127.0.0.1:5080", "called": f"sip:{CALLEE}@127.0.0.1"}


def initial(session: str, asked: int | None = 30, **said: Any) -> Any:
    """The first request of a call to Germany."""
    return credit(session, INITIAL, 0, asked=asked, **{**KAMAILIO, **said})


def granted(answer: Any) -> tuple[int, int, bool]:
    """The result, the seconds granted, and whether they are the last."""
    service = answer.multiple_services_credit_control[0]
    seconds = service.granted_service_unit.cc_time if service.granted_service_unit else 0
    return answer.result_code, seconds, service.final_unit_indication is not None
