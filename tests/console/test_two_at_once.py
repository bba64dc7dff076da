"""Two people change the same thing, each from a page that was opened before the other's change.
Mirrors src/talktime/console/shared_forms.py and users/ticked.py."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from talktime.console.cell.models import Recipient, WebhookEndpoint
from talktime.console.control_plane.models import Organisation, RateCard
from talktime.operations.billing_profiles import buyer_of
from talktime.operations.recharge_settings import view_recharge
from tests.console.opened_forms import OpenedForm
from tests.console.rows import CELL
from tests.console.test_operator_flows import DEARER, EMAIL, RATES, SECOND, Staff
from tests.console.test_pages import words_of
from tests.console.test_users_pages import FRONT, admin, holder, money, user_at

__all__ = ["admin", "money"]

SAID = "This was changed meanwhile"


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
    three.send(policy="DialoutCPCandPSTNDisabled", usage_location="NO", save="settings")
    met = four.send(policy="DialoutCPCDomesticPSTNDisabled", usage_location="SE", save="settings")
    for label in ("Norway", "Meetings: Don't allow. Calls: Don't allow"):
        assert f"{SAID}, to: {label}. Sent again" in words_of(met)
    assert met.status_code == 422
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


def test_one_person_who_sends_a_form_twice_is_told_of_nobody(admin, money):
    here = f"/organisations/{money.owner.id}/"
    operator = Staff(money, EMAIL).client
    change = f"/operator/organisations/{money.owner.id}/change/"
    entry = "/operator/catalogue/policy/of/DialoutCPCDomesticPSTNDisabled/"
    yaml = "user: domestic\r\nconference: 'domestic' # ours"
    amounts = {"trigger": "50.00", "amount": "100.0", "month_limit": "900.0"}
    cases = (
        (admin, user_at(money, FRONT), {"spend_limit": "25.00", "save": "settings"}),
        (admin, f"{here}credits/alerts/", {"below": "100, 20.0"}),
        (admin, f"{here}credits/recharge/", {**amounts, "enabled": "on"}),
        (admin, f"{here}post-usage/pay-as-you-go/", {"cap": "30.0", "on": "on"}),
        (admin, f"{here}invoices/profile/", {"address": " Harbour 1 \r\n\r\nOslo"}),
        (operator, change, {"blocked_countries": "kp, ir", "confirmed": "1"}),
        (operator, entry, {"fields_yaml": yaml, "confirmed": "1"}),
    )
    for client, path, typed in cases:
        form = OpenedForm(client, path, next(iter(typed)))
        first, second = form.send(**typed), form.send(**typed)
        assert (path, first.status_code, second.status_code) == (path, 302, 302)


def test_what_both_changed_is_said_before_what_is_wrong_with_it(admin, money):
    page = user_at(money, FRONT)
    one, two = (OpenedForm(admin, page, "display_name") for _ in range(2))
    one.send(spend_limit="25", save="settings")
    met = two.send(spend_limit="a lot", save="settings")
    assert f"{SAID}, to: 25. Sent again, yours takes its place." in words_of(met)
    assert holder(money, FRONT).user.spend_limit_micros == 25_000_000


def test_kinds_of_events_that_were_set_to_all_meanwhile_are_set_by_sending_again(admin, money):
    add = OpenedForm(admin, f"/organisations/{money.owner.id}/webhooks/add/", "url")
    events = add.send(url="https://hooks.contoso.example/it").headers["Location"] + "events/"
    some = {"every": "some", "kinds": ["purchase.succeeded"]}
    OpenedForm(admin, events, "every").send(**some)
    one, two = (OpenedForm(admin, events, "every") for _ in range(2))
    one.send(every="all")
    more = {**some, "kinds": ["notice.test", "purchase.succeeded"]}
    met = two.send(**more)
    assert (met.status_code, SAID in words_of(met)) == (422, True)
    seen = {"seen": '{"every": "all", "kinds": []}'}
    page = met.content.decode()
    assert 'value="some" id="id_every_1" required checked' in page
    assert two.send(**more, **seen).status_code == 302
    assert (
        WebhookEndpoint.objects.using(CELL).get().kinds == '["notice.test", "purchase.succeeded"]'
    )


def test_an_earlier_version_is_not_published_over_one_that_it_was_not_compared_with(money):
    person = Staff(money, EMAIL)
    for rates in (RATES, DEARER):
        file = SimpleUploadedFile("rates.csv", rates)
        card = {"name": "gold", "currency": "USD", "valid_from": ""}
        draft = person.post("rate-upload/", **card, file=file).headers["Location"]
        OpenedForm(person.client, draft, "versions").send(f"{draft}publish/", confirmed="1")
    versions = RateCard.objects.filter(name="gold")
    first, second = versions.order_by("valid_from_ms")
    asked = {each: f"rate-versions/{each.id}/again/" for each in (first, second)}
    sure = {"valid_from": "", "versions": "2", "confirmed": "1"}
    assert 'name="versions" value="2"' in person.post(asked[first]).content.decode()
    assert person.post(asked[first], **sure).status_code == 302
    person.client.changes_nothing = True
    assert "Nothing changes" in words_of(person.client.get(person.post(asked[first], **sure).url))
    met = person.post(asked[second], **sure)
    assert "Another version was published meanwhile" in words_of(met)
    assert versions.count() == 3
    person.client.changes_nothing = False
    assert person.post(asked[second], **{**sure, "versions": "3"}).status_code == 302
    assert versions.count() == 4
