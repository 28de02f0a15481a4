"""The pages of one's own account."""

from typing import Any

from allauth.account import views as allauth
from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from allmende.domain.errors import Conflict
from allmende.web.accounts import sessions as browsers
from allmende.web.accounts.audit import record
from allmende.web.accounts.enrolment import provider_of
from allmende.web.accounts.models import LoggedIn, Token, User
from allmende.web.accounts.roles import given_role, lacks_factor, may, role_of

_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Everything of one's account at a glance."""
    user: Any = request.user
    factors = list(Authenticator.objects.filter(user=user))
    values = {
        "role": role_of(user),
        "given": given_role(user),
        "memberships": user.memberships.exclude(organisation=None).select_related("organisation"),
        "lacks_factor": lacks_factor(user),
        "passkeys": [f for f in factors if f.type == Authenticator.Type.WEBAUTHN],
        "app": any(f.type == Authenticator.Type.TOTP for f in factors),
        "recovery": any(f.type == Authenticator.Type.RECOVERY_CODES for f in factors),
        "has_factor": any(f.type in _FACTORS for f in factors),
        "tokens": Token.objects.filter(user=user, revoked=None).count(),
        "browsers": LoggedIn.objects.filter(user=user).count(),
        "linked": SocialAccount.objects.filter(user=user).count(),
        "providers": settings.OIDC_PROVIDERS,
        "unconfirmed": EmailAddress.objects.filter(user=user, verified=False).first(),
        "mail": bool(settings.ALLMENDE.mail_url),
        "looks_after_people": may(user, "people.edit"),
    }
    return render(request, "accounts/home.html", values)


class NameForm(forms.ModelForm):
    """How the house calls somebody."""

    class Meta:
        model = User
        fields = ("first_name", "last_name")


class ContactForm(forms.ModelForm):
    """Where no mail can be sent, an address is what the person says it is."""

    class Meta:
        model = User
        fields = ("email",)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def name(request: HttpRequest) -> HttpResponse:
    """Change one's name; it may be left empty."""
    return _change(request, NameForm, "accounts/name.html", "user.name")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def email(request: HttpRequest) -> HttpResponse:
    """Change one's e-mail address: the new one counts when it is confirmed, where there is mail."""
    if settings.ALLMENDE.mail_url:
        return allauth.email(request)
    return _change(request, ContactForm, "accounts/email.html", "user.email")


@never_cache
@login_required
@reauthentication_required
def set_password(request: HttpRequest) -> HttpResponse:
    """A password for an account that has none yet. (allauth's own page asks nobody who they are.)"""
    return allauth.password_set(request)


def _change(request: HttpRequest, kind: Any, template: str, action: str) -> HttpResponse:
    user: Any = request.user
    form = kind(request.POST if request.method == "POST" else None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        record(f"user:{user.get_username()}", action, f"user:{user.get_username()}")
        messages.success(request, _("Your changes are saved."))
        return HttpResponseRedirect(reverse("accounts:home"))
    return render(request, template, {"form": form}, status=400 if form.errors else 200)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is logged in; by POST one of them ends, or all others."""
    user: Any = request.user
    if request.method == "POST":
        number = request.POST.get("number", "")
        if number.isascii() and number.isdigit() and len(number) < 19:
            browsers.end_one(user, int(number))
        elif not number:
            browsers.end_others(request, user)
        record(f"user:{user.get_username()}", "sessions.end", f"user:{user.get_username()}")
        return HttpResponseRedirect(reverse("accounts:sessions"))
    listed = LoggedIn.objects.filter(user=user)
    return render(request, "accounts/sessions.html", {"listed": listed, "own": browsers.own_entry(request)})


@never_cache
@login_required
@reauthentication_required
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """All that the house keeps of the person's account, as a file."""
    user: Any = request.user
    from allmende.web.persons.reach import everything, subject_of

    response = JsonResponse(everything(subject_of(user)), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = 'attachment; filename="allmende-account.json"'
    return response


@never_cache
@login_required
@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Delete one's account and all that leads to the person, at once and for good; before that, what there is."""
    from allmende.web.persons.asking import erase_self
    from allmende.web.persons.erasing import backups_until
    from allmende.web.persons.reach import look, subject_of

    user: Any = request.user
    trouble = ""
    if request.method == "POST":
        if request.POST.get("sure") != "yes":
            trouble = _("Tick the box, if you are sure.")
        else:
            try:
                erased = erase_self(user, request.POST.get("given", ""))
            except Conflict:
                trouble = _("You are the last administrator. Make another one first.")
            else:
                logout(request)
                values = {"kept": erased.kept, "backups_until": backups_until()}
                return render(request, "accounts/deleted.html", values)
    values = {
        "trouble": trouble,
        "found": [each for each in look(subject_of(user)) if each["count"]],
        "backups_until": backups_until(),
    }
    return render(request, "accounts/delete.html", values, status=400 if trouble else 200)


def provider_title(account: SocialAccount) -> str:
    """What a linked log-in is called."""
    provider = provider_of(account.provider)
    return provider.title if provider else account.provider
