"""The queue of a case: its values, undecided first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from cases.case_actions import visit
from cases.counting import ValuesOfCase, count_values
from cases.models import Batch, Case, CaseValue
from cases.ordering import NoSuchPlace, Place, place_text, read_place
from cases.settling import waiting_in
from cases.value_queryset import FEW
from cases.views.editor import asked_reason, editor_for
from cases.views.filters import Filters, kept, kept_text
from cases.views.folding import Names, folding_of, unfolded
from cases.views.rows import Row, pairs_of, rows_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb

PAGE = 50
VERDICTS = ("allowed", "blocked")

RowsHere = Callable[[Sequence[CaseValue]], list[Row]]


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the whole case and of what the filters leave; beyond a number nobody counts the matching."""

    of_case: ValuesOfCase
    matching: int
    is_more: bool = False

    @property
    def everything(self) -> int:
        return self.of_case.everything

    @property
    def undecided(self) -> int:
        return self.of_case.undecided


@requires(Verb.READ_CASES)
@require_safe
@vary_on_headers("HX-Request")
def queue(request: SignedInRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case.objects.with_people().prefetch_related("files"), pk=pk)
    new_since = visit_of(request, case)
    filters = Filters.read(request.GET, case.files.all(), new_since=new_since)
    counts = counts_of(case, filters)
    settling = waiting_in(case.pk)
    context: dict[str, object] = {
        "nav": "cases",
        "case": case,
        "tab": "queue",
        "filters": filters,
        "query": filters.query.urlencode(),
        "counts": counts,
        "undecided_of_case": counts.undecided,
        "new_since": new_since,
        "drawn": int(timezone.now().timestamp() * 1000),
        "worded": request.session.get(worded_key(case), {}),
        "is_first_page": not request.GET.get("after"),
        "is_all_selected": request.GET.get("select") == "all",
        **batch_underway(case),
        "settling": settling,
    }
    rows_here = rows_for(request, case, is_settling=bool(settling))
    if filters.by_domain:
        context |= _folded(request, case, filters, rows_here)
    else:
        context |= _listed(request, case, filters, counts, rows_here)
    if request.htmx and request.GET.get("after"):
        return render(request, "cases/queue_more.html", context)
    return render(request, "cases/queue.html", context)


def _listed(
    request: SignedInRequest, case: Case, filters: Filters, counts: Counts, rows_here: RowsHere
) -> dict[str, object]:
    page = page_of(case, filters, counts, _place(request, filters), PAGE + 1)
    rows = rows_here(page[:PAGE])
    _open_what_the_address_says(request, case, rows)
    next_mark = place_text(page[PAGE - 1], filters.order) if len(page) > PAGE else ""
    return {"rows": rows, "next_mark": next_mark}


def _folded(request: SignedInRequest, case: Case, filters: Filters, rows_here: RowsHere) -> dict[str, object]:
    names = Names.of(case, filters)
    try:
        folding = folding_of(names, request.GET.get("after", ""), rows_here)
    except NoSuchPlace as error:
        raise BadRequest("This is not a page of the list.") from error
    opened = request.GET.get("open", "")
    for group in folding.groups:
        if group.domain == opened and (whole := unfolded(names, opened, rows_here)):
            group.rows = whole.rows
        _open_what_the_address_says(request, case, group.rows)
    return {"folding": folding, "rows": folding.groups or folding.without}


def rows_for(request: SignedInRequest, case: Case, *, is_settling: bool = True) -> RowsHere:
    """Makes rows of values as this reader sees them."""
    new_since = visit_of(request, case)
    return lambda values: rows_of(
        case, values, person=request.user, new_since=new_since, is_settling=is_settling
    )


def batch_underway(case: Case) -> dict[str, object]:
    batch = Batch.objects.underway_in(case.pk)
    return {"batch": batch, "etag": etag_of(batch)} if batch else {}


def etag_of(batch: Batch) -> str:
    return f'"batch-{batch.pk}-{batch.version}"'


@requires(Verb.READ_CASES)
@require_safe
def row(request: SignedInRequest, pk: int, value_pk: int) -> HttpResponse:
    """One value of the queue as it is now: folded, unfolded, or with the editor under it."""
    value = get_object_or_404(CaseValue.objects.select_related("case__owner"), pk=value_pk, case=pk)
    if not request.htmx:
        return redirect("case", pk)
    current = QueryDict(query_of(request.htmx.current_url))
    shown = rows_of(value.case, [value], person=request.user, new_since=visit_of(request, value.case))
    _open_what_the_address_says(request, value.case, shown)
    return render(request, "cases/queue_part.html", row_context(value.case, shown[0], kept(current), request))


@requires(Verb.READ_CASES)
@require_safe
def settling(request: SignedInRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case, pk=pk)
    return render(request, "cases/settling_part.html", {"case": case, "settling": waiting_in(pk)})


@requires(Verb.READ_CASES)
@require_POST
def mark_seen(request: SignedInRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case, pk=pk)
    visit(person=request.user, case=case)
    request.session[_visit_key(case)] = timezone.now().isoformat()
    return redirect(address_of(case, kept_text(request.POST.get("back", ""))))


def row_context(case: Case, shown: Row, query: QueryDict, request: SignedInRequest) -> dict[str, object]:
    return {"case": case, "row": shown, "query": query.urlencode(), "new_since": visit_of(request, case)}


def counts_of(case: Case, filters: Filters) -> Counts:
    of_case = count_values(case.pk)
    if not filters.is_narrow:
        return Counts(of_case, of_case.of(filters.verdict) if filters.verdict else of_case.everything)
    values = filters.apply(case)
    found = values.counted_by_age(FEW) if filters.search else values.counted(FEW)
    return Counts(of_case, min(found, FEW), is_more=found > FEW)


def page_of(
    case: Case, filters: Filters, counts: Counts, after: Place | None, at_most: int
) -> list[CaseValue]:
    values = filters.apply(case)
    if filters.is_narrow and not counts.is_more:
        return values.page_of_few(filters.order, after, at_most)
    return values.page_of_many(filters.order, after, at_most)


def _place(request: SignedInRequest, filters: Filters) -> Place | None:
    text = request.GET.get("after", "")
    try:
        return read_place(text, filters.order) if text else None
    except NoSuchPlace as error:
        raise BadRequest("This is not a page of the list.") from error


def address_of(case: Case, query: str) -> str:
    address = reverse("case", args=[case.pk])
    return f"{address}?{query}" if query else address


def visit_of(request: SignedInRequest, case: Case) -> datetime | None:
    """When the reader last had the case open, before this session; what came later is new to them.

    The time is kept in the session, so that rows stay new while the reader works through them.
    """
    key = _visit_key(case)
    if key not in request.session:
        before = visit(person=request.user, case=case)
        request.session[key] = before.isoformat() if before else None
    kept_time = request.session[key]
    return datetime.fromisoformat(kept_time) if kept_time else None


def worded_key(case: Case) -> str:
    """Under which the session keeps what was typed into the bar and refused, until it is taken."""
    return f"worded-{case.pk}"


def _visit_key(case: Case) -> str:
    return f"visit-{case.pk}"


def _open_what_the_address_says(request: SignedInRequest, case: Case, rows: list[Row]) -> None:
    """`?decide=12&verdict_as=blocked` opens the editor under a row, `?unfold=12` its pairs."""
    for shown in rows:
        pk = str(shown.value.pk)
        if request.GET.get("unfold") == pk:
            shown.pairs = pairs_of(shown.value)
        if request.GET.get("decide") == pk and shown.may_decide:
            verdict = request.GET.get("verdict_as", "")
            if verdict not in VERDICTS:
                raise BadRequest("A value is allowed or blocked.")
            shown.editor = editor_for(
                request.user,
                case,
                shown.value,
                verdict,
                reason=asked_reason(request.user, verdict, request.GET),
                is_wider=bool(request.GET.get("wider")),
            )


def query_of(address: str | None) -> str:
    return (address or "").partition("?")[2].partition("#")[0][:2000]
