"""Django's settings. Everything that differs between installations comes from `talktime.config`."""

from pathlib import Path

from django.utils.functional import lazy

from talktime.clock import follow
from talktime.console.databases import current, databases_for
from talktime.core.limits import CONSOLE_BODY_BYTES_MAX, SIGN_IN_KEYS_MAX

_installation = current()
follow(_installation)

SECRET_KEY = lazy(_installation.secret_key, str)()  # read (or made) when first needed
DEBUG = False
ALLOWED_HOSTS = _installation.allowed_hosts()
CSRF_TRUSTED_ORIGINS = [_installation.public_url] if _installation.public_url else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "ninja",
    "talktime.console.control_plane",
    "talktime.console.cell",
    "talktime.console.theme",
    "talktime.console.start",
    "talktime.console.people",
    "talktime.console.home",
    "talktime.console.billing",
    "talktime.console.notices",
    "talktime.console.keys",
    "talktime.console.api",
    "talktime.console.webhooks",
    "talktime.console.audit",
    "talktime.console.operator",
    "talktime.console.users",
    "talktime.console.rates",
    "talktime.console.usage",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "talktime.console.start.headers.content_security_policy",
    "talktime.console.start.static_files.whole_files",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "talktime.console.start.storable.without_nul",
    "talktime.console.start.outages.of_this_version",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "talktime.console.theme.language.readers_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "talktime.console.start.outages.DatabaseAway",
]
ROOT_URLCONF = "talktime.console.urls"
ASGI_APPLICATION = "talktime.console.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "talktime.console.start.clock_page.test_clock",
            ],
            "builtins": ["talktime.console.theme.templatetags.said"],
        },
    }
]

DATABASES = databases_for(_installation)
DATABASE_ROUTERS = ["talktime.console.router.CellRouter"]
# Table `revision` is in the control plane and in each cell; the router keeps them apart.
SILENCED_SYSTEM_CHECKS = ["models.W035"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "control_plane.Account"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The first makes new hashes; what another made is made anew at the next sign-in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
PASSWORD_RESET_TIMEOUT = 60 * 60
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "organisations"
LOGOUT_REDIRECT_URL = "start"

# allauth: who signs in by what. Accounts have one e-mail address, which is their name.
ACCOUNT_ADAPTER = "talktime.console.people.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _installation.https else "http"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/15m/ip,5/15m/key",  # second factors; passwords have their own throttle
    "reset_password": "20/15m/ip,3/15m/key",
    "reset_password_from_key": "20/15m/ip",
    "change_password": "5/15m/user",
    "reauthenticate": "10/m/user",
}
MFA_ADAPTER = "talktime.console.people.adapters.FactorsAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# A code of the half minute before or after holds too: a phone's clock is seldom the machine's, and
# typing takes a while (RFC 6238, 5.2).
MFA_TOTP_TOLERANCE = 1
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
SOCIALACCOUNT_ADAPTER = "talktime.console.people.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
# What allauth counts and the codes that were used, in this process's memory.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": SIGN_IN_KEYS_MAX},
    }
}

# Cookies go over https alone once people come by https; on plain http they must still arrive.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _installation.https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "talktime_session"
CSRF_COOKIE_NAME = "talktime_csrf"
CSRF_FAILURE_VIEW = "talktime.console.start.views.form_expired"
SESSION_COOKIE_AGE = 12 * 60 * 60
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if _installation.https else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False

# console/asgi.py lets nothing larger in, whoever reads it.
DATA_UPLOAD_MAX_MEMORY_SIZE = CONSOLE_BODY_BYTES_MAX

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
# How a message of the pages looks: the style sheet's own words.
MESSAGE_TAGS = {20: "good", 25: "good", 30: "warn", 40: "bad"}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGGING_CONFIG = None  # the process that serves sets up its own log
