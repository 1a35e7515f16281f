"""What is foreseen is what settling then does."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cases.deciding import preview_of, preview_of_end
from cases.explained import ruling_of
from cases.merging import settle_unsettled
from cases.models import Case, Decision
from cases.places import in_the_place_of
from cases.settling import resettle
from cases.verdicts.preview import Preview, preview_of_making
from cases.verdicts.settle import Settled, take_verdict_lock
from footprint.accounts.models import Person
from tests.cases.verdicts.test_settle import PAIRS, SUBJECTS, WORLDS, make_world, put
from tests.cases.world import decide_on, merge_and_settle, row

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


@pytest.fixture
def seen(case: Case) -> None:
    merge_and_settle(
        case,
        row("1.1.1.1", "a.corp.example"),
        row("1.1.1.2", "b.corp.example", file="b.exe"),
        row("1.1.1.2", "c.corp.example"),
    )


def test_many_previews_take_one_query(seen: None, case: Case, rui: Person):
    decisions = [unsaved(rui, case, (typed, "blocked", "everywhere", 0, "a.exe")) for typed in SUBJECTS]
    with CaptureQueriesContext(connection) as queries:
        previews = preview_of_making([ruling_of(each) for each in decisions])
    assert len(queries) == 1
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
