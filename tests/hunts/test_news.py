"""What a run says is new, back or quiet, and that it says it once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from cases.models import Case, CaseValue
from footprint.accounts.models import Person, Role
from hunts import runs
from hunts.models import Coverage, Hunt, Run, RunNews, Source
from tests.cases.world import merge_and_settle, open_case, row
from tests.roles import person_with

pytestmark = pytest.mark.django_db

TODAY = datetime.now(UTC).date()


@pytest.fixture
def rui(db: None) -> Person:
    return person_with(Role.REVIEWER, "rui")


@pytest.fixture
def case(rui: Person) -> Case:
    return open_case(rui, "a.exe")


@pytest.fixture
def hunt(case: Case, rui: Person) -> Hunt:
    hunt = Hunt.objects.create(case=case, source=Source.objects.get(slug="local"), opened_by=rui)
    hunt.files.set(case.files.all())
    return hunt


def begin(hunt: Hunt, slot: str) -> Run:
    days = {"first_day": TODAY - timedelta(days=29), "last_day": TODAY}
    # The test is one transaction, so for the database everything in it happens at its beginning.
    moment = Now() - timedelta(minutes=1)
    return Run.objects.create(hunt=hunt, slot=slot, state="running", started_at=moment, **days)


def seen(case: Case, name: str, *days_ago: int) -> None:
    for ago in days_ago:
        moment = datetime.combine(TODAY, datetime.min.time(), UTC) - timedelta(days=ago) + timedelta(hours=1)
        merge_and_settle(case, row(dns=name, day=moment.date(), first_seen=moment, last_seen=moment))


def end(run: Run) -> list[tuple[str, str]]:
    """The news of a run that ends, as (value, kind)."""
    runs.conclude(run.pk)
    found = RunNews.objects.filter(run=run).order_by("value__value")
    return list(found.values_list("value__value", "kind"))


def cover(run: Run, *, lacking: int | None = None) -> None:
    for ago in range(60):
        if ago != lacking:
            Coverage.objects.create(hunt=run.hunt, day=TODAY - timedelta(days=ago), state="covered", run=run)


def known_since(case: Case, days: int) -> None:
    CaseValue.objects.filter(case=case).update(added_at=timezone.now() - timedelta(days=days))


def test_a_value_is_new_in_the_run_that_brought_it_and_in_no_later_one(case: Case, hunt: Hunt) -> None:
    first = begin(hunt, "1")
    seen(case, "a.example", 0)
    assert end(first) == [("a.example", "new")]
    second = begin(hunt, "2")
    seen(case, "a.example", 0)
    seen(case, "b.example", 1)
    assert end(second) == [("b.example", "new")]


def test_a_value_of_another_hunts_file_is_not_this_runs_news(case: Case, hunt: Hunt, rui: Person) -> None:
    hunt.files.clear()
    run = begin(hunt, "1")
    seen(case, "a.example", 0)
    assert end(run) == []


def test_a_value_unseen_for_thirty_days_is_back_once(case: Case, hunt: Hunt) -> None:
    seen(case, "back.example", 45)
    seen(case, "often.example", 45, 20)
    known_since(case, 50)
    first, second = begin(hunt, "1"), begin(hunt, "2")
    seen(case, "back.example", 1)
    seen(case, "often.example", 1)
    assert end(first) == [("back.example", "returning")]
    news = RunNews.objects.get(run=first)
    assert (news.day, news.before) == (TODAY - timedelta(days=1), TODAY - timedelta(days=45))
    seen(case, "back.example", 0)
    assert end(second) == []


def test_a_gap_that_was_there_when_the_value_came_is_no_return(case: Case, hunt: Hunt) -> None:
    first = begin(hunt, "1")
    seen(case, "a.example", 70, 5)
    assert end(first) == [("a.example", "new")]
    assert end(begin(hunt, "2")) == []


def test_a_value_not_seen_for_thirty_covered_days_has_gone_quiet_once(case: Case, hunt: Hunt) -> None:
    seen(case, "quiet.example", 31)
    seen(case, "lively.example", 30)
    known_since(case, 40)
    run = begin(hunt, "1")
    cover(run)
    assert end(run) == [("quiet.example", "quiet")]
    assert end(begin(hunt, "2")) == []


def test_silence_is_not_told_while_a_day_is_not_covered(case: Case, hunt: Hunt) -> None:
    seen(case, "quiet.example", 31)
    known_since(case, 40)
    run = begin(hunt, "1")
    cover(run, lacking=7)
    assert end(run) == []
    Coverage.objects.create(hunt=hunt, day=TODAY - timedelta(days=7), state="covered", run=run)
    assert end(begin(hunt, "2")) == [("quiet.example", "quiet")]


def test_a_value_that_was_old_when_it_came_does_not_go_quiet(case: Case, hunt: Hunt) -> None:
    first = begin(hunt, "1")
    cover(first)
    seen(case, "old.example", 50)
    assert end(first) == [("old.example", "new")]
    assert end(begin(hunt, "2")) == []
