"""All cases, the youngest first, each with its files, what is undecided and how its last run ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cases.counting import count_values_of
from cases.models import Case, CaseFile
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.accounts.models import Person
from footprint.asked import search_text, whole_number
from hunts.models import Run

PAGE = 50
FILES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for: whose cases, in which state, with a text in the title or a file."""

    mine: bool
    closed: bool
    search: str

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        return cls(query.get("whose") == "mine", query.get("state") == "closed", search_text(query, "q"))

    def apply(self, cases: QuerySet[Case], person: Person) -> QuerySet[Case]:
        cases = cases.filter(state=Case.State.CLOSED if self.closed else Case.State.OPEN)
        if self.mine:
            cases = cases.filter(owner=person)
        if self.search:
            named = CaseFile.objects.filter(case=OuterRef("pk"), text__icontains=self.search)
            cases = cases.filter(Q(title__icontains=self.search) | Exists(named))
        return cases

    def query(self, **changed: str) -> str:
        """These filters as a query string, with some of them changed; an empty text drops one."""
        texts = {
            "whose": "mine" if self.mine else "",
            "state": "closed" if self.closed else "",
            "q": self.search,
        }
        query = QueryDict(mutable=True)
        query.update({name: text for name, text in {**texts, **changed}.items() if text})
        return query.urlencode()


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
    before = whole_number(request.GET, "before")
    listed = matching.filter(pk__lt=before) if before else matching
    page = list(listed.select_related("owner").order_by("-pk")[: PAGE + 1])
    context = {
        "nav": "cases",
        "filters": filters,
        "rows": rows_of(page[:PAGE]),
        "matching": matching.count(),
        "is_first_page": before is None,
        "older_query": filters.query(before=str(page[PAGE - 1].pk)) if len(page) > PAGE else "",
        "first_query": filters.query(),
        "queries": {
            "everyone": filters.query(whose=""),
            "mine": filters.query(whose="mine"),
            "open": filters.query(state=""),
            "closed": filters.query(state="closed"),
        },
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
