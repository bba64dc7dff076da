"""Second factors, new passwords, sessions, teams, staff. Mirrors src/talktime/console/people."""

import json
import re
from contextlib import closing
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.totp.internal.auth import yield_hotp_counters_from_time as counters
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import identify_hasher, make_password
from django.core.cache import cache
from django.test import override_settings

from talktime.clock import now_ms
from talktime.console import settings as console_settings
from talktime.console.accounts import create_admin, create_staff
from talktime.console.control_plane.models import (
    Account,
    AccountMail,
    AuditEntry,
    Invitation,
    Membership,
    Organisation,
)
from talktime.core.limits import INVITATION_MS_MAX, INVITATIONS_A_DAY_MAX
from talktime.jobs.account_mail import send_account_mail
from talktime.operations.sealing import Seal
from talktime.operations.sweep import Sweep
from talktime.store.database import connect
from tests.console.conftest import settings_in
from tests.console.rows import insert
from tests.console.test_pages import EMAIL, PASSWORD, admin, browser, sign_in, words_of

__all__ = ["admin"]

NEW = "nine blue bottles"
TEAM = "/organisations/1/team/"
EVIL = ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)")


@pytest.fixture(autouse=True)
def nothing_counted():
    """What another test has tried is not held against this one."""
    cache.clear()


def post(client, path, **form):
    """Send a form as a browser does, with the token of the page that it is on."""
    for page in ("/account/", "/sign-in/"):
        if "talktime_csrf" not in client.cookies or page == "/account/":
            client.get(page)
    token = client.cookies["talktime_csrf"].value
    return client.post(path, {"csrfmiddlewaretoken": token, **form})


def mails(kind):
    """What mail of this kind tells, the oldest first."""
    from talktime.console.databases import current

    seal = Seal(current().seal_keys())
    return [
        (each.to_email, json.loads(seal.opened(each.sealed_content)))
        for each in AccountMail.objects.filter(kind=kind).order_by("id")
    ]


def path_in(mail):
    return urlsplit(mail[1]["link"]).path


def actions():
    return list(AuditEntry.objects.order_by("id").values_list("action", "subject"))


def code_of(secret):
    _, this_half_minute, _ = counters()
    return format_hotp_value(hotp_value(secret, this_half_minute))


def with_factor():
    """Give the admin's account a second factor and recovery codes; the app's secret, the codes."""
    account = Account.objects.get(email=EMAIL)
    from allauth.mfa.adapter import get_adapter

    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(account, secret)
    assert get_adapter().encrypt(secret) != secret
    return secret, RecoveryCodes.activate(account).get_unused_codes()


def test_an_app_is_added_after_the_password_again_and_then_asked_for(admin):
    asked = admin.get("/account/app/")
    assert asked.headers["Location"] == "/account/confirm/?next=%2Faccount%2Fapp%2F"
    assert post(admin, "/account/confirm/", password="wrong guess").status_code == 200
    confirmed = post(admin, "/account/confirm/?next=/account/app/", password=PASSWORD)
    assert confirmed.headers["Location"] == "/account/app/"
    page = admin.get("/account/app/").content.decode()
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page)[1]
    assert "<svg" in page
    assert "style=" not in page
    added = post(admin, "/account/app/", code=code_of(secret))
    assert added.headers["Location"] == "/account/recovery-codes/"
    codes = re.findall(
        r"<li><code>(\d{8})</code>", admin.get("/account/recovery-codes/").content.decode()
    )
    assert len(codes) == 10
    assert mails("totp_added")[0][1]["link"].endswith("/account/")
    assert ("account.totp_added", EMAIL) in actions()
    client = browser()
    assert sign_in(client).headers["Location"] == "/sign-in/second-factor/"
    assert "passkey" not in words_of(client.get("/sign-in/second-factor/"))
    assert client.get("/account/").status_code == 302
    assert "The code is not right." in words_of(
        post(client, "/sign-in/second-factor/", code="000000")
    )
    inside = post(client, "/sign-in/second-factor/", code=codes[0])
    assert inside.headers["Location"] == "/organisations/"
    again = browser()
    sign_in(again)
    assert post(again, "/sign-in/second-factor/", code=codes[0]).status_code == 200


def test_a_code_of_the_half_minute_before_or_after_holds_and_each_works_once(admin, monkeypatch):
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: 60_000_000_000))
    secret, _ = with_factor()

    def inside(apart):
        client = browser()
        sign_in(client)
        code = format_hotp_value(hotp_value(secret, 2_000_000_000 + apart))
        return post(client, "/sign-in/second-factor/", code=code).status_code == 302

    assert [inside(apart) for apart in (-2, -1, 0, 1, 2)] == [False, True, True, True, False]
    assert not inside(-1)


def test_second_factors_cannot_be_guessed_for_long(admin):
    _, codes = with_factor()
    client = browser()
    sign_in(client)
    for _ in range(5):
        said = words_of(post(client, "/sign-in/second-factor/", code="123456"))
        assert "The code is not right." in said
    said = words_of(post(client, "/sign-in/second-factor/", code=codes[0]))
    assert "Too many attempts have failed." in said


def test_a_forgotten_password_is_set_by_mail_once_and_ends_other_sessions(admin):
    answers = [
        post(browser(), "/sign-in/forgotten/", email=email)
        for email in (EMAIL.upper(), "nobody@contoso.example")
    ]
    assert [each.headers["Location"] for each in answers] == ["/sign-in/forgotten/mailed/"] * 2
    [mail] = mails("password_reset")
    assert mail[0].lower() == EMAIL
    assert mail[1]["link"].startswith("http://127.0.0.1:8000/sign-in/new-password/")
    client = browser()
    form = client.get(path_in(mail)).headers["Location"]
    assert form.endswith("-set-password/")
    assert post(client, form, password1="short", password2="short").status_code == 200
    assert post(client, form, password1=NEW, password2=NEW).status_code == 302
    assert Account.objects.get().check_password(NEW)
    assert admin.get("/account/").status_code == 302
    assert "This link holds no more" in words_of(browser().get(path_in(mail)))
    assert len(mails("password_changed")) == 1
    for _ in range(2):
        post(browser(), "/sign-in/forgotten/", email=EMAIL)
    assert post(browser(), "/sign-in/forgotten/", email=EMAIL).status_code == 429


def test_a_password_is_changed_with_the_old_one_and_this_session_stays(admin):
    other = browser()
    sign_in(other)
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    wrong = post(admin, "/account/password/", **{**form, "oldpassword": "a wrong guess"})
    assert "This is not your current password." in words_of(wrong)
    assert post(admin, "/account/password/", **form).headers["Location"] == "/account/"
    assert admin.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    assert ("account.password_changed", EMAIL) in actions()


def test_old_hashes_become_argon2_at_the_next_sign_in(admin):
    with override_settings(PASSWORD_HASHERS=console_settings.PASSWORD_HASHERS):
        old = make_password(PASSWORD, hasher="pbkdf2_sha256")
        Account.objects.update(password=old)
        assert sign_in(browser()).status_code == 302
        assert identify_hasher(Account.objects.get().password).algorithm == "argon2"


def test_the_session_gets_another_key_at_sign_in_and_next_leads_nowhere_else(admin):
    _, codes = with_factor()
    client = browser()
    sign_in(client, next=EVIL[0])
    before = client.cookies["talktime_session"].value
    inside = post(client, "/sign-in/second-factor/", code=codes[0])
    assert inside.headers["Location"] == "/organisations/"
    assert client.cookies["talktime_session"].value != before
    for evil, code in zip(EVIL, codes[1:], strict=False):
        there = browser()
        sign_in(there, next=evil)
        assert post(there, "/sign-in/second-factor/", code=code, next=evil).headers["Location"] == (
            "/organisations/"
        )
        confirmed = post(there, "/account/confirm/", password=PASSWORD, next=evil)
        assert confirmed.headers["Location"] == "/organisations/"


def test_sessions_are_listed_and_ended(admin):
    others = [browser(**{"user-agent": f"Firefox/{number}.0 (Windows)"}) for number in range(2)]
    for each in others:
        sign_in(each)
    words = words_of(admin.get("/account/"))
    assert words.count("Firefox, Windows") == 4  # beside each button for those who do not see
    assert "Unknown browser This one 127.0.0.1" in words
    ended = UserSession.objects.filter(user_agent__contains="Firefox/0").get()
    assert post(admin, f"/account/sessions/{ended.pk}/end/").status_code == 302
    assert [each.get("/account/").status_code for each in others] == [302, 200]
    post(admin, "/account/sessions/end/")
    assert others[1].get("/account/").status_code == 302
    assert admin.get("/account/").status_code == 200


def test_language_and_time_zone_are_ones_own(admin):
    assert post(admin, "/account/", language="fr", time_zone="").status_code == 422
    assert post(admin, "/account/", language="de", time_zone="Europe/Oslo").status_code == 302
    account = Account.objects.get()
    assert (account.language, account.time_zone) == ("de", "Europe/Oslo")
    assert admin.get("/account/").headers["Content-Language"] == "de"


def test_somebody_new_is_invited_sets_a_password_and_is_in(admin):
    post(admin, f"{TEAM}invite/", email="Billing@contoso.example", role="billing_admin")
    [mail] = mails("invitation")
    assert mail[0] == "billing@contoso.example"
    assert (mail[1]["organisation"], mail[1]["role"]) == ("Contoso", "billing_admin")
    client, path = browser(), path_in(mail)
    assert "Choose a password." in words_of(client.get(path))
    assert post(client, path, password="short", again="short").status_code == 422
    joined = post(client, path, password=NEW, again=NEW)
    assert joined.headers["Location"] == "/organisations/1/"
    assert client.get(TEAM).status_code == 200
    assert client.get(f"{TEAM}{Account.objects.get(email=EMAIL).id}/").status_code == 403
    assert browser().get(path).status_code == 404
    new = ("member.added", "billing@contoso.example")
    assert actions()[-2:] == [("account.made", new[1]), new]


def test_who_has_an_account_signs_in_first_and_others_cannot_accept(admin):
    insert(Organisation, id=2, name="Fabrikam")
    create_admin("owner@fabrikam.example", PASSWORD, 2)
    post(admin, f"{TEAM}invite/", email="owner@fabrikam.example", role="viewer")
    path = path_in(mails("invitation")[0])
    assert "You have an account already" in words_of(browser().get(path))
    assert post(browser(), path, password=NEW, again=NEW).status_code == 422
    assert post(admin, path).status_code == 422
    other = browser()
    sign_in(other, email="owner@fabrikam.example")
    assert Membership.objects.filter(organisation_id=1).count() == 1
    assert post(other, path).headers["Location"] == "/organisations/1/"
    assert Membership.objects.filter(organisation_id=1, role="viewer").count() == 1


def test_invitations_are_sent_again_taken_back_and_end_by_themselves(admin):
    post(admin, f"{TEAM}invite/", email="voice@contoso.example", role="voice_admin")
    first = Invitation.objects.get()
    assert first.expires_ms - first.created_ms == INVITATION_MS_MAX
    post(admin, f"{TEAM}invitations/{first.id}/again/")
    old, new = map(path_in, mails("invitation"))
    assert [browser().get(path).status_code for path in (old, new)] == [404, 200]
    second = Invitation.objects.get(revoked_ms=None)
    post(admin, f"{TEAM}invitations/{second.id}/revoke/")
    assert browser().get(new).status_code == 404
    post(admin, f"{TEAM}invite/", email="voice@contoso.example", role="voice_admin")
    Invitation.objects.filter(revoked_ms=None).update(expires_ms=now_ms())
    assert browser().get(path_in(mails("invitation")[-1])).status_code == 404
    assert "Expired" in words_of(admin.get(TEAM))
    for number in range(INVITATIONS_A_DAY_MAX - 3):
        insert(Invitation, id=number, secret_hash=str(number), created_ms=now_ms())
    refused = post(admin, f"{TEAM}invite/", email="more@contoso.example", role="viewer")
    assert (refused.status_code, len(mails("invitation"))) == (422, 3)


def test_the_last_owner_neither_leaves_nor_becomes_less(admin):
    owner = Account.objects.get(email=EMAIL).id
    assert post(admin, f"{TEAM}{owner}/", role="viewer").status_code == 422
    admin.changes_nothing = True
    post(admin, f"{TEAM}{owner}/remove/")
    admin.changes_nothing = False
    assert Membership.objects.get().role == "owner"
    other = create_admin("second@contoso.example", PASSWORD, 1)
    Account.objects.filter(id=other).update(is_active=False)
    assert post(admin, f"{TEAM}{owner}/", role="viewer").status_code == 422
    Account.objects.filter(id=other).update(is_active=True)
    assert post(admin, f"{TEAM}{owner}/", role="viewer").status_code == 302
    assert post(admin, f"{TEAM}{other}/", role="viewer").status_code == 403
    assert Membership.objects.get(account_id=owner).role == "viewer"


def test_staff_sees_all_organisations_and_changes_who_is_staff_but_not_itself(admin):
    for number in range(2, 55):
        insert(Organisation, id=number, name=f"Fabrikam {number:02}")
    create_staff("operator@contoso.example", PASSWORD, "operator")
    assert admin.get("/operator/staff/").status_code == 404
    client = browser()
    sign_in(client, email="operator@contoso.example")
    page = client.get("/organisations/")
    assert "Fabrikam 50" in words_of(page)
    assert "Fabrikam 54" not in words_of(page)
    older = re.search(r'href="(\?q=[^"]+)" rel="next"', page.content.decode())[1]
    assert "Fabrikam 54" in words_of(client.get("/organisations/" + older.replace("&amp;", "&")))
    found = words_of(client.get("/organisations/?q=kam 07"))
    assert "Fabrikam 07" in found
    assert "Contoso" not in found
    team = words_of(client.get("/organisations/7/team/"))
    assert "Nobody looks after this organisation yet." in team
    assert "talktime admin create" in team
    post(client, "/operator/staff/", email=EMAIL, role="finance")
    assert Account.objects.get(email=EMAIL).staff_role == "finance"
    assert admin.get("/operator/staff/").status_code == 404
    post(client, "/operator/staff/", remove=EMAIL)
    assert Account.objects.get(email=EMAIL).staff_role == ""
    own = post(client, "/operator/staff/", email="operator@contoso.example", role="finance")
    assert own.status_code == 422
    assert ("staff.set", EMAIL) in actions()


def test_mail_about_accounts_is_handed_over_once_and_then_forgotten(installation):
    insert(Organisation)
    create_admin(EMAIL, PASSWORD, 1)
    client = browser()
    sign_in(client)
    post(client, f"{TEAM}invite/", email="billing@contoso.example", role="viewer")
    with (
        closing(connect(installation.control_plane)) as control,
        closing(connect(installation.cells["main"])) as cell,
    ):
        sweep = Sweep(cell, now_ms, iter(range(9)).__next__, settings=installation,
                      control=lambda: control)  # fmt: skip
        assert send_account_mail(sweep).rows == 1
        assert send_account_mail(sweep).rows == 0
    [file] = (installation.data / "mail" / "new").iterdir()
    assert "You are invited to look after Contoso" in file.read_text()
    assert "List-Id" not in file.read_text()
    kept = AccountMail.objects.get()
    assert (kept.state, kept.sealed_content, kept.tries) == ("sent", "", 1)


def test_mail_waits_while_its_server_is_away(installation, tmp_path):
    insert(Organisation)
    create_admin(EMAIL, PASSWORD, 1)
    client = browser()
    sign_in(client)
    post(client, "/sign-out/")
    post(client, "/sign-in/forgotten/", email=EMAIL)
    away = settings_in(tmp_path, installation.control_plane.url or "",
                       TALKTIME_SMTP_URL="smtp://127.0.0.1:1")  # fmt: skip
    with (
        closing(connect(installation.control_plane)) as control,
        closing(connect(installation.cells["main"])) as cell,
    ):
        sweep = Sweep(cell, now_ms, iter(range(9)).__next__, settings=away, control=lambda: control)
        assert send_account_mail(sweep).failures == ()
    kept = AccountMail.objects.get()
    assert (kept.state, kept.tries) == ("due", 0)
    assert kept.due_ms > now_ms() + 20_000
    assert kept.sealed_content
