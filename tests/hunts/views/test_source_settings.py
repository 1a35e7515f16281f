"""Adding, changing, testing, pausing and resuming a source on its pages."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from celery import current_app
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from footprint.accounts.models import Person, Role
from footprint.ledger.record import Actor
from hunts.models import LookUp, Run, Slice, Source
from hunts.probing import LONGEST_PROBE
from hunts.source_actions import add_source, change_source, note_probe, pause_source
from hunts.sources.base import Check, Probe, Step
from tests.cases.views.pages import HTMX, text_of
from tests.hunts.views.conftest import OpenCase
from tests.lab.__main__ import WORKSPACE
from tests.roles import client_of, client_with, person_with

TYPED = {
    "slug": "sentinel",
    "title": "Sentinel <prod>",
    "workspace": WORKSPACE,
    "more_workspaces": "",
    "way": "client_secret",
    "variable": "CONTOSO",
    "owner": "",
    "at_once": "3",
    "per_30_seconds": "150",
    "endpoint": "",
    "audience": "",
    "authority": "",
    "retention_days": "90",
    "max_rows": "",
}


@pytest.fixture
def lea(db: None) -> Person:
    return person_with(Role.LEAD, "lea")


@pytest.fixture
def lead(lea: Person, valkey: Redis) -> Client:
    return client_of(lea)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the messages that workers are sent."""
    names: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, *args, **options: names.append(name))
    return names


@pytest.fixture
def sentinel(db: None) -> Source:
    return add_source(
        actor=Actor.command("tests"),
        slug="sentinel",
        kind="log_analytics",
        title="Sentinel",
        options={"workspace": WORKSPACE},
        credential="managed_identity",
    )


def error_at(page: str, field: str) -> str:
    found = re.search(rf'id="id_{field}_error">(.*?)</div>', page, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found[1]).strip() if found else ""


def test_a_lead_adds_a_source_which_is_tested_at_once(lead: Client, lea: Person, sent: list[str]) -> None:
    answer = lead.post("/sources/new/log_analytics/", {**TYPED, "owner": str(lea.pk)})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sources/sentinel/")
    source = Source.objects.get(slug="sentinel")
    assert source.options == {"workspace": WORKSPACE, "retention_days": "90"}
    assert (source.credential, source.owner) == ("client_secret:CONTOSO", lea)
    assert (source.at_once, source.per_30_seconds) == (3, 150)
    assert sent == ["hunts.tasks.probe_source"]
    page = text_of(lead.get("/sources/sentinel/"))
    assert "A worker is testing it" in page
    assert WORKSPACE in page


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("slug", {"slug": "local"}),
        ("slug", {"slug": "new"}),
        ("slug", {"slug": ""}),
        ("title", {"title": ""}),
        ("workspace", {"workspace": "contoso"}),
        ("workspace", {"workspace": ""}),
        ("variable", {"way": "token", "variable": ""}),
        ("variable", {"way": "token", "variable": "SECRET_KEY"}),
        ("variable", {"variable": "a b"}),
        ("way", {"way": "password"}),
        ("endpoint", {"endpoint": "http://10.0.0.1"}),
        ("endpoint", {"endpoint": "ftp://a.example"}),
        ("at_once", {"at_once": "0"}),
        ("retention_days", {"retention_days": "soon"}),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_field_and_nothing_typed_is_lost(
    lead: Client, field: str, typed: dict[str, str]
) -> None:
    answer = lead.post("/sources/new/log_analytics/", {**TYPED, **typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert error_at(page, field)
    for name in ("title", "slug", "workspace", "endpoint", "variable"):
        value = {**TYPED, **typed}[name].replace("<", "&lt;").replace(">", "&gt;")
        assert not value or f'value="{value}"' in page
    assert not Source.objects.filter(kind="log_analytics").exists()


@pytest.mark.parametrize("kind", Source.Kind.values)
def test_a_form_asks_only_for_what_its_kind_has(lead: Client, kind: str) -> None:
    page = lead.get(f"/sources/new/{kind}/").content.decode()
    assert ('name="workspace"' in page) == (kind == "log_analytics")
    assert ('name="database"' in page) == (kind == "data_explorer")
    assert ('name="way"' in page) == (kind != "local")
    assert ('name="keep_days"' in page) == (kind == "local")


def test_there_is_no_form_of_an_unknown_kind(lead: Client) -> None:
    assert lead.get("/sources/new/splunk/").status_code == 404


def test_a_change_is_made_from_the_form_that_shows_what_is(lead: Client, sentinel: Source) -> None:
    page = lead.get("/sources/sentinel/edit").content.decode()
    assert f'value="{WORKSPACE}"' in page
    assert 'name="slug"' not in page
    answer = lead.post("/sources/sentinel/edit", {**TYPED, "seen": "1", "retention_days": ""})
    assert answer.headers["Location"] == "/sources/sentinel/"
    sentinel.refresh_from_db()
    assert (sentinel.title, sentinel.credential) == ("Sentinel <prod>", "client_secret:CONTOSO")
    assert sentinel.options == {"workspace": WORKSPACE}


def test_a_change_over_somebody_elses_is_told_first_and_taken_when_sent_again(
    lead: Client, sentinel: Source
) -> None:
    change_source(actor=Actor.command("tests"), source=sentinel, at_once=9)
    answer = lead.post("/sources/sentinel/edit", {**TYPED, "seen": "1"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "somebody changed this source meanwhile" in page
    assert 'value="CONTOSO"' in page
    assert Source.objects.get(slug="sentinel").at_once == 9
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    assert lead.post("/sources/sentinel/edit", {**TYPED, "seen": seen[1]}).status_code == 302
    assert Source.objects.get(slug="sentinel").at_once == 3


def test_pausing_needs_a_reason_and_shows_it(lead: Client, sentinel: Source) -> None:
    answer = lead.post("/sources/sentinel/pause", {"reason": " "})
    assert answer.status_code == 422
    assert "Say why" in error_at(answer.content.decode(), "reason")
    lead.post("/sources/sentinel/pause", {"reason": "Moves to another tenant"})
    said = text_of(lead.get("/sources/sentinel/"))
    assert "Paused by Lea" in said
    assert "Moves to another tenant" in said
    lead.post("/sources/sentinel/resume")
    assert "Paused by" not in text_of(lead.get("/sources/sentinel/"))


def test_a_source_that_refused_stands_first_and_says_what_it_said(lead: Client, sentinel: Source) -> None:
    pause_source(actor=Actor.run(4), source=sentinel, because="AuthorizationFailed <script>")
    page = lead.get("/sources/")
    assert page.content.decode().index("Sentinel") < page.content.decode().index("Imported telemetry")
    assert "paused itself" in text_of(page)
    assert "AuthorizationFailed &lt;script&gt;" in lead.get("/sources/sentinel/").content.decode()


def test_a_failed_test_shows_its_step_the_services_words_and_what_to_do(
    lead: Client, lea: Person, sentinel: Source
) -> None:
    failed = Check(Step.PERMITTED, False, "It refused.", "InsufficientAccessError", "Give it Reader.")
    probe = Probe((Check(Step.REACHED, True, "It answers."), failed))
    note_probe(actor=Actor.person(lea), source=sentinel, probe=probe)
    said = text_of(lead.get("/sources/sentinel/"))
    for words in ("reached", "permitted", "InsufficientAccessError", "What to do: Give it Reader."):
        assert words in said
    assert "test failed: permitted" in text_of(lead.get("/sources/"))


def test_a_test_of_other_settings_is_said_to_be_one(lead: Client, lea: Person, sentinel: Source) -> None:
    note_probe(actor=Actor.person(lea), source=sentinel, probe=Probe((Check(Step.REACHED, True, "ok"),)))
    assert "can be asked" in text_of(lead.get("/sources/"))
    change_source(actor=Actor.command("tests"), source=sentinel, at_once=1)
    assert "changed since its test" in text_of(lead.get("/sources/"))
    assert "changed or resumed since this test" in text_of(lead.get("/sources/sentinel/"))


def test_the_page_polls_while_a_test_goes_on_and_no_longer(
    lead: Client, lea: Person, sentinel: Source, sent: list[str]
) -> None:
    lead.post("/sources/sentinel/test")
    lead.post("/sources/sentinel/test")
    assert sent == ["hunts.tasks.probe_source"]
    assert "hx-trigger" in lead.get("/sources/sentinel/probe", headers=HTMX).content.decode()
    sentinel.refresh_from_db()
    note_probe(actor=Actor.person(lea), source=sentinel, probe=Probe((Check(Step.REACHED, True, "ok"),)))
    assert "hx-trigger" not in lead.get("/sources/sentinel/probe", headers=HTMX).content.decode()


def test_a_test_that_no_worker_did_is_said_to_be_lost(lead: Client, sentinel: Source) -> None:
    long_ago = timezone.now() - LONGEST_PROBE - timedelta(seconds=1)
    Source.objects.filter(pk=sentinel.pk).update(probe_asked_at=long_ago)
    page = lead.get("/sources/sentinel/")
    assert "The last test was lost" in text_of(page)
    assert "Test now" in text_of(page)


def test_a_test_that_cannot_be_sent_is_told_and_not_waited_for(
    lead: Client, sentinel: Source, broker_down: None
) -> None:
    said = text_of(lead.post("/sources/sentinel/test", follow=True))
    assert "the broker is unreachable" in said
    assert "A worker is testing it" not in said


@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("role", [Role.READER, Role.ANALYST, Role.REVIEWER, Role.AUDITOR])
def test_who_may_not_manage_sources_reads_them_only(role: Role, sentinel: Source) -> None:
    site = client_with(role)
    said = text_of(site.get("/sources/sentinel/"))
    assert WORKSPACE in said
    for words in ("Test now", "Edit", "Pause"):
        assert words not in said
    for path in ("test", "pause", "resume", "edit"):
        assert site.post(f"/sources/sentinel/{path}", {"reason": "x"}).status_code == 403
    for path in ("new/", "new/local/", "sentinel/edit"):
        assert site.get(f"/sources/{path}").status_code == 403
    sentinel.refresh_from_db()
    assert (sentinel.is_paused, sentinel.version) == (False, 1)


def test_costs_and_errors_of_runs_are_shown(site: Client, run: Run) -> None:
    asked = run.slices.get()
    facts = {"fence": 5, "questions": 3, "rows": 41_000, "bytes": 6_100_000, "seconds": 12.4, "attempts": 3}
    Slice.objects.filter(pk=asked.pk).update(
        **facts, state="failed", said="503 <Busy>", started_at=timezone.now(), ended_at=timezone.now()
    )
    page = site.get("/sources/local/")
    said = text_of(page)
    assert "3 questions 41,000 rows 6.1 MB 12 s of asking" in said
    assert "503 &lt;Busy&gt;" in page.content.decode()
    assert f"run {run.pk}" in said
    assert "1 question failed today" in text_of(site.get("/sources/"))


def test_look_ups_count_among_what_a_source_was_asked(site: Client, run: Run) -> None:
    case, source = run.hunt.case, run.hunt.source
    LookUp.objects.create(
        case=case,
        source=source,
        question="talkers",
        subject_kind="name",
        subject="a.test",
        first_day=date(2026, 11, 1),
        last_day=date(2026, 11, 2),
        asked_by=case.owner,
        questions=2,
        seconds=3.0,
    )
    assert "2 questions 0 rows 0 MB 3.0 s of asking" in text_of(site.get("/sources/local/"))


def _end_slices_of(run: Run, *states: str) -> None:
    """One for each state, each tried before and saying which it is."""
    run.slices.all().delete()
    now, day = timezone.now(), date(2026, 11, 1)
    facts = {"purpose": "days", "file_kind": "name", "first_day": day, "last_day": day, "attempts": 1}
    for state in states:
        Slice.objects.create(
            run=run, state=state, said=f"said when {state}", started_at=now, ended_at=now, **facts
        )


def test_what_could_not_be_had_whole_is_an_error_with_its_own_state(site: Client, run: Run) -> None:
    _end_slices_of(run, "partial", "out of retention", "done", "split")
    page = site.get("/sources/local/")
    said = text_of(page)
    assert "in part said when partial" in said
    assert "out of retention said when out of retention" in said
    assert "state is-running" not in page.content.decode()


def test_what_was_answered_in_the_end_or_asked_in_pieces_is_no_error(site: Client, run: Run) -> None:
    _end_slices_of(run, "done", "split")
    assert "No question of a run failed here." in text_of(site.get("/sources/local/"))


def test_a_source_that_answers_in_part_is_in_trouble(site: Client, run: Run) -> None:
    _end_slices_of(run, "partial", "partial", "out of retention", "split", "done")
    assert "2 questions answered in part today" in text_of(site.get("/sources/"))


def test_what_is_no_longer_kept_and_what_was_split_is_no_trouble(site: Client, run: Run) -> None:
    _end_slices_of(run, "out of retention", "split", "done")
    said = text_of(site.get("/sources/"))
    assert "failed today" not in said
    assert "in part today" not in said


def test_the_cost_of_other_months_is_not_counted(site: Client, run: Run) -> None:
    long_ago = timezone.now() - timedelta(days=31)
    run.slices.update(questions=3, rows=41_000, started_at=long_ago)
    assert "0 questions 0 rows" in text_of(site.get("/sources/local/"))


def test_the_pages_cost_the_same_for_many_sources_and_errors(
    site: Client, run: Run, sentinel: Source, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        add_source(
            actor=Actor.command("tests"), slug=f"xdr-{number}", kind="defender_xdr", credential="default"
        )
        day = date(2026, 11, 1 + number)
        Slice.objects.create(
            run=run,
            purpose="days",
            file_kind="name",
            first_day=day,
            last_day=day,
            state="failed",
            said="503",
            started_at=timezone.now(),
        )
    with django_assert_max_num_queries(6):
        site.get("/sources/")
    with django_assert_max_num_queries(10):
        site.get("/sources/local/")


def test_a_case_is_opened_only_at_sources_that_are_not_paused(site: Client, sentinel: Source) -> None:
    pause_source(actor=Actor.run(4), source=sentinel, because="100% refused")
    page = site.get("/cases/new/")
    assert 'value="local"' in page.content.decode()
    assert 'value="sentinel"' not in page.content.decode()
    assert "Sentinel is paused and cannot be asked. 100% refused" in text_of(page)
    typed = {"title": "T", "files": "a.exe", "source": "sentinel", "look_back": "30"}
    answer = site.post("/cases/new/", typed)
    assert answer.status_code == 422
    assert "Sentinel is paused. 100% refused" in error_at(answer.content.decode(), "source")


def test_an_unknown_source_is_not_found(site: Client, open_a_case: OpenCase) -> None:
    assert site.get("/sources/nowhere/").status_code == 404
