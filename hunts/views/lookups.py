"""Look-ups of a case: asked from a value or a file, kept with the case."""

from __future__ import annotations

import re

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from cases.models import Case, CaseFile, CaseValue
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from hunts.actions import CaseIsClosed
from hunts.lookups import CannotLookUp, ask_look_up, hint_look_up
from hunts.models import LookUp

LISTED = 50
FILES_OFFERED = 50
_HASHES = {"sha1": re.compile(r"[0-9a-fA-F]{40}"), "sha256": re.compile(r"[0-9a-fA-F]{64}")}


@requires(Verb.READ_CASES)
@require_safe
def look_ups(request: SignedInRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case.objects.with_people().prefetch_related("files"), pk=pk)
    kept = case.look_ups.select_related("source", "asked_by").defer("rows", "kql").order_by("-pk")
    context = {
        "nav": "cases",
        "tab": "look-ups",
        "case": case,
        "look_ups": kept[:LISTED],
        "files": case.files.all()[:FILES_OFFERED],
    }
    return render(request, "hunts/look_ups.html", context)


@requires(Verb.READ_CASES)
@require_safe
@vary_on_headers("HX-Request")
def look_up(request: SignedInRequest, pk: int, look_pk: int) -> HttpResponse:
    """One look-up; its part asks for itself until it has ended."""
    look = get_object_or_404(
        LookUp.objects.select_related("case__owner", "source", "asked_by"), pk=look_pk, case=pk
    )
    context = {"nav": "cases", "tab": "look-ups", "case": look.case, "look": look}
    return render(request, "hunts/look_up_part.html" if request.htmx else "hunts/look_up.html", context)


@requires(Verb.RUN_HUNT)
@require_http_methods(["POST"])
def ask(request: SignedInRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case, pk=pk)
    question, kind, subject = (request.POST.get(name, "") for name in ("question", "kind", "subject"))
    if not _is_of_case(case, question, kind, subject):
        raise BadRequest("A look-up is about a value or a file of its case, or about a hash.")
    try:
        look = ask_look_up(
            actor=request.user, case=case, question=question, subject_kind=kind, subject=subject
        )
    except CaseIsClosed:
        return _refused(request, pk, "This case is closed; nothing is asked for it until it is reopened.")
    except CannotLookUp as error:
        return _refused(request, pk, str(error))
    if not hint_look_up(look.pk):
        messages.warning(
            request,
            f"Kept, the broker is unreachable. It is asked within {settings.FOOTPRINT.sweep_seconds:g} s"
            " of the broker's return.",
        )
    if request.htmx:
        return render(request, "hunts/look_up_part.html", {"case": case, "look": look})
    return redirect("case-look-up", pk, look.pk)


def _refused(request: SignedInRequest, pk: int, why: str) -> HttpResponse:
    if request.htmx:
        return render(request, "components/notice.html", {"kind": "warn", "title": "Not asked.", "text": why})
    messages.warning(request, why)
    return redirect("case-look-ups", pk)


def _is_of_case(case: Case, question: str, kind: str, subject: str) -> bool:
    if question == LookUp.Question.TALKERS:
        return (
            kind in ("name", "address")
            and CaseValue.objects.filter(case=case, value=subject, kind=kind).exists()
        )
    if question != LookUp.Question.MACHINES:
        return False
    if kind == LookUp.SubjectKind.FILE:
        return CaseFile.objects.filter(case=case, kind="name", text=subject).exists()
    return kind in _HASHES and _HASHES[kind].fullmatch(subject) is not None
