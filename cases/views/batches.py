"""Deciding in bulk: what was selected, what that would touch, how far it is, what came of it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseNotModified, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HTMX_STOP_POLLING

from cases.batch_forms import BatchForm, SelectionForm
from cases.batches import actions
from cases.batches.actions import CannotChangeBatch
from cases.batches.answering import waiting_of
from cases.batches.hints import hint
from cases.batches.preview import frozen_values, preview_batch
from cases.forms import EndForm
from cases.models import Batch, Case, CaseValue, LeftAlone
from cases.proposals import why_not_for
from cases.refusals import CannotDecide
from cases.value_queryset import CaseValueQuerySet
from cases.views.editor import last_reason
from cases.views.filters import Filters, kept
from cases.views.queue import (
    VERDICTS,
    address_of,
    counts_of,
    etag_of,
    page_of,
    visit_of,
    worded_key,
)
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.accounts.models import Person

LISTED = 100
OFFERED = 50
_MOST_PICKED = 5_000
_MOST_DIGITS = 18
# Letters of each thing that was typed and refused.
_MOST_KEPT = 20_000


@requires(Verb.PROPOSE)
@require_POST
def draft(request: SignedInRequest, pk: int) -> HttpResponse:
    """Freezes the selection and shows what it would touch. Nothing is decided yet."""
    case = get_object_or_404(Case.objects.prefetch_related("files"), pk=pk)
    verdict = request.POST.get("verdict", "")
    if verdict not in VERDICTS:
        raise BadRequest("Values are allowed or blocked.")
    query = kept(QueryDict(request.POST.get("back", "")[:2000]))
    is_all = bool(request.POST.get("all"))
    form = SelectionForm(request.POST)
    if not form.is_valid():
        return _refused(request, case, form, "")
    try:
        form.as_usual(verdict)
        batch = actions.draft(
            actor=request.user,
            case=case,
            values=_all(request, case, query) if is_all else _picked(request, case),
            verdict=verdict,
            scope=form.cleaned_data["scope"],
            reason=form.cleaned_data["reason"],
            expires_at=form.expires_at(),
            query=query.urlencode() if is_all else "",
            is_picked=not is_all,
        )
    except CannotDecide as refusal:
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal.message)
            return _refused(request, case, form, "")
        return _refused(request, case, form, refusal.message)
    request.session.pop(worded_key(case), None)
    return redirect("case-batch", pk, batch.pk)


def _refused(request: SignedInRequest, case: Case, form: SelectionForm, said: str) -> HttpResponse:
    """Says why, with everything that was ticked and typed, so that it can be mended in its place."""
    query = kept(QueryDict(request.POST.get("back", "")[:2000]))
    picked, is_all = _ids(request), bool(request.POST.get("all"))
    # Not in an address: whoever goes back to narrow the filter follows several, and a reason may be long.
    request.session[worded_key(case)] = {
        name: request.POST.get(name, "")[:_MOST_KEPT] for name in ("reason", "scope", "until")
    }
    context = {
        "nav": "cases",
        "tab": "queue",
        "case": case,
        "form": form,
        "said": said[:1].upper() + said[1:],
        "verdict": request.POST["verdict"],
        "is_all": is_all,
        "picked": [] if is_all else picked,
        "offered": [] if is_all or picked else _offered(request, case, query),
        "back": query.urlencode(),
        "back_url": address_of(case, query.urlencode()),
    }
    return render(request, "cases/batch_refused.html", context, status=422)


def _offered(request: SignedInRequest, case: Case, query: QueryDict) -> list[CaseValue]:
    filters = Filters.read(query, case.files.all(), new_since=visit_of(request, case))
    return page_of(case, filters, counts_of(case, filters), None, OFFERED)


def _all(request: SignedInRequest, case: Case, query: QueryDict) -> CaseValueQuerySet:
    filters = Filters.read(query, case.files.all(), new_since=visit_of(request, case))
    if filters.mistakes:
        raise CannotDecide("", " ".join(filters.mistakes.values()))
    return filters.apply(case)


def _picked(request: SignedInRequest, case: Case) -> CaseValueQuerySet:
    ids = _ids(request)
    if not ids:
        raise CannotDecide("", "Tick at least one value.")
    return CaseValue.objects.filter(case=case, pk__in=ids)


def _ids(request: SignedInRequest) -> list[str]:
    """Of the values that were ticked."""
    ids = [pk for pk in request.POST.getlist("value") if pk.isascii() and pk.isdecimal()]
    return [pk for pk in ids[:_MOST_PICKED] if len(pk) <= _MOST_DIGITS]


@requires(Verb.READ_CASES)
@require_safe
def batch(request: SignedInRequest, pk: int, batch_pk: int) -> HttpResponse:
    found = _find(pk, batch_pk)
    if found.state == Batch.State.DRAFT:
        return _show_draft(request, found, BatchForm.of_draft(found))
    return render(request, "cases/batch.html", _context(found, request.user))


@requires(Verb.READ_CASES)
@require_safe
def progress(request: SignedInRequest, pk: int, batch_pk: int) -> HttpResponse:
    """The living part of the page, or the strip over the queue: 304 while nothing moved, 286 at the end."""
    found = _find(pk, batch_pk)
    etag = etag_of(found)
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    template = "cases/batch_strip.html" if request.GET.get("strip") else "cases/batch_progress.html"
    status = 200 if found.is_underway or not request.htmx else HTMX_STOP_POLLING
    response = render(request, template, _context(found, request.user), status=status)
    response.headers["ETag"] = etag
    return response


@requires(Verb.PROPOSE)
@require_POST
def act(request: SignedInRequest, pk: int, batch_pk: int) -> HttpResponse:
    """What its buttons do: confirm, count again, discard, stop, resume, end for good, undo."""
    found = _find(pk, batch_pk)
    wanted = request.POST.get("act", "")
    try:
        if wanted in ("confirm", "count"):
            return _word(request, found, wanted)
        if wanted == "discard":
            actions.discard(actor=request.user, batch=found)
            messages.success(request, "Nothing was decided.")
            return redirect(address_of(found.case, found.query))
        if wanted == "reject":
            return _reject(request, found)
        if wanted in _ACTS:
            _ACTS[wanted](actor=request.user, batch=found)
        else:
            raise BadRequest("A batch knows no such act.")
    except (CannotChangeBatch, CannotDecide) as refusal:
        messages.error(request, str(refusal))
    else:
        hint([found.pk])
    return redirect("case-batch", pk, batch_pk)


def _reject(request: SignedInRequest, found: Batch) -> HttpResponse:
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            actions.reject_batch(actor=request.user, batch=found, reason=form.cleaned_data["reason"])
        except CannotDecide as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            hint([found.pk])
            return redirect("case-batch", found.case_id, found.pk)
    context = _context(found, request.user) | {"rejecting": form}
    return render(request, "cases/batch.html", context, status=422)


_ACTS = {
    "stop": actions.stop,
    "resume": actions.resume,
    "end": actions.end_for_good,
    "undo": actions.undo_batch,
    "approve": actions.approve_batch,
}


def _word(request: SignedInRequest, found: Batch, wanted: str) -> HttpResponse:
    """Keeps how the draft is worded; where that changes what it touches, it is counted again first."""
    form = BatchForm(request.POST)
    if not form.is_valid():
        return _show_draft(request, found, form, status=422)
    try:
        changed = actions.change_draft(
            actor=request.user,
            batch=found,
            scope=form.cleaned_data["scope"],
            reason=form.cleaned_data["reason"],
            expires_at=form.expires_at(),
        )
        if wanted == "count" or found.scope != changed.scope:
            if wanted == "confirm":
                messages.warning(
                    request, "Where it counts has changed, so it is counted again. Look once more."
                )
            return redirect("case-batch", found.case_id, found.pk)
        actions.confirm(actor=request.user, batch=changed)
    except CannotDecide as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return _show_draft(request, found, form, status=422)
    hint([found.pk])
    return redirect("case-batch", found.case_id, found.pk)


def _show_draft(request: SignedInRequest, found: Batch, form: BatchForm, status: int = 200) -> HttpResponse:
    try:
        preview, refused = preview_batch(found), ""
    except CannotDecide as refusal:
        preview, refused = None, refusal.message
    context = _context(found, request.user) | {
        "form": form,
        "preview": preview,
        "refused": refused,
        "shown": frozen_values(found, LISTED),
        "last_reason": last_reason(request.user, found.verdict),
        "is_own": found.person_id == request.user.pk,
    }
    return render(request, "cases/batch_draft.html", context, status=status)


def _proposals(found: Batch, person: Person) -> dict[str, object]:
    """Those of the batch that wait for somebody, and whether for this person."""
    if found.is_underway or not found.proposed:
        return {"waiting_count": 0}
    waiting = waiting_of(found).with_decision().order_by("decision_id")
    shown = list(waiting[:LISTED])
    return {
        "waiting": shown,
        "waiting_count": waiting.count(),
        "why_not": why_not_for(person, shown[0]) if shown else "",
    }


def _never_decided(found: Batch) -> int:
    """Of the values it is on, those that it has not come to and will not by itself."""
    if found.state == Batch.State.DRAFT or (found.task == Batch.Task.DECIDING and found.is_underway):
        return 0
    left = LeftAlone.objects.filter(batch=found, task=Batch.Task.DECIDING).count()
    return max(0, found.total - found.decided - found.proposed - left)


def _find(pk: int, batch_pk: int) -> Batch:
    batches = Batch.objects.select_related("case__owner", "person", "asked_by", "file")
    return get_object_or_404(batches, pk=batch_pk, case=pk)


def _context(found: Batch, person: Person) -> dict[str, object]:
    left = LeftAlone.objects.filter(batch=found).select_related("because")
    filters = Filters.read(QueryDict(found.query), found.case.files.all())
    return {
        "nav": "cases",
        "case": found.case,
        "tab": "queue",
        "batch": found,
        "may_end": actions.may_end(person, found),
        "is_half_way": actions.values_left(found) > 0,
        "chips": filters.chips(),
        **_proposals(found, person),
        "left": left[:LISTED],
        "left_count": left.count(),
        "never_decided": _never_decided(found),
        "seconds": found.seconds(timezone.now()),
        "etag": etag_of(found),
        "is_own": found.person_id == person.pk,
        "back_url": address_of(found.case, found.query),
        "decisions_url": reverse("case-decisions", args=[found.case_id]),
    }
