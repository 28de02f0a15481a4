"""What django-allauth asks the house: who may register, what is said, where a link leads, whom a provider may make."""

import base64
import hashlib
import secrets
import string
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from allmende.web.accounts import again, enrolment, mail
from allmende.web.accounts.audit import record
from allmende.web.accounts.clients import address_of
from allmende.web.accounts.models import User
from allmende.web.house import open_profile

_NAME_SIGNS = string.ascii_lowercase + string.digits
_SAID = {
    "account/messages/email_confirmation_failed.txt": _("This e-mail address could not be confirmed."),
    "account/messages/email_confirmation_sent.txt": _("We have sent you an e-mail with a link."),
    "account/messages/email_confirmed.txt": _("Your e-mail address is confirmed."),
    "account/messages/email_deleted.txt": _("The e-mail address was removed."),
    "account/messages/password_changed.txt": _("Your password is changed."),
    "account/messages/password_set.txt": _("Your password is set."),
    "mfa/messages/recovery_codes_generated.txt": _("Here are new recovery codes; the former ones open nothing."),
    "mfa/messages/totp_activated.txt": _("Codes of your app are asked for from now on."),
    "mfa/messages/totp_deactivated.txt": _("Codes of your app are not asked for any more."),
    "mfa/messages/webauthn_added.txt": _("The passkey is added."),
    "mfa/messages/webauthn_removed.txt": _("The passkey is removed."),
    "socialaccount/messages/account_connected.txt": _("The log-in is linked."),
    "socialaccount/messages/account_connected_other.txt": _("This log-in belongs to another account."),
    "socialaccount/messages/account_connected_updated.txt": _("The log-in is linked."),
    "socialaccount/messages/account_disconnected.txt": _("The log-in is not linked any more."),
}
"""What allauth says in passing; the rest it keeps to itself."""


def _cipher() -> Fernet:
    key = hashlib.blake2b(b"second factors", key=settings.SECRET_KEY.encode()[:64], digest_size=32).digest()
    return Fernet(base64.urlsafe_b64encode(key))


class AccountAdapter(DefaultAccountAdapter):
    """Accounts with a password."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is closed."),
        "duplicate_email": _("This is your address already."),
        "email_password_mismatch": _("Name and password do not fit together."),
        "username_password_mismatch": _("Name and password do not fit together."),
        "enter_current_password": _("This is not your present password."),
        "incorrect_code": _("This code is not right, or was used already."),
        "incorrect_password": _("This is not your password."),
        "invalid_login": _("Name and password do not fit together."),
        "invalid_password_reset": _("This link is not valid any more."),
        "too_many_login_attempts": _("Too many attempts. Please try again in a quarter of an hour."),
        "username_blacklisted": _("This name cannot be taken."),
        "username_taken": _("This name is taken."),
        "same_as_current": _("This is the same as before."),
        "rate_limited": _("Too many attempts. Please try again later."),
        "email_taken": _("This address cannot be taken."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """By the setting; an invitation in the session opens what is not open to all."""
        return enrolment.is_open(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that attempts are counted by; never kept."""
        return address_of(request)

    def add_message(self, request: HttpRequest, level: int, template: Any = None, *args: Any, **kwargs: Any) -> None:
        """In our words, or not at all."""
        from django.contrib import messages

        text = _SAID.get(template or kwargs.get("message_template") or "", kwargs.get("message"))
        if text:
            messages.add_message(request, level, text)

    def get_login_stages(self) -> list[str]:
        """An unconfirmed e-mail address stops whoever registered, not those whom an administrator gave an account."""
        own = "allmende.web.accounts.stages.ConfirmedStage"
        theirs = "allauth.account.stages.EmailVerificationStage"
        return [own if stage == theirs else stage for stage in super().get_login_stages()]

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """A name that says nothing of the person, where none was chosen: it stands in the audit log."""
        if not user.username:
            user.username = "u-" + "".join(secrets.choice(_NAME_SIGNS) for _each in range(10))

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Somebody registers: as what the invitation says, else as a contributor. Without mail they wait."""
        return enrolment.enrol(request, super().save_user(request, user, form, commit=False))

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether it is asked who somebody is. Of those whom a provider alone knows, the provider is asked; allauth
        itself would let them pass."""
        if again.is_known_elsewhere_alone(context.request.user) and not again.was_vouched_for(context.request):
            raise ReauthenticationRequired
        required: bool = super().is_reauthentication_required(app=app, **kwargs)
        return required

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Ways to show who one is, the one that is offered first before the others."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not methods and again.is_known_elsewhere_alone(user):
            return [{"id": "provider", "description": "", "url": reverse("accounts:again")}]
        return methods

    def get_reset_password_from_key_url(self, key: str) -> str:
        """A link of the public address: the request's own may be made up."""
        return mail.at_public_address(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """A link of the public address."""
        return mail.at_public_address(super().get_email_confirmation_url(request, emailconfirmation))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hand it over beside the request: how long the answer takes must not tell whether there is an account."""
        values = {"email": email, "request": self.request, "city": open_profile(), **context}
        message: EmailMessage = self.render_mail(template_prefix, email, values)
        mail.hand_over(message)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tell the person what was changed in their account, without the address of whoever did it."""
        to = email or user.email
        if settings.ACCOUNT_EMAIL_NOTIFICATIONS and to:
            self.send_mail("account/email/changed", to, {"what": template_prefix.rpartition("/")[2], **(context or {})})


class FactorAdapter(DefaultMFAAdapter):
    """Passkeys, codes of an app, recovery codes."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is not right, or was used already."),
        "cannot_delete_authenticator": _("This cannot be removed."),
        "cannot_generate_recovery_codes": _("Set up a passkey or an app first."),
        "unverified_email": _("Confirm your e-mail address first."),
        "add_email_blocked": _("Confirm your e-mail address first."),
    }

    def encrypt(self, text: str) -> str:
        """Keys of apps and seeds of recovery codes lie encrypted by the house's secret: a copy of the database alone,
        or a backup, which leaves that out, opens no account."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What was encrypted. With another secret, something that nobody can know: an empty key would open to all."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_totp_issuer(self) -> str:
        """How an app calls the house."""
        return f"Allmende {open_profile().name}"

    def _get_site_name(self) -> str:
        return f"Allmende {open_profile().name}"

    def generate_authenticator_name(self, user: User, type: Any) -> str:
        """What a passkey is called where the person does not say."""
        from allauth.mfa.models import Authenticator

        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return str(_("Passkey")) + (f" {number}" if number > 1 else "")


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Accounts that an OpenID Connect provider vouches for."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": _("Set a password first; else nothing would open your account."),
        "no_verified_email": _("Confirm an e-mail address first; else nothing would open your account."),
        "connected_other": _("This log-in belongs to another account."),
        "invalid_token": _("The provider's answer could not be read."),
    }

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Those of the operator's file. (allauth would look into its table too, with each page.)"""
        from allauth.socialaccount.adapter import _build_apps_from_settings

        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """As the operator's file says of the provider; registration with a password is another matter."""
        provider = enrolment.provider_of(sociallogin.account.provider)
        return provider is not None and provider.register

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nothing is asked that the provider does not tell."""
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """What does not fit together opens nothing. An address that somebody has here already is not taken over: it
        links nothing either."""
        provider = enrolment.provider_of(sociallogin.account.provider)
        signed = again.check_said(provider, sociallogin.account.extra_data)
        again.note_vouching(request, sociallogin, signed)
        if not sociallogin.is_existing:
            # Some providers say "false", and mean it.
            kept = [a for a in sociallogin.email_addresses if a.verified is True and not enrolment.is_taken(a.email)]
            sociallogin.email_addresses = kept
            sociallogin.user.email = kept[0].email if kept else ""

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """The account of somebody who comes by a provider for the first time."""
        user: User = super().save_user(request, sociallogin, form)
        record(f"user:{user.username}", "user.register", f"user:{user.username}", provider=sociallogin.account.provider)
        return user

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """As for other changes."""
        from allauth.account.adapter import get_adapter

        get_adapter(context.request).send_notification_mail(*args, **kwargs)
