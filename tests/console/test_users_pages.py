"""Users and licences in the console. Mirrors src/talktime/console/users."""

import io
import re
from contextlib import closing

import pytest

from talktime.console.accounts import create_admin
from talktime.console.control_plane.models import Account, Membership
from talktime.core.meters import month_of
from talktime.operations.assign_numbers import assign_number
from talktime.operations.csv_rows import RowErrors
from talktime.operations.find_users import Sought, find_users
from talktime.operations.import_rates import import_rates
from talktime.operations.rate_file import read_rate_file
from talktime.operations.users import UserRow, find_holder, put_users
from talktime.store.audit import Sought as SoughtChanges
from talktime.store.audit import changes_before
from tests.commands import UNIT
from tests.console.money import Money
from tests.console.test_billing_credits import fund_with
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of
from tests.people import CATALOGUE, PLENTY, change

RATES = b"""prefix,destination,kind,country,price_per_minute,connection_fee
44,United Kingdom,landline,GB,0.015,
447,United Kingdom mobile,mobile,GB,0.056,0.02
1,United States,landline,US,0.012,
"""
START_MS = 1_577_836_800_000  # 2020
CONTOSO = "contoso.example"
FRONT, DESK, BARE = (f"{name}@{CONTOSO}" for name in ("front-desk", "night-desk", "bare"))


@pytest.fixture
def money(installation):
    money = Money(installation)
    create_admin(EMAIL, PASSWORD, money.owner.id)
    rows = [
        change(FRONT, "MCOEV MCOPSTN1 MCOPSTNC", display_name="Front desk"),
        change(DESK, "MCOEV MCOPSTN1", display_name="Night <desk>"),
        change(BARE, "", display_name="Lobby", active=False, usage_location="NO"),
    ]
    with closing(money.cell()) as cell, cell.transaction():
        put_users(
            *(cell, money.owner, [UserRow(at, row) for at, row in enumerate(rows)], RowErrors()),
            catalogue=CATALOGUE,
            next_id=money.ids,
        )
    with closing(money.control()) as control, control.transaction():
        import_rates(
            *(control, read_rate_file(RATES, valid_from_ms=START_MS)),
            name="standard",
            currency="USD",
            source="s",
            valid_from_ms=START_MS,
            now_ms=0,
            next_id=money.ids,
        )
        assign_number(control, money.owner, "+14255550100", allowance=PLENTY, now_ms=0)
    return money


@pytest.fixture
def admin(money):
    client = browser()
    sign_in(client)
    return client


def at(money, path=""):
    return f"/organisations/{money.owner.id}/users/{path}"


def holder(money, name):
    with closing(money.cell()) as cell, cell.reading():
        return find_holder(cell, money.owner, name)


def user_at(money, name, path=""):
    return at(money, f"{holder(money, name).user.id}/{path}")


def post(client, path, **fields):
    token = client.cookies["talktime_csrf"].value
    return client.post(path, {"csrfmiddlewaretoken": token, **fields})


def audited(money):
    """The actions that are kept, with their subjects."""
    found = []
    for connection in (money.cell, money.control):
        with closing(connection()) as open_, open_.reading():
            changes = changes_before(open_, SoughtChanges(money.owner.id), 100)
            found += [(each.action, each.subject) for each in changes]
    return sorted(found)


def test_users_are_found_by_what_they_are_and_have(admin, money):
    for query, names in {
        "": {FRONT, DESK, BARE},
        "?q=DESK": {FRONT, DESK},
        "?q=lob": {BARE},
        "?q=nobody": set(),
        "?licence=MCOPSTNC": {FRONT},
        "?licence=none": {BARE},
        "?location=NO": {BARE},
        "?state=blocked": {BARE},
        "?state=active&q=night": {DESK},
        "?state=lacks": set(),
        "?kind=resource_account": set(),
        "?group=none": set(),
        "?q=%07&licence=%27": set(),
        f"?after={BARE}": {FRONT, DESK},
    }.items():
        response = admin.get(at(money, query))
        assert response.status_code == 200
        shown = re.findall(r'name="name" value="([^"]*)"', response.content.decode())
        assert set(shown) == names, query
    assert "Nobody is like that" in words_of(admin.get(at(money, "?q=nobody")))
    assert "Night &lt;desk&gt;" in admin.get(at(money)).content.decode()


def test_a_change_of_many_is_shown_first_and_then_made_for_all(admin, money):
    chosen = {"name": [FRONT, DESK], "add": "MCOMEETADV", "policy": "-", "calls": "-"}
    assert "Change 2 users" in words_of(post(admin, at(money, "change/"), name=[FRONT, DESK]))
    seen = post(admin, at(money, "change/"), step="preview", **chosen)
    assert "Change 2 Stay as they are 0 Cannot be changed 0" in words_of(seen)
    assert "Audio Conferencing everywhere dial-out from meetings to zone A 0 120" in words_of(seen)
    assert "MCOMEETADV" not in holder(money, FRONT).user.licences
    done = post(admin, at(money, "change/"), step="apply", **chosen)
    assert done.headers["Location"] == at(money)
    assert "2 users were changed." in words_of(admin.get(at(money)))
    assert "MCOMEETADV" in holder(money, FRONT).user.licences
    assert audited(money) == [("user.changed", FRONT), ("user.changed", DESK)]


def test_while_one_cannot_be_changed_nobody_is(admin, money):
    admin.changes_nothing = True
    chosen = {"name": [FRONT, BARE], "add": "MCOPSTNC", "policy": "-", "calls": "block"}
    for step in ("preview", "apply"):
        seen = post(admin, at(money, "change/"), step=step, **chosen)
        assert "Cannot be changed 1" in words_of(seen)
        assert "MCOPSTNC (Communications Credits) needs" in words_of(seen)
        assert holder(money, FRONT).user.active
    back = post(admin, at(money, "change/"), step="choose", **chosen)
    assert "Back to the choices" not in back.content.decode()
    assert 'value="preview"' in back.content.decode()
    assert post(admin, at(money, "change/"), step="preview", name=FRONT, policy="-", calls="-")
    assert post(admin, at(money, "change/")).headers["Location"] == at(money)
    nothing = {"step": "preview", "name": FRONT, "policy": "-", "calls": "-"}
    assert "Choose what to change." in words_of(post(admin, at(money, "change/"), **nothing))
    everyone = {"everyone": "1", "state": "blocked", "step": "preview", "calls": "unblock"}
    alone = post(admin, at(money, "change/"), **nothing, reason="a reason alone")
    assert "Choose what to change." in words_of(alone)
    seen = post(admin, at(money, "change/"), **everyone, policy="-")
    assert "Change 1 Stay as they are 0" in words_of(seen)


def test_many_are_blocked_for_a_reason_that_the_log_has(admin, money):
    """R84."""
    chosen = {"name": [FRONT, DESK], "policy": "-", "calls": "block", "reason": "the office moves"}
    seen = post(admin, at(money, "change/"), step="preview", **chosen).content.decode()
    assert '<input type="hidden" name="reason" value="the office moves">' in seen
    assert post(admin, at(money, "change/"), step="apply", **chosen).status_code == 302
    log = words_of(admin.get(f"/organisations/{money.owner.id}/usage/blocked/"))
    assert log.count("the office moves Requested by admin@contoso.example Blocked") == 2


def test_a_file_is_checked_before_it_is_written(admin, money):
    def sent(text):
        upload = io.BytesIO(text.encode())
        upload.name = "users.csv"
        return post(admin, at(money, "import/"), file=upload)

    admin.get(at(money, "import/"))
    bad = sent(f"name,licences\n{FRONT},NOPE\nnew@{CONTOSO},MCOEV\n")
    assert bad.status_code == 422
    assert "1 row is wrong, and nothing was written." in words_of(bad)
    assert "2 'NOPE' is no licence" in words_of(bad)
    good = sent(f"name,licences\n{FRONT},MCOEV\nnew@{CONTOSO},MCOEV\n")
    assert "New users 1 Users that change 1" in words_of(good)
    assert "MCOPSTNC" in holder(money, FRONT).user.licences
    kept = re.search(r'name="kept" value="([^"]+)"', good.content.decode())[1]
    assert post(admin, at(money, "import/"), write="1", kept=kept[:-2]).status_code == 422
    assert post(admin, at(money, "import/"), write="1", kept=kept).status_code == 302
    assert holder(money, FRONT).user.licences == {"MCOEV"}
    assert audited(money) == [("user.changed", FRONT), ("user.created", f"new@{CONTOSO}")]
    again = sent(b"".join(admin.get(at(money, "export/")).streaming_content).decode())
    assert "New users 0 Users that change 0 Users that stay as they are 4" in words_of(again)
    assert admin.get(at(money, "import/template/")).content.startswith(b"name,display_name,")
    assert post(admin, at(money, "import/")).status_code == 422


def test_a_users_page_saves_each_of_its_parts(admin, money):
    page = user_at(money, FRONT)
    assert "3,000 minutes a month within the country" in words_of(admin.get(page))
    had = sorted(holder(money, FRONT).own_licences)
    ticked = ["MCOEV", "MCOPSTN1", "MCOMEETADV"]
    assert post(admin, page, save="licences", had=had, licence=ticked).status_code == 302
    assert holder(money, FRONT).own_licences == set(ticked)
    refused = post(admin, page, save="licences", had=ticked, licence=["MCOPSTN1"])
    assert refused.status_code == 422
    assert "MCOPSTN1 (Domestic Calling Plan) needs Teams Phone" in words_of(refused)
    ticks = re.findall(r'name="licence" value="(\w+)" checked', refused.content.decode())
    assert ticks == ["MCOPSTN1"]  # what was chosen, to be chosen no second time
    settings = {"display_name": "Reception", "usage_location": "US", "policy": ""}
    policy = "DialoutCPCandPSTNDisabled"
    sent = {**settings, "policy": policy, "spend_limit": "25.50"}
    assert post(admin, page, save="settings", **sent).status_code == 302
    user = holder(money, FRONT).user
    assert (user.display_name, user.policy, user.spend_limit_micros) == (
        *("Reception", policy, 25_500_000),
    )
    assert not user.toll_free_dial_in
    assert post(admin, page, save="settings", **settings, spend_limit="x").status_code == 422
    assert "of a limit of US$25.50 a month" in words_of(admin.get(page))
    assert post(admin, page, save="block").status_code == 302
    assert not holder(money, FRONT).user.active
    assert post(admin, page, save="unblock").status_code == 302
    assert post(admin, page, save="nonsense").status_code == 404
    assert admin.get(at(money, "999/")).status_code == 404


def test_numbers_of_the_organisation_are_given_and_taken(admin, money):
    page, other = user_at(money, FRONT), user_at(money, DESK)
    assert "+1 425-555-0100" in words_of(admin.get(page))
    assert post(admin, page, save="assign", number="14255550100").status_code == 302
    assert post(admin, other, save="assign", number="14255550100").status_code == 422
    assert post(admin, other, save="unassign", number="14255550100").status_code == 422
    assert "Front desk" in words_of(admin.get(at(money, "numbers/")))
    assert post(admin, page, save="unassign", number="14255550100").status_code == 302
    assert audited(money) == [("number.attached", "+14255550100")] * 2
    attach = {"number": "14255550100", "attached": "queue", "user": FRONT}
    refused = post(admin, at(money, "numbers/attach/"), **attach)
    assert refused.status_code == 422
    assert "A user's number is the user's alone" in words_of(refused)


def test_whether_a_user_can_call_is_answered_gate_by_gate(admin, money):
    def asked(name, number, type_="user_out", **headers):
        query = {"type": type_, "number": number, "minutes": "2"}
        return admin.get(user_at(money, name, "check/"), query, headers=headers)

    free = words_of(asked(FRONT, "+1 425 555 0123"))
    assert "Yes. The call would be granted now." in free
    assert "Included minutes of Domestic Calling Plan: 2 min" in free
    refused = words_of(asked(FRONT, "+447400123456"))
    assert "No. The organisation has no Communications Credits" in refused
    assert "What to do Set up Communications Credits: buy the first funds." in refused
    assert "Licence: Communications Credits (MCOPSTNC)" in refused
    licence = words_of(asked(DESK, "+447400123456"))
    assert f"{DESK} has no licence MCOPSTNC" in licence
    assert "Who can do it Organisation admin" in licence
    assert "is switched off" in words_of(asked(BARE, "+14255550123"))
    assert "Yes." in words_of(asked(BARE, "112"))
    assert "'nonsense' is not a telephone number" in words_of(asked(FRONT, "nonsense"))
    assert "Type a number." in words_of(asked(FRONT, ""))
    alone = asked(FRONT, "+14255550123", **{"hx-request": "true"}).content.decode()
    assert alone.startswith('<div id="answer"')
    with closing(money.cell()) as cell, cell.reading():
        assert cell.rows("SELECT COUNT(*) FROM call") == [(0,)]


@pytest.mark.parametrize(("funded", "answer"), [(True, "Yes."), (False, "No.")])
def test_a_check_says_why_included_minutes_do_not_pay(admin, money, funded, answer):
    if funded:
        fund_with(money, 1_000 * UNIT)
    with closing(money.cell()) as cell, cell.transaction():
        key = f"{month_of(money.now_ms)}/minutes/MCOPSTN1/US/domestic"
        cell.run(
            "INSERT INTO meter (organisation_id, key, used, held, total) VALUES (?, ?, ?, ?, ?)",
            (money.owner.id, key, 360_000, 0, 360_000),
        )
    why = f"ncluded minutes: 0 s of 360000 s left of {key}, too little for the next increment"
    query = {"type": "user_out", "number": "+14255550123", "minutes": "2"}
    words = words_of(admin.get(user_at(money, FRONT, "check/"), query))
    assert answer in words
    assert f"I{why}" in words
    told = (
        browser()
        .post(
            "/api/v1/organisations/Contoso/call-check",
            {"user": FRONT, "type": "user_out", "number": "+14255550123"},
            "application/json",
            headers={"authorization": f"Bearer {money.key('read')}"},
        )
        .json()
    )
    assert (told["would_grant"], told["because"][-1]) == (funded, f"i{why}")


def test_in_german_every_gate_and_every_wrong_row_is_german(admin, money):
    query = {"type": "user_out", "number": "+447400123456", "minutes": "2"}
    german = {"accept-language": "de"}
    answer = words_of(admin.get(user_at(money, DESK, "check/"), query, headers=german))
    assert f"({DESK}) von Contoso Nummer: +447400123456 existiert (GB)" in answer
    assert "Basislizenz: Inlandsanrufplan (MCOPSTN1)" in answer
    assert f"{DESK} hat keine Lizenz MCOPSTNC" in answer
    upload = io.BytesIO(f"name,licences\n{FRONT},NOPE\n".encode())
    upload.name = "users.csv"
    typed = {"csrfmiddlewaretoken": admin.cookies["talktime_csrf"].value, "file": upload}
    bad = admin.post(at(money, "import/"), typed, headers=german)
    assert "2 'NOPE' ist keine Lizenz; bekannt sind " in words_of(bad)


def test_groups_give_their_licences_to_their_members(admin, money):
    admin.get(at(money, "groups/"))
    made = post(admin, at(money, "groups/"), name="sales")
    page = made.headers["Location"]
    assert post(admin, at(money, "groups/"), name="sales").status_code == 422
    assert post(admin, page, save="licences", licence="MCOMEETADV").status_code == 302
    assert post(admin, page, save="add", names=f"{FRONT}\n{BARE}").status_code == 302
    assert "MCOMEETADV" in holder(money, BARE).user.licences
    assert "MCOMEETADV by group" in words_of(admin.get(user_at(money, BARE)))
    unknown = post(admin, page, save="add", names="nobody")
    assert "Contoso has no user named 'nobody'" in words_of(unknown)
    assert post(admin, page, save="remove", name=BARE).status_code == 302
    assert holder(money, BARE).user.licences == set()
    members = re.findall(r'name="name" value="([^"]*)"', admin.get(page).content.decode())
    assert members == [FRONT]
    with closing(money.cell()) as cell, cell.reading():
        found = find_users(cell, money.owner, Sought(group="sales"), catalogue=CATALOGUE, limit=5)
    assert [each.user.name for each in found] == [FRONT]
    assert post(admin, page, save="delete").headers["Location"] == at(money, "groups/")
    assert "MCOMEETADV" not in holder(money, FRONT).user.licences
    assert [action for action, _ in audited(money) if action.startswith("group")] == [
        *("group.changed", "group.created", "group.deleted"),
    ]


def test_who_may_only_see_changes_nothing(admin, money):
    Membership.objects.filter(account=Account.objects.get()).update(role="viewer")
    page = user_at(money, FRONT)
    for path in (page, at(money), at(money, "groups/"), at(money, "numbers/")):
        response = admin.get(path)
        assert response.status_code == 200
        assert 'name="save"' not in response.content.decode()
    assert post(admin, page, save="block").status_code == 403
    assert post(admin, at(money, "groups/"), name="x").status_code == 403
    assert post(admin, at(money, "change/"), name=FRONT).status_code == 403
    assert admin.get(at(money, "import/")).status_code == 403
    assert holder(money, FRONT).user.active
    assert audited(money) == []


def test_one_user_is_added_and_then_given_licences_on_their_page(admin, money):
    path = at(money, "add/")
    assert '<option value="US" selected>' in admin.get(path).content.decode()
    typed = {
        "name": f"Porter@{CONTOSO}",
        "display_name": "Porter",
        "usage_location": "NO",
        "kind": "person",
    }
    answer = post(admin, path, **typed)
    made = holder(money, f"porter@{CONTOSO}").user
    assert (made.display_name, made.usage_location) == ("Porter", "NO")
    assert answer.headers["Location"].endswith(f"/users/{made.id}/")
    again = post(admin, path, **typed)
    assert again.status_code == 422
    assert f"has a user named porter@{CONTOSO}" in words_of(again)
    for wrong in ({"name": ""}, {"usage_location": "XX"}, {"kind": "robot"}):
        assert post(admin, path, **{**typed, **wrong}).status_code == 422
