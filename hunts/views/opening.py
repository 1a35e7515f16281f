"""Opening a case: its files, its source and its first run, on one form."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from cases.case_actions import CannotOpen, FileText
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from hunts.actions import open_case
from hunts.file_lines import FileLines, read_file_lines, with_suggestions
from hunts.forms import NewCaseForm
from hunts.hints import hint_run
from hunts.models import Run
from hunts.notices import Notice, about_the_broker, notices_about

BAD_LINES_SHOWN = 20
EVERY_LINE = "all"


@requires(Verb.OPEN_CASE)
@require_http_methods(["GET", "HEAD", "POST"])
def new_case(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        return _form_page(request, NewCaseForm())
    if "fix" in request.POST:
        return _form_page(request, NewCaseForm(_with_fix(request.POST)))
    form = NewCaseForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    try:
        run = _open(request, form)
    except CannotOpen as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return _form_page(request, form, status=422)
    return redirect("case-run", run.hunt.case_id, run.pk)


@requires(Verb.OPEN_CASE)
@require_POST
def check_files(request: SignedInRequest) -> HttpResponse:
    """What there is to say about the lines typed so far; nothing is saved."""
    return render(request, "hunts/file_lines.html", _told(read_file_lines(request.POST.get("files", ""))))


def _open(request: SignedInRequest, form: NewCaseForm) -> Run:
    given = form.cleaned_data
    lines: FileLines = given["files"]
    run = open_case(
        actor=request.user,
        title=given["title"],
        why=given["why"],
        files=[FileText(file.kind.value, file.text, file.key) for file in lines.files],
        source=given["source"],
        look_back=given["look_back"],
    )
    notices = notices_about(lines, besides=run.hunt.case)
    if not hint_run(run):
        notices.insert(0, about_the_broker(settings.FOOTPRINT.sweep_seconds))
    keep_notices(request, run, notices)
    return run


def keep_notices(request: SignedInRequest, run: Run, notices: list[Notice]) -> None:
    """Shown once, on the page of the run, to whoever opened it."""
    if notices:
        request.session[_notices_key(run)] = [notice.as_json() for notice in notices]


def kept_notices(request: SignedInRequest, run: Run) -> list[dict[str, str]]:
    kept: list[dict[str, str]] = request.session.pop(_notices_key(run), [])
    return kept


def _notices_key(run: Run) -> str:
    return f"notices-{run.pk}"


def _with_fix(posted: QueryDict) -> QueryDict:
    """The form with what is offered for a bad line in its place: the button works without JavaScript."""
    which = posted.get("fix", "")
    if which != EVERY_LINE and not (which.isascii() and which.isdecimal() and len(which) < 10):
        raise BadRequest("This is not a line of the files.")
    fixed = posted.copy()
    fixed["files"] = with_suggestions(posted.get("files", ""), None if which == EVERY_LINE else int(which))
    return fixed


def _form_page(request: SignedInRequest, form: NewCaseForm, status: int = 200) -> HttpResponse:
    context: dict[str, object] = {"nav": "cases", "form": form}
    form.is_valid()
    if form.lines is not None:
        context |= _told(form.lines)
    return render(request, "hunts/new_case.html", context, status=status)


def _told(lines: FileLines) -> dict[str, object]:
    return {
        "lines": lines,
        "bad_lines": lines.bad[:BAD_LINES_SHOWN],
        "bad_lines_more": max(0, len(lines.bad) - BAD_LINES_SHOWN),
        "notices": notices_about(lines),
    }
