"""Values that a batch leaves alone because someone decided on them meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cases.models import Batch, Decision, LeftAlone


def leave(batch: Batch, seen: Mapping[str, Sequence[int]]) -> None:
    """`seen` holds, for each value that is no longer as the person saw it, the decisions they saw."""
    if not seen:
        return
    on_values: dict[str, list[Decision]] = {value: [] for value in seen}
    decisions = Decision.objects.on_values(list(seen)).covering(batch.case)
    for decision in decisions.select_related("proposer", "ended_by").order_by("pk"):
        on_values[decision.subject].append(decision)
    LeftAlone.objects.bulk_create(
        _left(batch, value, _latest(on_values[value], frozenset(basis))) for value, basis in seen.items()
    )
    batch.left_alone += len(seen)


def _latest(decisions: Sequence[Decision], seen: frozenset[int]) -> Decision | None:
    """What was made since, the latest first; else what was there and was ended since."""
    made = [each for each in decisions if each.state == Decision.State.IN_FORCE and each.pk not in seen]
    ended = [each for each in decisions if each.pk in seen and each.ended_at is not None]
    if made:
        return made[-1]
    return max(ended, key=lambda each: (each.ended_at, each.pk), default=None)


def _left(batch: Batch, value: str, because: Decision | None) -> LeftAlone:
    return LeftAlone(batch=batch, task=batch.task, value=value, why=_why(because), because=because)


def _why(because: Decision | None) -> str:
    if because is None:
        return "decided meanwhile"
    if because.ended_at is None:
        return f"{because.get_verdict_display()} meanwhile by {because.proposer}"
    by = because.ended_by or "the clock"
    return f"{because.get_verdict_display()} before; {because.get_state_display()} meanwhile by {by}"
