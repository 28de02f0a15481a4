"""Asking a provider anew whether it is still the same person, before something dangerous (decision 64).

Our checks of what a provider says stand here too; allauth's are those of OAuth 2 with PKCE, and of the id token's end
and audience.
"""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows, resume_request
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from allmende.web.accounts.models import User
from allmende.web.accounts.roles import Person
from allmende.web.oidc import Provider

_METHOD = "socialaccount"
_ANEW = urlencode({"prompt": "login", "max_age": "0"})
"""The person is to log in there, whatever session they have (OpenID Connect Core 1.0, 3.1.2.1)."""
_SKEW = 60
"""Seconds that a provider's clock may go before ours."""


def is_known_elsewhere_alone(user: Person) -> bool:
    """Whether nothing here opens the account: neither a password nor a second factor of ours, but a provider."""
    if not user.is_authenticated or get_reauthentication_flows(user):
        return False
    return SocialAccount.objects.filter(user=user, provider__in=_providers()).exists()


def was_vouched_for(request: HttpRequest) -> bool:
    """Whether a provider said within a quarter of an hour that the person logged in anew."""
    records = get_authentication_records(request, request.user if request.user.is_authenticated else None)
    times = [r["at"] for r in records if r.get("method") == _METHOD and r.get("reauthenticated")]
    return bool(times) and time.time() - times[-1] < app_settings.REAUTHENTICATION_TIMEOUT


def check_said(provider: Provider | None, said: Any) -> dict[str, Any]:
    """The claims of the id token, where all fits together; else raises OAuth2Error, and nobody is logged in.

    There is one (OpenID Connect Core 1.0, 3.1.3.3), of the issuer that the operator named (Discovery 1.0, 4.3), for us
    (Core, 3.1.3.7), and the page of the account tells of the same person (Core, 5.3.2).
    """
    signed = said.get("id_token") if isinstance(said, dict) else None
    if provider is None or not isinstance(signed, dict):
        raise OAuth2Error("the provider gave no id token")
    if str(signed.get("iss", "")).rstrip("/") != provider.issuer.rstrip("/"):
        raise OAuth2Error("the id token is of another issuer than the one that is named")
    if signed.get("azp", provider.client_id) != provider.client_id:
        raise OAuth2Error("the id token was given to somebody else")
    told = said.get("userinfo")
    if isinstance(told, dict) and told.get("sub") != signed.get("sub"):
        raise OAuth2Error("the page of the account tells of another person than the id token")
    return signed


def note_vouching(request: HttpRequest, sociallogin: Any, signed: dict[str, Any]) -> None:
    """Where somebody was sent to their provider by :func:`again`: whether it was them, and just now."""
    if sociallogin.state.get("process") != AuthProcess.REDIRECT:
        return
    at = signed.get("auth_time")
    if not (sociallogin.is_existing and request.user.is_authenticated and sociallogin.user == request.user):
        messages.error(request, _("This log-in belongs to another account."))
    elif not isinstance(at, int | float) or not -_SKEW <= time.time() - at < app_settings.REAUTHENTICATION_TIMEOUT:
        messages.error(request, _("The provider did not ask you anew. Log out there, and try again."))
    else:
        account = sociallogin.account
        told = {"provider": account.provider, "uid": account.uid, "reauthenticated": True}
        record_authentication(request, request.user, _METHOD, **told)


@never_cache
@login_required
@require_safe
def again(request: HttpRequest) -> HttpResponse:
    """``/accounts/again/``: leads to the provider; whoever comes back from there goes on with what they wanted."""
    user = request.user
    assert isinstance(user, User)
    if not is_known_elsewhere_alone(user):
        return HttpResponseRedirect(reverse("accounts:home"))
    if was_vouched_for(request):
        return resume_request(request) or HttpResponseRedirect(reverse("accounts:home"))
    target = get_next_redirect_url(request) or ""
    back = reverse("accounts:again") + (f"?{urlencode({'next': target})}" if target else "")
    query = urlencode({"process": AuthProcess.REDIRECT, "next": back, "auth_params": _ANEW})
    linked = set(SocialAccount.objects.filter(user=user).values_list("provider", flat=True))
    ways = [
        (provider, f"{reverse('accounts:provider', args=[provider.id])}?{query}")
        for provider in settings.OIDC_PROVIDERS
        if provider.id in linked
    ]
    return render(request, "accounts/again.html", {"ways": ways})


def _providers() -> list[str]:
    return [provider.id for provider in settings.OIDC_PROVIDERS]
