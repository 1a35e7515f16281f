"""All hunts with when they are asked next, and the schedule of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.models import Case
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from hunts.actions import CaseIsClosed
from hunts.models import Hunt, Run
from hunts.schedule_actions import NotScheduled, pause_hunt, resume_hunt, set_schedule
from hunts.schedule_form import ScheduleForm, zones
from hunts.schedules import Schedule, jitter_of
from hunts.trouble import in_trouble

TIMES_SHOWN = 5
HUNTS_SHOWN = 200
RUNS_DRAWN = 20


@dataclass(frozen=True, slots=True)
class ShownHunt:
    """`runs` are the last ones that ended, oldest first."""

    hunt: Hunt
    runs: Sequence[Run]
    is_in_trouble: bool

    @property
    def last(self) -> Run | None:
        return self.runs[-1] if self.runs else None


@dataclass(frozen=True, slots=True)
class NextTimes:
    schedule: Schedule
    # In the zone of the schedule, each with its UTC where that differs.
    times: Sequence[tuple[str, str]]
    jitter_minutes: int

    @classmethod
    def of(cls, hunt: Hunt, schedule: Schedule) -> NextTimes:
        times = list(islice(schedule.after(timezone.now()), TIMES_SHOWN))
        return cls(
            schedule,
            [_in_both_zones(each, schedule) for each in times],
            round(jitter_of(hunt.pk, schedule).total_seconds() / 60),
        )


@requires(Verb.READ_CASES)
@require_safe
def hunts(request: SignedInRequest) -> HttpResponse:
    """Of open cases: those in trouble first, then by when they are asked next, unscheduled ones last."""
    listed = _of_open_cases()
    troubled = list(in_trouble(listed).order_by("pk")[:HUNTS_SHOWN])
    others = listed.exclude(pk__in=[hunt.pk for hunt in troubled]).order_by(
        F("next_at").asc(nulls_last=True), "-pk"
    )
    page = [*troubled, *others[: HUNTS_SHOWN + 1 - len(troubled)]]
    context = {
        "nav": "hunts",
        "shown": _shown(page[:HUNTS_SHOWN], {hunt.pk for hunt in troubled}),
        "more": len(page) > HUNTS_SHOWN,
        "in_trouble": len(troubled),
    }
    return render(request, "hunts/hunts.html", context)


@requires(Verb.RUN_HUNT)
@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: SignedInRequest, pk: int) -> HttpResponse:
    hunt = _hunt(pk)
    if request.method != "POST":
        return _form_page(request, hunt, ScheduleForm(hunt=hunt))
    form = ScheduleForm(request.POST, hunt=hunt)
    if not form.is_valid():
        return _form_page(request, hunt, form, status=422)
    if "look" in request.POST:
        return _form_page(request, hunt, form)
    overlap = form.cleaned_data["overlap_hours"] if form.schedule else None
    try:
        hunt = set_schedule(actor=request.user, hunt=hunt, schedule=form.schedule, overlap_hours=overlap)
    except CaseIsClosed:
        messages.warning(request, "This case is closed; nothing is asked for it until it is reopened.")
        return redirect("case-runs", hunt.case_id)
    said = f"is asked {hunt.schedule.words}" if hunt.schedule else "is asked only when somebody asks"
    messages.success(request, f"Hunt {hunt.pk} {said}.")
    return redirect("case-runs", hunt.case_id)


@requires(Verb.RUN_HUNT)
@require_POST
def next_times(request: SignedInRequest, pk: int) -> HttpResponse:
    """The times of what is in the form by now; nothing is saved."""
    hunt = _hunt(pk)
    form = ScheduleForm(request.POST, hunt=hunt)
    return render(request, "hunts/next_times.html", _told(hunt, form))


@requires(Verb.RUN_HUNT)
@require_POST
def pause(request: SignedInRequest, pk: int) -> HttpResponse:
    hunt = _hunt(pk)
    try:
        was_changed = pause_hunt(actor=request.user, hunt=hunt)
    except (CaseIsClosed, NotScheduled):
        messages.warning(request, f"Hunt {hunt.pk} is not asked by the clock; there is nothing to pause.")
    else:
        messages.success(request, f"Hunt {hunt.pk} {'is' if was_changed else 'was already'} paused.")
    return redirect("case-runs", hunt.case_id)


@requires(Verb.RUN_HUNT)
@require_POST
def resume(request: SignedInRequest, pk: int) -> HttpResponse:
    hunt = _hunt(pk)
    try:
        was_changed = resume_hunt(actor=request.user, hunt=hunt)
    except (CaseIsClosed, NotScheduled):
        messages.warning(request, f"Hunt {hunt.pk} is not asked by the clock; there is nothing to resume.")
    else:
        messages.success(request, f"Hunt {hunt.pk} {'goes' if was_changed else 'went'} on.")
    return redirect("case-runs", hunt.case_id)


def _in_both_zones(moment: datetime, schedule: Schedule) -> tuple[str, str]:
    local = moment.astimezone(schedule.zone)
    is_same = local.utcoffset() == moment.utcoffset()
    return (
        f"{local:%a} {local.day} {local:%b %Y %H:%M} {local:%Z}",
        "" if is_same else f"{moment:%a %H:%M} UTC",
    )


def _hunt(pk: int) -> Hunt:
    return get_object_or_404(Hunt.objects.select_related("case__owner", "source"), pk=pk)


def _of_open_cases() -> QuerySet[Hunt]:
    return Hunt.objects.filter(case__state__in=Case.LIVE).select_related("case", "source", "paused_by")


def _shown(page: Sequence[Hunt], troubled: set[int]) -> list[ShownHunt]:
    ended = Run.objects.filter(hunt=OuterRef("pk"), state__in=Run.ENDED).order_by("-pk")
    last = ArraySubquery(ended.values("pk")[:RUNS_DRAWN])
    numbers = dict(
        Hunt.objects.filter(pk__in=[hunt.pk for hunt in page]).annotate(last=last).values_list("pk", "last")
    )
    runs = Run.objects.in_bulk([pk for of_hunt in numbers.values() for pk in of_hunt])
    return [
        ShownHunt(hunt, [runs[pk] for pk in reversed(numbers[hunt.pk])], hunt.pk in troubled) for hunt in page
    ]


def _form_page(request: SignedInRequest, hunt: Hunt, form: ScheduleForm, status: int = 200) -> HttpResponse:
    context = {
        "nav": "cases",
        "tab": "runs",
        "case": hunt.case,
        "hunt": hunt,
        "form": form,
        "zones": zones(),
        **_told(hunt, form),
    }
    return render(request, "hunts/schedule.html", context, status=status)


def _told(hunt: Hunt, form: ScheduleForm) -> dict[str, object]:
    """What the form means: the next times, or why there are none."""
    if form.is_bound:
        found = form.schedule if form.is_valid() else None
        faults = [str(error) for errors in form.errors.values() for error in errors]
    else:
        found, faults = hunt.schedule, []
    return {"next": NextTimes.of(hunt, found) if found else None, "faults": faults}
