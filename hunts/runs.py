"""How a run ends: once every slice has, with a state, its reasons and its entry in the ledger."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, timedelta

from django.db import transaction
from django.db.models.functions import Now

from cases.models import Case, Endpoint
from cases.state_actions import reopen_by_evidence
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, change
from hunts.actions import subject_of
from hunts.coverage import COVERED, each_day
from hunts.models import Coverage, Run, RunNews, Slice
from hunts.news import tell_news

_NOT_WHOLE = (Slice.State.FAILED, Slice.State.PARTIAL, Slice.State.OUT_OF_RETENTION)


def conclude(run_id: int) -> bool:
    """Ends the run if all its slices have ended. Safe to call at any time, from anyone."""
    if Slice.objects.unfinished().filter(run_id=run_id).exists():
        return False
    with change(actor=Actor.run(run_id)) as ledger:
        run = (
            Run.objects.select_for_update(of=("self",))
            .select_related("hunt__source", "hunt__case")
            .get(pk=run_id)
        )
        ended = list(run.slices.all())
        # A plan that finished in between has made new slices: look again under the lock.
        if run.has_ended or any(each.state in (Slice.State.WAITING, Slice.State.ASKING) for each in ended):
            return False
        if _waits_to_be_judged(run):
            return False
        run.state = _state_of(run, ended)
        run.reasons = _reasons_of(ended)
        run.version += 1
        run.save(update_fields=["state", "reasons", "version"])
        Run.objects.filter(pk=run.pk).update(ended_at=Now())
        tell_news(run)
        _note(ledger, run)
        _reopen(ledger, run)
    return True


def cancel_left_over(run_id: int) -> None:
    """Ends slices that a plan made while its run was being cancelled."""
    with transaction.atomic():
        Slice.objects.filter(
            run_id=run_id, run__cancel_asked_at__isnull=False, state=Slice.State.WAITING
        ).update(state=Slice.State.CANCELLED, ended_at=Now())


def _waits_to_be_judged(run: Run) -> bool:
    """Whether it is not known yet if new values are undecided; whoever judges them concludes the run."""
    case = run.hunt.case
    return case.state != Case.State.OPEN and Endpoint.objects.unsettled().filter(case=case).exists()


def _reopen(ledger: Change, run: Run) -> None:
    new = run.news.filter(kind=RunNews.Kind.NEW, value__is_open=True)
    reopen_by_evidence(ledger, run.hunt.case_id, undecided=new.count(), by=f"Run {run.pk}")


def _state_of(run: Run, ended: list[Slice]) -> Run.State:
    if any(each.state == Slice.State.CANCELLED for each in ended):
        return Run.State.CANCELLED
    if not any(each.state in _NOT_WHOLE for each in ended):
        return Run.State.COMPLETE
    some_days_done = any(
        each.state in (Slice.State.DONE, Slice.State.PARTIAL) and each.purpose == Slice.Purpose.DAYS
        for each in ended
    )
    return Run.State.PARTIAL if some_days_done else Run.State.FAILED


def _reasons_of(ended: list[Slice]) -> list[str]:
    """One for each slice that is not whole; the parts of a day are one together."""
    reasons = [_reason(each) for each in ended if each.state in _NOT_WHOLE and not each.part]
    days: dict[tuple[str, str], list[Slice]] = {}
    for each in ended:
        if each.part and each.state != Slice.State.SPLIT:
            days.setdefault((_days_in_words(each), each.file_kind), []).append(each)
    for (words, _), parts in sorted(days.items()):
        missing = [each for each in parts if each.state in _NOT_WHOLE]
        if missing:
            said = missing[0].said or "no reason given"
            reasons.append(
                f"{words}: {len(missing)} of {len(parts)} parts could not be had, its numbers are “at least”:"
                f" {said}"
            )
    return reasons


def _reason(each: Slice) -> str:
    what = "answered in part, its numbers are “at least”: " if each.state == Slice.State.PARTIAL else ""
    return f"{_days_in_words(each)}: {what}{each.said or 'no reason given'}"


def _days_in_words(each: Slice) -> str:
    if each.first_day == each.last_day:
        return each.first_day.isoformat()
    return f"{each.first_day.isoformat()} to {each.last_day.isoformat()}"


def _note(ledger: Change, run: Run) -> None:
    days = Coverage.objects.filter(hunt=run.hunt, day__range=(run.first_day, run.last_day))
    counted = Counter(days.values_list("state", flat=True))
    after: dict[str, object] = {
        "state": run.state,
        "days": [run.first_day.isoformat(), run.last_day.isoformat()],
        "coverage": dict(sorted(counted.items())),
        "rows": run.rows,
        "new_values": run.new_values,
        "new_endpoints": run.new_endpoints,
        "reasons": run.reasons,
    }
    ledger.add(Event.RUN_FINISHED, subject_of(run), case_number=run.hunt.case_id, after=after)
    # Today is not over, so nothing can be proven of it; the days before must all be covered.
    over = min(run.last_day, run.opened_at.astimezone(UTC).date() - timedelta(days=1))
    whole_days = list(each_day(run.first_day, over))
    proven = counted[COVERED] == len(whole_days) > 0
    if run.state == Run.State.COMPLETE and run.rows == 0 and proven:
        ledger.add(
            Event.FOUND_NOTHING,
            subject_of(run),
            case_number=run.hunt.case_id,
            after={"days": [run.first_day.isoformat(), over.isoformat()], "coverage": after["coverage"]},
        )
