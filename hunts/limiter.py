"""How often a source is asked by all workers together: so many questions at once, so many in 30 seconds.

The counts are in Valkey, on its clock. When they are gone (flushed, or restarted without its data), they
are made again from the slices in the database, rather too high than too low. While Valkey cannot be
reached, a source is asked one question at a time, held by a lock in the database, and slowly.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from time import monotonic

import structlog
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from redis import Redis, RedisError

from footprint.azure.process import PerProcess
from hunts.limiter_scripts import PAUSE, RECALL, RENEW, TAKE, USE
from hunts.models import Slice, Source

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 30.0
# A question may reach the source later than the one after it by so much.
_MARGIN_SECONDS = 1.0
# A turn whose worker is silent this long is free again; the heartbeat renews it.
TURN_SECONDS = 15.0
# How long a worker stands in line before it gives the slice back and does something else.
PATIENCE_SECONDS = 5.0
_LOOK_SECONDS = 0.1
_ANSWER_SECONDS = 2.0
_CALM_MILLISECONDS = 600_000
_LOCK_CLASS = 0x464C
ONE_AT_A_TIME = "The limiter cannot be reached, so this source is asked one question at a time."


class NoTurn(Exception):
    """The source may not be asked now. Costs no attempt."""

    def __init__(self, wait_seconds: float, said: str) -> None:
        self.wait_seconds = wait_seconds
        self.said = said
        super().__init__(said)


class TurnLost(Exception):
    """Nobody wants the answer any more."""


@dataclass(frozen=True, slots=True)
class Use:
    """How many questions a source is asked at this moment, and was in the last 30 seconds."""

    at_once: int
    in_30_seconds: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: the name is the same for one claim, so that a turn can be renewed."""

    source: Source
    name: str
    # How long the turn lasts when nobody renews it; the usual time when not given.
    seconds: float | None = None


@contextmanager
def turn(holder: Holder, given_up: Event) -> Iterator[None]:
    """While this holds, the source may be asked. Raises NoTurn, or TurnLost once `given_up` is set."""
    if holder.source.is_local:
        yield
        return
    try:
        _stand_in_line(holder, given_up)
    except RedisError as error:
        log.warning("limiter_unreachable", source=holder.source.slug, error=str(error))
        with _one_at_a_time(holder.source, given_up):
            yield
        return
    try:
        yield
    finally:
        _give_back(holder)


def renew(holder: Holder) -> None:
    """Also makes a turn again that a flush has taken away."""
    if holder.source.is_local:
        return
    try:
        _run(RENEW, holder.source, holder.name, _milliseconds(TURN_SECONDS))
    except RedisError:
        log.warning("limiter_unreachable", source=holder.source.slug)


def pause(source: Source, seconds: float) -> None:
    """The source wants to be left alone, by everybody."""
    try:
        _run(PAUSE, source, _milliseconds(max(seconds, 0.001)))
    except RedisError:
        log.warning("limiter_unreachable", source=source.slug)


def use_of(source: Source) -> Use | None:
    """None while nobody can know, because the limiter cannot be reached."""
    try:
        return Use(*_run(USE, source, _milliseconds(WINDOW_SECONDS)))
    except RedisError:
        log.warning("limiter_unreachable", source=source.slug)
        return None


def _stand_in_line(holder: Holder, given_up: Event) -> None:
    source = holder.source
    until = monotonic() + PATIENCE_SECONDS
    while True:
        if given_up.is_set():
            raise TurnLost
        is_taken, wait = _take(holder)
        if is_taken:
            return
        if monotonic() + wait > until:
            raise NoTurn(max(wait, 1.0) * random.uniform(1.0, 1.1), _why(source, wait))  # noqa: S311
        given_up.wait(max(wait, _LOOK_SECONDS) * random.uniform(1.0, 1.5))  # noqa: S311  # no secret


def _take(holder: Holder) -> tuple[bool, float]:
    """Whether the turn is ours, and else how long to wait at least."""
    source = holder.source
    given = (
        holder.name,
        source.at_once,
        source.per_30_seconds,
        _milliseconds(WINDOW_SECONDS + _MARGIN_SECONDS),
        _milliseconds(holder.seconds or TURN_SECONDS),
        _CALM_MILLISECONDS,
    )
    status, wait = _run(TAKE, source, *given)
    if status == 2:
        _recall(holder)
        status, wait = _run(TAKE, source, *given)
    return status == 1, wait / 1000


def _why(source: Source, wait: float) -> str:
    if wait:
        return "The source is left alone for a while: its limit is reached, or it asked for a pause."
    return f"Waits for its turn: the source is asked at most {source.at_once} questions at once."


def _give_back(holder: Holder) -> None:
    try:
        _CLIENT.get().zrem(_keys(holder.source)[0], holder.name)
    except RedisError:
        log.warning("limiter_unreachable", source=holder.source.slug)


def _recall(holder: Holder) -> None:
    """What the database knows of the last 30 seconds. A slice that was claimed again and again counts
    for as many questions as it ever had claims: rather too many than too few."""
    seconds = WINDOW_SECONDS + _MARGIN_SECONDS
    lately = (
        Slice.objects.filter(
            run__hunt__source=holder.source, started_at__gt=Now() - timedelta(seconds=seconds)
        )
        .annotate(now=Now())
        .values_list("pk", "fence", "state", "started_at", "now")
    )
    given: list[str | int] = [_milliseconds(TURN_SECONDS), _CALM_MILLISECONDS]
    for pk, fence, state, started_at, now in lately:
        age = max(0, _milliseconds((now - (started_at or now)).total_seconds()))
        for claim in range(1, fence + 1):
            name = name_of(pk, claim)
            is_held = state == Slice.State.ASKING and claim == fence and name != holder.name
            if name != holder.name:
                given += [name, age, int(is_held)]
    log.warning("limiter_recalled", source=holder.source.slug, questions=len(given) // 3)
    _run(RECALL, holder.source, *given)


def name_of(slice_id: int, fence: int) -> str:
    return f"slice {slice_id}, claim {fence}"


@contextmanager
def _one_at_a_time(source: Source, given_up: Event) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, source.pk])
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise NoTurn(2.0, ONE_AT_A_TIME)
    try:
        # So spaced, no 30 seconds have more than their number.
        if given_up.wait(WINDOW_SECONDS / source.per_30_seconds):
            raise TurnLost
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_CLASS, source.pk])


def _run(script: str, source: Source, *given: str | int) -> list[int]:
    keys = _keys(source)
    answer: list[int] = _CLIENT.get().eval(script, len(keys), *keys, *given)
    return answer


def _keys(source: Source) -> list[str]:
    return [f"footprint:limiter:{{{source.slug}}}:{what}" for what in ("held", "asked", "paused", "known")]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _client() -> Redis:
    # redis-py writes the address of a socket differently than Celery.
    url = settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    return Redis.from_url(url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS)


_CLIENT: PerProcess[Redis] = PerProcess(_client)
