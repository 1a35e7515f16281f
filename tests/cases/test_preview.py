"""What is foreseen is what settling then does."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cases import settling
from cases.deciding import preview_of, preview_of_end
from cases.explained import ruling_of
from cases.merging import settle_unsettled
from cases.models import Case, Decision, Resettling
from cases.places import in_the_place_of
from cases.proposal_actions import approve
from cases.refusals import CannotApprove, ProposalMoved
from cases.settling import resettle
from cases.verdicts import preview as preview_module
from cases.verdicts.preview import Preview, preview_of_making
from cases.verdicts.settle import Settled, take_verdict_lock
from footprint.accounts.models import Person, Role
from tests.cases.verdicts.test_settle import PAIRS, SUBJECTS, WORLDS, make_world, put
from tests.cases.world import decide_on, merge_and_settle, merge_only, row, verdict_of
from tests.roles import person_with

NEW = st.tuples(
    st.sampled_from(SUBJECTS),
    st.sampled_from(["allowed", "blocked"]),
    st.sampled_from(["case", "file", "everywhere"]),
    st.sampled_from([0, 1]),
    st.sampled_from(["a.exe", "b.exe"]),
)


# Much is seen and little decided, so that most decisions change something.
FULL_WORLDS = WORLDS.flatmap(
    lambda world: st.fixed_dictionaries(
        {
            "seen": st.lists(
                st.tuples(st.sampled_from([0, 1]), st.sampled_from(["a.exe", "b.exe"]), PAIRS),
                min_size=8,
                max_size=16,
            ),
            "decided": st.just(world["decided"][:4]),
        }
    )
)


def moves_of(preview: Preview) -> Counter[tuple[str, str]]:
    return Counter({(before, after): count for before, after, count in preview.by_verdicts})


def same(preview: Preview, settled: Settled | None) -> None:
    assert settled is not None
    assert moves_of(preview) == settled.moves
    assert preview.values == len(settled.values)
    assert len(preview.cases) == settled.cases
    assert {(each.case_id, each.value) for each in preview.rows} == settled.values


def unsaved(owner: Person, case: Case, new: tuple[Any, ...]) -> Decision:
    """As `put`, but not kept."""
    typed, verdict, scope, _, file = new
    with transaction.atomic():
        made = put(owner, case, typed, verdict, scope, file, "withdrawn")
        transaction.set_rollback(True)
    made.pk, made.state = None, Decision.State.IN_FORCE
    return made


@settings(
    deadline=None,
    max_examples=40,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(FULL_WORLDS, NEW)
def test_making_a_decision_changes_what_was_foreseen(
    rui: Person, world: dict[str, list[Any]], new: tuple[Any, ...]
):
    with transaction.atomic():
        cases = make_world(rui, world)
        for case in cases:
            settle_unsettled(case.pk)
        take_verdict_lock()
        decision = unsaved(rui, cases[new[3]], new)
        holder = in_the_place_of(decision)
        preview = preview_of(decision, rows=100)
        if holder is not None:
            Decision.objects.filter(pk=holder.pk).update(state="superseded")
        decision.save()
        same(preview, resettle([decision]))
        transaction.set_rollback(True)


@settings(
    deadline=None,
    max_examples=30,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(FULL_WORLDS, NEW)
def test_ending_a_decision_changes_what_was_foreseen(
    rui: Person, world: dict[str, list[Any]], new: tuple[Any, ...]
):
    with transaction.atomic():
        cases = make_world(rui, world)
        decision = unsaved(rui, cases[new[3]], new)
        if in_the_place_of(decision) is None:
            decision.save()
        else:
            decision = in_the_place_of(decision) or decision
        for case in cases:
            settle_unsettled(case.pk)
        take_verdict_lock()
        preview = preview_of_end(decision, rows=100)
        Decision.objects.filter(pk=decision.pk).update(state="withdrawn")
        same(preview, resettle([decision]))
        transaction.set_rollback(True)


LATER = st.sampled_from(["put off", "past"])


@settings(
    deadline=None,
    max_examples=40,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(FULL_WORLDS, NEW, NEW, LATER)
def test_what_no_row_tells_yet_is_foreseen_as_if_it_were_settled(
    rui: Person, world: dict[str, list[Any]], new: tuple[Any, ...], other: tuple[Any, ...], later: str
):
    with transaction.atomic():
        cases = make_world(rui, world)
        decision, theirs = unsaved(rui, cases[new[3]], new), unsaved(rui, cases[other[3]], other)
        theirs = in_the_place_of(theirs) or theirs
        theirs.save()
        for case in cases:
            settle_unsettled(case.pk)
        take_verdict_lock()
        if later == "past":
            theirs.expires_at = timezone.now() - timedelta(seconds=1)
        else:
            theirs.verdict = "blocked" if theirs.verdict == "allowed" else "allowed"
        theirs.save()
        if later == "put off":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(settling, "AT_ONCE", -1)
                assert resettle([theirs]) is None
        foreseen = preview_of(decision, rows=100)
        assert resettle([theirs]) is not None
        Resettling.objects.all().delete()
        told = preview_of(decision, rows=100)
        assert (foreseen.as_kept(), foreseen.rows) == (told.as_kept(), told.rows)
        transaction.set_rollback(True)


@pytest.fixture
def put_off(seen: None, case: Case, rui: Person, ana: Person, monkeypatch: pytest.MonkeyPatch) -> Decision:
    """A proposal to allow what somebody then blocked from above, still to be settled."""
    mine = decide_on(person_with(Role.ANALYST, "lou"), case, "a.corp.example", "allowed", "case")
    wide = decide_on(ana, case, "a.corp.example", subject="*.corp.example")
    with monkeypatch.context() as patch:
        patch.setattr(settling, "AT_ONCE", 0)
        approve(actor=person_with(Role.LEAD, "lea"), proposal=wide.proposals.get())
    assert verdict_of(case, "a.corp.example") == "undecided"
    return mine


def test_an_approval_sees_what_is_decided_and_not_settled_yet(put_off: Decision, case: Case, rui: Person):
    with pytest.raises(ProposalMoved) as refused:
        approve(actor=rui, proposal=put_off.proposals.get())
    assert refused.value.now.by_verdicts == [("blocked", "allowed", 1)]
    approve(actor=rui, proposal=put_off.proposals.get(), seen=refused.value.now.digest)
    settling.settle_waiting()
    assert verdict_of(case, "a.corp.example") == "allowed"


def test_nothing_is_approved_while_too_much_of_it_is_being_settled(
    put_off: Decision, rui: Person, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(preview_module, "MOST_ANEW", 0)
    now = preview_of(put_off)
    assert now.is_old
    with pytest.raises(CannotApprove, match="still being settled"):
        approve(actor=rui, proposal=put_off.proposals.get(), seen=now.digest)
    settling.settle_waiting()
    with pytest.raises(ProposalMoved):
        approve(actor=rui, proposal=put_off.proposals.get(), seen=now.digest)


def test_what_is_being_settled_holds_up_those_previews_alone_that_cover_it(
    put_off: Decision, case: Case, rui: Person, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(preview_module, "MOST_ANEW", 0)
    merge_and_settle(case, row("", "apart.example"))
    apart = unsaved(rui, case, ("apart.example", "blocked", "everywhere", 0, "a.exe"))
    both = preview_of_making([ruling_of(apart), ruling_of(put_off)])
    assert [each.is_old for each in both] == [False, True]
    assert both[0].by_verdicts == [("undecided", "blocked", 1)]


@pytest.fixture
def seen(case: Case) -> None:
    merge_and_settle(
        case,
        row("1.1.1.1", "a.corp.example"),
        row("1.1.1.2", "b.corp.example", file="b.exe"),
        row("1.1.1.2", "c.corp.example"),
    )


def test_many_previews_take_as_many_queries_as_one(seen: None, case: Case, rui: Person):
    decisions = [unsaved(rui, case, (typed, "blocked", "everywhere", 0, "a.exe")) for typed in SUBJECTS]
    with CaptureQueriesContext(connection) as queries:
        previews = preview_of_making([ruling_of(each) for each in decisions])
    assert len(queries) == 2
    assert [each.digest for each in previews] == [preview_of(each).digest for each in decisions]


def test_a_preview_counts_by_verdict_case_and_file(seen: None, case: Case, rui: Person):
    decide_on(rui, case, "c.corp.example", "allowed", "case")
    decision = unsaved(rui, case, ("*.corp.example", "blocked", "case", 0, "a.exe"))
    preview = preview_of(decision, rows=1)
    assert preview.by_verdicts == [("undecided", "blocked", 2)]
    assert preview.cases == [(case.pk, 2)]
    assert {count for _, count in preview.files} == {1}
    assert (preview.endpoints, preview.values, len(preview.rows)) == (2, 2, 1)


def test_a_preview_comes_back_from_what_is_kept_of_it(seen: None, case: Case, rui: Person):
    preview = preview_of(unsaved(rui, case, ("*.corp.example", "blocked", "case", 0, "a.exe")))
    assert Preview.from_kept(preview.as_kept()).digest == preview.digest


def test_what_moved_is_another_digest(seen: None, case: Case, rui: Person):
    wide = unsaved(rui, case, ("*.corp.example", "blocked", "case", 0, "a.exe"))
    before = preview_of(wide)
    decide_on(rui, case, "a.corp.example", "allowed", "case")
    assert preview_of(wide).digest != before.digest


def test_what_nobody_settled_yet_is_judged_anew(case: Case, rui: Person, ana: Person):
    merge_and_settle(case, row("203.0.113.1", "old.example"))
    decide_on(ana, case, "old.example", "allowed", "case")
    merge_only(case, row("203.0.113.2", "old.example"), row("203.0.113.3", "new.old.example"))
    wide = decide_on(rui, case, "old.example", subject="*.old.example")
    foreseen = preview_of(wide)
    assert foreseen.by_verdicts == [("undecided", "blocked", 1)]
    settle_unsettled(case.pk)
    assert preview_of(wide).as_kept() == foreseen.as_kept()
