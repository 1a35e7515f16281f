from __future__ import annotations

import pytest

from cases.models import Case, Note
from cases.note_actions import CannotNote, NoteChangedMeanwhile, add_note, change_note, remove_note
from footprint.accounts.models import Person
from footprint.ledger.models import Entry


@pytest.fixture
def note(case: Case, rui: Person) -> Note:
    return add_note(actor=rui, case=case, text=" *Beacons* every 60 s \n")


def last_entry() -> dict[str, object]:
    content: dict[str, object] = Entry.objects.latest("seq").content
    return content


def test_a_note_is_kept_with_its_author_and_an_entry(note: Note, case: Case, rui: Person):
    assert (note.text, note.author, note.case) == ("*Beacons* every 60 s", rui, case)
    assert last_entry()["event"] == "cases:note:added"
    assert last_entry()["after"] == {"text": "*Beacons* every 60 s"}


def test_a_changed_note_has_its_old_text_in_the_ledger(note: Note, rui: Person):
    changed = change_note(actor=rui, note=note, version=note.version, text="Every 90 s")
    assert changed.changed_at is not None
    assert last_entry()["before"] == {"text": "*Beacons* every 60 s"}
    assert last_entry()["after"] == {"text": "Every 90 s"}


def test_a_change_that_changes_nothing_writes_nothing(note: Note, rui: Person):
    seq = last_entry()["seq"]
    change_note(actor=rui, note=note, version=note.version, text=note.text)
    assert last_entry()["seq"] == seq


def test_a_removed_note_stays_with_who_and_when(note: Note, rui: Person):
    remove_note(actor=rui, note=note, version=note.version)
    kept = Note.objects.get(pk=note.pk)
    assert (kept.text, kept.removed_by) == ("*Beacons* every 60 s", rui)
    assert last_entry()["event"] == "cases:note:removed"
    assert last_entry()["before"] == {"text": "*Beacons* every 60 s"}


def test_only_the_author_changes_or_removes_a_note(note: Note, ana: Person):
    with pytest.raises(CannotNote, match="Rui Alves wrote"):
        change_note(actor=ana, note=note, version=note.version, text="x")
    with pytest.raises(CannotNote, match="Rui Alves wrote"):
        remove_note(actor=ana, note=note, version=note.version)


def test_two_windows_do_not_overwrite_each_other(note: Note, rui: Person):
    change_note(actor=rui, note=note, version=note.version, text="From the other window")
    with pytest.raises(NoteChangedMeanwhile) as meanwhile:
        change_note(actor=rui, note=note, version=1, text="From this one")
    assert meanwhile.value.current.text == "From the other window"
    with pytest.raises(NoteChangedMeanwhile):
        remove_note(actor=rui, note=note, version=1)


def test_a_removed_note_is_not_changed(note: Note, rui: Person):
    removed = remove_note(actor=rui, note=note, version=note.version)
    with pytest.raises(CannotNote, match="removed"):
        change_note(actor=rui, note=note, version=removed.version, text="x")


@pytest.mark.parametrize("text", [" \n ", "x" * 10_001, "a\x00b", "evil\u202egnp", "\ud800"])
def test_a_text_that_cannot_be_kept_is_refused(case: Case, rui: Person, text: str):
    with pytest.raises(CannotNote):
        add_note(actor=rui, case=case, text=text)
    assert not Note.objects.exists()
