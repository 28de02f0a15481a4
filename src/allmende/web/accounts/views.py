"""Log in and log out, for people; and for programs that want to log in before they show their token."""

from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.account import views as allauth
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from allmende.web.accounts.enrolment import provider_of, remember_invitation
from allmende.web.accounts.mail import at_public_address
from allmende.web.accounts.tokens import find_token, may_publish

_GRANT_SECONDS = 3600
"""After so long a program asks again; whether the token still holds is looked at with each request anyway."""


class LoginView(allauth.LoginView):
    """Name and password, a passkey, or a provider; too many wrong ones close the door for a quarter of an hour."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Also who else may vouch for somebody, and whether anybody may register."""
        return {
            **super().get_context_data(**kwargs),
            "providers": settings.OIDC_PROVIDERS,
            "registration": settings.ALLMENDE.registration,
            "mail": bool(settings.ALLMENDE.mail_url),
        }

    def form_invalid(self, form: Any) -> HttpResponse:
        """403, so that whoever watches the log sees it."""
        response: HttpResponse = super().form_invalid(form)
        response.status_code = 403
        return response


login = LoginView.as_view()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def logout(request: HttpRequest) -> HttpResponse:
    """End the session; where a provider vouched for it and knows how, its session there too."""
    vouched = _provider_of_session(request) if request.method == "POST" else None
    language = get_language()
    response: HttpResponse = allauth.logout(request)
    end = _end_of_session(request, vouched) if vouched else ""
    return _leave(request, end, vouched, language) if end else response


def _provider_of_session(request: HttpRequest) -> str | None:
    """The id of the provider that the session began with."""
    from allauth.account.internal.flows.login import get_authentication_records

    user = request.user if request.user.is_authenticated else None
    records = [r for r in get_authentication_records(request, user) if r.get("method") == "socialaccount"]
    return str(records[0].get("provider")) if records else None


def _end_of_session(request: HttpRequest, provider_id: str) -> str:
    """Where the provider ends its session (OpenID Connect RP-Initiated Logout 1.0); empty where it says nothing."""
    provider = provider_of(provider_id)
    if provider is None:
        return ""
    adapter = openid_connect.OpenIDConnectOAuth2Adapter(request, provider_id)
    try:
        end = str(adapter.openid_config.get("end_session_endpoint", ""))
    except (requests.RequestException, ValueError):
        return ""  # it cannot be asked; here the session is over all the same
    if urlsplit(end).scheme not in ("http", "https"):
        return ""
    back = at_public_address(request.build_absolute_uri("/"))
    return f"{end}?{urlencode({'client_id': provider.client_id, 'post_logout_redirect_uri': back})}"


@never_cache
@require_POST
def leave_for_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Begin a log-in at a provider."""
    provider = provider_of(provider_id)
    if provider is None:
        raise Http404(provider_id)
    try:
        response: HttpResponse = openid_connect.login(request, provider_id)
    except (requests.RequestException, ValueError, KeyError):
        return render(request, "socialaccount/authentication_error.html", {"provider": provider}, status=502)
    if isinstance(response, HttpResponseRedirect) and urlsplit(response.url).netloc:
        return _leave(request, response.url, provider_id, get_language())
    return response


def _leave(request: HttpRequest, url: str, provider_id: str | None, language: str | None) -> HttpResponse:
    """A page that leads on to another host. The answer to a form must not: our policy's form-action forbids it."""
    response = render(request, "accounts/leave.html", {"url": url, "provider": provider_of(provider_id or "")})
    response["Refresh"] = f"0; url={url}"
    return response


@never_cache
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """A link that somebody was given: it leads to the form, and says nothing where it is not valid any more."""
    if request.user.is_authenticated or not remember_invitation(request, secret):
        return render(request, "account/signup_closed.html", {"invited": True}, status=403)
    return HttpResponseRedirect(reverse("account_signup"))


# Nothing is remembered of whoever asks: there is no session to forge a request in.
@csrf_exempt
@require_POST
def grant_token(request: HttpRequest) -> HttpResponse:
    """OAuth 2's password grant (RFC 6749, 4.3), as clients of istSOS ask for it at ``…/v1.1/Login``.

    The password is a token of the house, with any name; it is handed back as the bearer token. 401 where it opens
    nothing.
    """
    secret = request.POST.get("password", "")
    if find_token(secret) is None:
        message = "give a token of the house as the password, with any name; `allmende token create` makes one"
        refusal = {"code": 401, "type": "error", "message": message, "error": "invalid_grant"}
        return JsonResponse(refusal, status=401, headers={"Cache-Control": "no-store"})
    granted = {"access_token": secret, "token_type": "bearer", "expires_in": _GRANT_SECONDS}
    return JsonResponse(granted, headers={"Cache-Control": "no-store"})


@csrf_exempt
@require_POST
def check_for_broker(request: HttpRequest) -> HttpResponse:
    """Whether a client of a broker of one's own may come in, as EMQX asks by HTTP: ``username`` is the token's name,
    ``password`` the token; ``{"result": "allow"}`` or ``"deny"``."""
    secret, name = request.POST.get("password", ""), request.POST.get("username", "")
    token = find_token(secret)
    allowed = token is not None and token.name == name and may_publish(token)
    return JsonResponse({"result": "allow" if allowed else "deny"}, headers={"Cache-Control": "no-store"})
