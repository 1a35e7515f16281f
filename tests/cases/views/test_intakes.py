from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.intake_actions import SMALL_LIST, confirm, shown_of
from cases.intakes.examining import examine
from cases.intakes.landing import land_waiting
from cases.intakes.taking_in import LARGEST_BYTES
from cases.models import Decision, Intake, IntakeLine
from footprint.accounts.models import Person, Role
from tests.cases.intakes.test_taking_in import taken
from tests.cases.views.pages import HTMX, text_of
from tests.cases.views.test_decision_list import made
from tests.roles import client_with


def paste(site: Client, text: str, verdict: str = "blocked", **more: object) -> Intake:
    answer = site.post("/intakes/new/", {"verdict": verdict, "pasted": text, "reader": "", **more})
    assert answer.status_code == 302, text_of(answer)
    return Intake.objects.get(pk=int(answer.headers["Location"].split("/")[2]))


def test_a_pasted_list_is_shown_before_anything_is_decided(site: Client) -> None:
    intake = paste(site, "hxxp://a[.]example/x\n*.com\nwords words\n")
    said = text_of(site.get(f"/intakes/{intake.pk}/"))
    assert "New 1 Known 0 Contradicting 0 Says otherwise 0 Too wide 1 Unreadable 1 Repeated 0" in said
    assert "Block 1 everywhere" in said
    assert "a.example" in said
    assert not Decision.objects.exists()


def test_a_file_is_read_with_its_name(site: Client) -> None:
    answer = site.post(
        "/intakes/new/",
        {"verdict": "allowed", "file": SimpleUploadedFile("good.csv", b"value,why\na.example,x\n")},
    )
    intake = Intake.objects.get()
    assert answer.headers["Location"] == f"/intakes/{intake.pk}/"
    assert (intake.name, intake.reader, intake.verdict) == ("good.csv", "csv", "allowed")


def test_each_group_shows_its_lines_with_the_cause(site: Client, rui: Person) -> None:
    contrary = made(rui, "b.example", verdict="allowed", reason="Ours")
    intake = paste(site, "b.example\nwords words\n*.com\n")
    said = text_of(site.get(f"/intakes/{intake.pk}/?group=unreadable"))
    assert "2 words words “words words” is no name, address or network." in said
    assert "too wide" in text_of(site.get(f"/intakes/{intake.pk}/?group=too+wide"))
    page = site.get(f"/intakes/{intake.pk}/?group=contradicting").content.decode()
    assert f'href="/decisions/{contrary.pk}/"' in page


def test_the_pages_together_show_every_line_once(site: Client) -> None:
    intake = paste(site, "\n".join(f"n{number}.example" for number in range(60)))
    page = site.get(f"/intakes/{intake.pk}/").content.decode()
    after = re.search(r'href="([^"]*after=50)" rel="next"', page)
    assert after is not None
    rest = site.get(after[1].replace("&amp;", "&")).content.decode()
    shown = re.findall(r"<bdi>(n\d+\.example)</bdi></th>", page + rest)
    assert len(shown) == len(set(shown)) == 60


def test_what_could_not_be_read_is_taken_away_as_csv(site: Client) -> None:
    intake = paste(site, 'a.example\n=HYPERLINK("x") y\nwords, "words"\n')
    answer = site.get(f"/intakes/{intake.pk}/lines?group=unreadable")
    assert isinstance(answer, StreamingHttpResponse)
    content = answer.getvalue().decode()
    assert content.splitlines()[0] == "line,text,reason"
    assert '2,"\'=HYPERLINK(""x"") y",' in content
    assert '3,"words, ""words""",' in content
    assert "attachment" in answer.headers["Content-Disposition"]


def test_confirmed_lines_land_and_the_page_tells_what_became_of_them(site: Client, rui: Person) -> None:
    intake = paste(site, "a.example\n*.b.example\nwords words\n")
    answer = site.post(f"/intakes/{intake.pk}/confirm", {"reason": "List of the hoster", "until": "365"})
    assert answer.status_code == 302
    assert "Deciding: 0 of 2 lines" in text_of(site.get(f"/intakes/{intake.pk}/"))
    land_waiting()
    said = text_of(site.get(f"/intakes/{intake.pk}/"))
    assert "Decided 1 Proposed 1 Unreadable 1" in said
    assert "List of the hoster" in said
    decision = Decision.objects.in_force().get()
    assert decision.expires_at is not None
    assert f'href="/decisions/{decision.pk}/"' in site.get(f"/intakes/{intake.pk}/").content.decode()


def test_progress_is_a_part_and_ends_with_the_whole_page(site: Client, rui: Person) -> None:
    intake = paste(site, "a.example\n")
    confirm(actor=rui, intake=intake, reason="List")
    part = site.get(f"/intakes/{intake.pk}/progress", headers=HTMX)
    assert "<html" not in part.content.decode()
    assert "0 of 1" in text_of(part).replace("  ", " ")
    land_waiting()
    ended = site.get(f"/intakes/{intake.pk}/progress", headers=HTMX)
    assert ended.status_code == 286
    assert ended.headers["HX-Refresh"] == "true"


def test_a_missing_reason_is_asked_for_at_its_field(site: Client) -> None:
    intake = paste(site, "a.example\n")
    answer = site.post(f"/intakes/{intake.pk}/confirm", {"reason": "", "until": "30"})
    assert answer.status_code == 422
    assert "Say why" in text_of(answer)
    assert 'value="30" selected' in answer.content.decode()
    assert Intake.objects.get().state == "draft"


@pytest.mark.parametrize("reason", ["a\u202eb", "a\x07b", "x" * 5000])
def test_a_reason_nobody_can_read_is_refused(site: Client, reason: str) -> None:
    intake = paste(site, "a.example\n")
    assert site.post(f"/intakes/{intake.pk}/confirm", {"reason": reason}).status_code == 422


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"verdict": "blocked"}, "Choose a file or paste a list."),
        ({"pasted": "a.example"}, "This field is required."),
        ({"verdict": "blocked", "pasted": "# nothing\n"}, "The list is empty"),
        ({"verdict": "blocked", "pasted": '{"a": 1}'}, "no warninglist"),
        ({"verdict": "blocked", "pasted": "a.example", "reader": "excel"}, "Select a valid choice"),
        (
            {"verdict": "blocked", "pasted": "a.example", "file": SimpleUploadedFile("a.txt", b"b.example")},
            "There is a file and a pasted text",
        ),
        ({"verdict": "blocked", "file": SimpleUploadedFile("a.xlsx", b"PK\x03\x04")}, "Excel workbook"),
        ({"verdict": "blocked", "file": SimpleUploadedFile("a.txt", b"")}, "The submitted file is empty."),
    ],
)
def test_a_bad_list_is_told_at_its_field_and_nothing_typed_is_lost(
    site: Client, given: dict[str, object], said: str
) -> None:
    answer = site.post("/intakes/new/", given)
    assert answer.status_code == 422
    assert said in text_of(answer)
    if "pasted" in given:
        assert "a.example" in answer.content.decode() or given["pasted"] != "a.example"
    assert not Intake.objects.exists()


def test_a_long_list_waits_for_a_lead(site: Client) -> None:
    intake = paste(site, "\n".join(f"n{number}.example" for number in range(SMALL_LIST + 1)))
    assert "A lead confirms this list." in text_of(site.get(f"/intakes/{intake.pk}/"))
    answer = site.post(f"/intakes/{intake.pk}/confirm", {"reason": "List"})
    assert answer.status_code == 422
    lead = client_with(Role.LEAD)
    assert lead.post(f"/intakes/{intake.pk}/confirm", {"reason": "List"}).status_code == 302


def test_dropping_and_stopping(site: Client, rui: Person) -> None:
    dropped = paste(site, "a.example\n")
    site.post(f"/intakes/{dropped.pk}/drop")
    stopped = paste(site, "b.example\n")
    confirm(actor=rui, intake=stopped, reason="List")
    site.post(f"/intakes/{stopped.pk}/stop")
    states = dict(Intake.objects.values_list("pk", "state"))
    assert states == {dropped.pk: "dropped", stopped.pk: "stopped"}
    # Twice says so, and changes nothing.
    site.post(f"/intakes/{stopped.pk}/stop")
    assert "already" in text_of(site.get(f"/intakes/{stopped.pk}/"))


def test_html_and_marks_in_lines_and_names_are_shown_as_they_are(site: Client) -> None:
    site.post(
        "/intakes/new/",
        {
            "verdict": "blocked",
            "file": SimpleUploadedFile("<img src=x>\u202e.txt", "<b>x</b> y\u202ez\n".encode()),
        },
    )
    page = site.get(f"/intakes/{Intake.objects.get().pk}/").content.decode()
    assert "<img" not in page
    assert "<b>x" not in page
    assert "\\u202e" in page


def test_a_list_that_changes_nothing_offers_nothing(site: Client, rui: Person) -> None:
    made(rui, "a.example")
    intake = paste(site, "a.example\n")
    page = text_of(site.get(f"/intakes/{intake.pk}/"))
    assert "Nothing to decide." in page
    assert "Block 0" not in page


@pytest.mark.parametrize("role", list(Role))
def test_who_may_import(role: Role, rui: Person) -> None:
    client, intake = client_with(role), taken(rui, "a.example\n")
    may = role in {Role.REVIEWER, Role.LEAD}
    assert client.get("/intakes/new/").status_code == (200 if may else 403)
    for act in ("confirm", "drop", "stop"):
        if not may:
            assert client.post(f"/intakes/{intake.pk}/{act}").status_code == 403
    # What was imported is for everybody to see.
    assert client.get(f"/intakes/{intake.pk}/").status_code == 200


@pytest.mark.parametrize("query", ["group=x", "after=x"])
def test_what_nobody_can_mean_is_refused(site: Client, rui: Person, query: str) -> None:
    assert site.get(f"/intakes/{taken(rui, 'a.example').pk}/?{query}").status_code == 400


def test_the_page_asks_as_often_for_one_line_as_for_many(
    site: Client, rui: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    intake = paste(site, "\n".join(f"n{number}.example" for number in range(40)))
    with django_assert_max_num_queries(9):
        site.get(f"/intakes/{intake.pk}/")


def test_what_was_decided_since_the_preview_is_shown_before_it_counts(site: Client, rui: Person) -> None:
    intake = paste(site, "a.example\nb.example\n")
    seen = re.search(r'name="seen" value="([^"]*)"', site.get(f"/intakes/{intake.pk}/").content.decode())
    assert seen is not None
    made(rui, "a.example")
    given = {"reason": "List of the hoster", "until": "30", "seen": seen[1]}
    answer = site.post(f"/intakes/{intake.pk}/confirm", given)
    assert answer.status_code == 422
    said = text_of(answer)
    assert "what is shown now is not what you saw" in said
    assert "New 1 Known 1" in said
    assert "List of the hoster" in said
    seen = re.search(r'name="seen" value="([^"]*)"', answer.content.decode())
    assert seen is not None
    again = site.post(f"/intakes/{intake.pk}/confirm", given | {"seen": seen[1]})
    assert again.status_code == 302


def test_only_who_may_confirm_makes_the_page_sum_up_the_lines(site: Client, rui: Person) -> None:
    intake = paste(site, "a.example\nb.example\n")
    asked = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        client_with(Role.READER).get(f"/intakes/{intake.pk}/")
    assert not any("string_agg" in sql.lower() for sql in asked)
    before = shown_of(intake)
    contrary = made(rui, "b.example", verdict="allowed", reason="Ours")
    examine(intake)
    assert IntakeLine.objects.filter(intake=intake, against=contrary).count() == 1
    assert len(before) == 64
    assert shown_of(intake) != before


def test_a_paste_that_is_too_large_is_told_the_way_of_a_file(site: Client) -> None:
    answer = site.post("/intakes/new/", {"verdict": "blocked", "pasted": "a.example\n" * 220_000})
    assert answer.status_code == 413
    assert "Choose it as a file: that may have 10 MB." in text_of(answer)
    assert "your browser still has what you typed" in text_of(answer)


def test_the_form_tells_the_browser_how_large_a_list_may_be(site: Client) -> None:
    assert f'data-largest="{LARGEST_BYTES}"' in site.get("/intakes/new/").content.decode()


def test_a_long_paste_that_is_refused_comes_back_where_it_was_typed(site: Client) -> None:
    text = "a.example\nb.example\n"
    answer = site.post(
        "/intakes/new/",
        {"verdict": "neither", "pasted": "", "file": SimpleUploadedFile("pasted.txt", text.encode())},
    )
    assert answer.status_code == 422
    assert answer.context["form"]["pasted"].value() == text
    assert text in answer.content.decode()


def test_what_is_wrong_with_a_long_paste_is_told_where_it_was_typed(site: Client) -> None:
    answer = site.post(
        "/intakes/new/",
        {"verdict": "blocked", "pasted": "", "file": SimpleUploadedFile("pasted.txt", b"# nothing\n")},
    )
    form = answer.context["form"]
    assert (answer.status_code, list(form.errors)) == (422, ["pasted"])


def test_a_chosen_file_of_another_name_is_not_put_into_the_field(site: Client) -> None:
    answer = site.post(
        "/intakes/new/",
        {"verdict": "neither", "pasted": "", "file": SimpleUploadedFile("good.txt", b"a.example\n")},
    )
    assert not answer.context["form"]["pasted"].value()
