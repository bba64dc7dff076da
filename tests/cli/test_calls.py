"""Quotes and calls by hand, over HTTP. Mirrors src/talktime/cli/calls.py."""

import socket

import pytest

from tests.served import serving

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def service(store, shell, monkeypatch):
    """A service, and the environment that leads to it."""
    with serving(store) as running:
        monkeypatch.setenv("TALKTIME_URL", running.url)
        monkeypatch.setenv("TALKTIME_KEY", running.demo.switch_key)
        yield running


@pytest.fixture
def who(service):
    return ("--from", service.demo.caller, "--to", service.demo.callee)


def test_a_quote_tells_the_price_and_holds_nothing(service, shell, who):
    quoted = shell.json("quote", *who, "--for", "61")
    assert (quoted["decision"], quoted["cost"]["billed_seconds"]) == ("would_grant", 120)
    assert shell.json("quote", *who, "--for", "61") == quoted
    shown = shell("quote", *who, "--for", "61")
    assert f"{quoted['cost']['charge']} for 61 s, billed as 120 s" in shown


def test_a_call_is_authorized_answered_extended_and_settled_by_hand(service, shell, who):
    granted = shell.json("call", "authorize", "a b/1", *who, "--seconds", "60")
    assert (granted["sequence"], granted["granted_seconds"]) == (0, 60)
    assert shell.json("call", "answer", "a b/1")["decision"] == "noted"
    extended = shell.json("call", "extend", "a b/1", "--used", "60", "--seconds", "60")
    assert (extended["sequence"], extended["granted_seconds"]) == (2, 60)
    settled = shell.json("call", "settle", "a b/1", "--used", "0", "--cause", "busy")
    assert (settled["decision"], settled["charge"]) == ("settled", "0")
    shown = shell.json("call", "show", "a b/1")
    assert (shown["state"], shown["sequence"]) == ("released", 3)
    assert "released" in shell("call", "show", "a b/1")
    assert "Usage records" in shell("call", "show", "a b/1")


def test_the_same_request_again_is_said_to_be_answered_before(service, shell, who):
    first = shell("call", "authorize", "c1", *who, "--sequence", "0")
    assert "Answered before" not in first
    assert "Answered before" in shell("call", "authorize", "c1", *who, "--sequence", "0")


def test_a_refusal_is_shown_with_its_remedy_and_the_command_fails(service, shell):
    asked = ("quote", "--from", "+14255559999", "--to", service.demo.callee)
    out, err = shell.run(*asked, code=1)
    assert out == ""
    for words in ("is the number of no organisation", "What to do", "unknown_caller (404)"):
        assert words in err
    assert shell.json(*asked, code=1)["code"] == "unknown_caller"
    assert "unknown_call" in shell.run("call", "show", "never-seen", code=1)[1]


def test_a_wrong_key_is_refused_in_words(service, shell, who, monkeypatch):
    monkeypatch.setenv("TALKTIME_KEY", "tt_wrong")
    assert shell.json("quote", *who, code=1)["code"] == "unauthorized"
    error = shell.error("call", "extend", "c1", "--used", "1")
    assert "(unauthorized)" in error


def test_without_a_key_or_a_service_one_line_says_what_to_do(shell, monkeypatch):
    assert "TALKTIME_KEY" in shell.error("call", "show", "c1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("TALKTIME_KEY", "tt_any")
    monkeypatch.setenv("PORT", str(port))
    assert "Is `talktime serve` running?" in shell.error("call", "show", "c1")
    monkeypatch.setenv("TALKTIME_URL", "")
    assert "the service does not answer" in shell.error("call", "show", "c1")


def test_an_address_that_is_no_service_is_told_so(service, shell):
    asked = ("call", "show", "c1", "--url", f"{service.url}/healthz")
    assert shell.json(*asked, code=1)["code"] == "not_found"
    assert "service" in shell.error("call", "show", "c1", "--url", "ftp://localhost")
