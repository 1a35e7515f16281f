"""Merging and deciding at the same time, on real connections: no verdict is missed, no count is lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cases import settling
from cases.actions import expire_due, undo
from cases.deciding import preview_of
from cases.explained import judgements_of
from cases.merging import settle_unsettled
from cases.models import Case, CaseValue, Decision, Endpoint, Proposal
from cases.proposal_actions import approve, reject
from cases.refusals import CannotApprove, DecidedMeanwhile, ProposalMoved, UndoRefused
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.beside import Beside, Pause, held_open, wait_until_blocked
from tests.cases.test_deciding import pass_expiry
from tests.cases.world import decide_on, merge_and_settle, merge_only, row, value_of, verdict_of
from tests.footprint.ledger.links import Link, follow
from tests.house import FreshDatabase
from tests.roles import person_with

pytestmark = pytest.mark.usefixtures("fresh_database")


@pytest.fixture
def known(other_case: Case) -> None:
    """a.example is known in the other case, so that it can be decided on there."""
    merge_and_settle(other_case, row("1.1.1.1", "a.example"))


def test_a_decision_that_commits_before_the_merge_is_not_missed(
    known: None, case: Case, other_case: Case, rui: Person
):
    with held_open(lambda: merge_only(case, row("1.1.1.1", "a.example"))):
        decide_on(rui, other_case, "a.example", "blocked", "everywhere")
    assert verdict_of(case, "a.example") == "undecided"
    settle_unsettled(case.pk)
    assert verdict_of(case, "a.example") == "blocked"


def test_a_decision_that_commits_after_the_merge_is_not_missed(
    known: None, case: Case, other_case: Case, rui: Person
):
    with held_open(lambda: decide_on(rui, other_case, "a.example", "blocked", "everywhere")):
        merge_only(case, row("1.1.1.1", "a.example"))
        settling = Beside(lambda: settle_unsettled(case.pk))
        wait_until_blocked()
        assert verdict_of(case, "a.example") == "undecided"
    assert settling.result() == 1
    assert verdict_of(case, "a.example") == "blocked"


def test_a_decision_between_merge_and_settling_is_not_missed(
    known: None, case: Case, other_case: Case, rui: Person
):
    merge_only(case, row("1.1.1.1", "a.example"))
    decide_on(rui, other_case, "a.example", "blocked", "everywhere")
    assert verdict_of(case, "a.example") == "blocked"
    assert settle_unsettled(case.pk) == 0


def test_settling_before_the_decision_commits_does_not_hide_it(
    known: None, case: Case, other_case: Case, rui: Person
):
    merge_only(case, row("1.1.1.1", "a.example"))
    with held_open(lambda: settle_unsettled(case.pk)):
        deciding = Beside(lambda: decide_on(rui, other_case, "a.example", "blocked", "everywhere"))
        wait_until_blocked()
    deciding.result()
    assert verdict_of(case, "a.example") == "blocked"


def test_a_decision_waits_for_a_merge_into_its_value_and_counts_right(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    with held_open(lambda: merge_only(case, row("2.2.2.2", "a.example"))):
        deciding = Beside(lambda: decide_on(rui, case, "a.example", "blocked"))
        wait_until_blocked()
    deciding.result()
    value = value_of(case, "a.example")
    assert (value.endpoints, value.blocked, value.undecided) == (2, 1, 1)
    settle_unsettled(case.pk)
    assert value_of(case, "a.example").blocked == 2


def test_a_merge_waits_for_a_decision_on_its_value_and_counts_right(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    with held_open(lambda: decide_on(rui, case, "a.example", "blocked")):
        merging = Beside(lambda: merge_only(case, row("2.2.2.2", "a.example")))
        wait_until_blocked()
    merging.result()
    value = value_of(case, "a.example")
    assert (value.endpoints, value.blocked, value.undecided) == (2, 1, 1)


def test_a_decision_between_two_statements_of_a_merge_is_counted(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    after_the_values = Pause("NOT EXISTS (SELECT 1 FROM cases_casevalue")

    def merge_with_a_pause() -> None:
        with connection.execute_wrapper(after_the_values):
            merge_only(case, row("2.2.2.2", "a.example"))

    merging = Beside(merge_with_a_pause)
    after_the_values.wait_until_reached()
    with held_open(lambda: decide_on(rui, case, "a.example", "blocked")):
        after_the_values.go_on()
        wait_until_blocked()
    merging.result()
    value = value_of(case, "a.example")
    assert (value.endpoints, value.blocked, value.undecided) == (2, 1, 1)


def test_two_merges_into_one_new_value_lose_no_count(case: Case):
    with held_open(lambda: merge_only(case, row("1.1.1.1", "a.example", events=5))):
        merging = Beside(lambda: merge_only(case, row("2.2.2.2", "a.example", events=7)))
        wait_until_blocked()
    assert merging.result().new_values == 0
    value = value_of(case, "a.example")
    assert (value.endpoints, value.addresses, value.events) == (2, 2, 12)


def test_two_merges_of_one_endpoint_keep_the_greater_numbers(case: Case):
    with held_open(lambda: merge_only(case, row("1.1.1.1", events=9, ports=[80]))):
        merging = Beside(lambda: merge_only(case, row("1.1.1.1", events=7, ports=[443])))
        wait_until_blocked()
    assert merging.result().new_endpoints == 0
    value = value_of(case, "1.1.1.1")
    assert (value.endpoints, value.events, value.ports) == (1, 9, [80, 443])


def test_two_reviewers_at_the_same_moment_make_one_decision(case: Case, rui: Person, ana: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    with held_open(lambda: decide_on(rui, case, "a.example", "blocked", basis="")):
        second = Beside(lambda: decide_on(ana, case, "a.example", "allowed", basis=""))
        wait_until_blocked()
    with pytest.raises(DecidedMeanwhile) as refused:
        second.result()
    assert refused.value.who == "Rui Alves"
    assert Decision.objects.count() == 1


def test_undoing_waits_for_a_decision_and_is_refused(case: Case, rui: Person, ana: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    mine = decide_on(rui, case, "a.example", "blocked")
    with held_open(lambda: decide_on(ana, case, "a.example", "allowed")):
        undoing = Beside(lambda: undo(actor=rui, decision=mine))
        wait_until_blocked()
    with pytest.raises(UndoRefused):
        undoing.result()


@pytest.mark.parametrize("who", ["deciding", "settling", "merging"])
def test_everyone_locks_endpoints_in_the_order_of_their_keys(case: Case, rui: Person, who: str):
    rows = [row("1.1.1.1"), *(row("1.1.1.1", f"n{number}.example") for number in range(20))]
    merge_only(case, *rows)
    keys = sorted(Endpoint.objects.values_list("key", flat=True))
    if who == "deciding":
        settle_unsettled(case.pk)
    works: dict[str, Callable[[], object]] = {
        "deciding": lambda: decide_on(rui, case, "1.1.1.1"),
        "settling": lambda: settle_unsettled(case.pk),
        "merging": lambda: merge_only(case, *rows),
    }
    with held_open(lambda: Endpoint.objects.select_for_update().get(key=keys[10])):
        waiting = Beside(works[who])
        wait_until_blocked()
        with transaction.atomic():
            free = set(Endpoint.objects.select_for_update(skip_locked=True).values_list("key", flat=True))
        assert free == set(keys[11:])
    waiting.result()


NAMES = [f"n{number}.example" for number in range(4)]
IPS = [f"10.0.0.{number}" for number in range(4)]


def test_merging_deciding_undoing_and_expiring_together_never_deadlocks_and_never_misses(
    fresh_database: FreshDatabase, case: Case, other_case: Case, rui: Person, ana: Person
):
    both = [case, other_case]
    for each in both:
        merge_and_settle(each, *(row(ip, name) for ip in IPS[:2] for name in NAMES), *(row(ip) for ip in IPS))
    works: list[Callable[[], None]] = [
        lambda: _merge_at_random(random.Random(1), both),
        lambda: _merge_at_random(random.Random(2), both),
        lambda: _decide_at_random(random.Random(3), both, rui),
        lambda: _decide_at_random(random.Random(4), both, ana),
        _expire_often,
    ]
    for other in [Beside(work) for work in works]:
        other.result()
    expire_due()
    for each in both:
        settle_unsettled(each.pk)
    _assert_everything_holds(both)


def _merge_at_random(chance: random.Random, both: list[Case]) -> None:
    for _ in range(15):
        case = chance.choice(both)
        rows = [
            row(
                chance.choice(["", *IPS]),
                chance.choice(["", *NAMES]),
                days_ago=chance.randrange(3),
                events=chance.randrange(1, 9),
                ports=[chance.randrange(1, 5)],
            )
            for _ in range(12)
        ]
        merge_only(case, *rows)
        settle_unsettled(case.pk)


def _decide_at_random(chance: random.Random, both: list[Case], person: Person) -> None:
    made: list[Decision] = []
    for _ in range(25):
        try:
            if made and chance.random() < 0.3:
                undo(actor=person, decision=made.pop())
            else:
                made.append(_decide_something(chance, both, person))
        except (DecidedMeanwhile, UndoRefused):
            continue


def _decide_something(chance: random.Random, both: list[Case], person: Person) -> Decision:
    decision = decide_on(
        person,
        chance.choice(both),
        chance.choice(NAMES + IPS),
        chance.choice(["allowed", "blocked"]),
        chance.choice(["case", "everywhere"]),
        expires_at=timezone.now() + timedelta(days=1),
    )
    if chance.random() < 0.3:
        pass_expiry(decision)
    return decision


def _expire_often() -> None:
    for _ in range(20):
        expire_due()


def _assert_everything_holds(both: list[Case]) -> None:
    endpoints = list(Endpoint.objects.filter(case__in=both).select_related("file"))
    judgements = judgements_of(endpoints)
    assert {each.pk: each.verdict for each in endpoints} == {
        pk: each.verdict for pk, each in judgements.items()
    }
    for value in CaseValue.objects.filter(case__in=both):
        of_value = Endpoint.objects.of_value(value)
        counts = Counter(of_value.values_list("verdict", flat=True))
        assert (value.endpoints, value.undecided, value.allowed, value.blocked) == (
            sum(counts.values()),
            counts["undecided"],
            counts["allowed"],
            counts["blocked"],
        )
        assert value.events == sum(of_value.values_list("sightings__events", flat=True))
    links = [Link(entry.seq, entry.text, bytes(entry.hash)) for entry in Entry.objects.order_by("seq")]
    assert follow(links)[0] == len(links)


@pytest.fixture
def wide(case: Case, rui: Person) -> Proposal:
    merge_and_settle(case, row("1.1.1.1", "a.corp.example"))
    return decide_on(rui, case, "a.corp.example", subject="*.corp.example").proposals.get()


def test_of_two_who_answer_a_proposal_at_once_the_second_is_told(wide: Proposal, case: Case):
    lea, lou = person_with(Role.LEAD, "lea"), person_with(Role.LEAD, "lou")
    with held_open(lambda: approve(actor=lea, proposal=wide)):
        late = Beside(lambda: reject(actor=lou, proposal=wide, reason="Too wide"))
        wait_until_blocked()
    with pytest.raises(CannotApprove, match="approved already by Lea"):
        late.result()
    assert verdict_of(case, "a.corp.example") == "blocked"


def test_a_merge_between_looking_and_approving_is_not_approved_unseen(wide: Proposal, case: Case):
    lea = person_with(Role.LEAD, "lea")
    with held_open(lambda: merge_only(case, row("1.1.1.2", "b.corp.example"))):
        pass
    with pytest.raises(ProposalMoved):
        approve(actor=lea, proposal=wide)


def test_batches_of_two_workers_settle_each_endpoint_once(
    wide: Proposal, case: Case, monkeypatch: pytest.MonkeyPatch
):
    merge_and_settle(case, *(row(f"1.1.2.{n}", f"n{n}.corp.example") for n in range(6)))
    monkeypatch.setattr(settling, "AT_ONCE", 2)
    monkeypatch.setattr(settling, "BATCH", 2)
    approve(actor=person_with(Role.LEAD, "lea"), proposal=wide, seen=preview_of(wide.decision).digest)
    workers = [Beside(settling.settle_waiting) for _ in range(2)]
    assert sum(worker.result() for worker in workers) == 7
    assert set(Endpoint.objects.values_list("verdict", flat=True)) == {"blocked"}
