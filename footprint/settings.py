"""Django's settings, derived from the one typed object in footprint/configuration.py."""

from __future__ import annotations

import logging
from typing import Any

from footprint import embedded, logs
from footprint.configuration import CHECKOUT, database_from_url, read_configuration
from footprint.secret import kept_secret

FOOTPRINT = read_configuration()
_HOME = embedded.Home(FOOTPRINT.data_dir)

DEBUG = False
SECRET_KEY = FOOTPRINT.secret_key or kept_secret(FOOTPRINT.data_dir)
ALLOWED_HOSTS = FOOTPRINT.allowed_hosts

INSTALLED_APPS = [
    "footprint",
    "footprint.accounts",
    "footprint.ledger",
    "footprint.desk",
    "hunts",
    "cases",
    "cases.watchlists",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "django_structlog",
    "heroicons",
    "netfields",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "footprint.headers.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "footprint.ledger.origin.OriginMiddleware",
    "footprint.desk.error_pages.ErrorPagesMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "footprint.accounts.gate.GateMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "footprint.urls"
WSGI_APPLICATION = "footprint.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [CHECKOUT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["template_partials.templatetags.partials", "heroicons.templatetags.heroicons"],
        },
    }
]

# Where things are kept

DATABASES: dict[str, dict[str, Any]] = {
    "default": (
        database_from_url(FOOTPRINT.database_url)
        if FOOTPRINT.database_url
        else _HOME.database(FOOTPRINT.embedded_database)
    )
    | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
}
# A server that is gone without a word is noticed in seconds: feeds then answer from the disk.
for _name, _value in {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}.items():
    DATABASES["default"]["OPTIONS"].setdefault(_name, _value)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
# build/assets holds the compiled style sheet; assets/static what is served as it is written.
STATICFILES_DIRS = [CHECKOUT / "build" / "assets", CHECKOUT / "assets" / "static"]
# A checkout in which nothing was compiled yet is no fault; on servers footprint.W001 says it.
SILENCED_SYSTEM_CHECKS = ["staticfiles.W004"]
# On one machine files are served from where they lie; elsewhere `collectstatic` gives them hashed names.
STATIC_ROOT = None if FOOTPRINT.on_one_machine else CHECKOUT / "static"
WHITENOISE_USE_FINDERS = FOOTPRINT.on_one_machine
WHITENOISE_MAX_AGE = 0 if FOOTPRINT.on_one_machine else 60
_STATIC_STORAGE = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if FOOTPRINT.on_one_machine
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": _STATIC_STORAGE},
}

# People

AUTH_USER_MODEL = "accounts.Person"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# What browsers are told

_PREFIX = "__Host-" if FOOTPRINT.https else ""
SESSION_COOKIE_NAME = f"{_PREFIX}footprint-session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = FOOTPRINT.https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = f"{_PREFIX}footprint-csrf"
CSRF_FAILURE_VIEW = "footprint.desk.views.errors.no_csrf"
SECURE_SSL_REDIRECT = FOOTPRINT.https
# Health is asked from inside, where there is no TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if FOOTPRINT.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = FOOTPRINT.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if FOOTPRINT.behind_proxy else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000

# Language and time

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# Workers. Every value was measured with servers and workers being killed; celery.py says what messages are.

CELERY_BROKER_URL = FOOTPRINT.redis_url or _HOME.broker_url()
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = True
CELERY_TASK_SOFT_TIME_LIMIT = FOOTPRINT.ask_timeout_seconds + FOOTPRINT.merge_timeout_seconds
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 60
# Changes of stores may take hours; in a queue of their own they keep nobody waiting but each other. A worker
# that is told no queue works both.
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_QUEUES = {name: {"exchange": name, "routing_key": name} for name in ("celery", "stores")}
CELERY_TASK_ROUTES = {
    task: {"queue": "stores"}
    for task in ("hunts.tasks.import_upload", "hunts.tasks.remove_import", "hunts.tasks.tend_stores")
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than any task may run, else a running task is handed out again.
    "visibility_timeout": max(1800, 2 * CELERY_TASK_TIME_LIMIT),
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "global_keyprefix": "footprint:",
}
# Beat only ticks: what is due is decided by the tasks, from the database.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    task: {
        "task": task,
        "schedule": FOOTPRINT.sweep_seconds,
        # A tick that waited longer than the next one is of no use.
        "options": {"expires": FOOTPRINT.sweep_seconds},
    }
    for task in (
        "hunts.tasks.start_due_hunts",
        "hunts.tasks.requeue_stale",
        "cases.tasks.expire_decisions",
        "cases.tasks.settle_waiting",
        "cases.tasks.sweep_batches",
        "cases.tasks.land_intakes",
        "cases.watchlists.tasks.publish_due",
        "footprint.ledger.tasks.make_due_checkpoint",
        "footprint.ledger.tasks.wake_verifications",
        "cases.watchlists.tasks.look_after_targets",
    )
}
# Old telemetry goes, small files become large ones: within the hour once it is due.
CELERY_BEAT_SCHEDULE["hunts.tasks.tend_stores"] = {
    "task": "hunts.tasks.tend_stores",
    "schedule": 3600,
    "options": {"expires": 3600},
}

# Walks every name of a block list that some formats say wider: a list of a million takes seconds.
CELERY_BEAT_SCHEDULE["cases.watchlists.tasks.publish_narrower"] = {
    "task": "cases.watchlists.tasks.publish_narrower",
    "schedule": 300,
    "options": {"expires": 300},
}

# Each change of a value's verdict adds a row to the counts of its case.
CELERY_BEAT_SCHEDULE["cases.tasks.sum_up_value_counts"] = {
    "task": "cases.tasks.sum_up_value_counts",
    "schedule": 600,
    "options": {"expires": 600},
}

# What says something about the rows of the queue, in the order of asking.
ROW_MARKERS = ("cases.watchlists.marks.marks_of_blocks",)

# Logs

DJANGO_STRUCTLOG_CELERY_ENABLED = True
# One line a request is enough: the one that says how it ended.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
LOGGING = logs.settings(level=FOOTPRINT.log_level, as_json=FOOTPRINT.log_format == "json")
logs.configure()
