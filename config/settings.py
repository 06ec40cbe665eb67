"""All settings, top to bottom, each from the environment. `.env.example` explains them."""

from pathlib import Path

import django_stubs_ext
from environs import validate

from config.databases import connection_options, databases
from config.enums import ENUM_NAMES
from config.env import env, seal
from config.logs import structured_logging
from config.storage import *  # noqa: F403  uploads and results
from config.stripe import check_stripe

ROOT = Path(__file__).resolve().parent.parent

django_stubs_ext.monkeypatch()  # before any form or admin class names its model

# What this instance is
DEBUG = env.bool("DEBUG", False)
DEMO = env.bool("DEMO", False)  # sample logins on the start page; never with real data
DEMO_LOGINS = Path(env.str("DEMO_LOGINS", str(ROOT / ".coffer" / "demo.json")))  # its logins
BASE_URL = env.str("BASE_URL", "http://localhost:8000")  # where people reach it
SECRET_KEY = env.str("SECRET_KEY", validate=validate.Length(min=32))
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)  # whose X-Forwarded-For says who calls

# PostgreSQL and Redis
# Behind PgBouncer in transaction mode sessions keep nothing: no cursors, no plans.
DATABASE_POOLED: bool = env.bool("DATABASE_POOLED", False)
# The role of the web sees one organization at a time; that of staff (workers, commands, the
# admin) sees all; the owner's migrates. By the command that started it, a process takes one.
DATABASES, DATABASE_LOGINS = databases(
    env.dj_db_url("DATABASE_URL", **connection_options(is_pooled=DATABASE_POOLED)),
    staff=env.str("DATABASE_STAFF_URL", ""),
    owner=env.str("DATABASE_OWNER_URL", ""),
    is_pooled=DATABASE_POOLED,
)
REDIS_URL = env.str("REDIS_URL")
CACHE_PREFIX = env.str("CACHE_PREFIX", "coffer")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": CACHE_PREFIX,
    }
}

# Stripe. Without a key, billing is off and says so.
STRIPE_LIVE_MODE = env.bool("STRIPE_LIVE_MODE", False)
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "")
STRIPE_API_URL = env.str("STRIPE_API_URL", "")  # the simulator's address, in the demo
STRIPE_WEBHOOK_SECRETS: list[str] = env.list("STRIPE_WEBHOOK_SECRETS", [])  # new one, old one

# Mail
vars().update(env.dj_email_url("EMAIL_URL", "console://"))
vars()["EMAIL_TIMEOUT"] = vars()["EMAIL_TIMEOUT"] or 15  # seconds for each answer of the server
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", "")  # shown where something went wrong
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Coffer <no-reply@localhost>")
EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", "mandatory")

# Files; where they are otherwise, and how long, is in config/storage.py
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(ROOT / "media")))

# Logs
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")

# The ledger's clock may be moved by the demo and by tests, never with real money
MOVABLE_CLOCK = env.bool("MOVABLE_CLOCK", DEMO)

# What a customer gets
TRIAL_CREDITS = env.int("TRIAL_CREDITS", 100)  # credits at sign-up; 0 for none
TRIAL_DAYS = env.int("TRIAL_DAYS", 14)
INVITATIONS_PER_DAY = env.int("INVITATIONS_PER_DAY", 200)  # of one organization, in 24 hours
RATE_LIMITS = env.bool("RATE_LIMITS", True)  # off only to measure how much the instance bears

seal()
check_stripe(STRIPE_SECRET_KEY, STRIPE_LIVE_MODE, STRIPE_API_URL, DEMO or DEBUG, MOVABLE_CLOCK)

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.guardian",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "djstripe",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "guardian",
    "rest_framework",
    "apps.core",
    "apps.tenants",
    "apps.rbac",
    "apps.credits",
    "apps.billing",
    "apps.capacity",
    "apps.partners",
    "apps.jobs",
    *(["demo"] if DEMO else []),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.middleware.RequestContextMiddleware",
    "apps.core.policies.PolicyMiddleware",
    "apps.core.addresses.AddressMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.tenants.pages.middleware.SignInMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.core.middleware.TimeZoneMiddleware",
    "apps.core.ratelimits.middleware.RateLimitMiddleware",
    "apps.rbac.pages.impersonating.ImpersonationMiddleware",
    "apps.rbac.pages.denials.DenialMiddleware",
    "apps.core.bodies.BodyLimitMiddleware",
    "apps.core.middleware.BackOfficeMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.rbac.pages.frame.frame",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# People and what they may do
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "apps.rbac.backends.RoleBackend",
    "apps.rbac.backends.ObjectBackend",
]
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # its backend is there, as the base of ours
ANONYMOUS_USER_NAME = None  # guardian needs no row for those who are not signed in
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_EMAIL_VERIFICATION = EMAIL_VERIFICATION
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
STAFF_SECOND_FACTOR = not DEMO  # the demo's passwords are public anyway
ACCOUNT_DEFAULT_HTTP_PROTOCOL = BASE_URL.partition(":")[0]
SESSION_COOKIE_AGE = 14 * 24 * 3600

# Transport. Plain http is accepted only where people reach the instance by plain http.
SECURE = BASE_URL.startswith("https://")
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Words, time, files
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [ROOT / "static"]
STATIC_ROOT = ROOT / "staticfiles"
WHITENOISE_USE_FINDERS = DEBUG or DEMO
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIGRATION_MODULES = {"djstripe": "apps.billing.djstripe_migrations"}

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.rbac.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.core.ratelimits.requests.RateLimit"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "apps.core.openapi.Schema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "apps.core.problems.ProblemHandler",
    "EXCEPTION_FORMATTER_CLASS": "apps.core.problems.ProblemFormatter",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Coffer",
    "DESCRIPTION": "Credits, jobs and capacity of your organization.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": ENUM_NAMES,
}

# Tasks. Rows are the queue and Celery is the doorbell (docs/adr/0007); the measured
# reasons for these delivery settings are in docs/guides/tasks.md.
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{CACHE_PREFIX}:",
    "visibility_timeout": 900,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    "max_retries": 0,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# The mirror of Stripe's objects
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_SUBSCRIBER_MODEL = "tenants.Organization"
STRIPE_API_VERSION = "2026-08-26.dahlia"
STRIPE_TEST_SECRET_KEY = "" if STRIPE_LIVE_MODE else STRIPE_SECRET_KEY
STRIPE_LIVE_SECRET_KEY = STRIPE_SECRET_KEY if STRIPE_LIVE_MODE else ""
if STRIPE_API_URL:
    STRIPE_API_HOST = STRIPE_API_URL  # dj-stripe asks whether the name exists at all

from config.admin import ADMIN_MENU, UNFOLD  # noqa: E402, F401  long enough for its own file
from config.navigation import NAVIGATION  # noqa: E402, F401  and the customer's
from config.policies import *  # noqa: E402, F403  what browsers may load and run
from config.sign_in import *  # noqa: E402, F403  what is the same everywhere

if STRIPE_API_URL:  # forms lead to the stand-in's pages, as they do to Stripe's
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(STRIPE_API_URL)  # noqa: F405

CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"].extend(PICTURE_ORIGINS)  # noqa: F405

LOGGING = structured_logging(level=LOG_LEVEL, human=DEBUG)
