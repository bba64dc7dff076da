"""Two people change the same thing, each from a page that was opened before the other's change.
Mirrors src/talktime/console/shared_forms.py and users/ticked.py."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from talktime.console.cell.models import Recipient
from talktime.console.control_plane.models import Organisation, RateCard
from talktime.operations.billing_profiles import buyer_of
from talktime.operations.recharge_settings import view_recharge
from tests.console.opened_forms import OpenedForm
from tests.console.rows import CELL
from tests.console.test_operator_flows import DEARER, EMAIL, RATES, SECOND, Staff
from tests.console.test_pages import words_of
from tests.console.test_users_pages import FRONT, admin, holder, money, user_at

__all__ = ["admin", "money"]

SAID = "Somebody changed this meanwhile"


def rules_of(money):
    row = Organisation.objects.get(id=money.owner.id)
    return row.time_zone, row.calling_rules


@pytest.fixture
def both(money):
    """Two operators, each with the page that changes the organisation open."""
    path = f"/operator/organisations/{money.owner.id}/change/"
    people = [Staff(money, EMAIL), Staff(money, SECOND)]
    return [OpenedForm(each.client, path, "time_zone") for each in people]


def test_two_operators_change_different_fields_and_both_hold(money, both):
    first, second = both
    asked = second.send(time_zone="Europe/Oslo")
    assert "Time zone UTC → Europe/Oslo" in words_of(asked)
    first.send(blocked_countries="KP", pay_as_you_go="on", confirmed="1")
    again = second.send(time_zone="Europe/Oslo")
    assert "Countries that are blocked" not in words_of(again)
    assert second.send(time_zone="Europe/Oslo", confirmed="1").status_code == 302
    rules = '{"blocked_countries":["KP"],"pay_as_you_go":true}'
    assert rules_of(money) == ("Europe/Oslo", rules)


def test_a_field_that_both_change_is_said_with_the_others_value_and_sent_again_it_holds(
    money, both
):
    first, second = both
    first.send(time_zone="Europe/Oslo", confirmed="1")
    met = second.send(time_zone="Europe/Paris", confirmed="1")
    assert met.status_code == 422
    assert f"{SAID}, to: Europe/Oslo. Sent again, yours takes its place." in words_of(met)
    assert rules_of(money)[0] == "Europe/Oslo"
    page = met.content.decode()
    assert '<option value="Europe/Paris" selected>' in page
    seen = page.partition('name="seen" value="')[2].partition('"')[0].replace("&quot;", '"')
    assert second.send(time_zone="Europe/Paris", seen=seen, confirmed="1").status_code == 302
    assert rules_of(money)[0] == "Europe/Paris"


def test_what_a_form_says_that_it_showed_may_be_anything(money, both):
    both[0].client.changes_nothing = True
    for seen in ("", "{", "[" * 9_999, "7", '{"time_zone": 7}', '{"policy": {"a": 1}}'):
        answer = both[0].send(time_zone="UTC", seen=seen)
        assert answer.status_code in (302, 422)
    assert rules_of(money) == ("UTC", "{}")


def test_settings_licences_and_groups_of_a_user_keep_what_somebody_else_changed(admin, money):
    page, groups = user_at(money, FRONT), f"/organisations/{money.owner.id}/users/groups/"
    for name in ("sales", "night"):
        OpenedForm(admin, groups, "name").send(name=name)
    one, two = (
        {part: OpenedForm(admin, page, part) for part in ("display_name", "licence", "group")}
        for _ in range(2)
    )
    one["display_name"].send(spend_limit="25", save="settings")
    two["display_name"].send(display_name="Reception", save="settings")
    one["licence"].send(licence=["MCOEV", "MCOPSTN1", "MCOPSTNC", "MCOMEETADV"], save="licences")
    two["licence"].send(licence=["MCOEV", "MCOPSTN1"], save="licences")
    one["group"].send(group=["sales"], save="groups")
    two["group"].send(group=["night"], save="groups")
    found = holder(money, FRONT)
    assert (found.user.display_name, found.user.spend_limit_micros) == ("Reception", 25_000_000)
    assert found.own_licences == {"MCOEV", "MCOPSTN1", "MCOMEETADV"}
    assert found.groups == {"sales", "night"}
    three, four = (OpenedForm(admin, page, "display_name") for _ in range(2))
    three.send(policy="DialoutCPCandPSTNDisabled", save="settings")
    met = four.send(policy="DialoutCPCDomesticPSTNDisabled", save="settings")
    assert (met.status_code, SAID in words_of(met)) == (422, True)
    assert holder(money, FRONT).user.policy == "DialoutCPCandPSTNDisabled"


def test_the_licences_of_a_group_keep_what_somebody_else_ticked(admin, money):
    groups = f"/organisations/{money.owner.id}/users/groups/"
    page = OpenedForm(admin, groups, "name").send(name="sales").headers["Location"]
    one, two = (OpenedForm(admin, page, "licence") for _ in range(2))
    one.send(licence=["MCOMEETADV"], save="licences")
    two.send(licence=["MCOEV"], save="licences")
    assert sorted(OpenedForm(admin, page, "licence").fields["had"]) == ["MCOEV", "MCOMEETADV"]


def test_auto_recharge_is_one_whole_so_its_sender_looks_again(admin, money):
    path = f"/organisations/{money.owner.id}/credits/recharge/"
    one, two, three = (OpenedForm(admin, path, "trigger") for _ in range(3))
    one.send(enabled="on", trigger="50", amount="100", month_limit="900")
    met = two.send(enabled="on", trigger="50", amount="200")
    assert (met.status_code, SAID in words_of(met)) == (422, True)
    recharge = money.counted(view_recharge).recharge
    assert (recharge.amount_micros, recharge.month_cap_micros) == (100_000_000, 900_000_000)
    assert three.send().status_code == 302
    assert not money.counted(view_recharge).recharge.enabled


def test_rates_are_not_published_over_a_version_that_they_were_not_compared_with(money):
    people = [Staff(money, EMAIL), Staff(money, SECOND)]
    forms = []
    for each, rates in zip(people, (RATES, DEARER), strict=True):
        file = SimpleUploadedFile("rates.csv", rates)
        card = {"name": "gold", "currency": "USD", "valid_from": ""}
        draft = each.post("rate-upload/", **card, file=file).headers["Location"]
        forms.append((OpenedForm(each.client, draft, "versions"), draft))
    for form, draft in forms:
        asked = form.send(f"{draft}publish/")
        assert "Publish rates" in words_of(asked)
    (first, its_draft), (second, draft) = forms
    first.send(f"{its_draft}publish/", confirmed="1")
    second.client.changes_nothing = True
    met = second.send(f"{draft}publish/", confirmed="1")
    second.client.changes_nothing = False
    assert met.headers["Location"] == draft
    assert "Another version was published meanwhile" in words_of(people[1].client.get(draft))
    assert RateCard.objects.filter(name="gold").count() == 1
    again = OpenedForm(people[1].client, draft, "versions")
    assert again.send(f"{draft}publish/", confirmed="1").status_code == 302
    assert RateCard.objects.filter(name="gold").count() == 2


def test_an_entry_of_the_catalogue_that_both_change_is_said(money):
    path = "/operator/catalogue/policy/of/DialoutCPCDomesticPSTNDisabled/"
    one, two = (
        OpenedForm(each.client, path, "fields_yaml")
        for each in (Staff(money, EMAIL), Staff(money, SECOND))
    )
    changed = one.send(fields_yaml="conference: domestic\nuser: domestic", confirmed="1")
    assert changed.status_code == 302
    met = two.send(fields_yaml="conference: any\nuser: none", confirmed="1")
    said = f"{SAID}, to: conference: domestic user: domestic"
    assert (met.status_code, said in words_of(met)) == (422, True)


def test_recipients_the_billing_profile_and_pay_as_you_go_keep_what_somebody_else_changed(
    admin, money
):
    here = f"/organisations/{money.owner.id}/"
    OpenedForm(admin, f"{here}notices/recipients/add/", "email").send(email="cash@contoso.example")
    cases = {
        f"{here}notices/recipients/edit/?email=cash@contoso.example": (
            *({"language": "de"}, {"time_zone": "Europe/Oslo"}),
        ),
        f"{here}invoices/profile/": ({"tax_id": "DE 1"}, {"address": "Harbour 1\r\nOslo"}),
        f"{here}post-usage/pay-as-you-go/": ({"on": "on"}, {"cap": "30"}),
    }
    for path, changes in cases.items():
        forms = [OpenedForm(admin, path, next(iter(changes[0]))) for _ in changes]
        for form, change in zip(forms, changes, strict=True):
            assert form.send(**change).status_code == 302
    told = Recipient.objects.using(CELL).get()
    assert (told.language, told.time_zone) == ("de", "Europe/Oslo")
    buyer = money.counted(lambda counter: buyer_of(counter.cell, money.owner))
    assert (buyer.tax_id, buyer.address) == ("DE 1", "Harbour 1\nOslo")
    rules = '{"pay_as_you_go":true,"post_usage_cap_micros":30000000}'
    assert rules_of(money) == ("UTC", rules)
