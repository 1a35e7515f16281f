"""Changes of the notes of a case: one transaction each. The ledger keeps every text, also of removed ones."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from cases.models import Case, Note
from cases.texts import LONGEST_NOTE, bad_text
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, Subject, change


class CannotNote(Exception):
    """The text is none that can be kept, or the note is not the person's to change."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NoteChangedMeanwhile(Exception):
    """The note is not what the person saw: another window of theirs changed it. Nothing was written."""

    def __init__(self, current: Note) -> None:
        super().__init__("Changed meanwhile")
        self.current = current

    @property
    def when(self) -> datetime | None:
        return self.current.removed_at or self.current.changed_at


def add_note(*, actor: Person, case: Case, text: str) -> Note:
    wanted = _read(text)
    with change(actor=Actor.person(actor)) as ledger:
        note = Note.objects.create(case=case, author=actor, text=wanted)
        _tell(ledger, Event.NOTE_ADDED, note, before=None, after={"text": note.text})
    return note


def change_note(*, actor: Person, note: Note, version: int, text: str) -> Note:
    wanted = _read(text)
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(actor, note, version)
        before = locked.text
        if before == wanted:
            return locked
        locked.text, locked.changed_at = wanted, timezone.now()
        locked.version += 1
        locked.save(update_fields=["text", "changed_at", "version"])
        _tell(ledger, Event.NOTE_CHANGED, locked, before={"text": before}, after={"text": wanted})
    return locked


def remove_note(*, actor: Person, note: Note, version: int) -> Note:
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(actor, note, version)
        locked.removed_at, locked.removed_by = timezone.now(), actor
        locked.version += 1
        locked.save(update_fields=["removed_at", "removed_by", "version"])
        _tell(ledger, Event.NOTE_REMOVED, locked, before={"text": locked.text}, after={"removed": True})
    return locked


def _locked(actor: Person, note: Note, version: int) -> Note:
    locked: Note = (
        Note.objects.select_for_update(of=("self",)).select_related("case", "author").get(pk=note.pk)
    )
    if locked.author_id != actor.pk:
        raise CannotNote(f"{locked.author} wrote this note; only they can change it.")
    if locked.version != version:
        raise NoteChangedMeanwhile(locked)
    if locked.removed_at is not None:
        raise CannotNote("This note is removed.")
    return locked


def _read(text: str) -> str:
    wanted = text.strip()
    if not wanted:
        raise CannotNote("Write something first.")
    if said := bad_text("A note", wanted, LONGEST_NOTE):
        raise CannotNote(said)
    return wanted


def _tell(
    ledger: Change, event: Event, note: Note, *, before: dict[str, object] | None, after: dict[str, object]
) -> None:
    ledger.add(
        event, Subject("note", str(note.pk), str(note)), case_number=note.case_id, before=before, after=after
    )
