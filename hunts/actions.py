"""Changes that people and commands make to hunts. Each is one transaction with its ledger entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils import timezone

from cases.case_actions import FileText, add_case
from cases.models import Case, CaseFile
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, Subject, change
from hunts.coverage import OUT_OF_RETENTION, says_as_much
from hunts.models import Coverage, Hunt, Run, Slice, Source, StagedRows
from hunts.reach import Reach, reach_of
from hunts.sources.defender_xdr import RETENTION_DAYS


class CaseIsClosed(Exception):
    """Nothing is asked for a closed case."""


class RunUnderway(Exception):
    """One run at a time per hunt."""


class NothingToRetry(Exception):
    """The run has not ended, or nothing of it failed."""


class RunHasEnded(Exception):
    """There is nothing left to cancel."""


_FAILED = (Slice.State.FAILED, Slice.State.PARTIAL)
_RETRIABLE = (Run.State.FAILED, Run.State.PARTIAL)


@dataclass(frozen=True, slots=True)
class LookBack:
    """Either so many whole UTC days up to today, or everything from a day on."""

    days: int = 30
    since: date | None = None

    def first_day(self, today: date) -> date:
        return self.since or today - timedelta(days=self.days - 1)


def open_case(
    *,
    actor: Person,
    title: str,
    why: str,
    files: Sequence[FileText],
    source: Source,
    look_back: LookBack,
) -> Run:
    """Opens the case, its hunt and a first run together; the caller sends the hint after commit."""
    with change(actor=Actor.person(actor)) as ledger:
        case = add_case(ledger, owner=actor, title=title, why=why, files=files)
        hunt = _add_hunt(ledger, actor, case, source, look_back)
        return _add_run(ledger, hunt, slot="first", opened_by=actor)


def open_run(*, actor: Person, hunt: Hunt) -> Run:
    """Asks the hunt now. A run already underway is returned as it is: one at a time per hunt."""
    with change(actor=Actor.person(actor)) as ledger:
        locked = Hunt.objects.select_for_update(of=("self",)).select_related("case", "source").get(pk=hunt.pk)
        if not locked.case.is_live:
            raise CaseIsClosed
        underway: Run | None = Run.objects.underway().filter(hunt=locked).first()
        if underway is not None:
            return underway
        return _add_run(ledger, locked, slot=f"asked {timezone.now().isoformat()}", opened_by=actor)


def add_due_run(ledger: Change, hunt: Hunt, *, slot: str) -> Run:
    """The run of a schedule. The caller holds the hunt's row lock."""
    return _add_run(ledger, hunt, slot=slot, opened_by=None)


def cancel_run(*, actor: Person, run: Run) -> None:
    """Stops asking: waiting slices end here, running ones when their worker's heartbeat sees it."""
    with change(actor=Actor.person(actor)) as ledger:
        # Slices before the run: the order in which workers lock them.
        waiting = run.slices.select_for_update().filter(state=Slice.State.WAITING).order_by("pk")
        Slice.objects.filter(pk__in=[each.pk for each in waiting]).update(
            state=Slice.State.CANCELLED, ended_at=Now()
        )
        asked = (
            Run.objects.underway()
            .filter(pk=run.pk, cancel_asked_at=None)
            .update(cancel_asked_at=Now(), cancel_asked_by=actor, version=F("version") + 1)
        )
        if not asked:
            raise RunHasEnded
        ledger.add(Event.RUN_CANCELLED, subject_of(run), case_number=run.hunt.case_id)


def retry_run(*, actor: Person, run: Run) -> list[int]:
    """Asks again what failed of a run that has ended; returns the ids, for hints after commit."""
    with change(actor=Actor.person(actor)) as ledger:
        hunt = (
            Hunt.objects.select_for_update(of=("self",)).select_related("case", "source").get(pk=run.hunt_id)
        )
        if not hunt.case.is_live:
            raise CaseIsClosed
        if Run.objects.underway().filter(hunt=hunt).exists():
            raise RunUnderway
        again = _to_ask_again(run)
        if not again:
            raise NothingToRetry
        Slice.objects.filter(pk__in=again).update(
            state=Slice.State.WAITING,
            attempts=0,
            losses=0,
            not_before=None,
            hinted_at=None,
            lease_until=None,
            ended_at=None,
        )
        Run.objects.filter(pk=run.pk).update(
            state=Run.State.RUNNING, ended_at=None, reasons=[], timeouts=0, version=F("version") + 1
        )
        ledger.add(Event.RUN_RETRIED, subject_of(run), case_number=hunt.case_id, after={"slices": len(again)})
    return again


def can_retry(run: Run) -> bool:
    return run.state in _RETRIABLE and run.slices.filter(state__in=_FAILED).exists()


def _to_ask_again(run: Run) -> list[int]:
    """What failed, and parts of the same days whose rows wait no longer: a day is merged as a whole."""
    slices = list(run.slices.select_for_update().order_by("pk"))
    failed = [each for each in slices if each.state in _FAILED]
    days = {(each.file_kind, each.first_day) for each in failed if each.part}
    staged = set(StagedRows.objects.filter(slice__run=run).values_list("slice", flat=True))
    merged = [
        each
        for each in slices
        if each.part and (each.file_kind, each.first_day) in days and each.pk not in staged
        if each.state == Slice.State.DONE and each.rows
    ]
    return [each.pk for each in (*failed, *merged)] if run.state in _RETRIABLE else []


def subject_of(run: Run) -> Subject:
    return Subject("run", str(run.pk), f"run {run.pk}")


def _add_hunt(ledger: Change, actor: Person, case: Case, source: Source, look_back: LookBack) -> Hunt:
    hunt = Hunt.objects.create(
        case=case, source=source, look_back_days=look_back.days, since=look_back.since, opened_by=actor
    )
    hunt.files.set(case.files.all())
    ledger.add(
        Event.HUNT_OPENED,
        Subject("hunt", str(hunt.pk), f"hunt {hunt.pk} at {source.title}"),
        case_number=case.pk,
        after={
            "source": source.slug,
            "files": [file.text for file in case.files.all()],
            "look_back_days": None if look_back.since else look_back.days,
            "since": look_back.since.isoformat() if look_back.since else None,
        },
    )
    return hunt


def _first_day(hunt: Hunt, today: date, *, is_due: bool) -> date:
    """A run that is due asks its overlap, and without a gap what came after the run before it."""
    asked_for = LookBack(hunt.look_back_days, hunt.since).first_day(today)
    if not is_due or hunt.overlap is None:
        return asked_for
    before: date | None = Run.objects.filter(hunt=hunt).aggregate(last=Max("last_day"))["last"]
    if before is None:
        return asked_for
    return min((timezone.now().astimezone(UTC) - hunt.overlap).date(), before)


def _add_run(ledger: Change, hunt: Hunt, *, slot: str, opened_by: Person | None) -> Run:
    today = timezone.now().date()
    reach = reach_of(
        _first_day(hunt, today, is_due=opened_by is None),
        today,
        dict(Coverage.objects.filter(hunt=hunt).values_list("day", "state")),
        oldest_kept=oldest_kept(hunt.source, timezone.now()),
        cap=settings.FOOTPRINT.owed_days,
    )
    run = Run.objects.create(
        hunt=hunt,
        slot=slot,
        first_day=reach.first_day,
        last_day=today,
        owed_days=list(reach.owed),
        owed_left=reach.left,
        opened_by=opened_by,
    )
    _cover_gone(run, reach)
    kinds = CaseFile.objects.filter(hunts=hunt).order_by("kind").values_list("kind", flat=True).distinct()
    Slice.objects.bulk_create(
        Slice(run=run, purpose=Slice.Purpose.PLAN, file_kind=kind, first_day=first, last_day=last)
        for first, last in reach.stretches(today)
        for kind in kinds
    )
    ledger.add(
        Event.RUN_OPENED,
        subject_of(run),
        case_number=hunt.case_id,
        after={
            "source": hunt.source.slug,
            "days": [reach.first_day.isoformat(), today.isoformat()],
            "owed_days": [day.isoformat() for day in reach.owed],
        },
    )
    return run


def oldest_kept(source: Source, now: datetime) -> date | None:
    """The oldest day that the source has the whole of, as far as it is known how long it keeps telemetry."""
    usual = RETENTION_DAYS if source.kind == Source.Kind.DEFENDER_XDR else None
    days = source.keep_days if source.is_local else source.options.get("retention_days") or usual
    return None if not days else (now - timedelta(days=int(days))).date() + timedelta(days=1)


def _cover_gone(run: Run, reach: Reach) -> None:
    known = dict(Coverage.objects.filter(hunt=run.hunt, day__in=reach.gone).values_list("day", "state"))
    Coverage.objects.bulk_create(
        [
            Coverage(hunt=run.hunt, day=day, state=OUT_OF_RETENTION, run=run)
            for day in reach.gone
            if says_as_much(OUT_OF_RETENTION, known.get(day))
        ],
        update_conflicts=True,
        unique_fields=["hunt", "day"],
        update_fields=["state", "run", "at"],
    )
