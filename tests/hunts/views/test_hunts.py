from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.models import Case
from footprint.accounts.models import Person, Role
from hunts.models import Hunt, Run
from hunts.schedule_actions import pause_hunt, set_schedule
from hunts.schedules import Rhythm, Schedule
from tests.hunts.views.conftest import OpenCase
from tests.roles import client_of, person_with

DAILY = {
    "rhythm": "days",
    "every": "1",
    "at": "06:30",
    "time_zone": "Europe/Berlin",
    "cron": "",
    "overlap_hours": "",
}


@pytest.fixture
def hunt(run: Run) -> Hunt:
    return run.hunt


def address(hunt: Hunt, part: str = "schedule/") -> str:
    return f"/hunts/{hunt.pk}/{part}"


def end_run(hunt: Hunt, slot: str, state: str) -> None:
    today = timezone.now().date()
    Run.objects.create(
        hunt=hunt, slot=slot, state=state, first_day=today, last_day=today, ended_at=timezone.now()
    )


def test_a_schedule_is_set_and_shown_in_the_case(site: Client, hunt: Hunt) -> None:
    page = site.post(address(hunt), DAILY, follow=True).content.decode()
    hunt.refresh_from_db()
    assert hunt.schedule is not None
    assert "every day at 06:30 (Europe/Berlin)" in page
    assert "Change schedule" in page


def test_the_next_five_times_are_shown_before_anything_is_saved(site: Client, hunt: Hunt) -> None:
    page = site.post(address(hunt, "schedule/times"), DAILY, headers={"HX-Request": "true"}).content.decode()
    assert page.count("06:30") == 6
    hunt.refresh_from_db()
    assert hunt.schedule is None


def test_the_times_are_shown_without_javascript_too(site: Client, hunt: Hunt) -> None:
    page = site.post(address(hunt), DAILY | {"look": "1"}).content.decode()
    assert page.count("<li>") >= 5
    hunt.refresh_from_db()
    assert hunt.schedule is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"every": "0"}, "Give 1 to 90 days."),
        ({"every": "three"}, "Give a whole number."),
        ({"every": ""}, "Give a number of days."),
        ({"at": "25:00"}, "Give a time of day"),
        ({"time_zone": "Europe/Nowhere"}, "Give a zone such as"),
        ({"rhythm": "cron", "cron": "* * * * *"}, "every 15 minutes at most"),
        ({"rhythm": "now and then"}, "Choose how often"),
    ],
)
def test_bad_input_is_told_and_nothing_typed_is_lost(
    site: Client, hunt: Hunt, change: dict[str, str], said: str
) -> None:
    response = site.post(address(hunt), DAILY | {"overlap_hours": "77"} | change)
    assert response.status_code == 422
    page = response.content.decode()
    assert said in page
    assert 'value="77"' in page
    hunt.refresh_from_db()
    assert hunt.schedule is None


def test_a_count_of_days_goes_on_when_only_the_time_is_changed(site: Client, hunt: Hunt) -> None:
    site.post(address(hunt), DAILY | {"every": "7"})
    Hunt.objects.update(starts_on="2026-11-02")
    site.post(address(hunt), DAILY | {"every": "7", "at": "09:00"})
    hunt.refresh_from_db()
    assert hunt.starts_on.isoformat() == "2026-11-02"


def test_a_hunt_is_paused_and_resumed(site: Client, hunt: Hunt) -> None:
    site.post(address(hunt), DAILY)
    assert "paused by Ana" in site.post(address(hunt, "pause"), follow=True).content.decode()
    site.post(address(hunt, "resume"))
    hunt.refresh_from_db()
    assert hunt.paused_at is None


def test_what_is_not_scheduled_cannot_be_paused(site: Client, hunt: Hunt) -> None:
    page = site.post(address(hunt, "pause"), follow=True).content.decode()
    assert "nothing to pause" in page


def test_a_closed_case_keeps_its_schedule(site: Client, hunt: Hunt) -> None:
    Case.objects.update(state=Case.State.CLOSED)
    assert "closed" in site.post(address(hunt), DAILY, follow=True).content.decode()


@pytest.mark.parametrize("part", ["pause", "resume", "schedule/", "schedule/times"])
def test_a_reader_changes_no_schedule(hunt: Hunt, part: str) -> None:
    reader = client_of(person_with(Role.READER, "rea"))
    assert reader.post(address(hunt, part), DAILY).status_code == 403


def test_hunts_in_trouble_come_first_then_the_next_one_due(
    site: Client, ana: Person, open_a_case: OpenCase
) -> None:
    later, sooner, failing, unscheduled = (open_a_case(title=f"case {number}").hunt for number in range(4))
    for hunt, hours in ((later, 48), (sooner, 1), (failing, 72)):
        set_schedule(actor=ana, hunt=hunt, schedule=Schedule(Rhythm.HOURS, hours))
        Hunt.objects.filter(pk=hunt.pk).update(next_at=timezone.now() + timedelta(hours=hours))
    for number in range(3):
        end_run(failing, str(number), "failed")
    page = site.get("/hunts/").content.decode()
    places = [page.index(f">hunt {hunt.pk}<") for hunt in (failing, sooner, later, unscheduled)]
    assert places == sorted(places)
    assert "Last 3 runs, oldest left: 3 failed" in page


def test_a_hunt_in_trouble_reaches_the_inbox_and_a_single_failure_does_not(
    site: Client, ana: Person, hunt: Hunt
) -> None:
    set_schedule(actor=ana, hunt=hunt, schedule=Schedule(Rhythm.HOURS, 1))
    end_run(hunt, "due 1", "failed")
    assert "Runs in trouble" not in site.get("/").content.decode()
    end_run(hunt, "due 2", "failed")
    end_run(hunt, "due 3", "failed")
    assert f"Hunt {hunt.pk} did not end complete three times in a row" in site.get("/").content.decode()
    pause_hunt(actor=ana, hunt=hunt)
    assert "Hunts in trouble" not in site.get("/").content.decode()


def test_no_hunt_says_so(site: Client) -> None:
    assert "No hunt yet" in site.get("/hunts/").content.decode()


def test_the_page_asks_as_often_for_one_hunt_as_for_many(
    site: Client, open_a_case: OpenCase, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        end_run(open_a_case().hunt, "1", "complete")
    with django_assert_max_num_queries(8):
        site.get("/hunts/")
