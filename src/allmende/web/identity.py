"""Django's settings for log-in, from Config: django-allauth (decision 37)."""

from typing import Any

from allmende.web.config import Config
from allmende.web.oidc import Provider

APPS = (
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
)
_MINUTES = 60


def identity_settings(config: Config, providers: tuple[Provider, ...]) -> dict[str, Any]:
    """Names and values for the settings module.

    Where mail is set up, people are known by their e-mail address, which has to be confirmed, and nobody learns from an
    answer whether somebody has an account. Without mail they choose a name.
    """
    mail = bool(config.mail_url)
    return {
        "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
        "SESSION_COOKIE_AGE": config.session_hours * 3600,
        # In memory alone, so that no address is ever written down.
        "CACHES": {"default": {"BACKEND": "allmende.web.counts.AttemptsCache"}},
        "ACCOUNT_ADAPTER": "allmende.web.accounts.adapters.AccountAdapter",
        "ACCOUNT_LOGIN_METHODS": {"username", "email"} if mail else {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*"] if mail else ["username*", "password1*"],
        "ACCOUNT_EMAIL_VERIFICATION": "mandatory" if mail else "none",
        "ACCOUNT_EMAIL_NOTIFICATIONS": mail,
        "ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS": False,
        "ACCOUNT_EMAIL_SUBJECT_PREFIX": "",
        "ACCOUNT_CHANGE_EMAIL": True,
        "ACCOUNT_PREVENT_ENUMERATION": True,
        "ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE": False,
        "ACCOUNT_REAUTHENTICATION_REQUIRED": True,
        "ACCOUNT_REAUTHENTICATION_TIMEOUT": 15 * _MINUTES,
        "ACCOUNT_USERNAME_MIN_LENGTH": 3,
        "ACCOUNT_RATE_LIMITS": {
            "login": "60/m/ip",
            "login_failed": "40/15m/ip,8/15m/key",
            "signup": "20/h/ip",
            "reset_password": "20/h/ip,5/h/key",
            "confirm_email": "1/3m/key",
        },
        "MFA_ADAPTER": "allmende.web.accounts.adapters.FactorAdapter",
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_TOTP_TOLERANCE": 1,
        "MFA_TOTP_ISSUER": "Allmende",
        # Browsers allow passkeys without HTTPS under the name of this machine alone.
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": not config.https,
        "SOCIALACCOUNT_ADAPTER": "allmende.web.accounts.adapters.ProviderAdapter",
        "SOCIALACCOUNT_EMAIL_VERIFICATION": "none",
        "SOCIALACCOUNT_EMAIL_REQUIRED": False,
        "SOCIALACCOUNT_EMAIL_AUTHENTICATION": False,
        "SOCIALACCOUNT_PROVIDERS": {
            "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [_app(provider) for provider in providers]}
        },
    }


def _app(provider: Provider) -> dict[str, Any]:
    return {
        "provider_id": provider.id,
        "name": provider.title,
        "client_id": provider.client_id,
        "secret": provider.client_secret,
        "settings": {"server_url": provider.issuer, "scope": list(provider.scopes)},
    }
