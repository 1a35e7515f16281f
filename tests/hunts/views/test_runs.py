from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.models import Case
from footprint.accounts.models import Role
from footprint.ledger.models import Entry
from hunts.claims import claim
from hunts.models import Coverage, Run, Slice, Source
from tests.cases.views.pages import HTMX, text_of
from tests.hunts.views.conftest import OpenCase
from tests.roles import client_with

TODAY = datetime.now(UTC).date()


def page_of(run: Run) -> str:
    return f"/cases/{run.hunt.case_id}/runs/{run.pk}/"


def progress_of(run: Run) -> str:
    return f"{page_of(run)}progress"


def end(run: Run, state: Run.State = Run.State.COMPLETE, **changes: object) -> None:
    run.slices.update(state=Slice.State.DONE, ended_at=timezone.now())
    Run.objects.filter(pk=run.pk).update(
        state=state, ended_at=timezone.now(), version=run.version + 5, **changes
    )


def test_the_runs_tab_shows_the_youngest_run(site: Client, run: Run) -> None:
    said = text_of(site.get(f"/cases/{run.hunt.case_id}/runs/"))
    assert f"Run {run.pk} queued" in said
    assert "asked by Ana" in said


def test_a_slice_says_its_days_state_try_rows_and_the_words_of_the_source(site: Client, run: Run) -> None:
    Slice.objects.create(
        run=run,
        purpose=Slice.Purpose.DAYS,
        file_kind="name",
        first_day=TODAY - timedelta(days=2),
        last_day=TODAY,
        state=Slice.State.FAILED,
        attempts=3,
        said='504 GatewayTimeout: "<b>too long</b>"',
        worker="celery@w-2 17",
    )
    page = site.get(page_of(run))
    said = text_of(page)
    assert "failed 3 of 3" in said
    assert "“504 GatewayTimeout:" in said
    assert "celery@w-2 17" in said
    assert "<b>too long" not in page.content.decode()


def test_the_calendar_says_which_days_prove_nothing(site: Client, run: Run) -> None:
    for back in range(30):
        day = TODAY - timedelta(days=back)
        state = Coverage.State.OWED if back == 3 else Coverage.State.COVERED
        Coverage.objects.create(hunt=run.hunt, day=day, state=state, run=run)
    end(run, Run.State.PARTIAL, reasons=["2026-11-21: timed out"])
    said = text_of(site.get(page_of(run)))
    assert "29 complete" in said
    assert "1 missing" in said
    assert "not proven for that day" in said
    assert "2026-11-21: timed out" in said


def test_the_text_of_a_slice_is_shown_and_can_be_chosen(site: Client, run: Run) -> None:
    plan = run.slices.get()
    days = Slice.objects.create(
        run=run,
        purpose="days",
        file_kind="name",
        first_day=TODAY,
        last_day=TODAY,
        state="done",
        kql='T | where x == "<y>"',
    )
    Slice.objects.filter(pk=plan.pk).update(kql="the plan's text", state="done")
    assert "&lt;y&gt;" in site.get(page_of(run)).content.decode()
    assert "the plan's text" in text_of(site.get(f"{page_of(run)}?slice={plan.pk}"))
    assert days.kql not in text_of(site.get(f"{page_of(run)}?slice={plan.pk}"))


@pytest.mark.parametrize(("asked", "status"), [("x", 400), ("²", 400), ("9" * 30, 400), ("999999", 404)])
def test_a_made_up_slice_is_refused(site: Client, run: Run, asked: str, status: int) -> None:
    assert site.get(f"{page_of(run)}?slice={asked}").status_code == status


def test_a_slice_of_another_run_is_not_shown(site: Client, open_a_case: OpenCase) -> None:
    one, other = open_a_case("a.exe"), open_a_case("b.exe")
    assert site.get(f"{page_of(one)}?slice={other.slices.get().pk}").status_code == 404


def test_a_run_of_another_case_is_not_shown(site: Client, open_a_case: OpenCase) -> None:
    one, other = open_a_case("a.exe"), open_a_case("b.exe")
    for address in ("", "progress"):
        assert site.get(f"/cases/{one.hunt.case_id}/runs/{other.pk}/{address}").status_code == 404
    assert site.post(f"/cases/{one.hunt.case_id}/runs/{other.pk}/cancel").status_code == 404


def test_the_strip_stands_on_every_other_tab_while_a_run_goes_on(site: Client, run: Run) -> None:
    case = run.hunt.case_id
    for tab in (f"/cases/{case}/", f"/cases/{case}/decisions/", f"/cases/{case}/kql/"):
        assert 'id="run-progress"' in site.get(tab).content.decode()
    assert 'id="run-progress"' not in site.get(page_of(run)).content.decode()
    end(run)
    assert 'id="run-progress"' not in site.get(f"/cases/{case}/").content.decode()


def test_the_strip_shows_slices_rows_new_values_and_time_left(site: Client, run: Run) -> None:
    run.slices.update(state=Slice.State.DONE)
    for back, state in ((1, "done"), (0, "waiting")):
        day = TODAY - timedelta(days=back)
        Slice.objects.create(
            run=run,
            purpose="days",
            file_kind="name",
            first_day=day,
            last_day=day,
            state=state,
            estimated_groups=100,
        )
    Run.objects.filter(pk=run.pk).update(
        state="running", started_at=timezone.now() - timedelta(minutes=4), rows=584_678, new_values=41
    )
    said = text_of(site.get(progress_of(run), headers=HTMX))
    assert "1 of 2 slices" in said
    assert "584,678 rows" in said
    assert "41 new" in said
    assert "about 4 min left" in said


def test_the_strip_is_not_sent_again_while_nothing_moved(site: Client, run: Run) -> None:
    first = site.get(progress_of(run), headers=HTMX)
    seen = {**HTMX, "If-None-Match": first.headers["ETag"]}
    assert site.get(progress_of(run), headers=seen).status_code == 304
    Run.objects.filter(pk=run.pk).update(version=run.version + 1)
    assert site.get(progress_of(run), headers=seen).status_code == 200


def test_the_page_asks_with_the_etag_it_was_given(site: Client, run: Run) -> None:
    for address in (progress_of(run), page_of(run)):
        page = site.get(address, headers=HTMX)
        etag = f'"run-{run.pk}-{run.version}-0"'.replace('"', '\\"')
        assert f'{{"If-None-Match": "{etag}"}}' in page.content.decode()


def test_the_runs_page_is_not_sent_again_while_nothing_moved(site: Client, run: Run) -> None:
    seen = {**HTMX, "If-None-Match": f'"run-{run.pk}-{run.version}-0"'}
    assert site.get(page_of(run), headers=seen).status_code == 304
    assert site.get(page_of(run), headers={"If-None-Match": seen["If-None-Match"]}).status_code == 200


def test_the_text_that_is_being_read_stays_while_the_run_goes_on(site: Client, run: Run) -> None:
    plan = run.slices.get()
    Slice.objects.filter(pk=plan.pk).update(state="done", kql="the plan's text")
    html = site.get(page_of(run)).content.decode().partition('id="run"')[2].partition(">")[0]
    assert f'hx-get="{page_of(run)}?slice={plan.pk}"' in html
    assert "#sent" not in html
    seen = {**HTMX, "If-None-Match": f'"run-{run.pk}-{run.version}-{plan.pk}"'}
    assert seen["If-None-Match"].replace('"', '\\"') in html
    assert site.get(f"{page_of(run)}?slice={plan.pk}", headers=seen).status_code == 304


def test_the_end_stops_the_asking_and_offers_what_is_new(site: Client, run: Run) -> None:
    end(run, rows=90, new_values=41)
    last = site.get(progress_of(run), headers=HTMX)
    assert last.status_code == 286
    assert f"Run {run.pk} is complete: 41 new values, 90 rows Show them" in text_of(last)
    assert "hx-get" not in last.content.decode()
    assert "hx-get" not in site.get(page_of(run)).content.decode().partition('id="run"')[2].partition(">")[0]


def test_run_now_opens_another_run_once_the_first_has_ended(site: Client, run: Run) -> None:
    end(run)
    answer = site.post(f"/cases/{run.hunt.case_id}/runs/now")
    second = Run.objects.latest("pk")
    assert second.pk != run.pk
    assert answer.headers["Location"] == page_of(second)
    assert Entry.objects.filter(event="hunts:run:opened").count() == 2


def test_run_now_leads_to_the_run_underway(site: Client, run: Run) -> None:
    answer = site.post(f"/cases/{run.hunt.case_id}/runs/now", follow=True)
    assert Run.objects.count() == 1
    assert "already underway" in text_of(answer)


def test_run_now_without_a_broker_says_what_happens(site: Client, run: Run, broker_down: None) -> None:
    end(run)
    said = text_of(site.post(f"/cases/{run.hunt.case_id}/runs/now", follow=True))
    assert "the broker is unreachable" in said


def test_cancel_is_asked_for_and_noted(site: Client, run: Run) -> None:
    said = text_of(site.post(f"{page_of(run)}cancel", follow=True))
    assert "is being cancelled" in said
    assert Run.objects.get().cancel_asked_at is not None
    assert Entry.objects.filter(event="hunts:run:cancelled").count() == 1


def test_a_run_of_which_nothing_is_being_asked_is_cancelled_at_once(site: Client, run: Run) -> None:
    site.post(f"{page_of(run)}cancel")
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED


def test_cancelling_twice_says_so(site: Client, run: Run) -> None:
    claim(run.slices.get().pk, "worker 1")
    site.post(f"{page_of(run)}cancel")
    assert "already being cancelled" in text_of(site.post(f"{page_of(run)}cancel", follow=True))


def test_there_is_nothing_to_cancel_in_a_run_that_has_ended(site: Client, run: Run) -> None:
    end(run)
    assert "nothing to cancel" in text_of(site.post(f"{page_of(run)}cancel", follow=True))


@pytest.mark.parametrize("role", list(Role))
def test_who_may_not_run_hunts_sees_no_button_and_is_refused(role: Role, run: Run) -> None:
    site = client_with(role)
    may = role in (Role.ANALYST, Role.REVIEWER, Role.LEAD)
    now, cancel = f"/cases/{run.hunt.case_id}/runs/now", f"{page_of(run)}cancel"
    assert (cancel in site.get(page_of(run)).content.decode()) is may
    assert (cancel in site.get(f"/cases/{run.hunt.case_id}/").content.decode()) is may
    end(run)
    assert (now in site.get(page_of(run)).content.decode()) is may
    if not may:
        assert site.post(now).status_code == 403
        assert site.post(cancel).status_code == 403
        assert Run.objects.count() == 1


@pytest.mark.parametrize("address", ["runs/", "runs/1/", "runs/1/progress", "kql/"])
def test_a_case_that_is_not_there(site: Client, address: str) -> None:
    assert site.get(f"/cases/987654/{address}").status_code == 404


@pytest.mark.parametrize("address", ["now", "{run}/cancel"])
def test_changes_are_posted(site: Client, run: Run, address: str) -> None:
    answer = site.get(f"/cases/{run.hunt.case_id}/runs/{address.format(run=run.pk)}")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("address", ["", "progress"])
def test_pages_are_not_posted_to(site: Client, run: Run, address: str) -> None:
    assert site.post(f"{page_of(run)}{address}").status_code == 405


def test_a_case_without_a_run_says_so(site: Client, case: Case) -> None:
    Slice.objects.all().delete()
    Run.objects.all().delete()
    assert "No run yet" in text_of(site.get(f"/cases/{case.pk}/runs/"))


def test_the_page_costs_the_same_for_many_runs_and_slices(
    site: Client, run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        past = Run.objects.create(
            hunt=run.hunt, slot=str(number), state="complete", first_day=TODAY, last_day=TODAY
        )
        day = {"purpose": "days", "file_kind": "name", "first_day": TODAY, "last_day": TODAY, "state": "done"}
        Slice.objects.create(run=past, **day)
        Slice.objects.create(run=run, **day)
    with django_assert_max_num_queries(14):
        site.get(page_of(run))
    with django_assert_max_num_queries(5):
        site.get(progress_of(run), headers=HTMX)


def fail_one(run: Run) -> Slice:
    run.slices.update(state=Slice.State.FAILED, attempts=3, said="no answer", ended_at=timezone.now())
    Run.objects.filter(pk=run.pk).update(state=Run.State.FAILED, ended_at=timezone.now())
    return run.slices.get()


def test_what_failed_is_asked_again_by_its_button(
    site: Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("footprint.waking.current_app.send_task", lambda *args, **options: None)
    failed = fail_one(run)
    assert "Retry what failed" in text_of(site.get(page_of(run)))
    said = text_of(site.post(f"{page_of(run)}retry", follow=True))
    assert f"What failed of run {run.pk} is asked again." in said
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (Slice.State.WAITING, 0)


def test_a_reader_retries_nothing(run: Run) -> None:
    fail_one(run)
    reader = client_with(Role.READER)
    assert "Retry what failed" not in text_of(reader.get(page_of(run)))
    assert reader.post(f"{page_of(run)}retry").status_code == 403


def test_a_run_that_did_not_fail_has_nothing_to_retry(site: Client, run: Run) -> None:
    end(run)
    assert "Retry what failed" not in text_of(site.get(page_of(run)))
    assert "nothing" in text_of(site.post(f"{page_of(run)}retry", follow=True))


def test_a_run_says_until_when_it_waits_for_the_source(site: Client, run: Run) -> None:
    until = timezone.now() + timedelta(minutes=7)
    run.slices.update(not_before=until, said="429")
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, started_at=timezone.now())
    said = text_of(site.get(page_of(run)))
    assert f"waits for the source until {timezone.localtime(until):%H:%M:%S}" in said


def test_a_run_at_a_paused_source_says_so(site: Client, run: Run) -> None:
    Source.objects.filter(pk=run.hunt.source_id).update(paused_at=timezone.now())
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, started_at=timezone.now())
    assert "waits: the source is paused" in text_of(site.get(page_of(run)))
