"""The first page of an organisation. Mirrors src/talktime/console/home."""

import re
import time
from contextlib import closing

import pytest

from talktime.console.accounts import create_admin
from talktime.console.cell.models import (
    Call,
    Lot,
    Meter,
    PostStatement,
    Transfer,
    UsageRecord,
    User,
    Wallet,
)
from talktime.console.control_plane.models import Organisation
from talktime.core import directory
from talktime.core.charges import Declined
from talktime.core.meters import month_of, post_usage_key
from talktime.core.notices import ROLES
from talktime.operations.commerce_models import mark_moved
from talktime.operations.endpoints import add_endpoint, disable_endpoint, enable_endpoint
from talktime.operations.organisations import change_organisation
from talktime.operations.recharge_settings import RechargePlan, set_recharge
from talktime.operations.recipients import add_recipient
from talktime.operations.sealing import Seal
from talktime.store.users import insert_users
from tests.console.money import Money
from tests.console.rows import insert
from tests.console.test_billing_credits import fund_with
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of
from tests.people import CATALOGUE

DAY_MS = 86_400_000
RATE = '["33","France",21000,5000,30,6]'
FAR_MS = 4_000_000_000_000  # in 2096: never soon


@pytest.fixture
def money(installation):
    money = Money(installation, time_zone="Europe/Oslo", country="NO")
    create_admin(EMAIL, PASSWORD, money.owner.id)
    return money


@pytest.fixture
def admin(money):
    client = browser()
    sign_in(client)
    return client


def home(admin, money, path=""):
    return words_of(admin.get(f"/organisations/{money.owner.id}/{path}"))


def tell_somebody(money):
    with closing(money.cell()) as cell, cell.transaction():
        add_recipient(
            *(cell, money.owner.id, EMAIL),
            roles=ROLES,
            language="en",
            time_zone="UTC",
            now_ms=money.now_ms,
            next_id=money.ids,
        )


def recharge(money, trigger_micros=50_000_000):
    plan = RechargePlan(True, trigger_micros, 100_000_000)
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))


def spend(money, micros, days_ago, number=1):
    """A call that took so much of the lot of `funded`, so long ago."""
    insert(
        Transfer,
        id=number,
        organisation_id=money.owner.id,
        debit_account=11,
        amount_micros=micros,
        usage_id=None,
        at_ms=money.now_ms - days_ago * DAY_MS,
    )


def funded(money, micros):
    """A wallet with so much left in a lot."""
    owner = {"organisation_id": money.owner.id}
    Wallet.objects.using("cell_main").filter(**owner).update(balance_micros=micros)
    insert(Lot, **owner, amount_micros=10**12, remaining_micros=micros, expires_ms=FAR_MS)


def test_an_empty_organisation_says_what_to_do_next(admin, money):
    words = home(admin, money)
    assert "There are no credits yet: calls that need credits are refused. Add funds" in words
    assert "there are no recipients of notices. Add a recipient" in words
    assert "Available US$0.00 Held for running calls US$0.00" in words
    assert "Lasts for No credits were used in the last 28 days" in words
    assert "Auto-recharge Off Set up auto-recharge" in words
    assert "No plan with included minutes is in use" in words
    assert "No calls yet" in words
    assert "and says what is missing. Users and licences" in words
    assert "Times are in Europe/Oslo, the organisation's time zone." in words


def test_how_long_credits_last_is_said_with_how_it_is_worked_out(admin, money):
    funded(money, 30_000_000)
    spend(money, 14_000_000, 6, number=1)
    spend(money, 7_000_000, 2, number=2)
    words = home(admin, money)
    assert (
        "Lasts for About 10 days at the pace of the last 7 days: US$21.00 used, US$3.00 a day"
    ) in words
    page = admin.get(f"/organisations/{money.owner.id}/").content.decode()
    assert page.count('<rect class="room"') == 28
    assert ": US$14.00</title>" in page


def test_a_balance_for_years_and_one_that_ends_are_said_so(admin, money):
    funded(money, 900_000_000)
    spend(money, 7_000_000, 6)
    assert "Lasts for More than a year at the pace of the last 7 days" in home(admin, money)
    Lot.objects.using("cell_main").update(remaining_micros=2_000_000)
    assert "Credits are low: what is available lasts for about 2 more days. Add funds" in home(
        admin, money
    )
    Lot.objects.using("cell_main").update(remaining_micros=999_999)
    words = home(admin, money)
    assert "Credits are low: what is available lasts for less than a day. Add funds" in words
    assert "Lasts for Less than a day at the pace of the last 7 days" in words
    Lot.objects.using("cell_main").update(remaining_micros=0, spent=True)
    words = home(admin, money)
    assert "The credits are used up: calls that need credits are refused. Add funds" in words
    assert "Lasts for Nothing is left" in words


def test_an_organisation_where_all_is_well_has_nothing_to_do(admin, money):
    tell_somebody(money)
    money.add_card()
    fund_with(money, 100_000_000)
    recharge(money)
    page = admin.get(f"/organisations/{money.owner.id}/")
    assert 'class="state' not in page.content.decode()
    assert (
        "Auto-recharge On What is available is not below the trigger. "
        "Next charge: US$100.00, when less than US$50.00 is available."
    ) in words_of(page)


def test_a_paused_recharge_comes_first_with_its_reason_and_its_step(admin, money):
    money.add_card()
    money.bank.answers = [Declined("ch", "lost_card", "The card was reported lost.", True)]
    recharge(money)
    money.run_jobs(money.now_ms + 5_000)
    words = home(admin, money)
    assert (
        "Auto-recharge is paused: The card was reported lost. Add another card and remove this "
        "one, then resume. Auto-recharge settings"
    ) in words
    assert words.index("Auto-recharge is paused") < words.index("Nobody is told")


def test_a_declined_recharge_says_when_it_is_tried_again(admin, money):
    money.add_card()
    money.bank.answers = [Declined("ch", "insufficient_funds", "Not enough.", False)]
    recharge(money)
    money.run_jobs(money.now_ms + 5_000)
    assert "A recharge was declined: Not enough. It is tried again:" in home(admin, money)


def test_a_blocked_move_names_the_one_step(admin, money):
    recharge(money)
    with closing(money.control()) as control, control.transaction():
        mark_moved(control, money.owner, True)
    words = home(admin, money)
    assert "The move to post-usage billing is blocked" in words
    assert "Turn auto-recharge off" in words


def test_an_overdue_statement_and_pay_as_you_go_that_is_off_are_alerts(admin, money):
    Organisation.objects.update(commerce_model="post_usage")
    insert(
        PostStatement,
        organisation_id=money.owner.id,
        state="overdue",
        amount_micros=12_345_000,
        paid_micros=2_000_000,
        month="2026-10",
    )
    words = home(admin, money)
    assert "The statement of October 2026 is overdue: US$10.35 is left to pay." in words
    off = "Pay-as-you-go is off: calls that need money are refused."
    assert f"{off} Turn it on" in words
    for page in ("post-usage/", "products/"):
        assert off in home(admin, money, page)
    Organisation.objects.update(commerce_model="draining")
    off = "Pay-as-you-go is off: calls that need money are refused once the credits are used up."
    for page in ("", "post-usage/", "products/"):
        assert off in home(admin, money, page)
    assert "Post-usage billing US$0.00 in" in words


@pytest.mark.parametrize(("used_micros", "told"), [(35_999_999, False), (36_000_000, True)])
def test_a_months_limit_that_is_nearly_reached_is_an_alert(admin, money, used_micros, told):
    """D14."""
    with closing(money.control()) as control:
        rules = {"pay_as_you_go": True, "post_usage_cap_micros": 40_000_000}
        change_organisation(control, "Contoso", rules=rules, catalogue=CATALOGUE)
    Organisation.objects.update(commerce_model="post_usage")
    key = post_usage_key(month_of(money.now_ms))
    meter = {"used": used_micros, "held": 0, "total": None}
    insert(Meter, organisation_id=money.owner.id, key=key, **meter)
    said = "of this month's limit of US$40.00 is used: calls that would pass it are refused."
    words = home(admin, money)
    assert (said in words, "Change the limit" in words) == (told, told)
    assert "Lasts for" not in words  # nothing is to be used up


def test_credits_that_expire_within_a_week_are_an_alert_and_within_a_month_a_line(admin, money):
    fund_with(money, 100_000_000, days=20, key="a")
    words = home(admin, money)
    assert "Expires soon US$100.00" in words
    assert "expires within 7 days" not in words
    fund_with(money, 60_000_000, days=3, key="b")
    words = home(admin, money)
    assert "US$60.00 of credits expires within 7 days, the first on" in words


def test_the_last_calls_run_on_by_themselves_with_other_parties_masked(admin, money):
    owner = {"organisation_id": money.owner.id}
    insert(User, **owner)
    insert(UsageRecord, **owner, currency="USD", type="user_out")
    insert(
        Call,
        **owner,
        state="open",
        rate=RATE,
        type="user_in",
        user_id=31,
    )
    page = admin.get(f"/organisations/{money.owner.id}/now/").content.decode()
    assert f'hx-get="/organisations/{money.owner.id}/now/"' in page
    assert 'hx-trigger="every 5s"' in page
    assert 'id="figures" hx-swap-oob="true"' in page
    words = home(admin, money, "now/")
    assert "1 call is running" in words
    assert "Running Front desk +47 21 23 4* ** France +49 30 12345678" in words
    assert "Front desk +47 21 23 45 67 Germany +49 30 12345***" in words


def test_a_running_call_says_how_long_it_has_talked_so_far(admin, money):
    call = {"organisation_id": money.owner.id, "state": "open", "rate": RATE, "type": "user_out"}
    answered_ms = time.time_ns() // 1_000_000 - 75_000
    insert(Call, **call, answered_ms=answered_ms, granted_s=300, reported_s=0)
    found = re.search(r"1:(\d\d) so far holds", home(admin, money, "now/"))
    assert 15 <= int(found[1]) < 45
    Call.objects.using("cell_main").update(answered_ms=None)
    assert "Not answered yet holds" in home(admin, money, "now/")


def test_a_rounded_figure_in_a_sentence_has_its_exact_one_with_it(admin, money):
    funded(money, 30_000_000)
    spend(money, 14_000_600, 6)
    page = admin.get(f"/organisations/{money.owner.id}/").content.decode()
    assert '<bdi class="amount rounded" tabindex="0" title="The exact amount: 14.0006">' in page
    assert 'US$14.00<span class="exact"> (14.0006)</span></bdi>' in page
    assert ": US$14.00 (14.0006)</title>" in page


def test_nothing_of_another_organisation_is_shown(admin, money):
    for model in (Wallet, Lot, UsageRecord, User, Transfer):
        insert(model, organisation_id=money.owner.id + 1)
    words = home(admin, money)
    assert "No calls yet" in words
    assert "Available US$0.00" in words
    assert "No credits were used in the last 28 days" in words


def test_the_page_of_another_organisation_is_not_found(admin, installation, money):
    other = Money(installation, name="Fabrikam")
    for path in ("", "now/"):
        assert admin.get(f"/organisations/{other.owner.id}/{path}").status_code == 404


def test_text_from_outside_is_shown_as_text(admin, money):
    owner = {"organisation_id": money.owner.id}
    insert(User, **owner, display_name="<script>alert(1)</script>")
    insert(UsageRecord, **owner, destination="<i>Nowhere</i>")
    page = admin.get(f"/organisations/{money.owner.id}/").content.decode()
    assert "<script>alert" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_minutes_that_ended_with_the_other_counter_of_their_plan_are_shown_so(admin, money):
    """R42."""
    owner_id, month = money.owner.id, month_of(money.now_ms)
    user = directory.User(
        *(41, owner_id, "u@contoso.example", "User", "NO", frozenset({"MCOEV", "MCOPSTN2"})),
        *("person", True),
    )
    abroad = f"{month}/minutes/MCOPSTN2/NO/international"
    with closing(money.cell()) as cell, cell.transaction():
        insert_users(cell, [user])
        cell.run(
            "INSERT INTO meter (organisation_id, key, used, held, total) VALUES (?, ?, ?, ?, ?)",
            (owner_id, abroad, 36_000, 0, 36_000),
        )
    ended = "Ended with the international minutes"
    assert f"0 of 1,200 minutes used, 0 left {ended}" in home(admin, money)
    pools = words_of(admin.get(f"/organisations/{owner_id}/usage/pools/"))
    assert f"International Calling Plan (domestic) {ended} 1,200" in pools
    headers = {"authorization": f"Bearer {money.key('read')}"}
    told = browser().get("/api/v1/organisations/Contoso/pools", headers=headers).json()["pools"]
    assert [(each["left_seconds"], each["ended_by"]) for each in told] == [(0, abroad), (0, None)]


def test_a_webhook_endpoint_that_was_given_up_is_an_alert_and_one_turned_off_by_hand_is_none(
    admin, money
):
    with closing(money.cell()) as cell, cell.transaction():
        made = add_endpoint(
            *(cell, money.owner.id, "https://hooks.contoso.example:8443/talktime"),
            actor=EMAIL,
            seal=Seal(money.settings.seal_keys()),
            now_ms=money.now_ms,
            next_id=money.ids,
            entropy=bytes(32),
        )
    alert = "the webhook endpoint at hooks.contoso.example:8443 failed. See the endpoint"
    at = f"/organisations/{money.owner.id}/webhooks/{made.endpoint.id}/"
    for reason, told in (("by hand", False), ("by portal", False), ("410 Gone", True)):
        with closing(money.cell()) as cell, cell.transaction():
            disable_endpoint(cell, money.owner.id, made.endpoint.id, reason=reason)
        assert (alert in home(admin, money)) == told, reason
    assert f'href="{at}"' in admin.get(f"/organisations/{money.owner.id}/").content.decode()
    with closing(money.cell()) as cell, cell.transaction():
        enable_endpoint(cell, money.owner.id, made.endpoint.id)
    assert alert not in home(admin, money)
