"""The week, to hand over: what came, what was decided, what is due."""

from __future__ import annotations

from datetime import UTC, datetime

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.desk.week import IsoWeek, week_numbers


@requires(Verb.READ_CASES)
@require_safe
def week(request: SignedInRequest) -> HttpResponse:
    now = timezone.now()
    today = IsoWeek.of(now.astimezone(UTC).date())
    asked = _read(request.GET.get("week", ""), today)
    context = {
        "nav": "inbox",
        "numbers": week_numbers(asked, now),
        "week": asked,
        "made_at": now,
        "before": asked.moved(-1).name if asked.first.year > 2000 else "",
        "after": asked.moved(1).name if asked.first < today.first else "",
        "is_now": asked == today,
    }
    return render(request, "desk/week.html", context)


def _read(text: str, today: IsoWeek) -> IsoWeek:
    if not text:
        return today
    try:
        asked = IsoWeek.read(text)
    except ValueError as error:
        raise BadRequest("A week is written as 2026-W47.") from error
    if not datetime(2000, 1, 3, tzinfo=UTC).date() <= asked.first <= today.first:
        raise BadRequest("There are no numbers of this week.")
    return asked
