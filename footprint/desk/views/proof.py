"""Whether the ledger holds: its last checkpoint, verifications with their progress, and exports."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HTMX_STOP_POLLING

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb, may
from footprint.ledger.exporting import NoSuchRange, export
from footprint.ledger.keys import CannotSeal, NoKeyYet, known_key
from footprint.ledger.models import Checkpoint, Entry, Head, Verification
from footprint.ledger.proof import ask_verification, hint
from footprint.ledger.record import Actor, HeadDeleted
from footprint.ledger.sealing import checkpoint_file

SHOWN = 10


class ExportForm(forms.Form):
    first = forms.IntegerField(label="From entry", min_value=1, max_value=2**63 - 2, initial=1)
    last = forms.IntegerField(
        label="To entry",
        min_value=1,
        max_value=2**63 - 2,
        required=False,
        help_text="Empty: to the end, the entry about this export included.",
    )


@requires(Verb.READ_LEDGER)
@require_safe
def proof(request: SignedInRequest) -> HttpResponse:
    return _page(request, ExportForm())


def _page(request: SignedInRequest, form: ExportForm, status: int = 200) -> HttpResponse:
    head, checkpoint = Head.objects.first(), Checkpoint.objects.order_by("-seq", "-pk").first()
    latest = list(Verification.objects.select_related("asked_by")[:SHOWN])
    context = {
        "nav": "ledger",
        "head": head,
        "checkpoint": checkpoint,
        "is_overdue": head is not None and _is_overdue(head, checkpoint),
        "unsigned": _why_unsigned(),
        "file": checkpoint_file(),
        "verification": latest[0] if latest else None,
        "earlier": latest[1:],
        "form": form,
        "may_prove": may(request.user, Verb.PROVE_LEDGER),
    }
    return render(request, "desk/proof.html", context, status=status)


def _is_overdue(head: Head, checkpoint: Checkpoint | None) -> bool:
    """Twice as late as it may be: the next one is tried with each tick of beat."""
    if head.seq == 0 or (checkpoint is not None and checkpoint.seq == head.seq):
        return False
    first = Entry.objects.filter(seq=1).values_list("at", flat=True).first()
    last = Checkpoint.objects.first()
    since = last.at if last is not None else first
    every = timedelta(minutes=settings.FOOTPRINT.checkpoint_minutes)
    return since is not None and since + 2 * every < timezone.now()


def _why_unsigned() -> str:
    try:
        known_key()
    except NoKeyYet:
        return ""
    except CannotSeal as error:
        return str(error)
    return ""


@requires(Verb.PROVE_LEDGER)
@require_POST
def verify(request: SignedInRequest) -> HttpResponse:
    try:
        was_told = hint(ask_verification(actor=request.user))
    except HeadDeleted:
        # The page says so, whoever looks at it.
        return redirect("ledger-proof")
    if not was_told:
        messages.warning(request, "No worker can be told now. This begins when the broker is back.")
    return redirect("ledger-proof")


@requires(Verb.READ_LEDGER)
@require_safe
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """Polled while a verification goes on; 304 while nothing moved, 286 at its end."""
    verification = get_object_or_404(Verification.objects.select_related("asked_by"), pk=pk)
    etag = f'"{verification.version}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    status = HTMX_STOP_POLLING if verification.ended_at and request.htmx else 200
    response = render(request, "desk/proof_progress.html", {"verification": verification}, status=status)
    response.headers["ETag"] = etag
    return response


@requires(Verb.PROVE_LEDGER)
@require_POST
def take_export(request: SignedInRequest) -> HttpResponseBase:
    form = ExportForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        made = export(
            actor=Actor.person(request.user),
            first=form.cleaned_data["first"],
            last=form.cleaned_data["last"],
        )
    except NoSuchRange as error:
        form.add_error("last", str(error))
        return _page(request, form, status=422)
    except CannotSeal as error:
        form.add_error(None, str(error))
        return _page(request, form, status=422)
    return FileResponse(
        made.content, as_attachment=True, filename=made.filename, content_type="application/x-ndjson"
    )
