"""Publishing: freezing what a list holds as its next version. One transaction each, the ledger included."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from cases.clock import database_now
from cases.texts import bad_line
from cases.verdicts.settle import take_verdict_lock
from cases.watchlists.computing import COLUMNS, Rule, compute
from cases.watchlists.models import Publication, Publishing, Watchlist
from cases.watchlists.restoring import restore, why_second_person
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.keys import CannotSeal
from footprint.ledger.record import Actor, Change, Subject, change
from footprint.ledger.sealing import make_checkpoint

_LOG = structlog.get_logger(__name__)

# A list with fewer entries is not held for what it loses.
HELD_FROM = 20
_CAUSES_BETWEEN = ". "
_LOSES = "More than half of its entries would leave by other than single decisions"


class CannotPublish(Exception):
    """Nothing was published; the text says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What publishing the computed entries would change. `lost` left by other than single decisions."""

    before: int
    entries: int
    added: int
    removed: int
    replaced: int
    lost: int
    sha256: str

    @property
    def changes(self) -> bool:
        return bool(self.added or self.removed or self.replaced)

    @property
    def is_alarming(self) -> bool:
        return self.before >= HELD_FROM and self.lost * 2 > self.before


@dataclass(frozen=True, slots=True)
class Pending:
    """Decisions since a list was last looked at; `first` and `last` are None when there are none."""

    changes: int
    first: datetime | None
    last: datetime | None
    now: datetime

    @property
    def is_due(self) -> bool:
        if self.first is None or self.last is None:
            return False
        quiet = (self.now - self.last).total_seconds() >= settings.FOOTPRINT.publish_quiet_seconds
        return quiet or (self.now - self.first).total_seconds() >= settings.FOOTPRINT.publish_longest_seconds


_PENDING = """
    SELECT count(at), min(at), max(at), clock_timestamp() FROM (
        SELECT made_at AS at FROM cases_decision WHERE made_at > %(as_of)s AND state <> 'proposed'
        UNION ALL SELECT ended_at FROM cases_decision WHERE ended_at > %(as_of)s
        UNION ALL SELECT expires_at FROM cases_decision
                   WHERE state = 'in force' AND expires_at > %(as_of)s AND expires_at <= clock_timestamp()
        UNION ALL SELECT rule_changed_at FROM watchlists_watchlist
                   WHERE id = %(list)s AND rule_changed_at > %(as_of)s
    ) changes
"""


def pending(watchlist: Watchlist) -> Pending:
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, {"as_of": watchlist.as_of or "-infinity", "list": watchlist.pk})
        return Pending(*cursor.fetchone())


def is_paused() -> Publishing | None:
    return Publishing.objects.filter(paused_at__isnull=False).select_related("paused_by").first()


def publish(*, actor: Actor, watchlist: Watchlist, why: str, by: Person | None = None) -> Publication | None:
    """Publishes what the list holds now; None when that is what was published last.

    The answer may be a held publication, which another person must release.
    """
    as_of = _settled_up_to()
    _seal(watchlist)
    with change(actor=actor) as ledger:
        locked = _locked(watchlist)
        _refuse_when_paused(locked)
        compute(Rule.of(locked))
        counts = _count(locked)
        _keep_conflicts(locked)
        never_published = not Publication.objects.of(locked).published().exists()
        if not counts.changes and not never_published:
            _drop_held(ledger, locked, "There is nothing to publish any more.")
            _looked_at(locked, as_of)
            return None
        held = Publication.objects.of(locked).held().first()
        if counts.is_alarming and held is not None and held.sha256 == counts.sha256:
            return held
        publication = _draft(ledger, locked, counts, why=why, by=by, at=as_of)
        if counts.is_alarming:
            _hold(ledger, publication, counts, _LOSES)
        else:
            _freeze(ledger, publication, as_of)
    return publication


def roll_back(*, actor: Person, watchlist: Watchlist, number: int, why: str) -> Publication:
    """Publishes the entries of an earlier version again, and pauses the list until somebody resumes it."""
    _seal(watchlist)
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(watchlist)
        _refuse_when_paused(locked, also_alone=False)
        if not Publication.objects.of(locked).published().filter(number=number).exists():
            raise CannotPublish(f"There is no version {number}.")
        if not why.strip():
            raise CannotPublish("Say why; it is kept in the ledger.")
        _refuse_hidden(why)
        restore(locked, number)
        counts = _count(locked)
        if not counts.changes:
            raise CannotPublish(
                f"Of version {number} nothing may be published that the newest one has not, and nothing is"
                " to be taken away."
            )
        publication = _draft(ledger, locked, counts, why=why.strip(), by=actor, at=database_now())
        publication.rolled_back_to = number
        if causes := _causes(locked, counts):
            _hold(ledger, publication, counts, _CAUSES_BETWEEN.join(causes))
        else:
            _freeze(ledger, publication, None)
            _keep_conflicts(locked)
        _pause(ledger, locked, f"Rolled back to version {number}.")
    return publication


def release(*, actor: Person, publication: Publication) -> Publication:
    """Publishes what was held. Never by a person who caused it, and only if it is still the same."""
    _seal(publication.watchlist)
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(publication.watchlist)
        held = _still_held(locked, publication)
        if has_caused(actor, held, locked):
            raise CannotPublish(
                "You asked for this publication or changed the rule; another person must release it."
            )
        if held.rolled_back_to is None:
            _refuse_when_paused(locked)
            compute(Rule.of(locked))
        else:
            _refuse_when_paused(locked, also_alone=False)
            restore(locked, held.rolled_back_to)
        counts = _count(locked)
        if counts.sha256 != held.sha256:
            raise CannotPublish("The list has changed since it was held. Look at the new numbers first.")
        if held.rolled_back_to is not None:
            _refuse_unread(held, _causes(locked, counts))
        _keep_conflicts(locked)
        held.approver = actor
        _freeze(ledger, held, held.made_at if held.rolled_back_to is None else None)
    return held


def _causes(watchlist: Watchlist, counts: Counts) -> list[str]:
    """Why a roll-back needs a second person, each in a sentence."""
    return [*([_LOSES] if counts.is_alarming else []), *why_second_person(watchlist)]


def _refuse_unread(held: Publication, causes: list[str]) -> None:
    """The entries may be the same and what speaks against them not: a block stays in its list when an allow
    is made against it."""
    between = _CAUSES_BETWEEN
    read = f"{between}{held.held_because}{between}"
    if unread := [cause for cause in causes if f"{between}{cause}{between}" not in read]:
        told = between.join(unread)
        raise CannotPublish(
            f"Since it was held there is more to look at: {told}. Roll back again to hold it anew."
        )


def has_caused(person: Person, held: Publication, watchlist: Watchlist) -> bool:
    """Whoever asked for it, and whoever changed the rule since the list was last looked at: then it may be
    the clock that asked."""
    if held.made_by_id == person.pk:
        return True
    changed_at, as_of = watchlist.rule_changed_at, watchlist.as_of
    is_pending = changed_at is not None and (as_of is None or changed_at > as_of)
    return held.rolled_back_to is None and is_pending and watchlist.rule_changed_by_id == person.pk


def refuse(*, actor: Person, publication: Publication, why: str) -> None:
    """Throws a held publication away and pauses the list: what made it alarming is still there."""
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(publication.watchlist)
        held = _still_held(locked, publication)
        _refuse_hidden(why)
        held.state = Publication.State.REFUSED
        held.save(update_fields=["state"])
        ledger.add(Event.PUBLICATION_REFUSED, subject_of(locked), after=_told(held), reason=why.strip())
        _pause(ledger, locked, f"A publication was refused: {why.strip()}" if why.strip() else "Refused.")


def _refuse_hidden(why: str) -> None:
    if said := bad_line(why):
        raise CannotPublish(said)


def publish_due() -> list[Publication]:
    """What the clock publishes: each list that has been quiet for long enough or has waited too long."""
    if is_paused():
        return []
    made = [_publish_if_due(each) for each in Watchlist.objects.filter(paused_why="")]
    return [publication for publication in made if publication is not None]


def _publish_if_due(watchlist: Watchlist) -> Publication | None:
    """What goes wrong with one list must not keep the others from going out."""
    try:
        if not pending(watchlist).is_due:
            return None
        return publish(
            actor=Actor.clock("publish_due"), watchlist=watchlist, why="Decisions since the last version"
        )
    except (CannotPublish, DatabaseError) as error:
        _LOG.error("list_not_published", watchlist=watchlist.slug, error=str(error))
        return None


def subject_of(watchlist: Watchlist) -> Subject:
    return Subject("watchlist", watchlist.slug, watchlist.title)


def _pause(ledger: Change, watchlist: Watchlist, why: str) -> None:
    before = _pause_in_words(watchlist)
    watchlist.paused_why = why
    watchlist.save(update_fields=["paused_why"])
    after = _pause_in_words(watchlist)
    if after != before:
        ledger.add(Event.WATCHLIST_PAUSED, subject_of(watchlist), before=before, after=after, reason=why)


def _pause_in_words(watchlist: Watchlist) -> dict[str, object]:
    return {"paused": True, "why": watchlist.paused_why} if watchlist.paused_why else {"paused": False}


def _seal(watchlist: Watchlist) -> None:
    """The checkpoint before a publication, which holds every decision that it is made of.

    Without one the list goes out all the same: a block that stays in the house protects nobody.
    """
    try:
        make_checkpoint()
    except CannotSeal as error:
        _LOG.warning("published_unsealed", watchlist=watchlist.slug, error=str(error))


def _settled_up_to() -> datetime:
    """A moment up to which every decision is committed: who decides holds the verdict lock until then.

    A transaction of its own, so that nobody waits for the lock while a long list is published.
    """
    with transaction.atomic():
        take_verdict_lock()
        return database_now()


def _locked(watchlist: Watchlist) -> Watchlist:
    return Watchlist.objects.select_for_update().get(pk=watchlist.pk)


def _still_held(watchlist: Watchlist, publication: Publication) -> Publication:
    held = Publication.objects.of(watchlist).held().filter(pk=publication.pk).first()
    if held is None:
        raise CannotPublish("This publication is not held any more.")
    return held


def _refuse_when_paused(watchlist: Watchlist, *, also_alone: bool = True) -> None:
    paused = is_paused()
    if paused is not None:
        raise CannotPublish(f"All publishing is paused: {paused.why}")
    if also_alone and watchlist.paused_why:
        raise CannotPublish(f"This list is paused: {watchlist.paused_why}")


_CURRENT = "watchlists_publishedentry e WHERE e.watchlist_id = %(list)s AND e.removed_in IS NULL"
_JOINED = f"""
    (SELECT * FROM {_CURRENT}) e FULL JOIN watchlists_wanted w ON w.kind = e.kind AND w.value = e.value
      LEFT JOIN cases_decision d ON w.kind IS NULL AND d.id = e.decision_number
"""
_SAME = "w.decision_number = e.decision_number AND w.may_widen = e.may_widen"
# Undone or superseded together with many others, by a batch or by a list that was taken in: a person said so
# once, not for each.
_IN_BULK = """
    (EXISTS (SELECT FROM cases_batch b WHERE b.id = d.batch_id AND b.task = 'undoing')
     OR EXISTS (SELECT FROM cases_decision n
                 WHERE n.supersedes_id = d.id
                   AND (n.batch_id IS NOT NULL
                        OR EXISTS (SELECT FROM cases_intakeline l
                                    WHERE l.decision_id = n.id AND l.outcome IN ('made', 'proposed')))))
"""
_COUNT = f"""
    SELECT count(e.kind), count(w.kind), count(*) FILTER (WHERE e.kind IS NULL),
           count(*) FILTER (WHERE w.kind IS NULL),
           count(*) FILTER (WHERE w.kind IS NOT NULL AND e.kind IS NOT NULL AND NOT ({_SAME})),
           count(*) FILTER (WHERE w.kind IS NULL AND NOT coalesce(
               d.state IN ('withdrawn', 'superseded') AND d.ended_by_id IS NOT NULL AND NOT {_IN_BULK},
               false))
      FROM {_JOINED}
"""
_DIGEST = """
    SELECT encode(sha256(coalesce(string_agg(sha256(convert_to(
               kind || E'\\t' || value || E'\\t' || verdict || E'\\t' || decision_number, 'UTF8')),
           ''::bytea ORDER BY kind, value), ''::bytea)), 'hex') FROM watchlists_wanted
"""


def _count(watchlist: Watchlist) -> Counts:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"list": watchlist.pk})
        numbers = cursor.fetchone()
        cursor.execute(_DIGEST)
        return Counts(*numbers, *cursor.fetchone())


def preview(watchlist: Watchlist, rule: Rule) -> Counts:
    """What publishing would change if the list had this rule."""
    with transaction.atomic():
        compute(rule)
        return _count(watchlist)


def _draft(
    ledger: Change, watchlist: Watchlist, counts: Counts, *, why: str, by: Person | None, at: datetime
) -> Publication:
    """Takes the place of a held publication, if there is one: what it would publish is no more."""
    _drop_held(ledger, watchlist, "Another publication has taken its place.")
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


def _drop_held(ledger: Change, watchlist: Watchlist, why: str) -> None:
    for held in Publication.objects.of(watchlist).held():
        held.state = Publication.State.REFUSED
        held.save(update_fields=["state"])
        ledger.add(Event.PUBLICATION_REFUSED, subject_of(watchlist), after=_told(held), reason=why)


def _hold(ledger: Change, publication: Publication, counts: Counts, because: str) -> None:
    publication.held_because = because
    publication.save()
    ledger.add(
        Event.PUBLICATION_HELD,
        subject_of(publication.watchlist),
        after={**_told(publication), "lost": counts.lost, "because": because},
        reason=publication.why,
    )


_LEAVE = f"""
    UPDATE watchlists_publishedentry e SET removed_in = %(number)s
     WHERE e.watchlist_id = %(list)s AND e.removed_in IS NULL AND NOT EXISTS (
           SELECT FROM watchlists_wanted w WHERE w.kind = e.kind AND w.value = e.value AND {_SAME})
"""
_ENTER = f"""
    INSERT INTO watchlists_publishedentry (watchlist_id, added_in, {COLUMNS})
    SELECT %(list)s, %(number)s, {COLUMNS} FROM watchlists_wanted w WHERE NOT EXISTS (
           SELECT FROM {_CURRENT} AND e.kind = w.kind AND e.value = w.value)
"""


def _freeze(ledger: Change, publication: Publication, as_of: datetime | None) -> None:
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
        _looked_at(watchlist, as_of)
    ledger.add(
        Event.PUBLICATION_MADE, subject_of(watchlist), after=_told(publication), reason=publication.why
    )


def _looked_at(watchlist: Watchlist, as_of: datetime) -> None:
    watchlist.as_of = as_of
    watchlist.save(update_fields=["as_of"])


def _keep_conflicts(watchlist: Watchlist) -> None:
    watchlist.conflicts.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO watchlists_conflict"
            " (watchlist_id, kind, value, decision_id, against_id, left_out, why)"
            " SELECT %s, kind, value, decision_id, against_id, left_out, why FROM watchlists_found"
            " ORDER BY left_out DESC, kind, value",
            [watchlist.pk],
        )


def _told(publication: Publication) -> dict[str, object]:
    told: dict[str, object] = {
        "number": publication.number,
        "entries": publication.entries,
        "added": publication.added,
        "removed": publication.removed,
        "sha256": publication.sha256,
    }
    if publication.rolled_back_to is not None:
        told["rolled_back_to"] = publication.rolled_back_to
    if publication.approver_id is not None:
        told["made_by"] = publication.made_by_id
    return told
