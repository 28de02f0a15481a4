"""The browsers in which somebody is logged in. (allauth's own list would write down addresses.)"""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set, user_logged_in
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from allmende.web.accounts import enrolment
from allmende.web.accounts.audit import record
from allmende.web.accounts.clients import browser_of
from allmende.web.accounts.models import LoggedIn, User

_KEY = "logged_in"
_DAY = "seen"


@receiver(user_logged_in)
def _begin(request: HttpRequest, user: User, **more: Any) -> None:
    """Note the log-in; what a provider says of somebody's groups counts from now on."""
    record(f"user:{user.get_username()}", "login")
    if not request.session.session_key:
        request.session.save()
    LoggedIn.objects.filter(session=request.session.session_key).delete()
    entry = LoggedIn.objects.create(
        user=user,
        session=request.session.session_key,
        browser=browser_of(request),
        seen=timezone.localdate(),
    )
    request.session[_KEY] = entry.pk
    request.session[_DAY] = entry.seen.isoformat()
    login = more.get("sociallogin")
    provider = enrolment.provider_of(login.account.provider) if login else None
    if provider is not None:
        enrolment.follow_groups(user, provider, _claims(login.account.extra_data))


def _claims(said: Any) -> dict[str, Any]:
    """What a provider said, in its two places; the page of the account (userinfo) goes before the signed word."""
    if not isinstance(said, dict):
        return {}
    parts = [said.get("id_token"), said.get("userinfo")]
    return {name: value for part in parts if isinstance(part, dict) for name, value in part.items()}


@receiver(user_logged_out)
def _end(request: HttpRequest, user: User | None, **_more: Any) -> None:
    if user is not None and user.pk is not None:
        LoggedIn.objects.filter(pk=request.session.get(_KEY), user=user).delete()


@receiver([password_changed, password_reset, password_set])
def _end_others(request: HttpRequest, user: User, **_more: Any) -> None:
    """A new password ends all other sessions, and gives this one a new key: it is looked up at the next request."""
    record(f"user:{user.get_username()}", "user.password", f"user:{user.get_username()}")
    end_others(request, user)
    request.session.pop(_DAY, None)


def note_seen(request: HttpRequest) -> None:
    """Note the day of the last use, and the session's key where it has changed; once a day."""
    today = timezone.localdate()
    number = request.session.get(_KEY)
    if number is None or request.session.get(_DAY) == today.isoformat() or not request.session.session_key:
        return
    LoggedIn.objects.filter(pk=number).update(seen=today, session=request.session.session_key)
    request.session[_DAY] = today.isoformat()


def own_entry(request: HttpRequest) -> int | None:
    """The number of this browser's entry."""
    number: int | None = request.session.get(_KEY)
    return number


def end_one(user: User, number: int) -> bool:
    """Log somebody out in one browser; whether there was one."""
    entry = LoggedIn.objects.filter(pk=number, user=user).first()
    if entry is None:
        return False
    Session.objects.filter(session_key=entry.session).delete()
    entry.delete()
    return True


def end_others(request: HttpRequest, user: User) -> None:
    """Log somebody out everywhere but here."""
    others = LoggedIn.objects.filter(user=user).exclude(pk=own_entry(request) or 0)
    Session.objects.filter(session_key__in=list(others.values_list("session", flat=True))).delete()
    others.delete()


def prune() -> None:
    """Forget the browsers whose session is over."""
    LoggedIn.objects.exclude(session__in=Session.objects.values("session_key")).delete()
