"""A version: drafted, held for a second person, frozen, or dropped. Inside the caller's change."""

# ruff: noqa: S608  # every part of a statement is a constant; values are parameters

from __future__ import annotations

from datetime import datetime

from django.db import connection

from cases.watchlists.computing import COLUMNS
from cases.watchlists.counts import CURRENT, SAME, Counts
from cases.watchlists.models import Publication, Watchlist
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Change, Subject


def subject_of(watchlist: Watchlist) -> Subject:
    return Subject("watchlist", watchlist.slug, watchlist.title)


def draft(
    ledger: Change, watchlist: Watchlist, counts: Counts, *, why: str, by: Person | None, at: datetime
) -> Publication:
    """Takes the place of a held publication, if there is one: what it would publish is no more."""
    drop_held(ledger, watchlist, "Another publication has taken its place.")
    return Publication(
        watchlist=watchlist,
        title=watchlist.title,
        about=watchlist.about,
        state=Publication.State.HELD,
        why=why,
        made_at=at,
        made_by=by,
        entries=counts.entries,
        added=counts.added,
        removed=counts.removed,
        sha256=counts.sha256,
    )


def drop_held(ledger: Change, watchlist: Watchlist, why: str) -> None:
    for held in Publication.objects.of(watchlist).held():
        held.state = Publication.State.REFUSED
        held.save(update_fields=["state"])
        ledger.add(Event.PUBLICATION_REFUSED, subject_of(watchlist), after=told(held), reason=why)


def hold(ledger: Change, publication: Publication, counts: Counts, because: str) -> None:
    publication.held_because = because
    publication.save()
    ledger.add(
        Event.PUBLICATION_HELD,
        subject_of(publication.watchlist),
        after={**told(publication), "lost": counts.lost, "because": because},
        reason=publication.why,
    )


_LEAVE = f"""
    UPDATE watchlists_publishedentry e SET removed_in = %(number)s
     WHERE e.watchlist_id = %(list)s AND e.removed_in IS NULL AND NOT EXISTS (
           SELECT FROM watchlists_wanted w WHERE w.kind = e.kind AND w.value = e.value AND {SAME})
"""
_ENTER = f"""
    INSERT INTO watchlists_publishedentry (watchlist_id, added_in, {COLUMNS})
    SELECT %(list)s, %(number)s, {COLUMNS} FROM watchlists_wanted w WHERE NOT EXISTS (
           SELECT FROM {CURRENT} AND e.kind = w.kind AND e.value = w.value)
"""


def freeze(ledger: Change, publication: Publication, as_of: datetime | None) -> None:
    watchlist = publication.watchlist
    newest = Publication.objects.of(watchlist).published().values_list("number", flat=True).first()
    publication.number = (newest or 0) + 1
    publication.state = Publication.State.PUBLISHED
    publication.save()
    with connection.cursor() as cursor:
        asked = {"list": watchlist.pk, "number": publication.number}
        cursor.execute(_LEAVE, asked)
        cursor.execute(_ENTER, asked)
    if as_of is not None:
        looked_at(watchlist, as_of)
    ledger.add(Event.PUBLICATION_MADE, subject_of(watchlist), after=told(publication), reason=publication.why)


def looked_at(watchlist: Watchlist, as_of: datetime) -> None:
    watchlist.as_of = as_of
    watchlist.save(update_fields=["as_of"])


def keep_conflicts(watchlist: Watchlist) -> None:
    watchlist.conflicts.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO watchlists_conflict"
            " (watchlist_id, kind, value, decision_id, against_id, left_out, why)"
            " SELECT %s, kind, value, decision_id, against_id, left_out, why FROM watchlists_found"
            " ORDER BY left_out DESC, kind, value",
            [watchlist.pk],
        )


def told(publication: Publication) -> dict[str, object]:
    words: dict[str, object] = {
        "number": publication.number,
        "entries": publication.entries,
        "added": publication.added,
        "removed": publication.removed,
        "sha256": publication.sha256,
    }
    if publication.rolled_back_to is not None:
        words["rolled_back_to"] = publication.rolled_back_to
    if publication.approver_id is not None:
        words["made_by"] = publication.made_by_id
    return words


def pause(ledger: Change, watchlist: Watchlist, why: str) -> None:
    before = _pause_in_words(watchlist)
    watchlist.paused_why = why
    watchlist.save(update_fields=["paused_why"])
    after = _pause_in_words(watchlist)
    if after != before:
        ledger.add(Event.WATCHLIST_PAUSED, subject_of(watchlist), before=before, after=after, reason=why)


def _pause_in_words(watchlist: Watchlist) -> dict[str, object]:
    return {"paused": True, "why": watchlist.paused_why} if watchlist.paused_why else {"paused": False}
