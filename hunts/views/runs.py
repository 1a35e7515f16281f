"""The runs of a case: what was asked, which days are proven, what the source said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HTMX_STOP_POLLING

from cases.models import Case
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import whole_number
from hunts.actions import (
    CaseIsClosed,
    LookBack,
    NothingToRetry,
    RunHasEnded,
    RunUnderway,
    can_retry,
    cancel_run,
    open_run,
    retry_run,
)
from hunts.hints import hint, hint_run
from hunts.models import Coverage, Hunt, Run, Slice
from hunts.notices import about_the_broker
from hunts.progress import progress_of
from hunts.runs import conclude
from hunts.views.opening import keep_notices, kept_notices
from hunts.weeks import Calendar, Stretch, calendar_of

RUNS_SHOWN = 50
SLICES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ShownSlice:
    """`tries` counts the question under way or just answered; `seconds` goes on while it is asked."""

    asked: Slice
    tries: str
    seconds: float | None

    @classmethod
    def of(cls, asked: Slice, now: datetime) -> ShownSlice:
        tries = asked.attempts + (asked.state in (Slice.State.ASKING, Slice.State.DONE))
        text = (
            f"{tries} of {settings.FOOTPRINT.max_attempts}"
            if asked.state == Slice.State.FAILED
            else str(tries)
        )
        return cls(asked, text if tries else "", _seconds(asked, now))


@requires(Verb.READ_CASES)
@require_safe
def runs(request: SignedInRequest, pk: int, run_pk: int | None = None) -> HttpResponse:
    case = get_object_or_404(Case.objects.with_people().prefetch_related("files"), pk=pk)
    listed = list(_runs_of(case).order_by("-pk")[: RUNS_SHOWN + 1])
    chosen = _chosen(case, listed, run_pk)
    context: dict[str, object] = {
        "nav": "cases",
        "case": case,
        "tab": "runs",
        "runs": listed[:RUNS_SHOWN],
        "runs_more": len(listed) > RUNS_SHOWN,
        "chosen": chosen,
        "is_asked_for": run_pk is not None,
    }
    if chosen is None:
        return render(request, "hunts/runs.html", context)
    slice_pk = whole_number(request.GET, "slice")
    etag = etag_of(chosen, slice_pk)
    if request.htmx and request.headers.get("If-None-Match") == etag:
        return _not_modified(etag)
    context |= _run_context(request, chosen, slice_pk) | {"etag": etag}
    return render(request, "hunts/runs.html", context)


@requires(Verb.READ_CASES)
@require_safe
def progress(request: SignedInRequest, pk: int, run_pk: int) -> HttpResponse:
    """The strip on top of a case, polled while the run goes on; 304 while nothing moved, 286 at its end."""
    run = get_object_or_404(_runs_of(pk), pk=run_pk)
    etag = etag_of(run)
    if request.headers.get("If-None-Match") == etag:
        return _not_modified(etag)
    status = HTMX_STOP_POLLING if run.has_ended and request.htmx else 200
    context = {"case": run.hunt.case, "run": run}
    response = render(request, "hunts/run_progress.html", context, status=status)
    response.headers["ETag"] = etag
    return response


@requires(Verb.RUN_HUNT)
@require_POST
def run_now(request: SignedInRequest, pk: int) -> HttpResponse:
    """Asks the case's hunt again."""
    hunt = Hunt.objects.filter(case=pk).order_by("-pk").first()
    if hunt is None:
        raise Http404("This case has no hunt.")
    underway = Run.objects.underway().filter(hunt=hunt).values_list("pk", flat=True).first()
    try:
        run = open_run(actor=request.user, hunt=hunt)
    except CaseIsClosed:
        messages.warning(request, "This case is closed; nothing is asked for it until it is reopened.")
        return redirect("case-runs", pk)
    if run.pk == underway:
        messages.info(request, f"Run {run.pk} is already underway; one at a time.")
    elif hint_run(run):
        messages.success(request, f"Run {run.pk} is queued.")
    else:
        keep_notices(request, run, [about_the_broker(settings.FOOTPRINT.sweep_seconds)])
    return redirect("case-run", pk, run.pk)


@requires(Verb.RUN_HUNT)
@require_POST
def retry(request: SignedInRequest, pk: int, run_pk: int) -> HttpResponse:
    """Asks again what failed."""
    run = get_object_or_404(_runs_of(pk), pk=run_pk)
    try:
        again = retry_run(actor=request.user, run=run)
    except CaseIsClosed:
        messages.warning(request, "This case is closed; nothing is asked for it until it is reopened.")
    except RunUnderway:
        messages.warning(request, "A run of this hunt is underway; one at a time.")
    except NothingToRetry:
        messages.warning(request, f"There is nothing of run {run.pk} to ask again.")
    else:
        if hint(again):
            messages.success(request, f"What failed of run {run.pk} is asked again.")
        else:
            keep_notices(request, run, [about_the_broker(settings.FOOTPRINT.sweep_seconds)])
    return redirect("case-run", pk, run.pk)


@requires(Verb.RUN_HUNT)
@require_POST
def cancel(request: SignedInRequest, pk: int, run_pk: int) -> HttpResponse:
    run = get_object_or_404(_runs_of(pk), pk=run_pk)
    try:
        cancel_run(actor=request.user, run=run)
    except RunHasEnded:
        said = (
            "is already being cancelled"
            if _is_being_cancelled(run.pk)
            else "has ended; there is nothing to cancel"
        )
        messages.warning(request, f"Run {run.pk} {said}.")
    else:
        conclude(run.pk)
        messages.success(request, f"Run {run.pk} is being cancelled. No new question is asked.")
    return redirect("case-run", pk, run.pk)


def etag_of(run: Run, slice_pk: int | None = None) -> str:
    return f'"run-{run.pk}-{run.version}-{slice_pk or 0}"'


def _runs_of(case: Case | int) -> QuerySet[Run]:
    return Run.objects.filter(hunt__case=case).select_related(
        "hunt__source", "hunt__case__owner", "opened_by"
    )


def _chosen(case: Case, listed: Sequence[Run], run_pk: int | None) -> Run | None:
    """The run asked for, else the youngest."""
    if run_pk is None:
        return listed[0] if listed else None
    for run in listed:
        if run.pk == run_pk:
            return run
    return get_object_or_404(_runs_of(case), pk=run_pk)


def _run_context(request: SignedInRequest, run: Run, slice_pk: int | None) -> dict[str, object]:
    now = timezone.now()
    slices = list(run.slices.defer("kql").order_by("purpose", "first_day", "pk"))
    # The plan comes first, then its days.
    slices.sort(key=lambda each: each.purpose != Slice.Purpose.PLAN)
    return {
        "progress": progress_of(run, slices, now),
        "can_retry": can_retry(run),
        "seconds": _run_seconds(run, now),
        "slices": [ShownSlice.of(each, now) for each in slices[:SLICES_SHOWN]],
        "slices_more": max(0, len(slices) - SLICES_SHOWN),
        "slices_total": len(slices),
        "sent": _sent(run, slices, slice_pk),
        "calendar": _calendar(run, slices, now),
        "notices": kept_notices(request, run),
    }


def _calendar(run: Run, slices: Sequence[Slice], now: datetime) -> Calendar:
    states = dict(Coverage.objects.filter(hunt=run.hunt).values_list("day", "state"))
    unfinished = [each for each in slices if each.state in (Slice.State.WAITING, Slice.State.ASKING)]
    today = now.astimezone(UTC).date()
    return calendar_of(
        states,
        [Stretch(each.first_day, each.last_day, each.state == Slice.State.ASKING) for each in unfinished],
        first_asked=LookBack(run.hunt.look_back_days, run.hunt.since).first_day(today),
        today=today,
    )


def _sent(run: Run, slices: Sequence[Slice], slice_pk: int | None) -> Slice | None:
    """The slice whose text is shown: the one asked for, else the last one that was answered."""
    if slice_pk is not None:
        return get_object_or_404(run.slices, pk=slice_pk)
    answered = [each for each in slices if each.state == Slice.State.DONE]
    return Slice.objects.get(pk=answered[-1].pk) if answered else None


def _seconds(asked: Slice, now: datetime) -> float | None:
    if asked.state == Slice.State.ASKING and asked.started_at is not None:
        return (now - asked.started_at).total_seconds()
    if asked.started_at is not None and asked.ended_at is not None:
        return (asked.ended_at - asked.started_at).total_seconds()
    return None


def _run_seconds(run: Run, now: datetime) -> float | None:
    return ((run.ended_at or now) - run.started_at).total_seconds() if run.started_at else None


def _is_being_cancelled(run_pk: int) -> bool:
    return Run.objects.underway().filter(pk=run_pk, cancel_asked_at__isnull=False).exists()


def _not_modified(etag: str) -> HttpResponse:
    return HttpResponse(status=304, headers={"ETag": etag})
