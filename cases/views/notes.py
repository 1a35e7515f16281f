"""The notes of a case: read, written, changed by their author, removed without being gone."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_http_methods, require_POST

from cases.fields import NoteField
from cases.markdown import rendered
from cases.models import Case, Note
from cases.note_actions import (
    CannotNote,
    NoteChangedMeanwhile,
    add_note,
    change_note,
    remove_note,
)
from cases.texts import LONGEST_NOTE, with_plain_lines
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb, may
from footprint.asked import whole_number

PAGE = 20


class NoteForm(forms.Form):
    text = NoteField(
        label="Note",
        help_text="Markdown: *emphasis*, `code`, lists, tables. Pictures and HTML are not shown.",
        error_messages={"required": "Write something first."},
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class ShownNote:
    note: Note
    is_mine: bool

    @property
    def html(self) -> SafeString:
        return as_html(self.note.text)


def as_html(text: str) -> SafeString:
    return mark_safe(rendered(text))  # noqa: S308  # cleaned by cases.markdown


@requires(Verb.READ_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def notes(request: SignedInRequest, pk: int) -> HttpResponse:
    case = _case(pk)
    if request.method != "POST":
        return _page(request, case, NoteForm())
    if not may(request.user, Verb.EDIT_CASE, case):
        raise PermissionDenied
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, case, form, status=422)
    if "look" in request.POST:
        return _page(request, case, form, look=form.cleaned_data["text"])
    try:
        note = add_note(actor=request.user, case=case, text=form.cleaned_data["text"])
    except CannotNote as refusal:
        form.add_error("text", refusal.message)
        return _page(request, case, form, status=422)
    return redirect(f"{reverse('case-notes', args=[pk])}#note-{note.pk}")


@requires(Verb.EDIT_CASE)
@require_POST
def preview(request: SignedInRequest, pk: int) -> HttpResponse:
    """What is typed so far as it would be shown; nothing is saved."""
    text = with_plain_lines(request.POST.get("text", ""))[:LONGEST_NOTE]
    return render(request, "cases/note_preview.html", {"case": _case(pk), "preview": as_html(text)})


@requires(Verb.EDIT_CASE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_note(request: SignedInRequest, pk: int, note_pk: int) -> HttpResponse:
    note = _own_note(request, pk, note_pk)
    if request.method != "POST":
        return _page(
            request, note.case, NoteForm(initial={"text": note.text, "version": note.version}), note=note
        )
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, note.case, form, note=note, status=422)
    given = form.cleaned_data
    if "look" in request.POST:
        return _page(request, note.case, form, note=note, look=given["text"])
    try:
        change_note(actor=request.user, note=note, version=given["version"] or 0, text=given["text"])
    except CannotNote as refusal:
        form.add_error("text", refusal.message)
        return _page(request, note.case, form, note=note, status=422)
    except NoteChangedMeanwhile as conflict:
        again = NoteForm({"text": given["text"], "version": conflict.current.version})
        return _page(request, note.case, again, note=note, conflict=conflict, status=409)
    return redirect(f"{reverse('case-notes', args=[pk])}#note-{note.pk}")


@requires(Verb.EDIT_CASE)
@require_POST
def remove(request: SignedInRequest, pk: int, note_pk: int) -> HttpResponse:
    note = _own_note(request, pk, note_pk)
    try:
        remove_note(actor=request.user, note=note, version=whole_number(request.POST, "version") or 0)
    except CannotNote as refusal:
        messages.warning(request, refusal.message)
    except NoteChangedMeanwhile:
        messages.warning(request, "This note was changed meanwhile; it is not removed. Look again.")
    else:
        messages.success(request, "The note is removed; its text stays, struck through.")
    return redirect("case-notes", pk)


def _case(pk: int) -> Case:
    return get_object_or_404(Case.objects.with_people().prefetch_related("files"), pk=pk)


def _own_note(request: SignedInRequest, pk: int, note_pk: int) -> Note:
    note: Note = get_object_or_404(Note, pk=note_pk, case=pk)
    if note.author_id != request.user.pk:
        raise PermissionDenied
    note.case = _case(pk)
    return note


def _page(
    request: SignedInRequest,
    case: Case,
    form: NoteForm,
    *,
    note: Note | None = None,
    look: str = "",
    conflict: NoteChangedMeanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    """`note` is the one whose text is in the form; without it a new one is written."""
    before = whole_number(request.GET, "before")
    listed = Note.objects.filter(case=case, **({"pk__lt": before} if before else {}))
    found = list(listed.select_related("author", "removed_by").order_by("-pk")[: PAGE + 1])
    context = {
        "nav": "cases",
        "case": case,
        "tab": "notes",
        "form": form,
        "editing": note,
        "conflict": conflict,
        "preview": as_html(look) if look else "",
        "notes": [ShownNote(each, each.author_id == request.user.pk) for each in found[:PAGE]],
        "editing_is_listed": note is not None and note in found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "is_first_page": before is None,
    }
    return render(request, "cases/notes.html", context, status=status)
