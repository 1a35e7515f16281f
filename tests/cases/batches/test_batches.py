"""Many values decided at once: what is frozen, what is decided, what is left alone, what is undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.actions import CannotDecide, undo
from cases.batches import actions
from cases.batches.actions import (
    CannotChangeBatch,
    change_draft,
    confirm,
    discard,
    end_for_good,
    resume,
    stop,
    undo_batch,
)
from cases.batches.claims import FencedOff, claim
from cases.batches.deciding import decide_step
from cases.batches.freezing import freeze
from cases.batches.pace import Pace
from cases.batches.preview import preview_batch
from cases.batches.sweep import sweep, take_back_lost
from cases.models import Batch, BatchValue, Case, Decision
from cases.proposal_actions import approve
from cases.rebuilding import differences
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from tests.cases.batches.bulk import decided, drafted, left_alone, undone, worked
from tests.cases.test_deciding import pass_expiry
from tests.cases.world import decide_on, events_of, merge_and_settle, row, verdict_of, verdicts
from tests.roles import person_with

NAMES = [f"h{number}.example" for number in range(7)]


@pytest.fixture(autouse=True)
def small_steps(settings) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"batch_step": 3})


@pytest.fixture
def case(case: Case) -> Case:
    merge_and_settle(
        case,
        *(row(f"203.0.113.{number}", name) for number, name in enumerate(NAMES)),
        row("198.51.100.9"),
        row(dns="not a name/"),
    )
    return case


def test_every_kind_of_value_is_decided(rui: Person, case: Case):
    batch = decided(rui, case)
    assert (batch.state, batch.decided, batch.left_alone) == (Batch.State.DONE, 9, 0)
    assert set(verdicts(case).values()) == {"blocked"}
    kinds = Decision.objects.filter(batch=batch).values_list("subject_kind", flat=True)
    assert sorted(kinds) == ["address", *["name"] * 7, "text"]


def test_nothing_is_decided_before_it_is_confirmed(rui: Person, case: Case):
    batch = drafted(rui, case)
    assert worked(batch).state == Batch.State.DRAFT
    assert not Decision.objects.exists()
    assert "cases:batch:confirmed" not in events_of()


def test_all_decisions_and_entries_carry_the_batch(rui: Person, case: Case):
    decide_on(rui, case, NAMES[0], "allowed")
    batch = decided(rui, case, NAMES[0], NAMES[1])
    entries = Entry.objects.filter(subject_kind="decision").order_by("-seq")[:3]
    assert {entry.content["after"]["batch"] for entry in entries} == {batch.pk}
    assert batch.decisions.count() == 2
    assert list(differences()) == []


def test_what_would_be_superseded_is_told_of_whoever_put_it_in_force(rui: Person, ana: Person, case: Case):
    held = decide_on(ana, case, NAMES[0], "allowed")
    lea = person_with(Role.LEAD, "lea")
    Decision.objects.filter(pk=held.pk).update(approver=lea)
    (told,) = preview_batch(drafted(rui, case, NAMES[0])).superseded
    assert (told.person, told.count) == (str(lea), 1)


def test_what_is_in_force_in_the_same_place_is_superseded(rui: Person, ana: Person, case: Case):
    before = decide_on(ana, case, NAMES[0], "allowed")
    batch = decided(rui, case, NAMES[0], NAMES[1])
    before.refresh_from_db()
    assert (before.state, before.ended_by) == (Decision.State.SUPERSEDED, rui)
    assert batch.decisions.get(subject=NAMES[0]).supersedes == before
    assert batch.superseded == 1
    assert list(differences()) == []


def test_what_is_past_its_time_makes_room_as_expired(rui: Person, case: Case):
    before = decide_on(rui, case, NAMES[0], "allowed", expires_at=timezone.now() + timedelta(days=1))
    pass_expiry(before)
    batch = decided(rui, case, NAMES[0])
    before.refresh_from_db()
    assert before.state == Decision.State.EXPIRED
    assert batch.decisions.get().supersedes is None
    assert list(differences()) == []


def test_what_came_later_is_not_taken_in(rui: Person, case: Case):
    batch = drafted(rui, case)
    merge_and_settle(case, row(dns="late.example"))
    worked(confirm(actor=rui, batch=batch))
    assert verdict_of(case, "late.example") == "undecided"


def test_what_someone_decided_meanwhile_is_left_alone_and_named(rui: Person, ana: Person, case: Case):
    decide_on(rui, case, NAMES[2], "allowed")
    batch = drafted(rui, case)
    decide_on(ana, case, NAMES[1], "allowed", scope="case")
    undo(actor=rui, decision=Decision.objects.get(subject=NAMES[2]))
    batch = worked(confirm(actor=rui, batch=batch))
    assert (batch.decided, batch.left_alone) == (7, 2)
    assert left_alone(batch) == [
        (NAMES[1], "allowed meanwhile by Ana Sousa"),
        (NAMES[2], "allowed before; withdrawn meanwhile by Rui Alves"),
    ]
    assert verdict_of(case, NAMES[1]) == "allowed"


def test_a_person_decides_between_two_steps_and_is_not_overwritten(rui: Person, ana: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    held = claim(batch.pk, "tests")
    assert held is not None
    assert decide_step(held, Actor.person(rui), Pace(3))
    waiting = BatchValue.objects.filter(batch=batch).order_by("-number").first()
    assert waiting is not None
    decide_on(ana, case, waiting.value, "allowed", scope="case")
    while decide_step(held, Actor.person(rui), Pace(3)):
        pass
    batch.refresh_from_db()
    assert (batch.decided, batch.left_alone) == (8, 1)
    assert verdict_of(case, waiting.value) == "allowed"


def test_two_batches_on_the_same_values_do_not_overwrite_each_other(rui: Person, ana: Person, case: Case):
    first, second = drafted(rui, case), drafted(ana, case, verdict="allowed", scope="case")
    worked(confirm(actor=rui, batch=first))
    second = worked(confirm(actor=ana, batch=second))
    assert (second.decided, second.left_alone) == (0, 9)
    assert set(verdicts(case).values()) == {"blocked"}


def test_undone_as_a_whole_it_gives_the_world_before(rui: Person, ana: Person, case: Case):
    decide_on(ana, case, NAMES[0], "allowed")
    decide_on(ana, case, NAMES[1], "allowed", expires_at=timezone.now() + timedelta(days=1))
    before = verdicts(case)
    batch = decided(rui, case)
    pass_expiry(Decision.objects.get(subject=NAMES[1], state="superseded"))
    batch = undone(rui, batch)
    assert batch.is_undone
    assert (batch.withdrawn, batch.made_again) == (9, 1)
    again = Decision.objects.in_force().get()
    assert (again.subject, again.proposer, again.batch) == (NAMES[0], ana, None)
    assert verdicts(case) == before | {("203.0.113.1", NAMES[1]): "undecided"}
    assert list(differences()) == [] or {each.field for each in differences()} == {"expires_at"}


def test_undoing_leaves_alone_what_others_decided_since(rui: Person, ana: Person, case: Case):
    batch = decided(rui, case)
    decide_on(ana, case, NAMES[0], "allowed", scope="case")
    decide_on(ana, case, NAMES[1], "allowed")
    batch = undone(rui, batch)
    assert (batch.withdrawn, batch.left_alone) == (7, 2)
    assert left_alone(batch) == [
        (NAMES[0], "allowed since by Ana Sousa"),
        (NAMES[1], "allowed since by Ana Sousa"),
    ]
    assert verdict_of(case, NAMES[0]) == "allowed"


def test_only_its_person_confirms_and_undoes_it(rui: Person, ana: Person, case: Case):
    batch = drafted(rui, case)
    with pytest.raises(CannotChangeBatch, match="Only Rui Alves"):
        confirm(actor=ana, batch=batch)
    batch = worked(confirm(actor=rui, batch=batch))
    with pytest.raises(CannotChangeBatch, match="Only Rui Alves"):
        undo_batch(actor=ana, batch=batch)


def test_it_is_confirmed_once(rui: Person, case: Case):
    batch = drafted(rui, case)
    confirm(actor=rui, batch=batch)
    with pytest.raises(CannotChangeBatch, match="already"):
        confirm(actor=rui, batch=batch)


def test_stopped_it_keeps_what_is_decided_and_goes_on_when_asked(rui: Person, ana: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    held = claim(batch.pk, "tests")
    assert held is not None
    decide_step(held, Actor.person(rui), Pace(3))
    stop(actor=ana, batch=batch)
    with pytest.raises(FencedOff):
        decide_step(held, Actor.person(rui), Pace(3))
    batch.refresh_from_db()
    assert (batch.state, batch.decided, batch.said) == (Batch.State.STOPPED, 3, "Stopped by Ana Sousa")
    batch = worked(resume(actor=rui, batch=batch))
    assert (batch.state, batch.decided) == (Batch.State.DONE, 9)


def test_stopped_it_can_be_undone(rui: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    held = claim(batch.pk, "tests")
    assert held is not None
    decide_step(held, Actor.person(rui), Pace(3))
    stop(actor=rui, batch=batch)
    batch = undone(rui, batch)
    assert (batch.withdrawn, Decision.objects.in_force().count()) == (3, 0)


def test_it_ends_where_the_case_is_closed_meanwhile(rui: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    held = claim(batch.pk, "tests")
    assert held is not None
    decide_step(held, Actor.person(rui), Pace(3))
    Case.objects.filter(pk=case.pk).update(state=Case.State.CLOSED)
    assert not decide_step(held, Actor.person(rui), Pace(3))
    batch.refresh_from_db()
    assert (batch.state, batch.decided) == (Batch.State.FAILED, 3)
    assert "closed" in batch.said
    assert events_of()[-1] == "cases:batch:failed"


def test_a_lost_worker_is_followed_by_another_that_goes_on(rui: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    lost = claim(batch.pk, "lost")
    assert lost is not None
    decide_step(lost, Actor.person(rui), Pace(3))
    Batch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    take_back_lost()
    batch = worked(batch)
    assert (batch.state, batch.decided, batch.losses) == (Batch.State.DONE, 9, 1)
    with pytest.raises(FencedOff):
        decide_step(lost, Actor.person(rui), Pace(3))
    assert batch.decisions.count() == 9


def test_a_batch_that_kills_its_workers_is_given_up(rui: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    Batch.objects.update(losses=4)
    claim(batch.pk, "lost")
    Batch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    take_back_lost()
    batch.refresh_from_db()
    assert batch.state == Batch.State.FAILED
    assert events_of()[-1] == "cases:batch:failed"


def test_what_it_was_frozen_on_is_removed_when_it_is_done(rui: Person, case: Case):
    decided(rui, case)
    assert not BatchValue.objects.exists()


def test_a_draft_nobody_confirms_is_forgotten(rui: Person, case: Case):
    drafted(rui, case)
    Batch.objects.update(frozen_at=timezone.now() - timedelta(days=2))
    sweep()
    assert not Batch.objects.exists()
    assert not BatchValue.objects.exists()


def test_a_draft_can_be_discarded(rui: Person, case: Case):
    discard(actor=rui, batch=drafted(rui, case))
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("reason", {"reason": "\0"}),
        ("scope", {"scope": "nowhere"}),
        ("file", {"scope": "file"}),
        ("verdict", {"verdict": "undecided"}),
        ("expires_at", {"expires_at": timezone.now() - timedelta(days=1)}),
    ],
)
def test_what_is_wrong_is_said_at_its_field(rui: Person, case: Case, field: str, change: dict[str, Any]):
    with pytest.raises(CannotDecide) as refusal:
        drafted(rui, case, **change)
    assert refusal.value.field == field
    assert not Batch.objects.exists()


def test_the_reason_may_come_later_but_not_after_confirming(rui: Person, case: Case):
    batch = drafted(rui, case, reason=" ")
    with pytest.raises(CannotDecide) as refusal:
        confirm(actor=rui, batch=batch)
    assert refusal.value.field == "reason"
    change_draft(actor=rui, batch=batch, scope="case", reason="Vendor")
    batch = worked(confirm(actor=rui, batch=batch))
    assert set(batch.decisions.values_list("scope", "reason")) == {("case", "Vendor")}


def test_a_wide_decision_meanwhile_leaves_what_it_covers_alone(rui: Person, ana: Person, case: Case):
    merge_and_settle(case, row(dns="deep.h9.example"))
    batch = drafted(rui, case)
    made = decide_on(ana, case, "deep.h9.example", "allowed", scope="case", subject="*.h9.example")
    approve(actor=rui, proposal=made.proposals.get())
    batch = worked(confirm(actor=rui, batch=batch))
    assert left_alone(batch) == [
        ("deep.h9.example", "allowed (*.h9.example) meanwhile by Rui Alves"),
    ]


def test_a_wide_decision_while_the_values_are_frozen_leaves_them_alone(
    rui: Person, ana: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    wide = decide_on(ana, case, "h1.example", subject="*.h1.example")

    def frozen_as_it_was(*given: Any, **more: Any) -> Any:
        found = freeze(*given, **more)
        approve(actor=person_with(Role.LEAD, "lea"), proposal=wide.proposals.get())
        return found

    monkeypatch.setattr(actions, "freeze", frozen_as_it_was)
    draft = drafted(rui, case, "h1.example", verdict="allowed", scope="case")
    batch = worked(confirm(actor=rui, batch=draft))
    assert (batch.decided, batch.left_alone) == (0, 1)
    assert verdict_of(case, "h1.example") == "blocked"


def test_an_empty_set_and_one_that_is_too_large_are_refused(rui: Person, case: Case, settings):
    with pytest.raises(CannotDecide, match="No value"):
        drafted(rui, case, "gone.example")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"batch_most": 8})
    with pytest.raises(CannotDecide, match="more than 8 values; narrow"):
        drafted(rui, case)
    assert not BatchValue.objects.exists()


def test_a_batch_for_a_file_reaches_that_file_only(rui: Person, case: Case, a_exe):
    merge_and_settle(case, row("203.0.113.0", NAMES[0], file="b.exe"))
    decided(rui, case, NAMES[0], scope="file", file=a_exe)
    by_file = dict(case.endpoints.filter(value=NAMES[0]).values_list("file__key", "verdict"))
    assert by_file == {"a.exe": "blocked", "b.exe": "undecided"}


def test_everywhere_reaches_other_cases_and_addresses_beside_names(rui: Person, case: Case, other_case: Case):
    merge_and_settle(other_case, row("198.51.100.9", "cdn.example"), row(dns=NAMES[0]))
    decided(rui, case, "198.51.100.9", NAMES[0])
    assert set(verdicts(other_case).values()) == {"blocked"}


def test_only_who_may_answer_it_ends_somebody_elses_for_good(rui: Person, ana: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    lou = person_with(Role.ANALYST, "lou")
    batch = stop(actor=lou, batch=batch)
    with pytest.raises(CannotChangeBatch, match="Only Rui Alves, or who may approve"):
        end_for_good(actor=lou, batch=batch)
    assert BatchValue.objects.filter(batch=batch).count() == 9
    batch = end_for_good(actor=ana, batch=batch)
    assert batch.said == "Ended by Ana Sousa with 9 of them never decided"
    assert events_of()[-1] == "cases:batch:finished"


def test_an_analyst_ends_their_own_for_good(case: Case):
    lou = person_with(Role.ANALYST, "lou")
    batch = stop(actor=lou, batch=confirm(actor=lou, batch=drafted(lou, case)))
    assert end_for_good(actor=lou, batch=batch).state == Batch.State.DONE


def test_in_a_closed_case_it_is_neither_undone_nor_gone_on_with(rui: Person, case: Case):
    done = decided(rui, case)
    Case.objects.filter(pk=case.pk).update(state=Case.State.CLOSED)
    for act in (undo_batch, resume):
        Batch.objects.filter(pk=done.pk).update(state="done" if act is undo_batch else "failed")
        with pytest.raises(CannotChangeBatch, match="The case is closed"):
            act(actor=rui, batch=done)
    assert Batch.objects.get().task == Batch.Task.DECIDING
