from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.models import Case, Note
from cases.note_actions import add_note, change_note, remove_note
from footprint.accounts.models import Person, Role
from tests.cases.views.pages import text_of
from tests.roles import client_with


def notes_url(case: Case) -> str:
    return f"/cases/{case.pk}/notes/"


def note_url(note: Note) -> str:
    return f"/cases/{note.case_id}/notes/{note.pk}/"


def test_a_note_is_written_and_read(site: Client, case: Case) -> None:
    answer = site.post(notes_url(case), {"text": "Every **60** s\r\n\r\n- a"}, follow=True)
    assert answer.redirect_chain[0][0].endswith(f"#note-{Note.objects.get().pk}")
    assert "<strong>60</strong>" in answer.content.decode()
    assert "\r" not in Note.objects.get().text


def test_the_preview_shows_and_saves_nothing(site: Client, case: Case) -> None:
    page = site.post(notes_url(case), {"text": "*so*", "look": "1"}).content.decode()
    part = site.post(f"{notes_url(case)}preview", {"text": "*so*"}).content.decode()
    for shown in (page, part):
        assert "<em>so</em>" in shown
        assert "nothing saved" in shown
    assert ">*so*</textarea>" in page.replace("\n", "")
    assert not Note.objects.exists()


@pytest.mark.parametrize("text", ["", "x" * 10_001, "a\u202eb"])
def test_a_text_that_cannot_be_kept_is_told_at_its_field(site: Client, case: Case, text: str) -> None:
    answer = site.post(notes_url(case), {"text": text})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert text in answer.content.decode()


def test_hostile_markdown_loads_nothing(site: Client, case: Case, rui: Person) -> None:
    add_note(
        actor=rui, case=case, text="![x](https://evil.example/p.png) <script>x</script> [y](javascript:x)"
    )
    page = site.get(notes_url(case)).content.decode()
    assert "<script>x" not in page
    assert 'src="https://evil' not in page
    assert 'href="javascript' not in page


def test_only_my_own_notes_can_be_changed(site: Client, case: Case, rui: Person, ana: Person) -> None:
    mine, hers = (add_note(actor=who, case=case, text="x") for who in (rui, ana))
    page = site.get(notes_url(case)).content.decode()
    assert f'href="{note_url(mine)}' in page
    assert f'href="{note_url(hers)}' not in page
    assert site.get(note_url(hers)).status_code == 403
    assert site.post(f"{note_url(hers)}remove", {"version": "1"}).status_code == 403


def test_a_change_from_another_window_is_shown_beside_mine(site: Client, case: Case, rui: Person) -> None:
    note = add_note(actor=rui, case=case, text="First")
    change_note(actor=rui, note=note, version=1, text="From the other window")
    answer = site.post(note_url(note), {"text": "From this one", "version": "1"})
    assert answer.status_code == 409
    assert "From the other window" in text_of(answer)
    assert "From this one" in answer.content.decode()
    site.post(note_url(note), {"text": "From this one", "version": "2"})
    assert Note.objects.get().text == "From this one"


def test_a_removed_note_is_struck_through_with_who(site: Client, case: Case, rui: Person) -> None:
    note = add_note(actor=rui, case=case, text="Wrong host")
    site.post(f"{note_url(note)}remove", {"version": "1"})
    page = site.get(notes_url(case))
    assert "removed by Rui Alves" in text_of(page)
    assert '<del class="prose"><p>Wrong host' in page.content.decode()


def test_the_tab_counts_notes_that_are_not_removed(site: Client, case: Case, rui: Person) -> None:
    kept, removed = (add_note(actor=rui, case=case, text="x") for _ in range(2))
    remove_note(actor=rui, note=removed, version=1)
    assert "Notes 1 " in text_of(site.get(f"/cases/{case.pk}/"))
    assert kept.pk


def test_the_pages_together_show_every_note_once(site: Client, case: Case, rui: Person) -> None:
    made = [add_note(actor=rui, case=case, text=f"note {number}").pk for number in range(25)]
    first = site.get(notes_url(case)).content.decode()
    second = site.get(f"{notes_url(case)}?before={made[5]}").content.decode()
    assert f"?before={made[5]}" in first
    shown = [pk for pk in reversed(made) for page in (first, second) if f'id="note-{pk}"' in page]
    assert shown == made[::-1]


@pytest.mark.parametrize("role", [Role.READER, Role.AUDITOR, Role.ADMINISTRATOR])
def test_others_read_and_do_not_write(case: Case, rui: Person, role: Role) -> None:
    add_note(actor=rui, case=case, text="Hello")
    client = client_with(role)
    page = client.get(notes_url(case))
    assert "Hello" in text_of(page)
    assert "Add the note" not in text_of(page)
    assert client.post(notes_url(case), {"text": "x"}).status_code == 403


def test_no_note_says_who_writes_them(reading: Client, case: Case) -> None:
    assert "No note yet" in text_of(reading.get(notes_url(case)))


def test_the_page_asks_as_often_for_one_note_as_for_many(
    site: Client, case: Case, rui: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(15):
        add_note(actor=rui, case=case, text="x")
    with django_assert_max_num_queries(9):
        site.get(notes_url(case))
