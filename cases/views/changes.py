"""What colleagues and runs changed in the rows that a reader has on the screen."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, HttpResponseNotModified, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HTMX_STOP_POLLING, trigger_client_event

from cases.bases import check_basis
from cases.models import Case, CaseValue, Decision
from cases.refusals import DecidedMeanwhile
from cases.row_versions import Standing, standing_of
from cases.views.filters import kept
from cases.views.queue import query_of, visit_of
from cases.views.rows import Row, rows_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.accounts.models import Person

ROWS_AT_MOST = 400


@dataclass(frozen=True, slots=True)
class Screen:
    """What the reader has before them: rows with their versions, and how much of it they were told.

    `open` rows are unfolded or under decision: they are never replaced. `editing` is the one under
    decision, `basis` what its reader saw in force when it was opened. `drawn` is when the page was, in
    milliseconds since 1970.
    """

    rows: dict[int, str]
    values: int
    told: frozenset[int]
    open: frozenset[int]
    editing: int
    basis: str
    drawn: int

    @classmethod
    def read(cls, query: QueryDict) -> Screen:
        try:
            rows = dict(_row(part) for part in _parts(query, "rows"))
            told, opened = (frozenset(map(_number, _parts(query, name))) for name in ("told", "open"))
            return cls(
                rows=rows,
                values=_number(query.get("values", "0")),
                told=told & rows.keys(),
                open=opened,
                editing=_number(query.get("editing", "0") or "0"),
                basis=query.get("basis", ""),
                drawn=_number(query.get("drawn", "") or "0"),
            )
        except ValueError as error:
            raise BadRequest("This is no list of rows.") from error


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What happened to the row under decision; `conflict` when someone decided on it."""

    value: CaseValue
    conflict: DecidedMeanwhile | None
    proposed: Decision | None


@requires(Verb.READ_CASES)
@require_safe
def changes(request: SignedInRequest, pk: int) -> HttpResponse:
    """304 while nothing moved since the last answer, 286 when the case takes no more changes."""
    screen = Screen.read(request.GET)
    now = standing_of(pk, screen.rows)
    if now is None:
        raise Http404("There is no such case.")
    etag = _etag_of(now)
    if request.headers.get("If-None-Match") == etag:
        return _with_etag(HttpResponseNotModified(), etag)
    changed = [row for row, version in screen.rows.items() if now.rows.get(row, version) != version]
    new_values = max(0, now.values - screen.values)
    if not changed and not new_values and not screen.told and now.is_live:
        return _with_etag(HttpResponse(status=204), etag)
    case = Case.objects.prefetch_related("files").get(pk=pk)
    rows = _rows(request, case, sorted({*changed, *screen.told}))
    fresh = [row for row in rows if row.value.pk in changed]
    context = {
        "case": case,
        "changed": rows,
        "deciders": _deciders(screen, rows, request.user),
        "new_values": new_values,
        "rows": [row for row in fresh if row.value.pk not in screen.open],
        "meanwhile": _meanwhile(case, screen, fresh),
        "query": kept(QueryDict(query_of(request.htmx.current_url))).urlencode(),
        "new_since": visit_of(request, case),
    }
    response = render(
        request, "cases/queue_changes.html", context, status=200 if now.is_live else HTMX_STOP_POLLING
    )
    told = {str(row.value.pk): row.version for row in rows}
    return _with_etag(trigger_client_event(response, "rows-changed", {"rows": told}, after="settle"), etag)


def _rows(request: SignedInRequest, case: Case, row_ids: Sequence[int]) -> list[Row]:
    values = list(CaseValue.objects.filter(case=case, pk__in=row_ids)) if row_ids else []
    return rows_of(case, values, person=request.user, new_since=visit_of(request, case))


def _deciders(screen: Screen, rows: Sequence[Row], reader: Person) -> list[tuple[str, int]]:
    """Who put the decisions on how many of the rows in force since the page was drawn, those with most first.

    What a run brought under an older decision has nobody.
    """
    made = (row.decision for row in rows if row.decision is not None)
    since = (each for each in made if screen.drawn and each.made_at.timestamp() * 1000 >= screen.drawn)
    who = (each.in_force_by for each in since)
    return Counter(str(person) for person in who if person != reader).most_common()


def _meanwhile(case: Case, screen: Screen, changed: Sequence[Row]) -> list[Meanwhile]:
    """For the row under decision, whose editor stays as it is."""
    values = [row.value for row in changed if row.value.pk == screen.editing]
    return [
        Meanwhile(value, _conflict(case, value, screen.basis), _proposed(case, value)) for value in values
    ]


def _proposed(case: Case, value: CaseValue) -> Decision | None:
    waiting = Decision.objects.on_values([value.value]).covering(case).filter(state=Decision.State.PROPOSED)
    return waiting.select_related("proposer").order_by("-pk").first()


def _conflict(case: Case, value: CaseValue, basis: str) -> DecidedMeanwhile | None:
    try:
        check_basis(case, value.value, basis)
    except DecidedMeanwhile as conflict:
        return conflict
    return None


def _etag_of(now: Standing) -> str:
    text = f"{now.is_live} {now.values} {sorted(now.rows.items())}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _with_etag(response: HttpResponse, etag: str) -> HttpResponse:
    response.headers["ETag"] = etag
    return response


def _parts(query: QueryDict, name: str) -> list[str]:
    parts = [part for part in query.get(name, "").split("_") if part]
    if len(parts) > ROWS_AT_MOST:
        raise ValueError(name)
    return parts


def _row(text: str) -> tuple[int, str]:
    pk, _, version = text.partition("-")
    return _number(pk), version


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError(text)
    return int(text)
