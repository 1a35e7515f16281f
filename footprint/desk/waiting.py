"""The cases of the inbox: those that wait for the reader first, each with why it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from cases.models import Case, CaseValue, Verdict
from cases.querysets import CaseQuerySet
from footprint.accounts.models import Person


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """`oldest` and `newest` are when undecided values came, None when none waits."""

    case: Case
    undecided: int
    oldest: datetime | None
    newest: datetime | None
    is_mine: bool

    @property
    def came_back(self) -> bool:
        """By evidence: a run reopened it, and nobody has moved it since."""
        return self.case.state == Case.State.OPEN and bool(self.case.state_at) and not self.case.state_by_id

    @property
    def is_done(self) -> bool:
        return not self.undecided


def cases_of_person(person: Person) -> CaseQuerySet:
    """Assigned to them and open, or with undecided values; the longest wait first."""
    has_work = Q(values_open__gt=0) | Q(state=Case.State.OPEN)
    mine = _with_waits(Case.objects.live().filter(assignee=person))
    # The plug-in of the type checker knows no annotation made through our own queryset.
    return mine.filter(has_work).order_by("oldest", "pk")  # type: ignore[misc]


def cases_of_others(person: Person) -> CaseQuerySet:
    """Live ones with undecided values that are not assigned to the person."""
    others = Case.objects.live().filter(Q(assignee=None) | ~Q(assignee=person))
    return _with_waits(others).filter(values_open__gt=0).order_by("oldest", "pk")  # type: ignore[misc]  # as above


def waiting_case(case: Case, person: Person) -> WaitingCase:
    """Of a case that one of the two above found."""
    return WaitingCase(
        case,
        case.values_open,  # type: ignore[attr-defined]  # annotated below
        case.oldest,  # type: ignore[attr-defined]  # as above
        case.newest,  # type: ignore[attr-defined]  # as above
        is_mine=case.assignee_id == person.pk,
    )


def _with_waits(cases: CaseQuerySet) -> CaseQuerySet:
    undecided = CaseValue.objects.filter(case=OuterRef("pk"), verdict=Verdict.UNDECIDED).values("added_at")
    oldest, newest = (Subquery(undecided.order_by(order)[:1]) for order in ("added_at", "-added_at"))
    return cases.with_counts().with_people().annotate(oldest=oldest, newest=newest)
