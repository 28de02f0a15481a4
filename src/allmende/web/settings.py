"""Django's settings, all from Config and the city's profile. ``settings.ALLMENDE`` is the Config."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from allmende.web.config import load_config
from allmende.web.database import database_settings
from allmende.web.identity import APPS as IDENTITY_APPS
from allmende.web.identity import identity_settings
from allmende.web.oidc import read_providers
from allmende.web.profiles import find_profile
from allmende.web.secrets import kept_secret
from allmende.web.services import switched_on

WEB = Path(__file__).resolve().parent
ALLMENDE = load_config()
SERVICES = switched_on(find_profile(ALLMENDE.city)) if ALLMENDE.city else ()

SECRET_KEY = ALLMENDE.secret_key or kept_secret(ALLMENDE.home, "secret_key")
DEBUG = ALLMENDE.debug
ALLOWED_HOSTS = [*ALLMENDE.allowed_hosts, ALLMENDE.host, "localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "allmende.web.accounts",
    *IDENTITY_APPS,
    "allmende.web.data",
    "allmende.web.citizens",
    "allmende.web.feedback",
    "allmende.web.grants",
    "allmende.web.reads",
    "allmende.web.persons",
    "allmende.web.worker",
    "allmende.web.making",
    "allmende.web.office",
    "allmende.web.portal",
    "allmende.web.catalogue",
    "allmende.web.harvest",
    "allmende.web.policies",
    "allmende.web.downloads",
    "allmende.web.transparency",
    "allmende.web.rulebook",
    "allmende.web.ogc",
    # Where two catalogues say the same English otherwise, the first here wins: what is new stands behind.
    "allmende.web.explorer",
    "allmende.web.analyses",
    "allmende.web.maps",
    "allmende.web.forecasts",
    "allmende.web.alerts",
    "allmende.web.subscriptions",
    "allmende.web.boards",
    "allmende.web.stories",
    "allmende.web.sql",
    "allmende.web.instruments",
    "allmende.web.finding",
    *(service.app for service in SERVICES),
]
MIDDLEWARE = [
    "allmende.web.observability.middleware.RequestMiddleware",
    "allmende.web.security.HeadersMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "allmende.web.compression.CompressionMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "allmende.web.limits.LimitsMiddleware",
    "allmende.web.shortcut.ShortCutMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allmende.web.accounts.middleware.ReaderMiddleware",
    "allmende.web.house.HouseMiddleware",
]
ROOT_URLCONF = "allmende.web.urls"
WSGI_APPLICATION = "allmende.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [WEB / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "allmende.web.portal.context.portal",
                "allmende.web.office.context.office",
            ],
        },
    }
]

DATABASES = {"default": database_settings(ALLMENDE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "de"
# The last is German said simply (BCP 47's variant "simple"): what has no simple words is said in plain German.
LANGUAGES = [("de", "Deutsch"), ("en", "English"), ("de-simple", "Einfache Sprache")]
LOCALE_PATHS = [WEB / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [WEB / "static"] if (WEB / "static").is_dir() else []
# The files lie in the package, built and compressed; they are found once at start, nothing is collected.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 300
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/build/.+[-.][0-9A-Za-z_-]{8,}\.[0-9a-z]+$"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

OIDC_PROVIDERS = read_providers(ALLMENDE.oidc)
vars().update(identity_settings(ALLMENDE, OIDC_PROVIDERS))

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = ALLMENDE.https
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 86400
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLMENDE.https else None
SECURE_HSTS_SECONDS = 365 * 86400 if ALLMENDE.https else 0
SECURE_REFERRER_POLICY = "same-origin"

# What is open to all is open to web applications on other hosts: for reading, and never with cookies. A page of
# somebody else's cannot write: neither POST nor Authorization passes a preflight.
CORS_ALLOW_ALL_ORIGINS = True
CORS_URLS_REGEX = (
    r"^/(sta/v1\.1|ogc/v1|geo/|dumps/|sql/(result|published|schema)|alerts/cap/|catalog|dataset/"
    r"|api/(3/)?action/|sitemap\.xml|subscriptions/feed\.)"
    + "".join(f"|^{shared}" for service in SERVICES if (shared := service.shared_addresses()))
)
CORS_ALLOW_METHODS = ("GET", "HEAD", "OPTIONS")
CORS_ALLOW_HEADERS = ("accept", "accept-language", "content-type", "if-match", "if-none-match", "x-request-id")
CORS_EXPOSE_HEADERS = (
    "Accept-Ranges",
    "Content-Crs",
    "Content-Range",
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
    "X-Total-Count",
)
CORS_PREFLIGHT_MAX_AGE = 86_400

DATA_UPLOAD_MAX_MEMORY_SIZE = ALLMENDE.body_bytes
FILE_UPLOAD_MAX_MEMORY_SIZE = min(ALLMENDE.upload_bytes, 2 * 1024 * 1024)

_mail = urlsplit(ALLMENDE.mail_url)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if ALLMENDE.mail_url else 'dummy'}.EmailBackend"
EMAIL_HOST = _mail.hostname or "localhost"
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_USE_TLS = _mail.scheme == "smtp"
EMAIL_PORT = _mail.port or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = ALLMENDE.mail_from or f"allmende@{EMAIL_HOST}"

# Set by allmende.web.observability.logs.configure, which every command calls first.
LOGGING_CONFIG = None
