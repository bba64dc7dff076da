"""Django's settings. Everything that differs between installations comes from `talktime.config`."""

from pathlib import Path

from django.utils.functional import lazy

from talktime.clock import follow
from talktime.console.databases import current, databases_for

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
    "talktime.console.control_plane",
    "talktime.console.cell",
    "talktime.console.theme",
    "talktime.console.start",
    "talktime.console.billing",
    "talktime.console.notices",
    "talktime.console.usage",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "talktime.console.start.headers.content_security_policy",
    "talktime.console.start.static_files.whole_files",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "talktime.console.theme.language.readers_language",
    "django.contrib.messages.middleware.MessageMiddleware",
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
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "talktime.console.start.clock_page.test_clock",
            ]
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
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "organisations"
LOGOUT_REDIRECT_URL = "start"

# Cookies go over https alone once people come by https; on plain http they must still arrive.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _installation.https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "talktime_session"
CSRF_COOKIE_NAME = "talktime_csrf"
SESSION_COOKIE_AGE = 12 * 60 * 60
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if _installation.https else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False

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
