"""What the head of a case shows, from both rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Func, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from cases.counting import count_values
from cases.models import Case, CaseFile, Note, ReviewDue
from footprint.desk.sparkline import DAYS
from hunts.models import Coverage, Run

FILES_AT_MOST = 12
# More are told with a plus: bulk decisions come by the hundred thousand.
DECISIONS_COUNTED = 10_000
_DECISIONS = """
    (SELECT count(*) FROM (SELECT FROM cases_decision d WHERE d.made_in_id = cases_case.id LIMIT %s) few)
"""


@dataclass(frozen=True, slots=True)
class CaseFrame:
    files: Sequence[CaseFile]
    undecided: int
    runs: int
    decisions: int
    notes: int
    reviews: int
    underway: Run | None

    @property
    def decisions_words(self) -> str:
        more = self.decisions > DECISIONS_COUNTED
        return f"{min(self.decisions, DECISIONS_COUNTED):,}" + ("+" if more else "")

    @property
    def files_shown(self) -> Sequence[CaseFile]:
        return self.files[:FILES_AT_MOST]

    @property
    def files_more(self) -> int:
        return max(0, len(self.files) - FILES_AT_MOST)


def case_frame(case: Case, undecided: int | None = None) -> CaseFrame:
    """`undecided` where the page has counted its values already."""
    notes = Note.objects.filter(case=OuterRef("pk"), removed_at=None)
    counted = Case.objects.filter(pk=case.pk).values_list(
        _count(Run.objects.filter(hunt__case=OuterRef("pk"))),
        RawSQL(_DECISIONS, [DECISIONS_COUNTED + 1], output_field=IntegerField()),  # noqa: S611  # a constant
        _count(notes),
        _count(ReviewDue.objects.filter(case=OuterRef("pk")).waiting()),
    )
    runs, decisions, notes_kept, reviews = counted.get()
    underway = Run.objects.filter(hunt__case=case).underway()
    return CaseFrame(
        files=list(case.files.all()),
        undecided=count_values(case.pk).undecided if undecided is None else undecided,
        runs=runs,
        decisions=decisions,
        notes=notes_kept,
        reviews=reviews,
        underway=underway.select_related("hunt__source").order_by("pk").first(),
    )


def _count(rows: QuerySet[Any]) -> Subquery:
    """How many rows there are, as a column of another question."""
    every = Func(template="COUNT(*)", output_field=IntegerField())
    return Subquery(rows.order_by().annotate(counted=every).values("counted"))


@dataclass(frozen=True, slots=True)
class CaseCoverage:
    """The last 30 UTC days of a case. A day is covered when every hunt that asked for it covered it."""

    last: date
    gaps: frozenset[date]
    covered: int
    case: Case

    @property
    def runs_ended(self) -> int:
        """Counted when asked: only a queue without values tells it."""
        return Run.objects.filter(hunt__case=self.case, state__in=Run.ENDED).count()

    @property
    def is_full(self) -> bool:
        return not self.gaps

    @property
    def days(self) -> int:
        return self.covered + len(self.gaps)


def case_coverage(case: Case) -> CaseCoverage:
    today = datetime.now(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    days = {first + timedelta(days=offset) for offset in range(DAYS)}
    rows = (
        Coverage.objects.filter(hunt__case=case, day__gte=first)
        .values("day")
        .annotate(lacking=Count("pk", filter=~Q(state=Coverage.State.COVERED)))
    )
    covered = {row["day"] for row in rows if not row["lacking"]} & days
    return CaseCoverage(today, frozenset(days - covered), len(covered), case)
