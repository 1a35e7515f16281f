"""What is due for review in a case, and confirming it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from cases.models import Case, CaseValue, ReviewDue
from cases.review_actions import confirm_of_file, confirm_of_value, confirm_of_values
from cases.reviews import reviews_of_files, reviews_of_values
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import whole_number


@requires(Verb.READ_CASES)
@require_safe
def reviews(request: SignedInRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case.objects.with_people(), pk=pk)
    of_values = reviews_of_values(case)
    pks = CaseValue.objects.filter(case=case, value__in=[each.value for each in of_values])
    found = dict(pks.values_list("value", "pk"))
    context = {
        "nav": "cases",
        "tab": "reviews",
        "case": case,
        "of_files": reviews_of_files(case),
        "of_values": [(each, found.get(each.value)) for each in of_values],
        "upto": max((each.upto for each in of_values), default=0),
        "waiting": ReviewDue.objects.filter(case=case).waiting().count(),
    }
    return render(request, "cases/reviews.html", context)


@requires(Verb.DECIDE)
@require_POST
def confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Of the file or value that the form names, or of all values of the case."""
    case = get_object_or_404(Case, pk=pk)
    upto = whole_number(request.POST, "upto")
    if upto is None:
        raise Http404("Nothing says what was looked at.")
    value, file = request.POST.get("value", ""), whole_number(request.POST, "file")
    if file is not None:
        named = get_object_or_404(case.files, pk=file)
        confirmed = confirm_of_file(actor=request.user, case=case, file=named, upto=upto)
    elif value:
        confirmed = confirm_of_value(actor=request.user, case=case, value=value, upto=upto)
    else:
        confirmed = confirm_of_values(actor=request.user, case=case, upto=upto)
    if confirmed:
        what = "1 review is" if confirmed == 1 else f"{confirmed:,} reviews are"
        messages.success(request, f"{what} confirmed in case {pk}. No verdict changed.")
    else:
        messages.warning(request, "Nothing of this is due any more; somebody confirmed it.")
    return redirect("inbox") if request.POST.get("back") == "inbox" else redirect("case-reviews", pk)
