"""Tables of the Diameter pages that follow from the code."""

from collections.abc import Callable

from docs.worked import table
from talktime.core.refusal import REFUSALS
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.credit import SET_UP_S, TCC_IN_VALIDITIES
from talktime.gateways.diameter.node import Timings

WITHIN_A_CALL = (
    *("organisation_inactive", "user_inactive", "number_not_supported", "outbound_policy"),
    *("country_blocked", "no_base_licence", "toll_free_not_allowed"),
    *("no_user_credit_capability", "call_too_long", "nothing_to_refund"),
)
"""Refusals of a call that have no Result-Code of their own."""


def results() -> str:
    """Which refusals become which Result-Code."""
    by_result: dict[int, list[str]] = {}
    for code in REFUSALS:
        if code in r.BY_CODE or code in WITHIN_A_CALL:
            by_result.setdefault(r.result_of(code), []).append(f"`{code}`")
    rows = [
        (str(result), r.NAMES[result], ", ".join(codes))
        for result, codes in sorted(by_result.items())
    ]
    return table(("Result-Code", "name", "refusals"), rows)


def times() -> str:
    """How long is waited for what."""
    usual = Timings()
    rows = (
        ("Validity-Time of a grant", f"the slice and {SET_UP_S} s for ringing (420 s by default)"),
        ("Tcc, the supervision of a session", f"{TCC_IN_VALIDITIES} times Validity-Time"),
        ("a new connection's Capabilities-Exchange-Request", f"{usual.capabilities_s} s"),
        (
            "silence before Device-Watchdog-Request, and for its answer",
            f"{usual.watchdog_s} s each",
        ),
        ("an answer to Disconnect-Peer-Request", f"{usual.goodbye_s} s"),
        ("a sign of life of the older of two connections of a peer", f"{usual.contest_s} s"),
        ("Re-Auth-Request again", f"{usual.retell_s} s"),
    )
    return table(("what", "how long"), rows)


TABLES: dict[str, Callable[[], str]] = {"diameter_results": results, "diameter_times": times}
