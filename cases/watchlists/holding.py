"""Who works on a target: one worker at a time, by a lease on the database's clock and a fence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from cases.watchlists.models import Publication, Reconciliation, Target
from cases.watchlists.pending import is_paused
from cases.watchlists.querysets import TargetQuerySet


class Fenced(Exception):
    """Another worker has it by now; nothing of ours counts any more."""


class Stopped(Exception):
    """Somebody paused it, or all publishing, while it was under way."""


@dataclass(frozen=True, slots=True)
class Hold:
    target_id: int
    fence: int
    is_dry_run: bool


def to_reconcile() -> TargetQuerySet:
    """Targets with something to do that nobody holds. While publishing is paused only dry runs.

    No join: of two claims at once, the later one must see the row anew.
    """
    newer = Publication.objects.filter(
        watchlist=OuterRef("watchlist"), state=Publication.State.PUBLISHED, number__gt=OuterRef("seen")
    )
    is_wished = Q(dry_run_asked_at__isnull=False)
    is_due = Q(Q(next_at__lte=Now()) | Exists(newer), paused_at=None) & (
        Q(not_before=None) | Q(not_before__lte=Now())
    )
    free = Target.objects.used().filter(Q(lease_until=None) | Q(lease_until__lt=Now()))
    return free.filter(is_wished if is_paused() else is_wished | is_due)


def claim(target_id: int, worker: str) -> Hold | None:
    with transaction.atomic():
        claimed = (
            to_reconcile()
            .filter(pk=target_id)
            .update(fence=F("fence") + 1, worker=worker, lease_until=_lease())
        )
        if not claimed:
            return None
        lost = Reconciliation.objects.filter(target=target_id, ended=Reconciliation.Ended.UNDERWAY)
        lost.update(ended=Reconciliation.Ended.STOPPED, ended_at=Now(), said="The worker was lost.")
        target = Target.objects.get(pk=target_id)
    return Hold(target_id, target.fence, target.dry_run_asked_at is not None)


def renew(hold: Hold) -> None:
    """Before each request. Raises Fenced or Stopped."""
    renewed = _held(hold).filter(lease_until__isnull=False).update(lease_until=_lease())
    if not renewed:
        raise Fenced
    if hold.is_dry_run:
        return
    if not _held(hold).filter(paused_at=None).exists():
        raise Stopped("The target was paused meanwhile.")
    switch = is_paused()
    if switch is not None:
        raise Stopped(f"All publishing was paused meanwhile: {switch.why}")


def lock(hold: Hold) -> Target:
    """Inside a transaction: what is written in it is written by whoever holds the target. Raises Fenced."""
    target: Target | None = (
        Target.objects.select_for_update(of=("self",))
        .select_related("watchlist")
        .filter(pk=hold.target_id, fence=hold.fence)
        .first()
    )
    if target is None:
        raise Fenced
    return target


def _held(hold: Hold) -> TargetQuerySet:
    return Target.objects.filter(pk=hold.target_id, fence=hold.fence)


def _lease() -> object:
    return Now() + timedelta(seconds=settings.FOOTPRINT.lease_seconds)
