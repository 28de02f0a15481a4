"""Tokens that somebody makes for their own programs and devices."""

from datetime import timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.domain.errors import Conflict
from allmende.domain.policy import COMMONS
from allmende.web.accounts import access
from allmende.web.accounts.models import Token, User
from allmende.web.accounts.tokens import create_token, revoke_token
from allmende.web.house import open_profile
from allmende.web.portal.sources import spoken


class TokenForm(forms.Form):
    """What a token is for, what it may, and how long. It offers no more than the person may now."""

    name = forms.SlugField(max_length=60)
    days = forms.IntegerField(min_value=1)
    reads = forms.MultipleChoiceField(required=False)
    writes = forms.MultipleChoiceField(required=False)
    publishes = forms.BooleanField(required=False)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self.fields["days"].initial = min(90, settings.ALLMENDE.token_days)
        self.fields["days"].max_value = settings.ALLMENDE.token_days  # type: ignore[attr-defined]
        self.offer("reads", access.datasets_of(user))
        self.offer("writes", access.writes_of(user))
        if not access.may_feed(user):
            del self.fields["publishes"]

    def offer(self, field: str, datasets: frozenset[str]) -> None:
        """Let the person choose among datasets; without any, the question is not asked."""
        if not datasets:
            del self.fields[field]
            return
        titles = {id_: spoken(dataset.title) for id_, dataset in open_profile().datasets.items()}
        titles[COMMONS] = str(_("What belongs to nobody alone (commons)"))
        choices = sorted(((id_, titles.get(id_, id_)) for id_ in datasets), key=lambda pair: pair[1])
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    def clean_days(self) -> int:
        """Within what the setting allows."""
        days: int = self.cleaned_data["days"]
        if days > settings.ALLMENDE.token_days:
            raise forms.ValidationError(_("At most %(most)s days."), params={"most": settings.ALLMENDE.token_days})
        return days

    def clean(self) -> dict[str, Any]:
        """Not more tokens than the setting allows."""
        now = timezone.now()
        valid = sum(token.is_valid(now) for token in Token.objects.filter(user=self._user, revoked=None))
        if valid >= settings.ALLMENDE.token_count:
            raise forms.ValidationError(_("You have as many tokens as you may have. Revoke one that is not needed."))
        return self.cleaned_data


@never_cache
@login_required
@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens, without their secrets."""
    now = timezone.now()
    user: Any = request.user
    listed = [(token, token.is_valid(now)) for token in Token.objects.filter(user=user).order_by("-created")]
    return render(request, "accounts/tokens.html", {"listed": listed})


@never_cache
@login_required
@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token, and show it this once."""
    user: Any = request.user
    form = TokenForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        writes = given.get("writes", [])
        try:
            token, secret = create_token(
                f"{user.get_username()}/{given['name']}",
                actor=f"user:{user.get_username()}",
                may_write=bool(writes),
                datasets=given.get("reads", []),
                writes=writes,
                publishes=given.get("publishes", False),
                user=user,
                expires=timezone.now() + timedelta(days=given["days"]),
            )
        except Conflict:
            form.add_error("name", str(_("You have a token of this name already.")))
        else:
            return render(request, "accounts/token_made.html", {"token": token, "secret": secret})
    return render(request, "accounts/new_token.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@login_required
@require_POST
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """End one of one's own tokens."""
    user: Any = request.user
    token = Token.objects.filter(pk=number, user=user).first()
    if token is None:
        raise Http404(number)
    revoke_token(token.name, actor=f"user:{user.get_username()}")
    return HttpResponseRedirect(reverse("accounts:tokens"))
