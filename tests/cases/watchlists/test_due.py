"""What the clock publishes, and when."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import OperationalError, connection, transaction

from cases.clock import database_now
from cases.merging import settle_unsettled
from cases.models import Case
from cases.watchlists import actions, due, tasks
from cases.watchlists.computing import Rule, compute
from cases.watchlists.entries import entries_of
from cases.watchlists.models import Publication, Watchlist
from cases.watchlists.pending import Pending
from cases.watchlists.publishing import CannotPublish
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from tests.cases.watchlists.lists import decide_wide, publish, see, values_of
from tests.cases.world import decide_on, merge_only, row


def age(seconds: int) -> None:
    """As if all decisions had been made so long ago."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_decision SET made_at = made_at - make_interval(secs => %s)", [seconds])


@pytest.mark.parametrize(("seconds", "published"), [(10, 0), (61, 1)])
def test_a_list_is_published_a_minute_after_the_last_decision(
    case: Case, rui: Person, seconds: int, published: int
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    age(seconds)
    due.publish_due()
    assert Publication.objects.filter(watchlist__slug="all-blocks").count() == published


def test_decisions_that_never_rest_are_published_after_five_minutes(case: Case, rui: Person):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    age(301)
    decide_on(rui, case, "b.example")
    due.publish_due()
    assert values_of(Publication.objects.get(watchlist__slug="all-blocks")) == ["a.example", "b.example"]


def times_of(blocks: Watchlist, lea: Person, *times: time) -> None:
    actions.change_rule(
        actor=lea,
        watchlist=blocks,
        title=blocks.title,
        about=blocks.about,
        kinds=blocks.subject_kinds,
        scopes=blocks.scopes,
        cases=[],
        publish_at=times,
    )


NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "now", "is_due"),
    [
        ("2026-11-24T06:01Z", "2026-11-24T17:59Z", False),
        ("2026-11-24T06:01Z", "2026-11-24T18:00Z", True),
        ("2026-11-24T06:00Z", "2026-11-24T06:00Z", True),
        ("2026-11-23T18:01Z", "2026-11-24T05:59Z", False),
        ("2026-11-23T17:59Z", "2026-11-24T05:59Z", True),
        ("2026-11-20T17:59Z", "2026-11-24T05:59Z", True),
    ],
)
def test_a_list_with_times_is_due_when_one_has_passed_since_the_first_change(
    first: str, now: str, is_due: bool
):
    began, asked = datetime.fromisoformat(first), datetime.fromisoformat(now)
    assert Pending(1, began, began, asked, (time(18), time(6))).is_due == is_due


def test_nothing_is_due_at_its_time_when_nothing_changed():
    assert not Pending(0, None, None, NOON, (time(12),)).is_due


def test_a_list_with_times_waits_for_them_however_long(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    Watchlist.objects.filter(pk=blocks.pk).update(as_of=database_now() - timedelta(days=1))
    soon = (database_now() + timedelta(hours=2)).time().replace(second=0, microsecond=0)
    times_of(blocks, lea, soon)
    see(case, "b.example")
    decide_on(rui, case, "b.example")
    age(600)
    due.publish_due()
    assert values_of(Publication.objects.of(blocks).published().first()) == ["a.example"]
    times_of(blocks, lea)
    due.publish_due()
    assert values_of(Publication.objects.of(blocks).published().first()) == ["a.example", "b.example"]


def test_times_of_publishing_stand_in_the_ledger_and_are_no_change_of_the_rule(
    blocks: Watchlist, lea: Person
):
    changed_at = blocks.rule_changed_at
    times_of(blocks, lea, time(18), time(6), time(18))
    blocks.refresh_from_db()
    assert (blocks.publish_at, blocks.rule_changed_at) == ([time(6), time(18)], changed_at)
    entry = Entry.objects.latest("seq")
    assert entry.content["after"]["publish_at"] == ["06:00", "18:00"]


def test_the_switch_pauses_everything(case: Case, rui: Person, blocks: Watchlist, lea: Person):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    age(100)
    actions.pause_all(actor=lea, why="Firewall migration")
    assert due.publish_due() == []
    with pytest.raises(CannotPublish, match="Firewall migration"):
        publish(blocks)
    actions.resume_all(actor=lea)
    assert due.publish_due()


def test_a_list_that_cannot_be_published_keeps_no_other_waiting(
    case: Case, rui: Person, monkeypatch: pytest.MonkeyPatch
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "b.example", verdict="allowed")
    age(100)

    def stumbling(rule: Rule) -> None:
        if rule.verdict == "blocked":
            raise OperationalError("no space left on device")
        compute(rule)

    monkeypatch.setattr("cases.watchlists.publishing.compute", stumbling)
    (made,) = due.publish_due()
    assert made.watchlist.slug == "all-allows"


def test_a_name_that_formats_widen_is_published_anew_once_something_open_is_seen_below_it(
    case: Case, rui: Person, blocks: Watchlist
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    first = publish(blocks)
    assert first is not None
    see(case, "cdn.b.example", "a.example.net")
    assert due.publish_narrower() == []
    see(case, "cdn.a.example")
    assert due.publish_due() == []
    (second,) = due.publish_narrower()
    assert (widening(first), widening(second)) == ({"a.example": True}, {"a.example": False})
    assert due.publish_narrower() == []


def test_what_was_merged_and_not_judged_yet_narrows_nothing(case: Case, rui: Person, blocks: Watchlist):
    decide_wide(rui, case, "below", "cdn.a.example")
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    merge_only(case, row(dns="x.cdn.a.example"))
    assert due.publish_narrower() == []
    settle_unsettled(case.pk)
    assert due.publish_narrower() == []


def test_the_task_of_the_clock_publishes_what_is_too_wide(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    see(case, "cdn.a.example")
    tasks.publish_narrower()
    assert Publication.objects.of(blocks).published().count() == 2


def widening(publication: Publication) -> dict[str, bool]:
    with transaction.atomic():
        return {each.value: each.may_widen for each in entries_of(publication)}
