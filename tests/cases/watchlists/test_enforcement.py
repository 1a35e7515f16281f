"""When blocks took effect outside, and whether they worked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from cases.actions import undo
from cases.clock import database_now
from cases.models import Case, CaseValue, Decision, Sighting
from cases.watchlists import actions, enforcement, publishing, tasks
from cases.watchlists.after_block import effects_of, seen_after_block
from cases.watchlists.enforcement import count_fetches
from cases.watchlists.marks import marks_of_blocks
from cases.watchlists.models import Consumer, Enforcement, Fetch, Receipt, Target, Watchlist
from cases.watchlists.still_in_force import still_in_force
from cases.watchlists.target_actions import retire_target
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from tests.cases.watchlists.worlds import allow_lab, block, publish, reconcile, target_at
from tests.cases.world import decide_on, merge_and_settle, row
from tests.lab.server import Lab

NOW = datetime.now(UTC).replace(microsecond=0)


def consumer(blocks: Watchlist, lea: Person, format: str = "plain-text") -> Consumer:
    name = f"fw-{format}"
    return actions.add_consumer(actor=lea, watchlist=blocks, name=name, format=format)[0]


def fetch(consumer: Consumer, number: int, at: datetime = NOW) -> None:
    Fetch.objects.create(consumer=consumer, number=number, at=at)
    Consumer.objects.filter(pk=consumer.pk).update(holds=number, fetched_at=at)


def enforce(decision: Decision, at: datetime) -> None:
    """As a target does that has accepted it."""
    Enforcement.objects.create(decision=decision, effective_at=at, by="fw-lisbon")
    target, _ = Target.objects.get_or_create(
        slug="fw-lisbon", watchlist=Watchlist.objects.get(slug="all-blocks"), made_at=NOW
    )
    Receipt.objects.create(
        target=target,
        kind=decision.subject_kind,
        value=decision.subject,
        decision_number=decision.pk,
        key=decision.subject,
        state="accepted",
        since=at,
        accepted_at=at,
    )


def see(case: Case, value: str, at: datetime, *actions: str) -> None:
    told: dict[str, Any] = {"actions": list(actions)} if actions else {}
    merge_and_settle(case, row(dns=value, day=at.date(), first_seen=at, last_seen=at, **told))


def test_the_first_fetch_of_a_version_that_has_it_counts(
    blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    fw = consumer(blocks, lea)
    fetch(fw, 1, NOW - timedelta(hours=2))
    block(rui, case, "b.example")
    publish(blocks)
    fetch(fw, 2, NOW - timedelta(hours=1))
    assert count_fetches() == 2
    told = dict(Enforcement.objects.values_list("decision__subject", "effective_at"))
    assert told == {"a.example": NOW - timedelta(hours=2), "b.example": NOW - timedelta(hours=1)}


def test_the_earliest_of_two_consumers_counts_whatever_the_order(
    blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    fetch(consumer(blocks, lea), 1, NOW)
    count_fetches()
    fetch(consumer(blocks, lea, "json"), 1, NOW - timedelta(hours=1))
    count_fetches()
    assert Enforcement.objects.get().effective_at == NOW - timedelta(hours=1)


def test_a_feed_that_cannot_say_it_enforces_nothing(blocks: Watchlist, rui: Person, case: Case, lea: Person):
    block(rui, case, "a.example", "198.51.101.7")
    publish(blocks)
    fetch(consumer(blocks, lea, "pan-os-ip"), 1)
    count_fetches()
    assert [each.decision.subject for each in Enforcement.objects.all()] == ["198.51.101.7"]


def test_fetches_are_counted_once(blocks: Watchlist, rui: Person, case: Case, lea: Person):
    block(rui, case, "a.example")
    publish(blocks)
    fetch(consumer(blocks, lea), 1)
    assert (count_fetches(), count_fetches()) == (1, 0)


def test_the_clock_counts_fetches(blocks: Watchlist, rui: Person, case: Case, lea: Person):
    block(rui, case, "a.example")
    publish(blocks)
    fetch(consumer(blocks, lea), 1)
    tasks.look_after_targets()
    assert Enforcement.objects.get().by == "fw-plain-text"


def test_a_block_that_nobody_enforces_is_marked(rui: Person, case: Case):
    block(rui, case, "a.example")
    marks = marks_of_blocks(case, list(CaseValue.objects.filter(case=case)))
    assert [mark.words for mark in marks["a.example"]] == ["blocked here, enforced nowhere"]


def test_a_block_that_is_enforced_and_works_has_no_mark(rui: Person, case: Case):
    block(rui, case, "a.example")
    enforce(Decision.objects.get(), NOW)
    assert marks_of_blocks(case, list(CaseValue.objects.filter(case=case))) == {}


def test_what_is_not_blocked_asks_nothing(rui: Person, case: Case, django_assert_num_queries: object):
    merge_and_settle(case, row(dns="a.example"))
    values = list(CaseValue.objects.filter(case=case))
    with django_assert_num_queries(0):  # type: ignore[operator]  # a fixture
        assert marks_of_blocks(case, values) == {}


def test_within_the_grace_it_is_not_enforced_yet(rui: Person, case: Case):
    block(rui, case, "a.example")
    enforce(Decision.objects.get(), timezone.now() + timedelta(hours=2))
    (mark,) = marks_of_blocks(case, list(CaseValue.objects.filter(case=case)))["a.example"]
    assert mark.words == "not enforced yet"


def test_what_is_seen_later_than_its_block_is_told(rui: Person, case: Case):
    block(rui, case, "a.example", "b.example")
    for decision in Decision.objects.all():
        enforce(decision, NOW - timedelta(days=1))
    see(case, "a.example", NOW - timedelta(hours=1))
    (seen,) = seen_after_block()
    assert (seen.case, seen.values, seen.named) == (case, 1, ["a.example"])
    (mark,) = marks_of_blocks(case, list(CaseValue.objects.filter(case=case)))["a.example"]
    assert mark.words == "seen after block"
    assert "may log ConnectionSuccess" in mark.title


@pytest.mark.parametrize("action", ["ConnectionFailed", "ListeningConnectionCreated"])
def test_an_action_that_is_no_connection_does_not_count(rui: Person, case: Case, action: str):
    merge_and_settle(case, row(dns="a.example", actions=[action]))
    decide_on(rui, case, "a.example")
    enforce(Decision.objects.get(), NOW - timedelta(days=1))
    see(case, "a.example", NOW - timedelta(hours=1), action)
    assert seen_after_block() == []


def test_what_is_blocked_of_an_undecided_value_counts(rui: Person, case: Case):
    block(rui, case, "192.0.2.7")
    enforce(Decision.objects.get(), NOW - timedelta(days=1))
    at = NOW - timedelta(hours=1)
    of_late: dict[str, Any] = {"day": at.date(), "first_seen": at, "last_seen": at}
    merge_and_settle(case, *(row(ip, "a.example", **of_late) for ip in ("192.0.2.7", "192.0.2.8")))
    assert CaseValue.objects.get(value="a.example").verdict == "undecided"
    (seen,) = seen_after_block()
    assert seen.named == ["a.example"]


def test_what_was_seen_before_the_block_took_effect_does_not_count(rui: Person, case: Case):
    block(rui, case, "a.example")
    enforce(Decision.objects.get(), NOW)
    see(case, "a.example", NOW - timedelta(hours=1))
    assert seen_after_block() == []


@pytest.mark.parametrize(("actions", "told"), [
    (["ConnectionFailed"], []), (["ConnectionFailed", "ConnectionSuccess"], ["a.example"]),
])  # fmt: skip
def test_a_connection_of_an_earlier_day_does_not_count(
    rui: Person, case: Case, actions: list[str], told: list[str]
):
    see(case, "a.example", NOW - timedelta(days=9), "ConnectionSuccess")
    decide_on(rui, case, "a.example")
    enforce(Decision.objects.get(), NOW - timedelta(days=3))
    see(case, "a.example", NOW - timedelta(days=1), *actions)
    assert [name for seen in seen_after_block() for name in seen.named] == told
    assert (effects_of(case, ["a.example"])["a.example"].seen_at is not None) == bool(told)


def test_of_the_day_of_the_block_itself_nobody_claims_anything(rui: Person, case: Case):
    midnight = (NOW - timedelta(days=2)).replace(hour=0, minute=0, second=0)
    effective_at, last_seen = midnight + timedelta(hours=12), midnight + timedelta(hours=15)
    merge_and_settle(
        case, row(dns="a.example", day=midnight.date(), first_seen=midnight, last_seen=last_seen)
    )
    decide_on(rui, case, "a.example")
    enforce(Decision.objects.get(), effective_at)
    assert seen_after_block() == []
    effect = effects_of(case, ["a.example"])["a.example"]
    assert (effect.seen_at, effect.possibly_at) == (None, last_seen)


def test_a_day_that_began_after_the_block_on_the_same_day_counts(rui: Person, case: Case):
    midnight = (NOW - timedelta(days=2)).replace(hour=0, minute=0, second=0)
    first_seen, last_seen = midnight + timedelta(hours=13), midnight + timedelta(hours=15)
    merge_and_settle(
        case, row(dns="a.example", day=midnight.date(), first_seen=first_seen, last_seen=last_seen)
    )
    decide_on(rui, case, "a.example")
    enforce(Decision.objects.get(), midnight + timedelta(hours=12))
    assert effects_of(case, ["a.example"])["a.example"].seen_at == last_seen


@pytest.mark.parametrize(("actions", "is_possible"), [
    ([f"Other{number:02}" for number in range(11)], True), (["ConnectionFailed"], False),
])  # fmt: skip
def test_actions_that_were_cut_are_unknown_and_claimed_nowhere(
    rui: Person, case: Case, actions: list[str], is_possible: bool
):
    merge_and_settle(case, row(dns="a.example", actions=actions))
    decide_on(rui, case, "a.example")
    enforce(Decision.objects.get(), NOW - timedelta(days=3))
    see(case, "a.example", NOW - timedelta(days=1), *actions)
    effect = effects_of(case, ["a.example"])["a.example"]
    assert (effect.seen_at, effect.possibly_at is not None) == (None, is_possible)
    assert seen_after_block() == []


def test_a_sighting_from_before_actions_were_kept_by_day_is_unknown(rui: Person, case: Case):
    block(rui, case, "a.example")
    enforce(Decision.objects.get(), NOW - timedelta(days=3))
    see(case, "a.example", NOW - timedelta(days=1))
    Sighting.objects.update(connected=None)
    effect = effects_of(case, ["a.example"])["a.example"]
    assert (effect.seen_at, effect.possibly_at) == (None, NOW - timedelta(days=1))


def test_a_block_of_the_address_counts_too(rui: Person, case: Case):
    merge_and_settle(case, row("198.51.101.7", "a.example"))
    merge_and_settle(case, row("198.51.101.7"))
    decision = decide_on(rui, case, "198.51.101.7")
    enforce(decision, NOW - timedelta(days=1))
    at = NOW - timedelta(hours=1)
    merge_and_settle(case, row("198.51.101.7", "a.example", day=at.date(), first_seen=at, last_seen=at))
    assert set(effects_of(case, ["a.example", "198.51.101.7"])) == {"a.example", "198.51.101.7"}
    assert [seen.named for seen in seen_after_block()] == [["a.example"]]


def test_a_closed_case_is_not_told(rui: Person, case: Case):
    block(rui, case, "a.example")
    enforce(Decision.objects.get(), NOW - timedelta(days=1))
    see(case, "a.example", NOW - timedelta(hours=1))
    Case.objects.filter(pk=case.pk).update(state="closed")
    assert seen_after_block() == []


def test_what_a_consumer_has_not_fetched_anew_is_still_in_force(
    blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    fw = consumer(blocks, lea)
    fetch(fw, 1)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    publish(blocks)
    (still,) = still_in_force(blocks).shown
    assert (still.value, still.where, still.since) == ("a.example", "fw-plain-text", NOW)
    fetch(fw, 2)
    assert still_in_force(blocks).total == 0


def test_what_a_target_has_not_withdrawn_is_still_in_force(blocks: Watchlist, rui: Person, case: Case):
    target = Target.objects.create(
        slug="t", title="Tenant", watchlist=blocks, kind="defender", credential="default", made_at=NOW
    )
    Receipt.objects.create(
        target=target,
        kind="name",
        value="a.example",
        decision_number=1,
        key="k",
        state="accepted",
        since=NOW,
        accepted_at=NOW,
    )
    (still,) = still_in_force(blocks).shown
    assert (still.value, still.where, still.since) == ("a.example", "Tenant", NOW)


def test_a_revoked_consumer_may_keep_what_it_fetched_and_is_named_for_a_while(
    blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    fw = consumer(blocks, lea)
    fetch(fw, 1, database_now())
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    publish(blocks)
    actions.revoke_consumer(actor=lea, consumer=fw)
    (still,) = still_in_force(blocks).shown
    assert (still.value, still.words) == (
        "a.example",
        "was revoked, and may keep version 1, which it fetched last",
    )
    Consumer.objects.update(revoked_at=database_now() - timedelta(days=31))
    assert still_in_force(blocks).total == 0


def test_a_consumer_is_not_said_to_have_what_its_format_leaves_out(
    blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example", "9.9.9.9")
    publish(blocks)
    fetch(consumer(blocks, lea, "pan-os-ip"), 1)
    for value in ("a.example", "9.9.9.9"):
        undo(actor=rui, decision=Decision.objects.get(subject=value))
    assert [each.value for each in still_in_force(blocks).shown] == ["9.9.9.9"]
    publish(blocks)
    assert [each.value for each in still_in_force(blocks).shown] == ["9.9.9.9"]


def test_a_feed_that_says_the_name_alone_does_not_enforce_all_below_it(
    blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    merge_and_settle(case, row(dns="x.evil.example"))
    Decision.objects.create(
        verdict="blocked",
        subject_kind="below",
        subject="evil.example",
        scope="everywhere",
        made_in=case,
        reason="Wide",
        state="in force",
        proposer=rui,
        made_at=database_now(),
    )
    publish(blocks)
    fetch(consumer(blocks, lea, "plain-text"), 1)
    count_fetches()
    assert not Enforcement.objects.exists()
    fetch(consumer(blocks, lea, "rpz"), 1)
    count_fetches()
    assert Enforcement.objects.get().by == "fw-rpz"


def test_what_nobody_has_any_more_is_enforced_nowhere(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person, monkeypatch: pytest.MonkeyPatch
):
    allow_lab(monkeypatch)
    lab.sentinel.polls = 0
    block(rui, case, "9.9.9.9")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks, title="Sentinel", grace_minutes=0)
    reconcile(target)
    assert effects_of(case, ["9.9.9.9"])["9.9.9.9"].is_held
    retire_target(actor=lea, target=target, because="Not used any more")
    reconcile(target)
    effect = effects_of(case, ["9.9.9.9"])["9.9.9.9"]
    assert (effect.by, effect.is_held, effect.seen_at) == ("Sentinel", False, None)
    (mark,) = marks_of_blocks(case, list(CaseValue.objects.filter(case=case)))["9.9.9.9"]
    assert (mark.words, mark.title) == (
        "blocked here, enforced nowhere",
        "Sentinel had it first; no target and no feed has it any more.",
    )


def test_what_was_reversed_is_still_in_force_while_the_list_is_paused(
    blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    fetch(consumer(blocks, lea), 1)
    actions.pause_all(actor=lea, why="Firewall migration")
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    (still,) = still_in_force(blocks).shown
    assert (still.value, still.where, still.since) == ("a.example", "fw-plain-text", NOW)
    assert still.words == "no decision says so any more, and the list has not been published since"


def test_what_was_reversed_is_still_in_force_at_a_target_before_it_is_published(
    blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = Target.objects.create(
        slug="t", title="Tenant", watchlist=blocks, kind="defender", credential="default", made_at=NOW
    )
    Receipt.objects.create(
        target=target,
        kind="name",
        value="a.example",
        decision_number=Decision.objects.get().pk,
        key="k",
        state="accepted",
        since=NOW,
        accepted_at=NOW,
    )
    assert still_in_force(blocks).total == 0
    undo(actor=rui, decision=Decision.objects.get())
    (still,) = still_in_force(blocks).shown
    assert (still.value, still.where, still.since) == ("a.example", "Tenant", NOW)


def test_a_roll_back_puts_in_force_what_no_decision_asks_for(
    blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get())
    block(rui, case, "b.example")
    publish(blocks)
    publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    fetch(consumer(blocks, lea), 3)
    assert [each.value for each in still_in_force(blocks).shown] == ["a.example"]


def test_what_is_blocked_anew_is_no_left_over(blocks: Watchlist, rui: Person, case: Case, lea: Person):
    block(rui, case, "a.example")
    publish(blocks)
    fetch(consumer(blocks, lea), 1)
    undo(actor=rui, decision=Decision.objects.get())
    decide_on(rui, case, "a.example")
    assert still_in_force(blocks).total == 0


def test_a_fetch_that_cannot_be_counted_keeps_no_other_waiting(
    blocks: Watchlist, rui: Person, case: Case, lea: Person, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "a.example")
    publish(blocks)
    bad, good = consumer(blocks, lea), consumer(blocks, lea, "pan-os-domain")
    fetch(bad, 1)
    fetch(good, 1)
    count = enforcement._count

    def stumbling(fetch: Fetch) -> None:
        if fetch.consumer == bad:
            raise OperationalError("out of memory")
        count(fetch)

    monkeypatch.setattr(enforcement, "_count", stumbling)
    count_fetches()
    assert list(Fetch.objects.filter(is_counted=False).values_list("consumer", flat=True)) == [bad.pk]


def test_the_first_fetch_of_a_version_is_an_entry_by_its_token(
    blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    one = consumer(blocks, lea)
    token = one.tokens.get()
    Fetch.objects.create(consumer=one, number=1, at=NOW, token=token, address="198.51.100.7")
    count_fetches()
    count_fetches()
    entry = Entry.objects.get(event="watchlists:feed:fetched")
    assert (entry.actor_kind, entry.actor_id) == ("token", token.ending)
    assert entry.content["after"] == {
        "watchlist": "all-blocks",
        "format": "plain-text",
        "publication": 1,
        "at": NOW.isoformat(),
        "address": "198.51.100.7",
    }
