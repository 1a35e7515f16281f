from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.models import Case
from footprint.accounts.models import Role
from footprint.ledger.models import Entry
from hunts.models import Run
from tests.cases.views.pages import text_of
from tests.hunts.views.conftest import OpenCase
from tests.roles import client_with

NEW = "/cases/new/"
GIVEN = {
    "title": "Odd updater",
    "why": "It is new",
    "files": "a.exe",
    "source": "local",
    "look_back": "30 days",
}


def post(site: Client, **changed: str) -> Any:
    return site.post(NEW, {**GIVEN, **changed})


def refused(site: Client, **changed: str) -> str:
    """The page that came instead of a case, as text."""
    page = post(site, **changed)
    assert page.status_code == 422
    assert not Case.objects.exists()
    return text_of(page)


def test_a_case_opens_with_its_files_hunt_and_first_run(site: Client) -> None:
    answer = post(site, files="a.exe\r\nB.exe\r\n", look_back="7")
    case = Case.objects.get()
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/cases/{case.pk}/runs/{run.pk}/"
    assert [file.text for file in case.files.all()] == ["a.exe", "B.exe"]
    assert (case.title, case.why, run.hunt.look_back_days) == ("Odd updater", "It is new", 7)
    events = set(Entry.objects.values_list("event", flat=True))
    assert {"cases:case:opened", "hunts:hunt:opened", "hunts:run:opened"} <= events


def test_five_thousand_names_are_one_case(site: Client) -> None:
    post(site, files="\r\n".join(f"name-{number}.exe" for number in range(5000)))
    assert Case.objects.get().files.count() == 5000


def test_a_look_back_may_be_a_day(site: Client) -> None:
    day = datetime.now(UTC).date() - timedelta(days=3)
    post(site, look_back=day.isoformat())
    assert Run.objects.get().first_day == day


@pytest.mark.parametrize(
    ("look_back", "said"),
    [
        ("0", "1 to 3,650 days"),
        ("3651", "1 to 3,650 days"),
        ("999999999", "1 to 3,650 days"),
        ("2999-01-01", "in the future"),
        ("1999-01-01", "too long ago"),
        ("2026-13-01", "a number of days"),
        ("-3", "a number of days"),
        ("soon", "a number of days"),
        ("", "how far"),
    ],
)
def test_a_look_back_that_makes_no_sense_is_told(site: Client, look_back: str, said: str) -> None:
    assert said in refused(site, look_back=look_back)


def test_an_unknown_source_is_told_with_the_known_ones(site: Client) -> None:
    said = refused(site, source="elsewhere")
    assert "no source called elsewhere" in said
    assert "local" in said


def test_each_bad_line_is_told_and_nothing_typed_is_lost(site: Client) -> None:
    typed = 'fine.exe\nC:\\Windows\\svchost.exe\nbell\x07\nqu"ote.exe'
    page = post(site, files=typed, why="A long story")
    said = text_of(page)
    assert "Line 2 C:\\Windows\\svchost.exe" in said
    assert "Line 3 bell\\u0007" in said
    assert "Use svchost.exe instead" in said
    assert page.context["form"]["files"].value() == typed
    assert "A long story" in said


@pytest.mark.parametrize("files", ["", "   \r\n\t\r\n"])
def test_no_file_at_all_is_told(site: Client, files: str) -> None:
    assert "Name at least one file" in refused(site, files=files)


def test_no_title_is_told(site: Client) -> None:
    assert "Give the case a title" in refused(site, title="   ")


def test_a_name_of_a_megabyte_is_told_and_kept(site: Client) -> None:
    page = post(site, files="x" * 1_000_000)
    assert page.status_code == 422
    assert "1,000,000 characters long" in text_of(page)
    assert page.context["form"]["files"].value() == "x" * 1_000_000


def test_more_than_a_request_may_hold_is_answered_413(site: Client) -> None:
    page = post(site, files="x" * 2_200_000)
    assert page.status_code == 413
    assert "still has what you typed" in text_of(page)


def test_one_button_puts_the_name_in_the_place_of_its_path(site: Client) -> None:
    page = post(site, files="one.exe\nC:\\two.exe\n/three", title="Kept", fix="2")
    assert page.status_code == 200
    assert page.context["form"]["files"].value() == "one.exe\ntwo.exe\n/three"
    assert page.context["form"]["title"].value() == "Kept"
    assert not Case.objects.exists()


def test_one_button_mends_all_paths(site: Client) -> None:
    page = post(site, files="C:\\two.exe\n/three", fix="all")
    assert page.context["form"]["files"].value() == "two.exe\nthree"


@pytest.mark.parametrize("fix", ["", "x", "-1", "²"])
def test_a_made_up_fix_is_refused(site: Client, fix: str) -> None:
    assert post(site, fix=fix).status_code == 400


def test_doubles_are_folded_and_told(site: Client) -> None:
    said = text_of(site.post(NEW, {**GIVEN, "files": "a.exe\nA.EXE"}, follow=True))
    assert "One name stands twice" in said
    assert "line 2 is line 1 again" in said


def test_a_sha256_is_hunted_and_warned_about(site: Client) -> None:
    said = text_of(site.post(NEW, {**GIVEN, "files": "a" * 64}, follow=True))
    assert "A SHA256 finds little" in said
    assert Case.objects.get().files.get().kind == "sha256"


def test_a_file_hunted_already_is_told_with_a_link_and_not_refused(
    site: Client, open_a_case: OpenCase
) -> None:
    first = open_a_case("svchost.exe", title="The first").hunt.case
    page = site.post(NEW, {**GIVEN, "files": "SVCHOST.exe"}, follow=True)
    assert f"is already hunted in case {first.pk}" in text_of(page)
    assert f'href="/cases/{first.pk}/"' in page.content.decode()
    assert Case.objects.count() == 2


def test_a_case_that_shares_many_files_is_told_once(site: Client, open_a_case: OpenCase) -> None:
    open_a_case("a.exe", "b.exe", "c.exe")
    said = text_of(site.post("/cases/new/files", {"files": "C.exe\nb.exe\nA.exe"}))
    assert said.count("already hunted") == 1
    assert "A.exe and 2 more are already hunted" in said


def test_of_many_cases_the_youngest_are_told(site: Client, open_a_case: OpenCase) -> None:
    runs = [open_a_case("a.exe") for _ in range(7)]
    said = text_of(site.post("/cases/new/files", {"files": "a.exe"}))
    assert f"in case {runs[-1].hunt.case_id}." in said
    assert f"in case {runs[0].hunt.case_id}." not in said
    assert "More open cases hunt some of these files too." in said


def test_a_closed_case_hunts_nothing_any_more(site: Client, open_a_case: OpenCase) -> None:
    open_a_case("a.exe")
    Case.objects.update(state=Case.State.CLOSED)
    assert "already hunted" not in text_of(site.post(NEW, GIVEN, follow=True))


def test_notices_are_shown_once(site: Client) -> None:
    page = site.post(NEW, {**GIVEN, "files": "a.exe\nA.EXE"}, follow=True)
    assert "stands twice" not in text_of(site.get(page.redirect_chain[-1][0]))


def test_without_a_broker_the_case_opens_and_says_what_happens(site: Client, broker_down: None) -> None:
    said = text_of(site.post(NEW, GIVEN, follow=True))
    assert "the broker is unreachable" in said
    assert "Nothing is lost" in said
    assert Run.objects.get().state == Run.State.QUEUED


def test_html_in_names_and_titles_is_text(site: Client) -> None:
    page = site.post(
        NEW, {**GIVEN, "title": "<script>x</script>", "files": "<img src=x onerror=alert(1)>"}, follow=True
    )
    html = page.content.decode()
    assert "<img src=x" not in html
    assert "<script>x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_html_in_bad_lines_is_text(site: Client) -> None:
    assert "<img" not in post(site, files="/home/<img src=x onerror=alert(1)>").content.decode()


def test_lines_are_told_while_typing_and_nothing_is_saved(site: Client, open_a_case: OpenCase) -> None:
    case = open_a_case("a.exe").hunt.case
    said = text_of(site.post("/cases/new/files", {"files": "a.exe\n/b.exe"}, headers={"HX-Request": "true"}))
    assert "1 file" in said
    assert "Use b.exe instead" in said
    assert f"already hunted in case {case.pk}" in said
    assert Case.objects.count() == 1


@pytest.mark.parametrize("role", list(Role))
def test_who_may_not_open_a_case_sees_no_button_and_is_refused(role: Role, db: None) -> None:
    site = client_with(role)
    may = role in (Role.ANALYST, Role.REVIEWER, Role.LEAD)
    assert (site.get(NEW).status_code == 200) is may
    assert (site.post("/cases/new/files", {"files": "a"}).status_code == 200) is may
    assert (NEW in site.get("/cases/").content.decode()) is may
    if not may:
        assert site.post(NEW, GIVEN).status_code == 403
        assert not Case.objects.exists()


def test_the_form_costs_the_same_whatever_is_hunted(
    site: Client, open_a_case: OpenCase, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        open_a_case(f"{number}.exe", "a.exe")
    with django_assert_max_num_queries(6):
        site.post(NEW, {**GIVEN, "files": "a.exe\n/b.exe"})
