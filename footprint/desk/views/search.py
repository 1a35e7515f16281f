"""Searching everything: a page, and the part of it that the dialog on every page shows."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import search_text
from footprint.desk.search import find, find_all_values

IN_DIALOG = 5
ON_PAGE = 20
ALONE = 200


@requires(Verb.READ_CASES)
@require_safe
@vary_on_headers("HX-Request")
def search(request: SignedInRequest) -> HttpResponse:
    text = search_text(request.GET, "q")
    of_values = request.GET.get("group") == "values"
    at_most = IN_DIALOG if request.htmx else ON_PAGE
    groups = []
    if text:
        groups = find_all_values(text, ALONE) if of_values else find(text, at_most)
    context = {"nav": "search", "text": text, "groups": groups, "of_values": of_values}
    return render(request, "desk/search_found.html" if request.htmx else "desk/search.html", context)
