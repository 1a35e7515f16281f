"""Publishing: freezing what a list holds as its next version. One transaction each, the ledger included."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from cases.clock import database_now
from cases.texts import bad_line
from cases.verdicts.settle import take_verdict_lock
from cases.watchlists.causing import has_caused
from cases.watchlists.computing import Rule, compute
from cases.watchlists.counts import Counts, count
from cases.watchlists.models import Publication, Watchlist
from cases.watchlists.pending import is_paused
from cases.watchlists.restoring import restore, why_second_person
from cases.watchlists.versions import (
    draft,
    drop_held,
    freeze,
    hold,
    keep_conflicts,
    looked_at,
    pause,
    subject_of,
    told,
)
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.keys import CannotSeal
from footprint.ledger.record import Actor, change
from footprint.ledger.sealing import make_checkpoint

_LOG = structlog.get_logger(__name__)

_CAUSES_BETWEEN = ". "
_LOSES = "More than half of its entries would leave by other than single decisions"


class CannotPublish(Exception):
    """Nothing was published; the text says why in a sentence."""


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
        counts = count(locked)
        never_published = not Publication.objects.of(locked).published().exists()
        if not counts.changes and not never_published:
            drop_held(ledger, locked, "There is nothing to publish any more.")
            keep_conflicts(locked)
            looked_at(locked, as_of)
            return None
        held = Publication.objects.of(locked).held().first()
        if counts.is_alarming and held is not None and held.sha256 == counts.sha256:
            return held
        publication = draft(ledger, locked, counts, why=why, by=by, at=as_of)
        if counts.is_alarming:
            hold(ledger, publication, counts, _LOSES)
        else:
            freeze(ledger, publication, as_of)
            # Of what is only held, nothing is to be settled yet.
            keep_conflicts(locked)
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
        counts = count(locked)
        if not counts.changes:
            raise CannotPublish(
                f"Of version {number} nothing may be published that the newest one has not, and nothing is"
                " to be taken away."
            )
        publication = draft(ledger, locked, counts, why=why.strip(), by=actor, at=database_now())
        publication.rolled_back_to = number
        if causes := _causes(locked, counts):
            hold(ledger, publication, counts, _CAUSES_BETWEEN.join(causes))
        else:
            freeze(ledger, publication, None)
            keep_conflicts(locked)
        pause(ledger, locked, f"Rolled back to version {number}.")
    return publication


def release(*, actor: Person, publication: Publication) -> Publication:
    """Publishes what was held. Never by a person who caused it, and only if it is still the same."""
    _seal(publication.watchlist)
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(publication.watchlist)
        held = _still_held(locked, publication)
        if has_caused(actor, held, locked):
            raise CannotPublish(
                "You asked for this publication, changed the rule or ended many of these decisions at once;"
                " another person must release it."
            )
        if held.rolled_back_to is None:
            _refuse_when_paused(locked)
            compute(Rule.of(locked))
        else:
            _refuse_when_paused(locked, also_alone=False)
            restore(locked, held.rolled_back_to)
        counts = count(locked)
        if counts.sha256 != held.sha256:
            raise CannotPublish("The list has changed since it was held. Look at the new numbers first.")
        if held.rolled_back_to is not None:
            _refuse_unread(held, _causes(locked, counts))
        keep_conflicts(locked)
        held.approver = actor
        freeze(ledger, held, held.made_at if held.rolled_back_to is None else None)
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
        unread_words = between.join(unread)
        raise CannotPublish(
            f"Since it was held there is more to look at: {unread_words}. Roll back again to hold it anew."
        )


def refuse(*, actor: Person, publication: Publication, why: str) -> None:
    """Throws a held publication away and pauses the list: what made it alarming is still there."""
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(publication.watchlist)
        held = _still_held(locked, publication)
        _refuse_hidden(why)
        held.state = Publication.State.REFUSED
        held.save(update_fields=["state"])
        ledger.add(Event.PUBLICATION_REFUSED, subject_of(locked), after=told(held), reason=why.strip())
        pause(ledger, locked, f"A publication was refused: {why.strip()}" if why.strip() else "Refused.")


def _refuse_hidden(why: str) -> None:
    if said := bad_line(why):
        raise CannotPublish(said)


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
