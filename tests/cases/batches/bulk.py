"""Bulk decisions in tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cases.batches.actions import confirm, draft, undo_batch
from cases.batches.working import work_on
from cases.models import Batch, Case, CaseValue, LeftAlone
from footprint.accounts.models import Person


def drafted(actor: Person, case: Case, *values: str, verdict: str = "blocked", **more: Any) -> Batch:
    """A draft on the given values, or on all of the case."""
    found = CaseValue.objects.filter(case=case)
    given = {"scope": "everywhere", "reason": "Seen in the beacon report"} | more
    return draft(
        actor=actor,
        case=case,
        values=found.filter(value__in=values) if values else found,
        verdict=verdict,
        **given,
    )


def decided(actor: Person, case: Case, *values: str, **more: Any) -> Batch:
    return worked(confirm(actor=actor, batch=drafted(actor, case, *values, **more)))


def undone(actor: Person, batch: Batch) -> Batch:
    return worked(undo_batch(actor=actor, batch=batch))


def worked(batch: Batch) -> Batch:
    """As after a worker had it."""
    work_on(batch.pk, "tests")
    return Batch.objects.get(pk=batch.pk)


def left_alone(batch: Batch) -> Sequence[tuple[str, str]]:
    return list(LeftAlone.objects.filter(batch=batch).order_by("value").values_list("value", "why"))
