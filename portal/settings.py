"""Settings of the site; everything that differs between places comes from the environment (see README)."""

import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import django.conf.locale
import django_stubs_ext
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from portal import languages

# Lets ModelForm[...] and the like be written with their parameters, which mypy asks for.
django_stubs_ext.monkeypatch()

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

DEMO = env.bool("KLARLAGT_DEMO", False)
"""Example content, known logins, relaxed MFA and the mailbox page; refused by `check --deploy`."""

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY")
PUBLIC_URL = env.str("PUBLIC_URL").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [re.sub(r"^https?://|[:/].*$", "", PUBLIC_URL), "localhost", "127.0.0.1"])
SECURE = PUBLIC_URL.startswith("https://")
if DEMO and not re.match(r"https?://(localhost|127\.0\.0\.1)(:\d+)?$", PUBLIC_URL):
    raise ImproperlyConfigured("KLARLAGT_DEMO relaxes the second factor: it works on localhost only. Unset it.")

MUNICIPALITY = env.str("MUNICIPALITY", "Exempelkommun")
SITE_NAME = env.str("SITE_NAME", "Klarlagt")
QUICK_EXIT_URL = env.str("QUICK_EXIT_URL", "https://www.wikipedia.org/")
SECURITY_CONTACT = env.str("SECURITY_CONTACT", "mailto:security@example.org")

INSTALLED_APPS = [
    "modeltranslation",
    "portal.accounts.apps.Administration",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "rules.apps.AutodiscoverRulesConfig",
    "csp",
    "django_structlog",
    "portal.tally",
    "portal.accounts",
    "portal.audit",
    "portal.mail",
    "portal.revisions",
    "portal.revisions.glossary",
    "portal.revisions.exchange",
    "portal.revisions.readers",
    "portal.pictures",
    "portal.search",
    "portal.facts.links",
    "portal.facts",
    "portal.facts.readings",
    "portal.facts.packs",
    "portal.questions",
    "portal.reports",
    "portal.pages",
    "rumors",
    "rumors.responses",
    "rumors.pairs",
    "rumors.assessments",
    "rumors.assignments",
    "rumors.comments",
    "rumors.evidence",
    "rumors.lists",
    "rumors.intake",
    "rumors.dashboard",
    "rumors.imports",
    "rumors.exports",
    "rumors.matching",
    "rumors.alarms",
    "rumors.notices",
    "events.actors",
    "events",
    "events.programs",
    "events.recordings",
    "events.attachments",
    "events.registrations",
    "events.attendance",
    "events.outreach",
    "events.reminders",
    "events.series",
    "events.agreements",
    "events.invitations",
]

MIDDLEWARE = [
    # First, so that a stored page costs neither session nor templates. It never looks at cookies.
    "portal.public.StoredPages",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.public.RequestLog",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.public.Headers",
    "csp.middleware.CSPMiddleware",
    "portal.pages.api.ForPrograms",
    "portal.pages.errors.ErrorPages",
    "portal.public.RefuseNul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.accounts.middleware.StaffLanguage",
    "portal.accounts.middleware.SessionLimits",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.public.site",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "portal.facts.templatetags.reading",
            ],
        },
    }
]

DATABASES = {"default": env.dj_db_url("DATABASE_URL", conn_max_age=60, conn_health_checks=True)}
# A server that has gone away is noticed; nobody waits a quarter of an hour for what was sent to it.
DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5, "tcp_user_timeout": 10_000} | DATABASES["default"].get(
    "OPTIONS", {}
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "portal.accounts.backend.LimitsCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "k",
        # A cache that does not answer must never hold a reader up.
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    },
    # What is the same on every page of a language, for as long as the process lives.
    "template_fragments": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "TIMEOUT": None},
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "global_keyprefix": "celery-"}
PURGE_EVERY = timedelta(hours=6)
# UTC and plain intervals: crontab schedules break at the changes of daylight saving time. A tick that could not
# be taken before the next one comes is worth nothing, so each one expires.
CELERY_BEAT_SCHEDULER = "portal.beat:Steady"
CELERY_BEAT_SCHEDULE = {
    "deliver": {"task": "portal.mail.tasks.deliver", "schedule": 10.0, "options": {"expires": 10}},
    "heartbeat": {"task": "portal.pages.tasks.heartbeat", "schedule": 15.0, "options": {"expires": 15}},
    "keep_schedules": {
        "task": "portal.revisions.tasks.keep_schedules",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "remind_of_reviews": {
        "task": "portal.facts.tasks.remind_of_reviews",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    },
    "render_handouts": {
        "task": "portal.facts.tasks.render_handouts",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "render_newest_pack": {
        "task": "portal.facts.packs.tasks.render_newest",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "tell_followers": {
        "task": "portal.facts.packs.tasks.tell_followers",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "purge": {
        "task": "portal.pages.tasks.purge",
        "schedule": PURGE_EVERY.total_seconds(),
        "options": {"expires": 3600},
    },
    "mirror_contacts": {
        "task": "portal.pages.tasks.mirror_contacts",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "keep_readings": {"task": "portal.facts.readings.tasks.flush", "schedule": 60.0, "options": {"expires": 60}},
    "import_sightings": {"task": "rumors.imports.tasks.work", "schedule": 5.0, "options": {"expires": 5}},
    "export_rumors": {"task": "rumors.exports.tasks.work", "schedule": 5.0, "options": {"expires": 5}},
    "embed": {"task": "rumors.matching.tasks.embed", "schedule": 60.0, "options": {"expires": 60}},
    "follow_library": {
        "task": "rumors.matching.tasks.follow_library",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "compare_rumors": {"task": "rumors.pairs.tasks.compare", "schedule": 60.0, "options": {"expires": 60}},
    "tell_the_matcher": {"task": "rumors.tasks.tell_the_matcher", "schedule": 60.0, "options": {"expires": 60}},
    "add_up_words": {"task": "rumors.matching.tasks.add_up", "schedule": 600.0, "options": {"expires": 600}},
    "tell_of_rumors": {"task": "rumors.notices.tasks.keep", "schedule": 60.0, "options": {"expires": 60}},
    "remind_of_consents": {"task": "events.actors.tasks.remind", "schedule": 3600.0, "options": {"expires": 1800}},
    "keep_missed_searches": {"task": "portal.search.tasks.flush", "schedule": 60.0, "options": {"expires": 60}},
}

RUMOR_DAYS: dict[str, int] = {
    "high": 2,
    "medium": 15,
    "low": 30,
    **env.dict("RUMOR_DAYS", {}, subcast_values=int, validate=lambda days: {"high", "medium", "low"} >= days.keys()),
}
"""Within how many days a rumor is to be answered, by its priority."""
CLAIM_REVIEW = env.bool("CLAIM_REVIEW", False)
"""Tell search engines the claim and the verdict of a published answer, as schema.org's ClaimReview."""
MATCH_MEANING = env.bool("MATCH_MEANING", True)
"""Find rumors and facts that mean the same, in other languages too, with the model of the extra `matching`."""
EMBEDDING_URL = env.str("EMBEDDING_URL", "")
"""A service that speaks OpenAI's API for embeddings, like https://host/v1, and makes vectors of 384 numbers; it takes
the place of our own model. Never asked about secret texts or those in which the guard finds something."""
EMBEDDING_KEY = env.str("EMBEDDING_KEY", "")
EMBEDDING_MODEL = env.str("EMBEDDING_MODEL", "multilingual-e5-small")

LINK_CHECK = env.bool("LINK_CHECK", not DEMO)
"""Ask other sites whether the links of our texts still lead to a page. Needs a way out without a proxy: the check of
where an address leads must be ours."""
if LINK_CHECK:
    CELERY_BEAT_SCHEDULE["check_links"] = {
        "task": "portal.facts.tasks.check_links",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    }

# Languages and time ------------------------------------------------------------------------------------------
languages.extend_lang_info(django.conf.locale.LANG_INFO)
LANGUAGE_CODE = languages.SOURCE
LANGUAGES = languages.LANGUAGES
LANGUAGES_BIDI = languages.LANGUAGES_BIDI
LOCALE_PATHS = [BASE_DIR / "locale"]
MODELTRANSLATION_LANGUAGES = tuple(languages.CATALOG)
MODELTRANSLATION_DEFAULT_LANGUAGE = languages.SOURCE
MODELTRANSLATION_ENABLE_FALLBACKS = False
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Stockholm"
# For the languages that Django has no formats for.
DATE_FORMAT = "j F Y"
TIME_FORMAT = "H:i"

# A link typed without a scheme is https. Goes away with Django 6, where nothing else is left.
FORMS_URLFIELD_ASSUME_HTTPS = True

# Files ---------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", BASE_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
MEDIA_ROOT = env.path("MEDIA_ROOT", BASE_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 31536000
CONTACTS_FILE = MEDIA_ROOT / "contacts.json"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# Mail ----------------------------------------------------------------------------------------------------------
# Whatever Django or allauth sends becomes a row first; portal.mail is the only one that opens a connection.
EMAIL_BACKEND = "portal.mail.backend.Rows"
EMAIL_URL = env.str("EMAIL_URL", "smtp://localhost:25")
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", "Klarlagt <noreply@example.org>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MAIL_LEDGER = env.str("MAIL_LEDGER", "")
"""Where to look up what our own mail server took of messages that were lost on the way to it: the log of a Postfix, or
a mailbox that gets a copy of all that it takes. Empty: people decide."""
if MAIL_LEDGER and not re.match(r"postfix:/.|journal:(maildir:/|imaps://|imap\+tls://).", MAIL_LEDGER):
    raise ImproperlyConfigured(
        "MAIL_LEDGER is postfix:/var/log/mail.log, or journal: and a mailbox like maildir:/path. Mend it."
    )
MAILBOX_DIR = env.path("MAILBOX_DIR", None)
"""Folder of the local SMTP sink; set by `make run` in demo mode only."""

BOUNCES = env.str("BOUNCES", "")
"""The mailbox of the address in MAIL_FROM, to which comes what could not be delivered. Empty: nobody reads it."""
if BOUNCES and not re.match(r"(maildir:/|imaps://|imap\+tls://)[^?#]+", BOUNCES):
    raise ImproperlyConfigured("BOUNCES is maildir:/path, imaps://user:password@host/INBOX or imap+tls://... Mend it.")
if BOUNCES:
    CELERY_BEAT_SCHEDULE["read_bounces"] = {
        "task": "portal.mail.tasks.read_bounces",
        "schedule": 180.0,
        "options": {"expires": 180},
    }

# Machine translation ---------------------------------------------------------------------------------------------
MACHINE_TRANSLATION_URL = env.str("MACHINE_TRANSLATION_URL", "").rstrip("/")
"""A service that speaks LibreTranslate's HTTP API. Empty: there is none, and no button for it."""
MACHINE_TRANSLATION_KEY = env.str("MACHINE_TRANSLATION_KEY", "")
if MACHINE_TRANSLATION_URL and not re.match(r"https?://[^/?#@]+(/[^?#]*)?$", MACHINE_TRANSLATION_URL):
    raise ImproperlyConfigured("MACHINE_TRANSLATION_URL is an address like https://translate.example.org. Mend it.")

# Pictures --------------------------------------------------------------------------------------------------------
CLAMAV_URL = env.str("CLAMAV_URL", "")
"""A virus scanner that is asked about every picture that staff send. Empty: there is none."""
if CLAMAV_URL and not re.match(r"(tcp://([^/?#@:\[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}|unix:///[^?#]+)$", CLAMAV_URL):
    raise ImproperlyConfigured("CLAMAV_URL is tcp://host:3310 or unix:///path/to/socket. Mend it.")

# Accounts --------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "portal.accounts.adapters.SignIn",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "staff"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "portal.accounts.adapters.Accounts"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# An administrator makes the accounts and vouches for the address; nobody signs up.
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ALLOW_UNVERIFIED_EMAIL = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# A password opens the session until the browser is closed; a passkey keeps it, within the limits of SessionLimits.
ACCOUNT_SESSION_REMEMBER = False
# Whole town halls sit behind one address, so the address may do much and the single account little.
ACCOUNT_RATE_LIMITS = {"login": "120/m/ip", "login_failed": "30/m/ip,5/5m/key", "reset_password": "20/m/ip,5/h/key"}
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
ACCOUNT_FORMS = {
    "login": "portal.accounts.forms.SignIn",
    "reauthenticate": "portal.accounts.forms.PasswordAgain",
    "change_password": "portal.accounts.forms.NewPassword",
    "reset_password": "portal.accounts.forms.ForgottenPassword",
    "reset_password_from_key": "portal.accounts.forms.FirstPassword",
}
MFA_ADAPTER = "portal.accounts.adapters.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1
# Browsers offer passkeys on plain HTTP for localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
MFA_FORMS = {
    "authenticate": "portal.accounts.forms.Code",
    "reauthenticate": "portal.accounts.forms.CodeAgain",
    "activate_totp": "portal.accounts.forms.FirstCode",
    "add_webauthn": "portal.accounts.forms.AddKey",
    "edit_webauthn": "portal.accounts.forms.RenameKey",
}

# Sign-in by the municipality's own identity provider: all four or none (a system check says so).
OIDC = {name: env.str(f"OIDC_{name}", "") for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "NAME")}
OIDC_HAS_MFA = env.bool("OIDC_HAS_MFA", False)
"""The identity provider asks for a second factor itself; see `portal.accounts.rules.may_work`."""

SOCIALACCOUNT_ADAPTER = "portal.accounts.adapters.IdentityProvider"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC["NAME"],
                "client_id": OIDC["CLIENT_ID"],
                "secret": OIDC["CLIENT_SECRET"],
                "settings": {
                    "server_url": OIDC["ISSUER"],
                    "email_authentication": True,
                    "oauth_pkce_enabled": True,
                },
            }
        ]
        if all(OIDC.values())
        else []
    }
}

# In the database: a session must outlive a restart of Valkey, which may also throw it out when memory is short.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600
# Not in a cookie of their own, which would be one more that is not called `__Host-`.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Headers and cookies -------------------------------------------------------------------------------------------
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 63072000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
# Not no-referrer: with it Chromium sends `Origin: null` on forms of our own.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "portal.pages.errors.csrf_failure"
LANGUAGE_COOKIE_NAME = "unused-language"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # the icon, which stands in the page
        "font-src": [SELF],
        "script-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Running ---------------------------------------------------------------------------------------------------------
METRICS = env.bool("METRICS", False)
"""Serve /metrics; only behind a proxy that keeps strangers out."""

LOG_FORMAT = env.str("LOG_FORMAT", "json", validate=lambda value: value in {"json", "console"})
_shared_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.dev.ConsoleRenderer(colors=False)
                if LOG_FORMAT == "console"
                else structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": _shared_processors,
        }
    },
    "filters": {"hide_path": {"()": "portal.public.HidePath"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["hide_path"]},
        "pikepdf": {"level": "WARNING"},
        "weasyprint.progress": {"level": "WARNING"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security.csrf": {"filters": ["hide_path"]},
    },
}
structlog.configure(
    processors=[
        *_shared_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = None
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # its record carries the user agent
