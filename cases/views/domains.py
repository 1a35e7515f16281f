"""One registered domain of a folded queue, unfolded or folded again in its place."""

from __future__ import annotations

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from cases.models import Case
from cases.views.filters import Filters, kept
from cases.views.folding import Names, groups_of, unfolded
from cases.views.queue import query_of, rows_for, visit_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb


@requires(Verb.READ_CASES)
@require_safe
def domain(request: SignedInRequest, pk: int) -> HttpResponse:
    """`?domain=` with the filters of the page that asks; `&fold=1` folds it again."""
    case = get_object_or_404(Case.objects.with_people().prefetch_related("files"), pk=pk)
    if not request.htmx:
        return redirect("case", pk)
    query = kept(QueryDict(query_of(request.htmx.current_url)))
    filters = Filters.read(query, case.files.all(), new_since=visit_of(request, case))
    names = Names.of(case, filters)
    name = request.GET.get("domain", "")[:255].replace("\0", "")
    if request.GET.get("fold"):
        group = next(iter(groups_of(names, [name])), None)
    else:
        group = unfolded(names, name, rows_for(request, case))
    if group is None:
        raise Http404("The filters leave no name of this domain.")
    context = {
        "case": case,
        "group": group,
        "query": query.urlencode(),
        "filters": filters,
        "new_since": filters.new_since,
    }
    return render(request, "cases/queue_domain.html", context)
