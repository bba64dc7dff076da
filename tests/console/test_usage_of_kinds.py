"""What reports, exports and pages say of calls that are nobody's, and of those of a conference.
Mirrors src/talktime/console/usage/shown.py and call_page.py."""

import csv
import io
import json
import re
import zipfile

import pytest

from talktime.console.accounts import create_admin
from talktime.core.gates import TO_NOBODY
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of
from tests.console.test_usage import Calls, at, rows_of


@pytest.fixture
def calls(installation):
    calls = Calls(installation)
    create_admin(EMAIL, PASSWORD, calls.owner.id)
    return calls


@pytest.fixture
def admin(calls):
    client = browser()
    sign_in(client)
    return client


def test_a_call_to_a_number_that_nobody_has_is_in_the_report_as_such(admin, calls):
    calls.call("a")
    calls.call("n", user_id=None, type_="unassigned_in", rate=TO_NOBODY)
    report = admin.get(at(calls, "usage/?type=unassigned_in"))
    assert "Inbound, to an unassigned number" in words_of(report)
    assert len(rows_of(report)) == 1
    page = words_of(admin.get(at(calls, f"calls/{calls.usage_id('n')}/")))
    assert "No user: the number was nobody's" in page
    text = b"".join(admin.get(at(calls, "usage/export/csv/"))).decode()
    lines = {line["Call ID"]: line for line in csv.DictReader(io.StringIO(text, newline=""))}
    found = lines["n"]
    assert (found["Call Type"], found["Call Direction"]) == ("unassigned_in", "Inbound")
    assert (found["UPN"], found["Number Type"], found["Charge"]) == ("", "Subscriber", "0.00")
    assert (found["Caller ID"], found["Destination Number"]) == ("+493012345***", "+4722001122")


def test_a_call_of_a_conference_is_shown_and_exported_with_its_id(admin, calls):
    calls.call("a", type_="conf_out", room="<room> 7")
    calls.call("b")
    report = admin.get(at(calls, "usage/?column=call_id&column=conference_id"))
    shown = {re.sub(r"<[^>]+>", "", row[0]): row[1] for row in rows_of(report)}
    assert "&lt;room&gt; 7" in shown["a"]
    assert "No data" in shown["b"]
    page = words_of(admin.get(at(calls, f"calls/{calls.usage_id('a')}/")))
    assert "Conference ID <room> 7" in page
    assert '"conferenceId": "<room> 7"' in page
    page = words_of(admin.get(at(calls, f"calls/{calls.usage_id('b')}/")))
    assert "Conference ID" not in page
    assert '"conferenceId": null' in page
    text = b"".join(admin.get(at(calls, "usage/export/csv/"))).decode()
    lines = csv.DictReader(io.StringIO(text, newline=""))
    assert {line["Call ID"]: line["Conference ID"] for line in lines} == {"a": "<room> 7", "b": ""}


def test_the_calls_of_a_conference_are_exported_and_kept_as_a_view(admin, calls):
    calls.call("a")
    calls.call("m", user_id=32, type_="conf_out", room="room 7")
    page = admin.get(at(calls, "usage/?conference_id=room+7"))
    assert "by number or conference looks through the calls one by one" in words_of(page)
    text = b"".join(admin.get(at(calls, "usage/export/csv/?conference_id=room+7"))).decode()
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(line["Call ID"], line["Conference ID"]) for line in lines] == [("m", "room 7")]
    zipped = b"".join(admin.get(at(calls, "usage/export/zip/?conference_id=room+7")))
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        parameters = archive.read("parameters.json")
        assert json.loads(parameters)["conferenceId"] == "room 7"
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())[1]
    post = {"csrfmiddlewaretoken": token, "name": "Room", "query": "?conference_id=room+7"}
    saved = admin.post(at(calls, "usage/views/"), post)
    assert saved.headers["Location"] == at(calls, "usage/?conference_id=room+7")
