"""The cases of the inbox: those that wait for the reader first, each with why it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case as If
from django.db.models import OuterRef, Q, Subquery, Value, When

from cases.models import Case, CaseValue, Verdict
from footprint.accounts.models import Person


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """`oldest` is when the undecided value that waits longest came, None when none waits."""

    case: Case
    undecided: int
    oldest: datetime | None
    is_mine: bool

    @property
    def came_back(self) -> bool:
        """By evidence: a run reopened it, and nobody has moved it since."""
        return self.case.state == Case.State.OPEN and bool(self.case.state_at) and not self.case.state_by_id

    @property
    def is_done(self) -> bool:
        return not self.undecided


def waiting_cases(person: Person, at_most: int) -> list[WaitingCase]:
    """Open cases assigned to the person, then live ones with undecided values, the longest wait first."""
    undecided = CaseValue.objects.filter(case=OuterRef("pk"), verdict=Verdict.UNDECIDED)
    oldest = Subquery(undecided.order_by("added_at").values("added_at")[:1])
    found = (
        Case.objects.live()
        .with_counts()
        .annotate(oldest=oldest)
        .filter(Q(values_open__gt=0) | Q(assignee=person, state=Case.State.OPEN))
        .with_people()
    )
    others_last = When(assignee=person, then=Value(0))
    # The plug-in of the type checker knows no annotation made through our own queryset.
    ordered = found.order_by(If(others_last, default=Value(1)), "oldest", "pk")  # type: ignore[misc]
    return [
        WaitingCase(
            case,
            case.values_open,  # type: ignore[attr-defined]  # annotated above
            case.oldest,  # type: ignore[attr-defined]  # as above
            is_mine=case.assignee_id == person.pk,
        )
        for case in ordered[:at_most]
    ]
