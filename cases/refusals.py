"""Why a change of decisions is refused. Nothing was written."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from cases.models import Decision, Proposal
from cases.verdicts.preview import Preview


class Refused(Exception):
    """`message` is a sentence for the person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RefusedAt(Refused):
    """`field` is the form field that `message` belongs to, or empty."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class CannotDecide(RefusedAt):
    """What was asked cannot be decided."""


class DecidedMeanwhile(Refused):
    """Someone changed the decisions on this subject since the person looked.

    `current` is what is in force now, the latest first made; None when nothing is. `who`, `what` and
    `when` tell the latest change, also when that one took a decision away.
    """

    def __init__(self, current: Decision | None, latest: Decision | None) -> None:
        self.current = current
        self.who = self.what = ""
        self.when: datetime | None = None
        if latest is not None:
            self.who, self.what, self.when = _change_of(latest)
        super().__init__(
            f"Decided meanwhile by {self.who}: {self.what}" if self.what else "Decided meanwhile"
        )


def _change_of(latest: Decision) -> tuple[str, str, datetime | None]:
    """Who did what to it last, and when."""
    if latest.state != Decision.State.IN_FORCE:
        by = str(latest.ended_by or "the clock")
        return by, f"{latest} ({latest.get_state_display()})", latest.ended_at
    if latest.is_past(timezone.now()):
        return "the clock", f"{latest} (expired)", latest.expires_at
    proposed = f", proposed by {latest.proposer}" if latest.approver_id is not None else ""
    return str(latest.in_force_by), f"{latest}{proposed}", latest.made_at


class PreviewMoved(Refused):
    """What the decision would change is not what the person saw. `now` is what it is."""

    def __init__(self, now: Preview, before: Preview | None = None) -> None:
        super().__init__("What this would change has moved since you looked. Look again.")
        self.now = now
        self.before = before


class CannotApprove(Refused):
    """This person may not end this proposal, or it cannot be ended so."""


class ProposalMoved(Refused):
    """What the proposal would change is not what it was judged on."""

    def __init__(self, proposal: Proposal, now: Preview) -> None:
        super().__init__("What this would change has moved since it was proposed. Look again.")
        self.proposal = proposal
        self.now = now


class UndoRefused(Refused):
    """The decision stays. `current` is what is in force on its subject now, where that is the cause."""

    def __init__(self, message: str, current: Decision | None = None) -> None:
        super().__init__(message)
        self.why = message
        self.current = current
