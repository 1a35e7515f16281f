"""Values that a batch leaves alone, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from cases.bases import covering_values
from cases.batches.sql import COVERS
from cases.models import Batch, Decision, LeftAlone, Verdict
from cases.proposal_queryset import WIDE_KINDS
from cases.verdicts.in_force import IN_FORCE
from cases.verdicts.subject import Subject

# All leading columns of an index are named: there are very many exact decisions.
_WIDE_IN_FORCE = f"""
    SELECT d.id FROM cases_decision d CROSS JOIN (SELECT %s::bigint AS case_id) v
     WHERE d.scope = ANY(%s) AND d.verdict = ANY(%s) AND d.subject_kind = ANY(%s) AND {IN_FORCE} AND {COVERS}
"""  # noqa: S608  # constants of ours
_WIDE = [list(Decision.Scope.values), list(Verdict.values), list(WIDE_KINDS)]


def wide_in_force(batch: Batch) -> list[int]:
    """Decisions on more than one value that reach the case: few, so each is known by its id.

    Every step asks, so in SQL: to put the same together from a queryset takes longer than to answer it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WIDE_IN_FORCE, [batch.case_id, *_WIDE])
        return [pk for (pk,) in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class WideChanges:
    """The wide decisions that were made or ended since the batch was frozen."""

    decisions: Sequence[Decision]

    @classmethod
    def since(cls, batch: Batch) -> WideChanges:
        now = set(wide_in_force(batch))
        changed = now ^ set(batch.wide_basis)
        if not changed:
            return cls(())
        return cls(
            list(Decision.objects.select_related("proposer", "approver", "ended_by").filter(pk__in=changed))
        )

    def cover(self, value: str, kind: str) -> bool:
        if not self.decisions:
            return False
        subject = Subject.of_value(value, kind)
        return any(each.as_subject.covers(subject) for each in self.decisions)


def leave(batch: Batch, left: Sequence[tuple[str, str, Decision | None]]) -> None:
    """Each value with why, and the decision that stands in the way, if one does."""
    LeftAlone.objects.bulk_create(
        LeftAlone(batch=batch, task=batch.task, value=value, why=why, because=because)
        for value, why, because in left
    )
    batch.left_alone += len(left)


def leave_moved(batch: Batch, wide: WideChanges, seen: Mapping[str, Sequence[int]]) -> None:
    """`seen` holds, for each value that is no longer as the person saw it, the exact decisions they saw."""
    if not seen:
        return
    on_values: dict[str, list[Decision]] = {value: [] for value in seen}
    decisions = Decision.objects.on_values(list(seen)).covering(batch.case)
    for decision in decisions.select_related("proposer", "approver", "ended_by").order_by("made_at", "pk"):
        on_values[decision.subject].append(decision)
    left = []
    for value, basis in seen.items():
        because = _latest(on_values[value], frozenset(basis)) or _covering(wide, batch, value)
        left.append((value, _why(because), because))
    leave(batch, left)


def leave_proposed(batch: Batch, proposed: Sequence[int]) -> None:
    """Values for whose place somebody has proposed something that is not answered yet."""
    if not proposed:
        return
    decisions = Decision.objects.select_related("proposer").filter(pk__in=proposed)
    leave(
        batch,
        [
            (each.subject, f"{each.proposer} has proposed already: {each}", each)
            for each in decisions.order_by("subject")
        ],
    )


def _latest(decisions: Sequence[Decision], seen: frozenset[int]) -> Decision | None:
    """What was made since, the latest first; else what was there and was ended since."""
    made = [each for each in decisions if each.state == Decision.State.IN_FORCE and each.pk not in seen]
    ended = [each for each in decisions if each.pk in seen and each.ended_at is not None]
    if made:
        return made[-1]
    return max(ended, key=lambda each: (each.ended_at, each.pk), default=None)


def _covering(wide: WideChanges, batch: Batch, value: str) -> Decision | None:
    if not wide.decisions:
        return None
    covering = set(covering_values([value]).covering(batch.case).values_list("pk", flat=True))
    found = [each for each in wide.decisions if each.pk in covering]
    return max(found, key=lambda each: each.ended_at or each.made_at, default=None)


def _why(because: Decision | None) -> str:
    if because is None:
        return "decided meanwhile"
    wide = f" ({because.subject_typed})" if because.as_subject.is_wide else ""
    verdict = f"{because.get_verdict_display()}{wide}"
    if because.ended_at is None:
        return f"{verdict} meanwhile by {because.in_force_by}"
    by = because.ended_by or "the clock"
    return f"{verdict} before; {because.get_state_display()} meanwhile by {by}"
