"""What to think about before a decision, as a part beside the form and as a page without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from cases.models import Case, Decision, Verdict
from cases.preflight import Preflight, preflight
from cases.verdicts.subject import Subject, SubjectKind, SubjectRefused, read_subject
from cases.watchlists.outputs import Outputs, outputs_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb

_LONGEST_SUBJECT = 400


@dataclass(frozen=True, slots=True)
class Checked:
    """What the database knows beside what the outputs would make of it."""

    found: Preflight
    outputs: Outputs


def checked(case: Case, subject: Subject, verdict: str, scope: str) -> Checked:
    return Checked(
        preflight(case=case, subject=subject, verdict=verdict, scope=scope),
        outputs_of(case, subject, verdict, scope),
    )


@requires(Verb.READ_CASES)
@require_safe
@vary_on_headers("HX-Request")
def preflight_part(request: SignedInRequest, pk: int) -> HttpResponse:
    """`subject` as a person types it; `kind` text takes it letter by letter."""
    case = get_object_or_404(Case.objects.select_related("owner"), pk=pk)
    verdict, scope = request.GET.get("verdict"), request.GET.get("scope")
    if verdict not in (Verdict.ALLOWED, Verdict.BLOCKED) or scope not in Decision.Scope.values:
        raise BadRequest("Ask for allowed or blocked, and for case, file or everywhere.")
    context: dict[str, object] = {"case": case, "nav": "cases", "verdict": verdict, "scope": scope}
    try:
        subject = _subject(request)
    except SubjectRefused as refusal:
        context["refused"] = str(refusal)
    else:
        context |= {"subject": subject, "checked": checked(case, subject, str(verdict), str(scope))}
    template = "cases/preflight.html" if request.htmx else "cases/preflight_page.html"
    return render(request, template, context)


def _subject(request: SignedInRequest) -> Subject:
    typed = request.GET.get("subject", "")
    if request.GET.get("kind") == SubjectKind.TEXT:
        if not typed or "\0" in typed:
            raise SubjectRefused("Name the text.")
        return Subject(SubjectKind.TEXT, typed)
    if len(typed) > _LONGEST_SUBJECT:
        raise SubjectRefused(f"A subject has at most {_LONGEST_SUBJECT} characters.")
    return read_subject(typed)
