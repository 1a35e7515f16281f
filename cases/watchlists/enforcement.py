"""When decisions took effect outside: by a target that accepted them, or a feed that was fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

import structlog
from django.db import DatabaseError, connection

from cases.models import Decision
from cases.watchlists.computing import COLUMNS, rows_of
from cases.watchlists.entries import heading
from cases.watchlists.formats import REGISTRY, How, ListEntry
from cases.watchlists.models import Enforcement, Fetch, Publication, Receipt, Target
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, Subject, change

_LOG = structlog.get_logger(__name__)
_TOGETHER = 5_000
# Of a name with all below it, a format that says the name alone enforces next to nothing.
_WHOLE = (How.EXACT, How.WIDER)
_FETCHES_AT_ONCE = 100


class Outside(NamedTuple):
    """`receipts` are those of targets, with their targets."""

    enforcement: Enforcement | None
    receipts: list[Receipt]


def outside_of(decision: Decision) -> Outside:
    receipts = Receipt.objects.filter(decision_number=decision.pk).select_related("target__watchlist")
    return Outside(Enforcement.objects.filter(pk=decision.pk).first(), list(receipts.order_by("target_id")))


_BY_TARGET = """
    INSERT INTO watchlists_enforcement AS n (decision_id, effective_at, by)
    SELECT decision_number, min(accepted_at) + %(grace)s, %(by)s FROM watchlists_receipt
     WHERE target_id = %(target)s AND state = 'accepted'
     GROUP BY decision_number
    ON CONFLICT (decision_id) DO UPDATE SET effective_at = excluded.effective_at, by = excluded.by
     WHERE n.effective_at > excluded.effective_at
"""


def note_accepted(target: Target) -> None:
    asked: dict[str, Any] = {"target": target.pk, "grace": target.grace, "by": target.title}
    with connection.cursor() as cursor:
        cursor.execute(_BY_TARGET, asked)


def count_fetches() -> int:
    """Takes in the fetches that web processes have noted since, with an entry each; returns how many."""
    waiting = list(
        Fetch.objects.filter(is_counted=False)
        .order_by("at", "pk")
        .select_related("consumer", "token")[:_FETCHES_AT_ONCE]
    )
    for noted in waiting:
        try:
            _count_one(noted)
        except DatabaseError as error:
            # It waits for the next time; the others must not wait for it.
            _LOG.error("fetch_not_counted", fetch=noted.pk, error=str(error))
    return len(waiting)


def _count_one(noted: Fetch) -> None:
    with change(actor=_actor_of(noted)) as ledger:
        fetch = (
            Fetch.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("consumer__watchlist")
            .filter(pk=noted.pk, is_counted=False)
            .first()
        )
        if fetch is not None:
            _count(fetch)
            _tell(ledger, fetch)


def _actor_of(fetch: Fetch) -> Actor:
    return Actor.token(fetch.token.ending if fetch.token else "", fetch.consumer.name)


def _tell(ledger: Change, fetch: Fetch) -> None:
    consumer = fetch.consumer
    ledger.add(
        Event.FEED_FETCHED,
        Subject("consumer", str(consumer.pk), consumer.name),
        after={
            "watchlist": consumer.watchlist.slug,
            "format": consumer.format,
            "publication": fetch.number,
            "at": fetch.at.astimezone(UTC).isoformat(),
            "address": fetch.address,
        },
    )


def _count(fetch: Fetch) -> None:
    consumer = fetch.consumer
    publication = (
        Publication.objects.select_related("watchlist")
        .filter(watchlist=consumer.watchlist_id, number=fetch.number)
        .first()
    )
    if publication is not None and consumer.format in REGISTRY:
        format = REGISTRY[consumer.format](heading(publication))
        said = (entry.decision for entry in _new_to(fetch) if format.say(entry).how in _WHOLE)
        for decisions in _chunks(said):
            _note(decisions, fetch.at, consumer.name)
    Fetch.objects.filter(pk=fetch.pk).update(is_counted=True)


def _new_to(fetch: Fetch) -> Iterator[ListEntry]:
    """What the consumer had not got with a version that was counted before."""
    before = (
        Fetch.objects.filter(consumer=fetch.consumer, is_counted=True, number__lt=fetch.number)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    return rows_of(
        f"SELECT {COLUMNS} FROM watchlists_publishedentry"  # noqa: S608  # constants
        " WHERE watchlist_id = %s AND added_in > %s AND added_in <= %s"
        " AND (removed_in IS NULL OR removed_in > %s)",
        (fetch.consumer.watchlist_id, before or 0, fetch.number, fetch.number),
    )


def _chunks(decisions: Iterable[int]) -> Iterator[list[int]]:
    left = iter(decisions)
    while some := list(islice(left, _TOGETHER)):
        yield some


def _note(decisions: Sequence[int], at: datetime, by: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO watchlists_enforcement AS n (decision_id, effective_at, by)"
            " SELECT DISTINCT ids.id, %s::timestamptz, %s FROM unnest(%s::bigint[]) AS ids (id)"
            " ON CONFLICT (decision_id) DO UPDATE SET effective_at = excluded.effective_at, by = excluded.by"
            " WHERE n.effective_at > excluded.effective_at",
            [at, by, list(decisions)],
        )
