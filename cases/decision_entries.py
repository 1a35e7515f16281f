"""What the ledger keeps of decisions and proposals."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from cases.models import Decision, Proposal
from footprint.ledger.events import Event
from footprint.ledger.record import Change, Subject

_ENDED_AS = {
    Decision.State.SUPERSEDED: Event.DECISION_SUPERSEDED,
    Decision.State.WITHDRAWN: Event.DECISION_WITHDRAWN,
    Decision.State.EXPIRED: Event.DECISION_EXPIRED,
    Decision.State.REJECTED: Event.DECISION_REJECTED,
}
_WITHDRAWAL_ENDED_AS = {
    Proposal.State.REJECTED: Event.WITHDRAWAL_REJECTED,
    Proposal.State.TAKEN_BACK: Event.WITHDRAWAL_TAKEN_BACK,
    Proposal.State.OVERTAKEN: Event.WITHDRAWAL_OVERTAKEN,
}


def note_proposed(ledger: Change, proposal: Proposal, **more: object) -> None:
    """`more` as in note_made."""
    decision = proposal.decision
    judged = {"why": list(proposal.why), "judged_on": proposal.judged_on, "digest": proposal.digest}
    if proposal.is_withdrawal:
        event, after = Event.WITHDRAWAL_PROPOSED, judged
    else:
        event, after = Event.DECISION_PROPOSED, as_kept(decision) | judged
    ledger.add(
        event,
        subject_of(decision),
        case_number=decision.made_in_id,
        after={**after, **more},
        reason=proposal.reason,
    )


def note_made(ledger: Change, decision: Decision, *, verdict_before: str, **more: object) -> None:
    """`verdict_before` is the value's in the case; `more` joins what is kept after, such as the effect."""
    ledger.add(
        Event.DECISION_MADE,
        subject_of(decision),
        case_number=decision.made_in_id,
        before={"verdict": verdict_before},
        after={**as_kept(decision), **more},
        reason=decision.reason,
    )


class MadeAlike(NamedTuple):
    """What one of many exact decisions has of its own; `verdict_before` as in note_made."""

    id: int
    kind: str
    subject: str
    supersedes: int | None
    verdict_before: str


def note_made_alike(ledger: Change, like: Decision, made: Iterable[MadeAlike], **more: object) -> None:
    """As note_made of each, where all else is as in `like`: thousands, so that is told once."""
    kept = {**as_kept(like), **more}
    before, after = like.said_of("\0").split("\0")
    for each in made:
        own = {"subject_kind": each.kind, "subject": each.subject, "supersedes": each.supersedes}
        ledger.add(
            Event.DECISION_MADE,
            Subject("decision", str(each.id), f"{before}{each.subject}{after}"),
            case_number=like.made_in_id,
            before={"verdict": each.verdict_before},
            after=kept | own,
            reason=like.reason,
        )


def note_ended(ledger: Change, decision: Decision, *, reason: str, **more: object) -> None:
    """`more` as in note_made."""
    _note_end(ledger, decision, _ENDED_AS[Decision.State(decision.state)], "in force", reason, more)


def note_proposal_ended(ledger: Change, proposal: Proposal, *, reason: str, **more: object) -> None:
    """Of a proposal that is not approved; what approving changes is an entry of its own."""
    decision = proposal.decision
    if proposal.is_withdrawal:
        ledger.add(
            _WITHDRAWAL_ENDED_AS[Proposal.State(proposal.state)],
            subject_of(decision),
            case_number=decision.made_in_id,
            before={
                "proposal": Proposal.State.WAITING.value,
                "proposer": proposal.proposer_id,
                "reason": proposal.reason,
            },
            after={"proposal": str(proposal.state), "ended_by": proposal.ended_by_id, **more},
            reason=reason,
        )
        return
    taken_back = proposal.state == Proposal.State.TAKEN_BACK
    event = Event.DECISION_TAKEN_BACK if taken_back else Event.DECISION_REJECTED
    _note_end(ledger, decision, event, "proposed", reason, more)


def _note_end(
    ledger: Change, decision: Decision, event: Event, state_before: str, reason: str, more: dict[str, object]
) -> None:
    ledger.add(
        event,
        subject_of(decision),
        case_number=decision.made_in_id,
        before={**as_kept(decision), "state": state_before},
        after={**as_kept(decision), **more},
        reason=reason,
    )


def subject_of(decision: Decision) -> Subject:
    return Subject("decision", str(decision.pk), str(decision))


def as_kept(decision: Decision) -> dict[str, object]:
    """Everything by which the decisions in force could be rebuilt from the ledger."""
    return {
        "verdict": decision.verdict,
        "subject_kind": decision.subject_kind,
        "subject": decision.subject,
        "scope": decision.scope,
        "case": decision.case_id,
        "file_kind": decision.file_kind,
        "file": decision.file_key,
        "state": str(decision.state),
        "expires_at": _moment(decision.expires_at),
        "proposer": decision.proposer_id,
        "approver": decision.approver_id,
        "supersedes": decision.supersedes_id,
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
