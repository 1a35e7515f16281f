"""A case as a page fit for print, and as a Markdown file."""

from __future__ import annotations

import hashlib

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from cases.models import Case
from cases.views.notes import as_html
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.desk.report import Report, report_of
from footprint.desk.report_actions import note_download
from footprint.desk.report_markdown import as_markdown, file_name, open_points


@requires(Verb.READ_CASES)
@require_safe
def report(request: SignedInRequest, pk: int) -> HttpResponse:
    made = _report(request, pk)
    context = {
        "nav": "cases",
        "case": made.case,
        "tab": "report",
        "report": made,
        "open_points": open_points(made),
        "notes": [(note, as_html(note.text)) for note in made.notes or ()],
    }
    return render(request, "desk/report.html", context)


@requires(Verb.READ_CASES)
@require_safe
def download(request: SignedInRequest, pk: int) -> HttpResponse:
    """That it was taken stands in the ledger before the first byte is sent."""
    made = _report(request, pk)
    content = as_markdown(made).encode()
    digest = hashlib.sha256(content).hexdigest()
    note_download(actor=request.user, case=made.case, sha256=digest, size=len(content))
    name = file_name(made, made.made_at)
    return HttpResponse(
        content,
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-SHA256": digest},
    )


def _report(request: SignedInRequest, pk: int) -> Report:
    case = get_object_or_404(Case.objects.with_people().prefetch_related("files"), pk=pk)
    return report_of(case, made_by=str(request.user), with_notes=request.GET.get("notes") == "1")
