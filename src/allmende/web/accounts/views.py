"""Log in and log out, for people; and for programs that want to log in before they show their token."""

from typing import Any

from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from allmende.web.accounts.attempts import Attempts
from allmende.web.accounts.audit import record
from allmende.web.accounts.tokens import find_token

ATTEMPTS = Attempts()
_GRANT_SECONDS = 3600
"""After so long a program asks again; whether the token still holds is looked at with each request anyway."""


class LoginView(auth.LoginView):
    """Name and password; too many wrong ones close the door for a quarter of an hour."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name, address = request.POST.get("username", ""), request.META.get("REMOTE_ADDR", "")
        if ATTEMPTS.blocked(name, address):
            form = self.get_form()
            form.errors[""] = form.error_class([_("Too many attempts. Please try again in a quarter of an hour.")])
            response = self.render_to_response(self.get_context_data(form=form, blocked=True))
            response.status_code = 429
            response["Retry-After"] = "900"
            return response
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        name = form.get_user().get_username()
        ATTEMPTS.forget(name)
        record(f"user:{name}", "login")
        return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        ATTEMPTS.fail(self.request.POST.get("username", ""), self.request.META.get("REMOTE_ADDR", ""))
        response = super().form_invalid(form)
        response.status_code = 403
        return response


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
