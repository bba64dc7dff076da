"""Mark the running calls that are to end before their grant does: for what was granted no longer
holds. The gateways tell their switches. Let the others go on within the limits of now."""

from collections.abc import Sequence

from talktime.core.commands import EndCall, SetLimits
from talktime.core.directory import Organisation
from talktime.core.gates import EMERGENCY
from talktime.core.limits import BATCH_MAX, WATCHED_CALLS_PAGE
from talktime.core.money_gates import blocked_after_use, paid_after_use
from talktime.core.outcomes import CallEnding, LimitsSet
from talktime.operations.execute import Done
from talktime.operations.sweep import Sweep, Swept, execute_batch
from talktime.store.endings import Running, lock_running_calls, running_calls
from talktime.store.organisations import organisations_of_ids

BEGINNING = (-1, -1)

Change = EndCall | SetLimits


def end_calls(sweep: Sweep) -> Swept:
    """Mark every running call of a cell whose organisation or user was switched off, or whose money
    is gone, and bring the limits of the others up to date; counts both.

    Works in pages, each in transactions of its own; several at once are right, for a call is looked
    at again under its wallet's lock: what was lifted since ends no call. Emergency calls go on
    (D18). Raises Outage.
    """
    done, failures, after = 0, list[str](), BEGINNING
    while not sweep.stopping():
        with sweep.connection.reading():
            calls = running_calls(sweep.connection, after, WATCHED_CALLS_PAGE)
        found = _to_change(sweep, calls)
        for first in range(0, len(found), BATCH_MAX):
            some = found[first : first + BATCH_MAX]
            done += sum(_did(each) for each in _change(sweep, some, failures))
        if len(calls) < WATCHED_CALLS_PAGE:
            break
        after = (calls[-1].sweep_ms, calls[-1].id)
    return Swept(done, tuple(failures))


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
    limit_micros = _spend_limit(call, organisation)
    cap_micros = organisation.rules.post_usage_cap_micros
    if (call.credit_micros or call.post_micros) and _over(call.spent_micros, limit_micros):
        return "spend_limit_reached"
    if call.post_micros and _over(call.billed_micros, cap_micros):
        return "post_usage_cap_reached"
    return ""


def other_limits(call: Running, organisation: Organisation | None) -> SetLimits | None:
    """The limits of a running call's user and organisation, where they are others than it has: its
    next slice is granted within these (R50, D14). None where it has them."""
    if organisation is None:
        return None
    limits = (
        _spend_limit(call, organisation) if call.limits_spending else None,
        organisation.rules.post_usage_cap_micros if call.limits_post_usage else None,
    )
    if limits == (call.kept_limit_micros, call.kept_cap_micros):
        return None
    return SetLimits(call.switch_id, call.call_key, call.organisation_id, *limits)


def _spend_limit(call: Running, organisation: Organisation) -> int | None:
    limit_micros = call.spend_limit_micros
    return organisation.rules.spend_limit_micros if limit_micros is None else limit_micros


def _over(micros: int | None, limit_micros: int | None) -> bool:
    return micros is not None and limit_micros is not None and micros > limit_micros


def _to_change(sweep: Sweep, calls: Sequence[Running]) -> list[tuple[Running, Change]]:
    """Those of the calls that are to end, or to have other limits, each with the command."""
    organisations = _organisations(sweep, {call.organisation_id for call in calls})
    found = [(call, _change_of(call, organisations.get(call.organisation_id))) for call in calls]
    return [(call, change) for call, change in found if change is not None]


def _change_of(call: Running, organisation: Organisation | None) -> Change | None:
    code = why_to_end(call, organisation)
    if code:
        return EndCall(call.switch_id, call.call_key, call.organisation_id, code)
    return other_limits(call, organisation)


def _change(
    sweep: Sweep, found: Sequence[tuple[Running, Change]], failures: list[str]
) -> Sequence[Done]:
    """Change calls that were found to be changed, and still are."""
    calls = {(call.switch_id, call.call_key): call for call, _ in found}

    def still(commands: Sequence[Change]) -> list[Change]:
        looked_at = [calls[command.switch_id, command.call_key] for command in commands]
        again = lock_running_calls(sweep.connection, looked_at)
        return [change for _, change in _to_change(sweep, again)]

    return execute_batch(sweep, [change for _, change in found], failures, still)


def _did(done: Done) -> bool:
    outcome = done.outcome
    return (isinstance(outcome, CallEnding) and outcome.marked) or (
        isinstance(outcome, LimitsSet) and outcome.changed
    )


def _organisations(sweep: Sweep, organisation_ids: set[int]) -> dict[int, Organisation]:
    if not organisation_ids or sweep.control is None:
        return {}
    control = sweep.control()
    with control.reading():
        return organisations_of_ids(control, organisation_ids)
