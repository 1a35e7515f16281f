"""What holds the (subject, scope) of a decision: one decision in force and one proposed at most."""

from __future__ import annotations

from cases.models import Decision


def in_the_place_of(decision: Decision) -> Decision | None:
    """The row that holds the (subject, scope) of a new decision, whether the clock has passed it or not."""
    return Decision.objects.filter(state=Decision.State.IN_FORCE, **_place_of(decision)).first()


def proposed_in_the_place_of(decision: Decision) -> Decision | None:
    found = Decision.objects.filter(state=Decision.State.PROPOSED, **_place_of(decision))
    return found.select_related("proposer").first()


def _place_of(decision: Decision) -> dict[str, object]:
    return {
        "subject_kind": decision.subject_kind,
        "subject": decision.subject,
        "scope": decision.scope,
        "case": decision.case_id,
        "file_kind": decision.file_kind,
        "file_key": decision.file_key,
    }
