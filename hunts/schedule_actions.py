"""Changes to when a hunt is asked. Each is one transaction with its ledger entries."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from cases.clock import database_now
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, Subject, change
from hunts.actions import CaseIsClosed, add_due_run
from hunts.models import Hunt, Run
from hunts.schedules import Schedule, jitter_of

SCHEDULER = "schedule"
ONLY_WHEN_ASKED = "only when asked"


class NotScheduled(Exception):
    """Only a hunt with a schedule can be paused or resumed."""


def set_schedule(
    *, actor: Person, hunt: Hunt, schedule: Schedule | None, overlap_hours: int | None = None
) -> Hunt:
    """None: from now on the hunt is asked by people only, and a pause ends, as there is nothing to resume.

    With another schedule a pause stays a pause.
    """
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(hunt)
        before, was_paused = told(locked), locked.paused_at is not None
        _take(locked, schedule, overlap_hours, database_now())
        locked.save()
        after = told(locked)
        if was_paused and locked.paused_at is None:
            before, after = {**before, "paused": True}, {**after, "paused": False}
        if after != before:
            event = Event.HUNT_CHANGED if "overlap_hours" in before else Event.HUNT_SCHEDULED
            _note(ledger, event, locked, before, after)
    return locked


def pause_hunt(*, actor: Person, hunt: Hunt) -> bool:
    """Nothing is started until it is resumed; a run underway goes on. False when it was paused already."""
    with change(actor=Actor.person(actor)) as ledger:
        locked = _scheduled(hunt)
        if locked.paused_at is not None:
            return False
        locked.paused_at, locked.paused_by = timezone.now(), actor
        locked.save(update_fields=["paused_at", "paused_by"])
        _note(ledger, Event.HUNT_PAUSED, locked, {"paused": False}, {"paused": True})
    return True


def resume_hunt(*, actor: Person, hunt: Hunt) -> bool:
    """What came due meanwhile is one run. False when it was not paused."""
    with change(actor=Actor.person(actor)) as ledger:
        locked = _scheduled(hunt)
        if locked.paused_at is None:
            return False
        locked.paused_at, locked.paused_by = None, None
        locked.save(update_fields=["paused_at", "paused_by"])
        _note(ledger, Event.HUNT_RESUMED, locked, {"paused": True}, {"paused": False})
    return True


def start_if_due(hunt_id: int) -> Run | None:
    """Opens the run that the hunt is due for, and moves it on to its next time. Safe to call at any time.

    Whoever holds the hunt's row decides; another clock finds it locked, or moved on. While a run of the
    hunt is underway it stays due: one at a time.
    """
    with change(actor=Actor.clock(SCHEDULER)) as ledger:
        due = Hunt.objects.due().select_for_update(of=("self",), skip_locked=True)
        hunt: Hunt | None = due.select_related("case", "source").filter(pk=hunt_id).first()
        if hunt is None or hunt.schedule is None or hunt.next_slot is None:
            return None
        if Run.objects.underway().filter(hunt=hunt).exists():
            return None
        slot = hunt.schedule.latest_of(hunt.next_slot, database_now())
        _move_on(hunt, hunt.schedule, slot)
        hunt.save(update_fields=["next_slot", "next_at"])
        name = f"due {slot.astimezone(UTC).isoformat()}"
        # A schedule that was changed to and fro can come to a time that was asked already.
        if Run.objects.filter(hunt=hunt, slot=name).exists():
            return None
        return add_due_run(ledger, hunt, slot=name)


def told(hunt: Hunt) -> dict[str, object]:
    """The schedule as the ledger has it."""
    if hunt.schedule is None:
        return {"schedule": ONLY_WHEN_ASKED}
    return {
        "schedule": hunt.schedule.words,
        "overlap_hours": hunt.overlap_hours or hunt.schedule.overlap_hours,
        **({"counted_from": hunt.starts_on.isoformat()} if hunt.rhythm == "days" else {}),
    }


def subject_of(hunt: Hunt) -> Subject:
    return Subject("hunt", str(hunt.pk), f"hunt {hunt.pk} at {hunt.source.title}")


def _take(hunt: Hunt, schedule: Schedule | None, overlap_hours: int | None, now: datetime) -> None:
    if schedule is None:
        hunt.rhythm, hunt.next_slot, hunt.next_at, hunt.overlap_hours = "", None, None, None
        hunt.paused_at, hunt.paused_by = None, None
        return
    hunt.rhythm, hunt.every, hunt.at = schedule.rhythm.value, schedule.every, schedule.at
    hunt.time_zone, hunt.cron, hunt.starts_on = schedule.time_zone, schedule.cron, schedule.starts_on
    hunt.overlap_hours = overlap_hours
    _move_on(hunt, schedule, now)


def _move_on(hunt: Hunt, schedule: Schedule, moment: datetime) -> None:
    hunt.next_slot = schedule.next_after(moment)
    hunt.next_at = hunt.next_slot + jitter_of(hunt.pk, schedule)


def _locked(hunt: Hunt) -> Hunt:
    locked: Hunt = (
        Hunt.objects.select_for_update(of=("self",)).select_related("case", "source").get(pk=hunt.pk)
    )
    if not locked.case.is_live:
        raise CaseIsClosed
    return locked


def _scheduled(hunt: Hunt) -> Hunt:
    locked = _locked(hunt)
    if not locked.rhythm:
        raise NotScheduled
    return locked


def _note(
    ledger: Change, event: Event, hunt: Hunt, before: dict[str, object], after: dict[str, object]
) -> None:
    ledger.add(event, subject_of(hunt), case_number=hunt.case_id, before=before, after=after)
