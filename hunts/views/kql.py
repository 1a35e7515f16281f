"""The questions of a case as text, to paste into a portal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from cases.models import Case
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from hunts.actions import LookBack
from hunts.kql.dialects import DEFENDER_XDR, LOG_ANALYTICS
from hunts.kql.files import AskedFile, FileKind
from hunts.kql.footprint import Dialect, footprint_queries, seed_query
from hunts.kql.window import Window
from hunts.models import Hunt

DIALECTS: dict[str, tuple[str, Dialect]] = {
    "log-analytics": ("Log Analytics", LOG_ANALYTICS),
    "defender": ("Defender XDR", DEFENDER_XDR),
}


@dataclass(frozen=True, slots=True)
class Text:
    """One query; `about` says which files it asks for when there are several."""

    about: str
    kql: str


@requires(Verb.READ_CASES)
@require_safe
def kql(request: SignedInRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case.objects.with_people().prefetch_related("files"), pk=pk)
    dialect = request.GET.get("dialect", "log-analytics")
    if dialect not in DIALECTS:
        raise BadRequest("There is no such dialect of KQL.")
    files = [AskedFile(FileKind(file.kind), file.text, file.key) for file in case.files.all()]
    names = [file.text for file in files if file.kind is FileKind.NAME]
    name = request.GET.get("name", names[0] if names else "")
    if name and name not in names:
        raise BadRequest("This case names no such file.")
    hunt = Hunt.objects.filter(case=case).order_by("-pk").first()
    window = _window(hunt)
    context = {
        "nav": "cases",
        "case": case,
        "tab": "kql",
        "dialects": [(key, title) for key, (title, _) in DIALECTS.items()],
        "dialect": dialect,
        "dialect_title": DIALECTS[dialect][0],
        "names": names,
        "name": name,
        "seed": seed_query(name).text if name else "",
        "rich": _rich(files, window, DIALECTS[dialect][1]),
        "window": window,
    }
    return render(request, "hunts/kql.html", context)


def _window(hunt: Hunt | None) -> Window:
    """What a run that started now would ask; without a hunt, the usual 30 days."""
    today = datetime.now(UTC).date()
    look_back = LookBack(hunt.look_back_days, hunt.since) if hunt else LookBack()
    return Window.days(look_back.first_day(today), today)


def _rich(files: list[AskedFile], window: Window, dialect: Dialect) -> list[Text]:
    titles = {FileKind.NAME: "names", FileKind.SHA1: "SHA1", FileKind.SHA256: "SHA256"}
    kinds = [kind for kind in FileKind if any(file.kind is kind for file in files)]
    queries = footprint_queries(files, window, dialect)
    return [
        Text(titles[kind] if len(kinds) > 1 else "", query.text)
        for kind, query in zip(kinds, queries, strict=True)
    ]
