"""Log in and log out."""

from typing import Any

from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from allmende.web.accounts.attempts import Attempts
from allmende.web.accounts.audit import record

ATTEMPTS = Attempts()


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
