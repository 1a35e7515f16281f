"""Who caused a publication that is held, and so may not release it."""

# ruff: noqa: S608  # every part of the statement is a constant; values are parameters

from __future__ import annotations

from django.db import connection

from cases.verdicts.in_force import IN_FORCE
from cases.watchlists.counts import CURRENT, IN_BULK
from cases.watchlists.models import Publication, Watchlist
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor

_RULE = ("kinds", "scopes", "cases")
# Of what would leave: what the person ended together with many others.
_ENDED_IN_BULK = f"""
    SELECT EXISTS (
        SELECT FROM {CURRENT} AND EXISTS (
            SELECT FROM cases_decision d
             WHERE d.id = e.decision_number AND d.state IN ('withdrawn', 'superseded')
               AND d.ended_by_id = %(person)s AND {IN_BULK})
           AND NOT EXISTS (
            SELECT FROM cases_decision d
             WHERE d.subject_kind = e.kind AND d.subject = e.value AND d.verdict = e.verdict AND {IN_FORCE}))
"""


def has_caused(person: Person, held: Publication, watchlist: Watchlist) -> bool:
    """Whoever asked for it; and whoever changed the rule or ended many decisions at once since the list was
    last looked at: then it may be the clock that asked."""
    if held.made_by_id == person.pk:
        return True
    if held.rolled_back_to is not None:
        return False
    return _has_changed_the_rule(person, watchlist) or _has_ended_in_bulk(person, watchlist)


def _has_changed_the_rule(person: Person, watchlist: Watchlist) -> bool:
    changed_at, as_of = watchlist.rule_changed_at, watchlist.as_of
    if changed_at is None or (as_of is not None and changed_at <= as_of):
        return False
    if watchlist.rule_changed_by_id == person.pk:
        return True
    actor = Actor.person(person)
    # Others may have changed it since, too; the list names the last one only.
    told = Entry.objects.filter(
        event=Event.WATCHLIST_CHANGED,
        subject_kind="watchlist",
        subject_id=watchlist.slug,
        actor_kind=actor.kind,
        actor_id=actor.id,
    )
    if as_of is not None:
        told = told.filter(at__gt=as_of)
    return any(
        entry.content["before"][name] != entry.content["after"][name] for entry in told for name in _RULE
    )


def _has_ended_in_bulk(person: Person, watchlist: Watchlist) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_ENDED_IN_BULK, {"list": watchlist.pk, "person": person.pk})
        return bool(cursor.fetchone()[0])
