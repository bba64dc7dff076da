"""Mark the running calls that are to end before their grant does: for what was granted no longer
holds. The gateways tell their switches."""

from collections.abc import Sequence

from talktime.core.commands import EndCall
from talktime.core.directory import Organisation
from talktime.core.gates import EMERGENCY
from talktime.core.limits import BATCH_MAX, WATCHED_CALLS_PAGE
from talktime.core.money_gates import blocked_after_use, paid_after_use
from talktime.core.outcomes import CallEnding
from talktime.operations.execute import Done
from talktime.operations.sweep import Sweep, Swept, execute_batch
from talktime.store.endings import Running, lock_running_calls, running_calls
from talktime.store.organisations import organisations_of_ids

BEGINNING = (-1, -1)


def end_calls(sweep: Sweep) -> Swept:
    """Mark every running call of a cell whose organisation or user was switched off, or whose money
    is gone; counts them.

    Works in pages, each in transactions of its own; several at once are right, for a call is looked
    at again under its wallet's lock: what was lifted since ends no call. Emergency calls go on
    (D18). Raises Outage.
    """
    marked, failures, after = 0, list[str](), BEGINNING
    while not sweep.stopping():
        with sweep.connection.reading():
            calls = running_calls(sweep.connection, after, WATCHED_CALLS_PAGE)
        found = _to_end(sweep, calls)
        for first in range(0, len(found), BATCH_MAX):
            some = found[first : first + BATCH_MAX]
            marked += sum(_marked(done) for done in _mark(sweep, some, failures))
        if len(calls) < WATCHED_CALLS_PAGE:
            break
        after = (calls[-1].sweep_ms, calls[-1].id)
    return Swept(marked, tuple(failures))


def why_to_end(call: Running, organisation: Organisation | None) -> str:
    """The code of the refusal by which a running call is to end; empty where it goes on.

    In this order: ORGANISATION_INACTIVE, USER_INACTIVE; STATEMENT_OVERDUE or POST_USAGE_OFF where
    it is paid after use and may not be any more (R72); INSUFFICIENT_CREDIT where credits pay and
    the wallet owes more than all it has, held money included (D15); SPEND_LIMIT_REACHED and
    POST_USAGE_CAP_REACHED where these were lowered below what is spent and held (R50, D14).
    """
    if organisation is None or call.rate == EMERGENCY.text():
        return ""
    if not organisation.active:
        return "organisation_inactive"
    if call.user_active is not None and not call.user_active:
        return "user_inactive"
    if call.post_micros and not paid_after_use(organisation):
        return "statement_overdue" if blocked_after_use(organisation) else "post_usage_off"
    if call.credit_micros and call.balance_micros < 0:
        return "insufficient_credit"
    rules = organisation.rules
    limit_micros = call.spend_limit_micros
    if limit_micros is None:
        limit_micros = rules.spend_limit_micros
    if (call.credit_micros or call.post_micros) and _over(call.spent_micros, limit_micros):
        return "spend_limit_reached"
    if call.post_micros and _over(call.billed_micros, rules.post_usage_cap_micros):
        return "post_usage_cap_reached"
    return ""


def _over(micros: int | None, limit_micros: int | None) -> bool:
    return micros is not None and limit_micros is not None and micros > limit_micros


def _to_end(sweep: Sweep, calls: Sequence[Running]) -> list[tuple[Running, str]]:
    """Those of the calls that are to end, each with its code."""
    organisations = _organisations(sweep, {call.organisation_id for call in calls})
    codes = [(call, why_to_end(call, organisations.get(call.organisation_id))) for call in calls]
    return [(call, code) for call, code in codes if code]


def _mark(
    sweep: Sweep, found: Sequence[tuple[Running, str]], failures: list[str]
) -> Sequence[Done]:
    """Mark calls that were found to be to end, and still are."""
    calls = {(call.switch_id, call.call_key): call for call, _ in found}

    def still(commands: Sequence[EndCall]) -> list[EndCall]:
        looked_at = [calls[command.switch_id, command.call_key] for command in commands]
        again = lock_running_calls(sweep.connection, looked_at)
        return [_command(call, code) for call, code in _to_end(sweep, again)]

    return execute_batch(sweep, [_command(*each) for each in found], failures, still)


def _command(call: Running, code: str) -> EndCall:
    return EndCall(call.switch_id, call.call_key, call.organisation_id, code)


def _marked(done: Done) -> bool:
    return isinstance(done.outcome, CallEnding) and done.outcome.marked


def _organisations(sweep: Sweep, organisation_ids: set[int]) -> dict[int, Organisation]:
    if not organisation_ids or sweep.control is None:
        return {}
    control = sweep.control()
    with control.reading():
        return organisations_of_ids(control, organisation_ids)
