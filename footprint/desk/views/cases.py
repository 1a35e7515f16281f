"""All cases, each with its files, what is undecided and how its last run ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Window
from django.db.models.functions import RowNumber
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cases.counting import count_values_of
from cases.models import Case, CaseFile
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.desk.case_filters import Filters, tags_in_use
from hunts.models import Run

PAGE = 50
FILES_SHOWN = 3


@dataclass(slots=True)
class CaseRow:
    case: Case
    files: list[str] = field(default_factory=list)
    files_total: int = 0
    values: int = 0
    undecided: int = 0
    last_run: Run | None = None

    @property
    def files_more(self) -> int:
        return self.files_total - len(self.files)


@requires(Verb.READ_CASES)
@require_safe
def cases(request: SignedInRequest) -> HttpResponse:
    filters = Filters.read(request.GET)
    matching = filters.apply(Case.objects.all(), request.user)
    page = filters.page(matching.with_people(), request.GET, PAGE)
    context = {
        "nav": "cases",
        "filters": filters,
        "tags": tags_in_use(),
        "rows": rows_of(page[:PAGE]),
        "matching": matching.count(),
        "is_first_page": "before" not in request.GET,
        "older_query": filters.query(before=str(page[PAGE - 1].pk)) if len(page) > PAGE else "",
        "first_query": filters.query(),
        "unfiltered_query": filters.query(q="", tag="", severity=""),
    }
    return render(request, "desk/cases.html", context)


def rows_of(page: Sequence[Case]) -> list[CaseRow]:
    """Three questions for a whole page, however many files and values its cases have."""
    rows = {case.pk: CaseRow(case) for case in page}
    numbered = CaseFile.objects.filter(case__in=page).annotate(
        place=Window(RowNumber(), partition_by="case_id", order_by="id"),
        total=Window(Count("pk"), partition_by="case_id"),
    )
    for file in numbered.filter(place__lte=FILES_SHOWN).order_by("case_id", "id"):
        rows[file.case_id].files.append(file.text)
        rows[file.case_id].files_total = file.total
    for case_id, counts in count_values_of(rows).items():
        rows[case_id].values = counts.everything
        rows[case_id].undecided = counts.undecided
    last = Run.objects.filter(hunt__case__in=page).order_by("hunt__case_id", "-pk").distinct("hunt__case_id")
    for run in last.select_related("hunt"):
        rows[run.hunt.case_id].last_run = run
    return list(rows.values())
