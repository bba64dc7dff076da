"""Saved usage reports over the management API. Mirrors src/talktime/console/api/views.py."""

import json
from contextlib import closing
from urllib.parse import parse_qs

import pytest
from django.test import Client

from talktime.console.cell.models import AuditEntry
from talktime.core.limits import SAVED_VIEWS_MAX
from talktime.operations.saved_views import list_views, save_view
from tests.console.money import Money

AT = "/api/v1/organisations/Contoso/usage/views"
ABROAD = {"name": "Abroad", "report": {"range": "28", "context": "International"}}


@pytest.fixture
def money(installation):
    return Money(installation)


@pytest.fixture
def api(money):
    def ask(method, path="", body=None, scopes=("read", "users")):
        headers = {"authorization": f"Bearer {money.key(*scopes)}"}
        sent = "" if body is None else json.dumps(body)
        client = Client(SERVER_NAME="localhost", headers=headers)
        answer = client.generic(method, AT + path, sent, content_type="application/json")
        return answer.status_code, answer.json()

    return ask


def kept(money):
    with closing(money.cell()) as cell:
        return list_views(cell, money.owner.id, "usage")


def test_a_view_is_kept_listed_replaced_and_deleted(api, money):
    report = {"range": "custom", "first": "2026-11-01", "last": "2026-11-30", "country": "DE"}
    columns = ["started", "charge"]
    status, made = api("POST", "", {"name": "November", "report": {**report, "columns": columns}})
    assert status == 200
    told = {name: value for name, value in made["report"].items() if value}
    assert told == {**report, "columns": columns}
    assert parse_qs(made["query"]) == {
        **{name: [value] for name, value in report.items()},
        "column": columns,
    }
    assert made["made_by"].startswith("key ")
    assert api("GET") == (200, {"views": [made]})
    again = api("POST", "", {**ABROAD, "name": "November"})[1]
    assert api("GET") == (200, {"views": [again]})
    assert again["report"]["context"] == "International"
    assert api("DELETE", f"/{made['view_id']}")[0] == 404
    assert api("DELETE", f"/{again['view_id']}") == (200, again)
    assert api("GET") == (200, {"views": []})


@pytest.mark.parametrize(
    "report",
    [
        {"range": "custom"},
        {"range": "custom", "first": "2026-11-02", "last": "2026-11-01"},
        {"range": "28", "first": "2026-11-01", "last": "2026-11-02"},
        {"range": "28", "last": "2026-11-02"},
        {"range": "custom", "first": "2026-02-30", "last": "2026-11-01"},
        {"range": "14"},
        {"columns": ["secret"]},
        {"columns": ["charge"] * 30},
        {"type": "user_sideways"},
        {"country": "Germany"},
        {"chart": "pie"},
        {"user": "x" * 5_000},
        {"evil": "1"},
    ],
)
def test_a_report_that_cannot_be_run_is_not_kept(api, money, report):
    assert api("POST", "", {"name": "a", "report": report})[0] in (400, 422)
    assert kept(money) == []


@pytest.mark.parametrize("name", ["", " ", "a\0b", "x" * 65])
def test_a_name_that_cannot_be_kept_is_refused(api, money, name):
    assert api("POST", "", {**ABROAD, "name": name})[0] in (400, 422)
    assert kept(money) == []


def test_a_key_that_only_reads_keeps_nothing(api, money):
    made = api("POST", "", ABROAD)[1]
    for scopes in (("read",), ("read", "notices")):
        assert api("POST", "", ABROAD, scopes)[1]["code"] == "scope_missing"
        assert api("DELETE", f"/{made['view_id']}", None, scopes)[1]["code"] == "scope_missing"
        assert api("GET", "", None, scopes)[1]["views"] == [made]


def test_a_view_of_the_console_is_replaced_by_a_program_as_by_an_admin(api, money):
    with closing(money.cell()) as cell:
        save_view(
            *(cell, money.owner.id), page="usage", name="Abroad",
            query="type=user_in&column=charge",
            actor="viewer@contoso.example", now_ms=money.now_ms, next_id=money.ids,
        )  # fmt: skip
    [shown] = api("GET")[1]["views"]
    assert shown["made_by"] == "viewer@contoso.example"
    report = {name: value for name, value in shown["report"].items() if value}
    assert report == {"range": "7", "type": "user_in", "columns": ["charge"]}
    api("POST", "", ABROAD)
    [view] = kept(money)
    assert (view.name, view.query) == ("Abroad", "range=28&context=International")
    [change] = AuditEntry.objects.using("cell_main").filter(action="view.save")
    assert (json.loads(change.before), json.loads(change.after)) == (
        {"query": "type=user_in&column=charge"},
        {"query": "range=28&context=International"},
    )
    assert change.actor_kind == "key"


def test_another_organisations_view_is_not_found(api, money, installation):
    other = Money(installation, name="Fabrikam")
    with closing(money.cell()) as cell:
        theirs = save_view(
            *(cell, other.owner.id), page="usage", name="Theirs", query="type=user_in",
            actor="admin", now_ms=money.now_ms, next_id=money.ids,
        )  # fmt: skip
    assert api("GET")[1] == {"views": []}
    assert api("DELETE", f"/{theirs.id}")[1]["code"] == "not_found"
    assert kept(other) == [theirs]


def test_there_are_so_many_views_and_no_more(api, money):
    with closing(money.cell()) as cell:
        for number in range(SAVED_VIEWS_MAX):
            save_view(
                *(cell, money.owner.id), page="usage", name=f"{number}", query="",
                actor="admin", now_ms=money.now_ms, next_id=money.ids,
            )  # fmt: skip
    assert api("POST", "", ABROAD)[1]["code"] == "invalid_value"
    assert len(kept(money)) == SAVED_VIEWS_MAX
