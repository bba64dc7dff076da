"""Single sign-on by OpenID Connect: the provider vouches for an e-mail address, nothing more.

It signs in the account of that address, or makes one for somebody who is invited. Who may do what
stays with us, and so does a second factor that the account has.
"""

from typing import Any

import structlog
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.openid_connect import views
from django.contrib.auth.hashers import make_password
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from requests.exceptions import RequestException

from talktime.clock import now_ms
from talktime.console.control_plane.models import Account, email_as_kept
from talktime.console.databases import current
from talktime.console.identity import new_ids
from talktime.console.people.mail import control_plane
from talktime.core.audit import Actor
from talktime.core.refusal import Refusal
from talktime.operations.audit import acting
from talktime.operations.invitations import join_all, may_join

log = structlog.get_logger(__name__)

PROVIDER, PROVIDER_ID = "openid_connect", "sso"


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Whom the provider may bring in."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The one provider that the environment names, if any."""
        named = current().single_sign_on
        if named is None or provider not in (None, PROVIDER, PROVIDER_ID):
            return []
        app = SocialApp(
            provider=PROVIDER,
            provider_id=PROVIDER_ID,
            name=named.name,
            client_id=named.client_id,
            secret=named.client_secret,
            settings={"server_url": named.issuer, "oauth_pkce_enabled": True},
        )
        return [app] if client_id in (None, app.client_id) else []

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the account of the verified address. A session cannot be tied to somebody else's
        sign-in at the provider: that would be another way in."""
        if sociallogin.state.get("process", AuthProcess.LOGIN) != AuthProcess.LOGIN:
            raise ImmediateHttpResponse(not_signed_in(request, "process"))
        if sociallogin.is_existing:
            return
        email = verified_email(sociallogin)
        account = Account.objects.filter(email=email, is_active=True).first() if email else None
        if account is not None:
            sociallogin.connect(request, account)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whether somebody without an account is invited; the others are told that they are not."""
        email = verified_email(sociallogin)
        if email and not Account.objects.filter(email=email).exists():
            with control_plane() as control:
                if may_join(control, email, now_ms()):
                    return True
        raise ImmediateHttpResponse(not_signed_in(request, "no_account", email))

    def save_user(
        self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None
    ) -> Account:
        """Make the account of somebody who is invited, and accept what they are invited to."""
        email, next_id = verified_email(sociallogin), new_ids().next
        actor = Actor("account", email, request.META.get("REMOTE_ADDR") or "")
        with control_plane() as control, acting(actor, now_ms, next_id):
            joined = join_all(control, email, make_password(None), now_ms=now_ms(), next_id=next_id)
        if isinstance(joined, Refusal):
            raise ImmediateHttpResponse(not_signed_in(request, "no_account", email))
        account = Account.objects.get(id=joined.id)
        sociallogin.user = account
        sociallogin.save(request, connect=True)
        return account

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Say on a page of ours that it went wrong, and in the log why."""
        log.warning("single sign-on failed", reason=str(exception or error))
        raise ImmediateHttpResponse(not_signed_in(request, "failed"))


def verified_email(sociallogin: SocialLogin) -> str:
    """The address that the provider vouches for, as it is kept; empty for none."""
    vouched = (each.email for each in sociallogin.email_addresses if each.verified)
    return email_as_kept(next(vouched, ""))


def not_signed_in(request: HttpRequest, why: str, email: str = "") -> HttpResponse:
    """The page that says why single sign-on let nobody in."""
    named = current().single_sign_on
    shown = {"why": why, "email": email, "name": named.name if named else ""}
    return render(request, "people/not_signed_in.html", shown, status=403)


@never_cache
@require_POST
def begin(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Off to the provider, by a page of our own: a form may lead to this service alone."""
    try:
        response = views.login(request, provider_id)
    except RequestException as error:
        log.warning("the single sign-on provider does not answer", reason=str(error))
        return not_signed_in(request, "failed")
    if response.status_code != 302:
        return response
    named = current().single_sign_on
    shown = {"there": response.headers["Location"], "name": named.name if named else ""}
    return render(request, "people/off_to_provider.html", shown)


@never_cache
@require_safe
def come_back(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Back from the provider, with a code that is good for one look at who it is."""
    if current().single_sign_on is None:
        raise Http404
    response: HttpResponseBase = views.callback(request, provider_id)
    return response


@never_cache
@require_safe
def cancelled(request: HttpRequest) -> HttpResponse:
    """Somebody turned back at the provider."""
    return redirect("sign-in")
