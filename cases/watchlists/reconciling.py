"""One worker, one target: read what is there, plan, write receipts, send, look again.

It may be stopped at any moment: what was sent and not noted is found there the next time.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from time import monotonic

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction

from cases.watchlists import ending, holding, receipts
from cases.watchlists.beyond import Beyond
from cases.watchlists.enforcement import note_accepted
from cases.watchlists.entries import entries_of
from cases.watchlists.formats import ListEntry
from cases.watchlists.holding import Fenced, Hold, Stopped
from cases.watchlists.models import Publication, Reconciliation, Target
from cases.watchlists.spending import changes_left, give_back, reserve
from cases.watchlists.targets import defender, sentinel
from cases.watchlists.targets.base import Client, Plan, Refusal, Step, There, Wish
from cases.watchlists.targets.calling import Caller
from cases.watchlists.targets.open import DEFENDER, open_target
from cases.watchlists.targets.plan import Room, make_plan, wishes_of
from footprint.azure.errors import BadSetting, ServiceError

log = structlog.get_logger(__name__)

# Then somebody else goes on, or the same worker anew; a task has its time limit.
PASS_SECONDS = 600.0
_TIME_IS_UP = "The time of one look was up; it goes on."
_MOST_ENTRIES = {DEFENDER: defender.MOST_ENTRIES}


@dataclass
class Pass:
    """What one reconciliation knows."""

    hold: Hold
    target: Target
    record: Reconciliation
    client: Client
    caller: Caller
    wishes: list[Wish]
    refused: list[Refusal]
    beyond: Beyond | None
    unwilling: dict[str, str] = field(default_factory=dict)
    changing: frozenset[str] = frozenset()
    lingering: Collection[str] = ()
    awaited: Collection[str] = ()
    tried_first: Sequence[int] = ()
    # Keys of what was to be removed, and why that was refused, if it was.
    taken_away: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    is_cut: bool = False

    @cached_property
    def by_key(self) -> dict[str, Wish]:
        return {wish.key: wish for wish in self.wishes}

    def among(self, sent: Mapping[str, str]) -> set[str]:
        """Keys of what is wished as it was sent."""
        return {wish.key for wish in self.wishes if sent.get(wish.key) == wish.digest}


def reconcile(target_id: int, worker: str) -> bool:
    """Whether there is more to do at once. Returns quietly when someone else has it."""
    hold = holding.claim(target_id, worker)
    if hold is None:
        return False
    target = Target.objects.select_related("watchlist").get(pk=target_id)
    newest = Publication.objects.of(target.watchlist).published().first()
    number = (newest.number or 0) if newest else 0
    record = ending.begin(hold, target, number)
    try:
        return _to_its_end(hold, target, newest, record)
    except Fenced:
        log.warning("target_fenced_off", target=target_id, fence=hold.fence)
        return False


def _to_its_end(hold: Hold, target: Target, newest: Publication | None, record: Reconciliation) -> bool:
    try:
        return _carry_out(hold, target, newest, record)
    except Stopped as stopped:
        return ending.stop(hold, record, str(stopped))
    except SoftTimeLimitExceeded:
        return ending.stop(hold, record, _TIME_IS_UP, again=True)
    except BadSetting as error:
        return ending.fail_for_good(hold, record, f"{error.field}: {error}")
    except ServiceError as error:
        log.warning("target_failed", target=target.pk, error=type(error).__name__, said=error.words)
        return ending.fail_with(hold, record, error)


def _carry_out(hold: Hold, target: Target, newest: Publication | None, record: Reconciliation) -> bool:
    client, caller = open_target(
        target.as_described,
        environment=os.environ,
        allow_http=settings.FOOTPRINT.allow_http_sources,
        trusted=settings.FOOTPRINT.trusted_host_names,
    )
    caller.before = partial(holding.renew, hold)
    looked, record.beyond = _wish(hold, target, newest, record, client, caller)
    known = receipts.known_of(target)
    looked.unwilling = {
        wish.key: known.unwilling[wish.key, wish.digest]
        for wish in looked.wishes
        if (wish.key, wish.digest) in known.unwilling
    }
    looked.lingering = known.lingering
    looked.awaited = looked.among(known.awaited)
    there = client.read(known.keys)
    plan = _plan(looked, there)
    if otherwise := receipts.kept_otherwise(plan, known):
        looked.unwilling |= otherwise
        plan = _plan(looked, there)
    drift = receipts.drift_of(plan, known)
    looked.changing = frozenset(wish.key for wish, _ in plan.changes)
    record.drifted = len(drift)
    # Sent by a worker that was lost before it could note it, or with a list that was made in its own time.
    record.added = sum(known.counted.get(wish.key) != wish.digest for wish, _ in plan.kept)
    ending.note_plan(record, plan, there)
    if hold.is_dry_run:
        return ending.finish_dry_run(hold, record, plan, drift)
    # Many receipts may be written by it; the lease must not end meanwhile.
    holding.renew(hold)
    with transaction.atomic():
        locked = holding.lock(hold)
        receipts.note_plan(locked, plan, drift, looked.beyond)
        looked.tried_first = receipts.note_tries(locked, plan)
        note_accepted(target)
    _send(looked, plan, there)
    if looked.is_cut:
        return ending.stop(hold, record, _TIME_IS_UP, again=True)
    return _confirm(looked, plan, there)


def _wish(
    hold: Hold,
    target: Target,
    newest: Publication | None,
    record: Reconciliation,
    client: Client,
    caller: Caller,
) -> tuple[Pass, int]:
    """And how many entries are beyond what the target can ever take."""
    most = _MOST_ENTRIES.get(target.kind, sentinel.MOST_ENTRIES)
    with transaction.atomic():
        wishes, refused, too_many = wishes_of(client, _entries(target, newest), most)
    beyond = Beyond(newest, too_many.older_than, most) if newest and too_many.entries else None
    return Pass(hold, target, record, client, caller, wishes, refused, beyond), too_many.entries


def _entries(target: Target, newest: Publication | None) -> Iterable[ListEntry]:
    return () if newest is None or target.retired_at is not None else entries_of(newest)


def _plan(looked: Pass, there: There) -> Plan:
    room = Room(changes_left(looked.target), there.places)
    return make_plan(
        looked.wishes, there.items, room, looked.refused, looked.unwilling, looked.lingering, looked.awaited
    )


def _send(looked: Pass, plan: Plan, there: There) -> None:
    until = monotonic() + PASS_SECONDS
    steps = _removing_all(looked, plan, there) or looked.client.steps(plan, there)
    for step in steps:
        if monotonic() > until:
            looked.is_cut = True
            return
        reserved = reserve(looked.target, step.cost)
        if reserved is None:
            return
        tried = looked.caller.changes
        try:
            _take(looked, step)
        finally:
            if looked.caller.changes == tried:
                # Nobody was reached, or it was refused: nothing was changed there.
                give_back(reserved)
                if not looked.sent:
                    receipts.forget_tries(looked.tried_first)


def _removing_all(looked: Pass, plan: Plan, there: There) -> Iterator[Step] | None:
    """Of a retired target, at one blow; where the month's changes do not suffice, one by one as they do."""
    left = changes_left(looked.target)
    fits = left is None or there.ours <= left
    # What was taken away and is listed all the same is not asked for again at once.
    is_worth_it = bool(plan.removals) or not there.ours
    return looked.client.remove_all(there) if looked.target.retired_at and fits and is_worth_it else None


def _take(looked: Pass, step: Step) -> None:
    """One request, and then one transaction about it."""
    outcomes = step.send()
    looked.sent += 1
    by_key = looked.by_key
    if step.withdraws:
        looked.taken_away |= {each.key: "" if each.is_done else each.words for each in outcomes}
    else:
        looked.unwilling |= {each.key: each.words for each in outcomes if not each.is_done}
    with transaction.atomic():
        target = holding.lock(looked.hold)
        if step.withdraws:
            receipts.note_withdrawn(target, outcomes, by_key)
        else:
            receipts.note_outcomes(target, outcomes, by_key)
        ending.note_step(looked.record, outcomes, changing=looked.changing, withdraws=step.withdraws)


def _confirm(looked: Pass, plan: Plan, there: There) -> bool:
    """Reads again what was changed: only what is seen there counts as done."""
    if looked.sent:
        known = receipts.known_of(looked.target)
        looked.awaited = looked.among(known.awaited)
        there = looked.client.read(known.keys)
        plan = _plan(looked, there)
        with transaction.atomic():
            receipts.note_plan(holding.lock(looked.hold), plan, {}, looked.beyond, looked.taken_away)
            note_accepted(looked.target)
    return ending.finish(looked.hold, looked.record, plan, there)
