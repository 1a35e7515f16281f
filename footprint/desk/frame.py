"""What the head of a case shows, from both rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.db import connection

from cases.counting import count_values
from cases.models import Case, CaseFile
from footprint.accounts.models import Person
from footprint.desk.sparkline import DAYS
from hunts.models import Coverage, Run

FILES_AT_MOST = 12
MY_CASES_AT_MOST = 8
# More are told with a plus: bulk decisions come by the hundred thousand.
DECISIONS_COUNTED = 10_000
# On top of every tab of every case: written out, because putting it together took longer than its answer.
_COUNTS = """
    SELECT (SELECT count(*) FROM hunts_run r JOIN hunts_hunt h ON h.id = r.hunt_id
             WHERE h.case_id = %(case)s),
           (SELECT count(*) FROM (
               SELECT FROM cases_decision d WHERE d.made_in_id = %(case)s LIMIT %(most)s) few),
           (SELECT count(*) FROM cases_note n WHERE n.case_id = %(case)s AND n.removed_at IS NULL),
           (SELECT count(*) FROM cases_reviewdue d WHERE d.case_id = %(case)s AND d.confirmed_at IS NULL),
           (SELECT min(r.id) FROM hunts_run r JOIN hunts_hunt h ON h.id = r.hunt_id
             WHERE h.case_id = %(case)s AND r.state IN ('queued', 'running'))
"""
_COVERED = """
    SELECT v.day, bool_and(v.state = %(covered)s) FROM hunts_coverage v JOIN hunts_hunt h ON h.id = v.hunt_id
     WHERE h.case_id = %(case)s AND v.day >= %(first)s GROUP BY v.day
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
    asked = {"case": case.pk, "most": DECISIONS_COUNTED + 1}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, asked)
        runs, decisions, notes, reviews, underway = cursor.fetchone()
    return CaseFrame(
        files=list(case.files.all()),
        undecided=count_values(case.pk).undecided if undecided is None else undecided,
        runs=runs,
        decisions=decisions,
        notes=notes,
        reviews=reviews,
        underway=Run.objects.select_related("hunt__source").get(pk=underway) if underway else None,
    )


class MyCase(NamedTuple):
    pk: int
    title: str
    values_open: int


def my_cases(person: Person) -> list[MyCase]:
    mine = Case.objects.open().at_hand_of(person).with_counts().order_by("-pk")
    found = mine.values_list(*MyCase._fields)[:MY_CASES_AT_MOST]
    return [MyCase(*each) for each in found]


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
    with connection.cursor() as cursor:
        cursor.execute(_COVERED, {"case": case.pk, "first": first, "covered": str(Coverage.State.COVERED)})
        covered = {day for day, is_covered in cursor.fetchall() if is_covered} & days
    return CaseCoverage(today, frozenset(days - covered), len(covered), case)
