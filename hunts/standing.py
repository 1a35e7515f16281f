"""How a source stands, trouble first: paused, failing, behind, untested or fine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from django.db.models import Count, Q, Sum

from hunts.models import LookUp, Slice, Source
from hunts.probing import is_being_tested, was_test_lost

COST_DAYS = 30
ERRORS_SHOWN = 10
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cost:
    """What runs and look-ups of the last 30 days took from a source."""

    questions: int = 0
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    # Slices of the last day that ended without an answer.
    failed: int = 0
    # And those of which the source never gave more than a part.
    in_part: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """`rank` sorts: the lower, the worse. `word` is a state of footprint.desk.glyphs; `said` is shown."""

    rank: int
    word: str
    said: str

    @property
    def is_trouble(self) -> bool:
        return self.rank < _FINE

    @property
    def notice(self) -> str:
        """The kind of notice that is said in."""
        return "block" if self.word == "failed" else "warn"


_FINE = 6


def costs_of(sources: Iterable[Source], now: datetime) -> dict[int, Cost]:
    """By the number of the source, with two queries."""
    keys = [source.pk for source in sources]
    since = now - timedelta(days=COST_DAYS)
    found = (
        Slice.objects.filter(run__hunt__source__in=keys, started_at__gte=since)
        .values("run__hunt__source")
        .annotate(
            all_questions=Sum("questions"),
            all_rows=Sum("rows"),
            all_bytes=Sum("bytes"),
            all_seconds=Sum("seconds"),
            all_failed=Count("pk", filter=Q(state=Slice.State.FAILED, ended_at__gte=now - _ONE_DAY)),
            all_in_part=Count("pk", filter=Q(state=Slice.State.PARTIAL, ended_at__gte=now - _ONE_DAY)),
        )
        .order_by()
    )
    names = [field.name for field in fields(Cost)]
    costs = {
        key: Cost(**dict(zip(names, numbers, strict=True)))
        for key, *numbers in found.values_list("run__hunt__source", *(f"all_{name}" for name in names))
    }
    of_look_ups = _look_ups_of(keys, since)
    return {key: _with_look_ups(costs.get(key, Cost()), *of_look_ups.get(key, (0, 0.0))) for key in keys}


def _look_ups_of(sources: list[int], since: datetime) -> dict[int, tuple[int, float]]:
    """Questions and seconds of look-ups."""
    asked = LookUp.objects.filter(source__in=sources, asked_at__gte=since).order_by()
    sums = asked.values("source").annotate(all_questions=Sum("questions"), all_seconds=Sum("seconds"))
    return {
        key: (count, took) for key, count, took in sums.values_list("source", "all_questions", "all_seconds")
    }


def _with_look_ups(cost: Cost, questions: int, seconds: float) -> Cost:
    return replace(cost, questions=cost.questions + questions, seconds=cost.seconds + seconds)


def errors_of(source: Source) -> list[Slice]:
    """What the source last failed to answer, newest first.

    Not what it answered in the end, nor what was split: its children are asked in its place.
    """
    failed = Q(state__in=[Slice.State.FAILED, Slice.State.PARTIAL]) | Q(attempts__gt=0)
    return list(
        Slice.objects.filter(failed, run__hunt__source=source)
        .exclude(said="")
        .exclude(state__in=[Slice.State.DONE, Slice.State.SPLIT])
        .select_related("run__hunt")
        .defer("kql")
        .order_by("-started_at", "-pk")[:ERRORS_SHOWN]
    )


def standing_of(
    source: Source,
    cost: Cost,
    *,
    damage: str = "",
    is_empty: bool = False,
    days_behind: int | None = None,
) -> Standing:
    """The last three speak of a local source."""
    if source.is_paused:
        if source.paused_by_id is None:
            return Standing(0, "failed", "paused itself")
        return Standing(4, "cancelled", "paused")
    if damage:
        return Standing(1, "failed", "cannot be read")
    if _has_failed_test(source):
        return Standing(1, "failed", f"test failed: {_failed_step(source)}")
    if cost.failed:
        return Standing(2, "partial", f"{_questions(cost.failed)} failed today")
    if cost.in_part:
        return Standing(2, "partial", f"{_questions(cost.in_part)} answered in part today")
    if is_empty:
        return Standing(5, "waiting", "nothing imported yet")
    if days_behind:
        return Standing(3, "partial", f"newest day is {days_behind} day{'s' * (days_behind > 1)} old")
    return _untroubled(source)


def _questions(count: int) -> str:
    return f"{count:,} questions" if count > 1 else "1 question"


def _untroubled(source: Source) -> Standing:
    if is_being_tested(source):
        return Standing(_FINE, "running", "being tested")
    if was_test_lost(source):
        return Standing(5, "partial", "test was lost")
    if source.is_local:
        return Standing(_FINE, "complete", "can be asked")
    if source.probe is None:
        return Standing(5, "waiting", "never tested")
    if source.probe.get("version") != source.version:
        return Standing(5, "waiting", "changed since its test")
    return Standing(_FINE, "complete", "can be asked")


def _has_failed_test(source: Source) -> bool:
    return source.probe is not None and not source.probe.get("passed", False)


def _failed_step(source: Source) -> str:
    checks = source.probe.get("checks", []) if source.probe else []
    return next((str(check["step"]) for check in checks if not check["passed"]), "nothing was checked")
