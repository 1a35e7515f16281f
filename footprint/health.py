"""Is the site up: the process, its database and its broker."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis, RedisError

from footprint.accounts.gate import open_to_all

PING_SECONDS = 2


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            row: object = cursor.fetchone()
            return row == (1,)
    except DatabaseError:
        return False


def broker_answers() -> bool:
    # redis-py writes the address of a socket differently than Celery.
    url = settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    try:
        with Redis.from_url(url, socket_timeout=PING_SECONDS, socket_connect_timeout=PING_SECONDS) as client:
            return bool(client.ping())
    except RedisError:
        return False


@open_to_all
@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    parts = {"database": database_answers(), "broker": broker_answers()}
    well = all(parts.values())
    said = {name: "ok" if answers else "does not answer" for name, answers in parts.items()}
    return JsonResponse({"status": "ok" if well else "failing", **said}, status=200 if well else 503)
