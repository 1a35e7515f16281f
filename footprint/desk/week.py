"""The numbers of one ISO week, Monday to Sunday in UTC. docs/cases.md defines each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import TruncDate

from cases.models import Case, CaseValue, Decision, Proposal, Verdict
from footprint.ledger.events import Event
from footprint.ledger.models import Entry
from hunts.models import Hunt
from hunts.trouble import in_trouble

LISTED = 50
# What was proposed and taken back is withdrawn, as what was in force and ended is.
_MADE = """
    {name}.state <> 'proposed' AND NOT EXISTS (
        SELECT FROM cases_proposal p
         WHERE p.decision_id = {name}.id AND p.kind = 'make' AND p.state IN ('rejected', 'taken back'))
"""
_MEDIAN = f"""
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM d.made_at - v.added_at)), count(*)
      FROM cases_decision d JOIN cases_casevalue v ON v.case_id = d.made_in_id AND v.value = d.subject
     WHERE d.made_at >= %(begin)s AND d.made_at < %(end)s AND d.made_at >= v.added_at
       AND d.subject_kind IN ('name', 'address', 'text') AND {_MADE.format(name="d")}
       AND NOT EXISTS (SELECT 1 FROM cases_decision before
                        WHERE before.subject = d.subject AND before.subject_kind = d.subject_kind
                          AND before.made_in_id = d.made_in_id AND before.id < d.id
                          AND {_MADE.format(name="before")})
"""  # noqa: S608  # constants of ours


@dataclass(frozen=True, slots=True)
class IsoWeek:
    """`first` is its Monday."""

    first: date

    @classmethod
    def of(cls, day: date) -> IsoWeek:
        return cls(day - timedelta(days=day.weekday()))

    @classmethod
    def read(cls, text: str) -> IsoWeek:
        """ "2026-W47"; raises ValueError."""
        year, mark, number = text.partition("-W")
        if not (mark and len(year) == 4 and year.isascii() and year.isdecimal()):
            raise ValueError(text)
        if not (len(number) == 2 and number.isascii() and number.isdecimal()):
            raise ValueError(text)
        return cls(date.fromisocalendar(int(year), int(number), 1))

    @property
    def name(self) -> str:
        year, number, _ = self.first.isocalendar()
        return f"{year:04d}-W{number:02d}"

    @property
    def last(self) -> date:
        return self.first + timedelta(days=6)

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.first, time(), tzinfo=UTC)

    @property
    def end(self) -> datetime:
        return self.begin + timedelta(days=7)

    def moved(self, weeks: int) -> IsoWeek:
        return IsoWeek(self.first + timedelta(weeks=weeks))


@dataclass(slots=True)
class PersonRow:
    name: str
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def allowed(self) -> int:
        return self.counts[Verdict.ALLOWED]

    @property
    def blocked(self) -> int:
        return self.counts[Verdict.BLOCKED]

    @property
    def proposed(self) -> int:
        return self.counts["proposed"]

    @property
    def approved(self) -> int:
        return self.counts["approved"]


@dataclass(frozen=True, slots=True)
class CaseMove:
    """What happened to a case: opened, watched, closed or reopened."""

    case: int
    title: str
    what: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Expiring:
    """In force now, and over before the week after the chosen one is."""

    listed: Sequence[Decision]
    total: int
    until: datetime


@dataclass(frozen=True, slots=True)
class WeekNumbers:
    week: IsoWeek
    new: Sequence[int]
    decided: Sequence[int]
    people: Sequence[PersonRow]
    median_seconds: float | None
    median_of: int
    oldest: CaseValue | None
    expiring: Expiring
    moves: Sequence[CaseMove]
    failing: Sequence[Hunt]

    @property
    def new_total(self) -> int:
        return sum(self.new)

    @property
    def decided_total(self) -> int:
        return sum(self.decided)

    @property
    def opened(self) -> int:
        return sum(1 for move in self.moves if move.what == "opened")

    @property
    def closed(self) -> int:
        return sum(1 for move in self.moves if move.what == "closed")


def week_numbers(week: IsoWeek, now: datetime) -> WeekNumbers:
    median, median_of = _median(week)
    made = _made_in(week)
    return WeekNumbers(
        week=week,
        new=_by_day(week, _came_in(week), "added_at"),
        decided=_by_day(week, made, "made_at"),
        people=_people(week, made),
        median_seconds=median,
        median_of=median_of,
        oldest=_oldest(),
        expiring=_expiring(week, now),
        moves=_moves(week),
        failing=list(_failing()[:LISTED]),
    )


def _came_in(week: IsoWeek) -> QuerySet[CaseValue]:
    # Each case and verdict is named, so that the index of a case's values by time serves.
    cases = list(Case.objects.values_list("pk", flat=True))
    in_week = CaseValue.objects.filter(added_at__gte=week.begin, added_at__lt=week.end)
    return in_week.filter(case__in=cases, verdict__in=Verdict.values)


def _made_in(week: IsoWeek) -> QuerySet[Decision]:
    made = Decision.objects.filter(made_at__gte=week.begin, made_at__lt=week.end, made_again_from=None)
    return made.exclude(state=Decision.State.PROPOSED).that_came_to_be()


def _by_day(week: IsoWeek, rows: QuerySet[CaseValue] | QuerySet[Decision], column: str) -> list[int]:
    days = rows.order_by().annotate(on_day=TruncDate(column, tzinfo=UTC)).values("on_day")
    counted = {each["on_day"]: each["rows"] for each in days.annotate(rows=Count("pk"))}
    return [counted.get(week.first + timedelta(days=place), 0) for place in range(7)]


def _people(week: IsoWeek, made: QuerySet[Decision]) -> list[PersonRow]:
    """Whoever decided, proposed or approved, the busiest first."""
    found: dict[int, PersonRow] = {}
    names = ("first_name", "last_name", "username")

    def count(rows: QuerySet[Decision] | QuerySet[Proposal], person: str, what: str = "") -> None:
        columns = [person, *(f"{person}__{name}" for name in names), *([] if what else ["verdict"])]
        for pk, first, last, username, *verdict, total in (
            rows.order_by().values_list(*columns).annotate(Count("pk"))
        ):
            row = found.setdefault(pk, PersonRow(f"{first} {last}".strip() or username))
            row.counts[what or verdict[0]] += total

    count(made, "proposer")
    proposed = Proposal.objects.filter(proposed_at__gte=week.begin, proposed_at__lt=week.end)
    count(proposed, "proposer", "proposed")
    ended = Proposal.objects.filter(ended_at__gte=week.begin, ended_at__lt=week.end)
    count(ended.filter(state=Proposal.State.APPROVED), "ended_by", "approved")
    return sorted(found.values(), key=lambda row: (-sum(row.counts.values()), row.name))


def _median(week: IsoWeek) -> tuple[float | None, int]:
    with connection.cursor() as cursor:
        cursor.execute(_MEDIAN, {"begin": week.begin, "end": week.end})
        median, count = cursor.fetchone()
    return (None if median is None else float(median)), count


def _oldest() -> CaseValue | None:
    # The first of each case by its index: sorting the undecided values of all cases would take seconds.
    undecided = CaseValue.objects.filter(case=OuterRef("pk"), verdict=Verdict.UNDECIDED)
    first = undecided.order_by("added_at", "pk")
    waiting = Case.objects.live().annotate(
        waits_since=Subquery(first.values("added_at")[:1]), value_pk=Subquery(first.values("pk")[:1])
    )
    found = waiting.exclude(value_pk=None).order_by("waits_since", "value_pk")
    pk = found.values_list("value_pk", flat=True).first()
    return None if pk is None else CaseValue.objects.select_related("case").get(pk=pk)


def _expiring(week: IsoWeek, now: datetime) -> Expiring:
    until = week.moved(1).end
    due = Decision.objects.in_force().filter(expires_at__gt=max(now, week.begin), expires_at__lt=until)
    listed = due.select_related("proposer", "approver", "made_in").order_by("expires_at", "pk")[:LISTED]
    return Expiring(list(listed), due.count(), until)


_MOVES = {
    Event.CASE_OPENED: "opened",
    Event.CASE_WATCHED: "set to watching",
    Event.CASE_CLOSED: "closed",
    Event.CASE_REOPENED: "reopened",
}


def _moves(week: IsoWeek) -> list[CaseMove]:
    entries = Entry.objects.filter(at__gte=week.begin, at__lt=week.end, event__in=list(_MOVES))
    found = entries.order_by("seq").values_list("case_number", "subject_name", "event", "actor_name", "at")
    return [
        CaseMove(number or 0, title, _MOVES[Event(event)], who, at) for number, title, event, who, at in found
    ]


def _failing() -> QuerySet[Hunt]:
    live = Hunt.objects.filter(case__state__in=Case.LIVE)
    return in_trouble(live).select_related("case", "source").order_by("-pk")
