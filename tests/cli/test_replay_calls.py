"""A call of a file as a switch lives it. Mirrors src/talktime/cli/replay_calls.py."""

from talktime.cli.call_file import PlannedCall
from talktime.cli.replay_calls import LiveCall, Request, Tally


def planned(used_s, **others):
    facts = {
        "call_id": "c1",
        "organisation": "contoso.example",
        "at": "2026-10-01T08:00:00Z",
        "asked": {"type": "user_out", "from": "+14255550100", "to": "+493012345678"},
        "used_s": used_s,
        "cause": "normal",
        "answer": False,
        "repeats": 0,
        "settle": True,
    }
    return PlannedCall(**{**facts, **others})


def granted(seconds, *, final=False):
    return 200, {"decision": "granted", "granted_seconds": seconds, "final": final}


def settled(charge):
    return 200, {"decision": "settled", "charge": charge, "balance": {"currency": "USD"}}


def lived(call, *answers):
    """What the call asked, one request for each answer."""
    asked = []
    for answer in answers:
        asked.append(call.request)
        call.take(*answer)
    return asked


def test_a_short_call_is_authorized_and_settled():
    call = LiveCall(planned(61), keep_time=False)
    authorize, settle = lived(call, granted(300), settled("0.03"))
    assert authorize.verb == "authorize"
    assert "at" not in authorize.body
    assert settle == Request("settle", {"sequence": 1, "used_seconds": 61, "cause": "normal"})
    assert call.request is None
    assert (call.code, call.charge, call.currency) == ("settled", "0.03", "USD")


def test_a_long_call_asks_for_more_when_its_grant_is_used_up():
    call = LiveCall(planned(700), keep_time=False)
    asked = lived(call, granted(300), granted(300), granted(300), settled("1"))
    assert [request.body.get("used_seconds") for request in asked] == [None, 300, 600, 700]
    assert [request.body["sequence"] for request in asked] == [0, 1, 2, 3]


def test_a_call_whose_grant_was_the_last_one_ends_there():
    call = LiveCall(planned(700), keep_time=False)
    asked = lived(call, granted(120, final=True), settled("1"))
    body = {"sequence": 1, "used_seconds": 120, "cause": "credit_ended"}
    assert asked[-1] == Request("settle", body)


def test_a_call_that_gets_no_more_is_settled_at_what_it_talked():
    call = LiveCall(planned(700), keep_time=False)
    refusal = (402, {"code": "insufficient_credit"})
    asked = lived(call, granted(300), refusal, settled("1"))
    body = {"sequence": 2, "used_seconds": 300, "cause": "credit_ended"}
    assert asked[-1] == Request("settle", body)


def test_a_refused_call_asks_nothing_more():
    call = LiveCall(planned(700), keep_time=False)
    lived(call, (403, {"code": "no_rate"}))
    assert call.request is None
    assert call.code == "no_rate"


def test_a_call_whose_settle_is_lost_asks_nothing_after_its_last_slice():
    call = LiveCall(planned(400, settle=False), keep_time=False)
    asked = lived(call, granted(300), granted(300))
    assert [request.verb for request in asked] == ["authorize", "extend"]
    assert call.request is None
    tally = Tally()
    tally.finish(call)
    assert tally.never_settled == 1


def test_times_of_the_file_are_sent_when_they_are_kept():
    call = LiveCall(planned(10, answer=True), keep_time=True)
    authorize, answer, settle = lived(call, granted(60), (200, {"decision": "noted"}), settled("0"))
    assert authorize.body["at"] == "2026-10-01T08:00:00Z"
    assert answer.body == {"sequence": 1, "answered_at": "2026-10-01T08:00:00Z"}
    assert settle.body["sequence"] == 2


def test_tallies_add_up_by_organisation_and_currency():
    tallies = []
    for charge in ("0.1", "0.000001"):
        call, tally = LiveCall(planned(10), keep_time=False), Tally()
        lived(call, granted(60), settled(charge))
        tally.finish(call)
        tallies.append(tally)
    total = Tally()
    for tally in tallies:
        total.add(tally)
    assert total.calls == 2
    assert total.charged_micros["contoso.example", "USD"] == 100_001
    assert total.settled["contoso.example", "USD"] == 2
