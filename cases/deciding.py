"""The steps that every change of a decision is made of, inside an open change and under the verdict lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from cases.clock import database_now
from cases.decision_entries import note_ended, note_made, note_proposal_ended, note_proposed
from cases.expiries import FURTHEST, TOO_FAR
from cases.explained import ruling_of
from cases.models import Case, CaseFile, CaseValue, Decision, Proposal, Verdict
from cases.places import in_the_place_of
from cases.refusals import CannotDecide
from cases.settling import reach_of, resettle
from cases.texts import bad_reason, with_plain_lines
from cases.verdicts.preview import Preview, preview_of_ending, preview_of_making
from cases.verdicts.subject import Subject, SubjectRefused, read_subject
from footprint.accounts.models import Person
from footprint.ledger.record import Change


def subject_for(value: CaseValue, typed: str) -> Subject:
    """What was typed in the place of the value, which it must cover; the value itself when nothing was."""
    exact = value.exact_subject
    if not typed.strip() or typed.strip() == value.value:
        return exact
    try:
        subject = read_subject(typed)
    except SubjectRefused as refusal:
        raise CannotDecide("subject", str(refusal)) from refusal
    if not subject.covers(exact):
        raise CannotDecide("subject", f"{subject} does not cover {exact}, where you started from.")
    return subject


def new_decision(
    *,
    case: Case,
    subject: Subject,
    verdict: str,
    scope: str,
    file: CaseFile | None,
    reason: str,
    expires_at: datetime | None,
    proposer: Person,
) -> Decision:
    """In force, not yet saved; raises CannotDecide at the field that is wrong."""
    if verdict not in (Verdict.ALLOWED, Verdict.BLOCKED):
        raise CannotDecide("verdict", "Decide on allow or block.")
    if scope not in Decision.Scope.values:
        raise CannotDecide("scope", "Choose this case, this file or everywhere.")
    if scope == Decision.Scope.FILE and (file is None or file.case_id != case.pk):
        raise CannotDecide("file", "Choose a file of this case.")
    now = database_now()
    asked_file = file if scope == Decision.Scope.FILE else None
    return Decision(
        verdict=verdict,
        subject_kind=subject.kind.value,
        subject=subject.text,
        network=subject.text if subject.kind in {"address", "network"} else None,
        scope=scope,
        case=case if scope == Decision.Scope.CASE else None,
        file_kind=asked_file.kind if asked_file else "",
        file_key=asked_file.key if asked_file else "",
        made_in=case,
        reason=checked_reason(reason),
        expires_at=checked_expiry(expires_at, now),
        state=Decision.State.IN_FORCE,
        proposer=proposer,
        made_at=now,
    )


def checked_reason(reason: str) -> str:
    if not reason.strip():
        raise CannotDecide("reason", "Give a reason; it is kept with the decision.")
    if said := bad_reason(reason):
        raise CannotDecide("reason", said)
    return with_plain_lines(reason).strip()


def checked_expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    if expires_at is not None and expires_at <= now:
        raise CannotDecide("expires_at", "The expiry must be in the future.")
    if expires_at is not None and expires_at > now + FURTHEST:
        raise CannotDecide("expires_at", TOO_FAR)
    return expires_at


def refuse_closed(case: Case | None) -> None:
    if case is not None and not Case.objects.live().filter(pk=case.pk).exists():
        raise CannotDecide("", "This case is closed; nothing is decided in it until it is reopened.")


def made_again(decision: Decision, at: datetime | None = None) -> Decision:
    """The same decision as a new one, not yet saved. It stays its maker's, who may undo it in turn."""
    return Decision(
        verdict=decision.verdict,
        subject_kind=decision.subject_kind,
        subject=decision.subject,
        network=decision.network,
        scope=decision.scope,
        case_id=decision.case_id,
        file_kind=decision.file_kind,
        file_key=decision.file_key,
        made_in_id=decision.made_in_id,
        reason=decision.reason,
        expires_at=decision.expires_at,
        state=Decision.State.IN_FORCE,
        proposer_id=decision.proposer_id,
        approver_id=decision.approver_id,
        made_at=at or database_now(),
        supersedes_id=decision.supersedes_id,
        made_again_from_id=decision.pk,
    )


def put_in_force(ledger: Change, decision: Decision, by: Person, preview: Preview | None) -> None:
    """Saves a decision in force, in the place of what holds its (subject, scope), and settles."""
    replaced = _make_room(ledger, decision, by)
    verdict_before = verdict_in_case(decision)
    decision.supersedes = replaced
    decision.save()
    effect = effect_in_words([decision], preview)
    if replaced is not None:
        note_ended(ledger, replaced, reason=decision.reason, superseded_by=decision.pk)
    note_made(ledger, decision, verdict_before=verdict_before, effect=effect)


def _make_room(ledger: Change, decision: Decision, by: Person) -> Decision | None:
    """Ends what holds the new decision's (subject, scope); returns it when it was still in force."""
    holder = in_the_place_of(decision)
    if holder is None:
        return None
    if holder.is_past(decision.made_at):
        end(ledger, holder, Decision.State.EXPIRED, None)
        note_ended(ledger, holder, reason="Its time was over.")
        return None
    end(ledger, holder, Decision.State.SUPERSEDED, by)
    return holder


def verdict_in_case(decision: Decision) -> str:
    """Of the value that is exactly the subject, where the decision was made in a case that has it."""
    found = CaseValue.objects.filter(case=decision.made_in_id, value=decision.subject)
    return found.values_list("verdict", flat=True).first() or ""


def end(ledger: Change, decision: Decision, state: Decision.State, by: Person | None) -> None:
    """A withdrawal of it that waits for somebody has nothing to wait for any more."""
    decision.state = state
    decision.ended_at = database_now()
    decision.ended_by = by
    decision.version += 1
    decision.save(update_fields=["state", "ended_at", "ended_by", "version"])
    for waiting in Proposal.objects.waiting().filter(decision=decision, kind=Proposal.Kind.WITHDRAW):
        because = f"The decision is {decision.get_state_display()} already."
        end_proposal(ledger, waiting, Proposal.State.OVERTAKEN, by, because)


def withdraw_now(
    ledger: Change, decision: Decision, by: Person, reason: str, preview: Preview, **more: object
) -> None:
    """`more` as in note_ended."""
    end(ledger, decision, Decision.State.WITHDRAWN, by)
    effect = effect_in_words([decision], preview)
    note_ended(ledger, decision, reason=reason, effect=effect, **more)


def propose(
    ledger: Change,
    decision: Decision,
    *,
    kind: Proposal.Kind,
    proposer: Person,
    reason: str,
    why: Iterable[str],
    preview: Preview,
) -> Proposal:
    """A decision to be made is saved here; one to be withdrawn stays as it is."""
    if kind == Proposal.Kind.MAKE:
        decision.state = Decision.State.PROPOSED
        decision.save()
    proposal = Proposal.objects.create(
        decision=decision,
        kind=kind,
        proposer=proposer,
        proposed_at=database_now(),
        reason=reason,
        why=list(why),
        judged_on=preview.as_kept(),
        digest=preview.digest,
    )
    note_proposed(ledger, proposal)
    return proposal


def end_proposal(
    ledger: Change, proposal: Proposal, state: Proposal.State, by: Person | None, because: str
) -> None:
    proposal.state = state
    proposal.ended_at = database_now()
    proposal.ended_by = by
    proposal.ended_because = because
    proposal.save(update_fields=["state", "ended_at", "ended_by", "ended_because", "judged_on", "digest"])
    if state != Proposal.State.APPROVED:
        note_proposal_ended(ledger, proposal, reason=because)


def effect_in_words(decisions: Iterable[Decision], preview: Preview | None) -> Mapping[str, object]:
    """Settles what the decisions reach; for the ledger. Where that is put off, what is foreseen."""
    settled = resettle(decisions)
    if settled is not None:
        return settled.in_words()
    return (preview.in_words() if preview else {}) | {"in_batches": True}


def preview_of(decision: Decision, *, rows: int = 0) -> Preview:
    """What a decision that is not in force would change if it were."""
    return preview_of_making([ruling_of(decision)], rows=rows)[0]


def preview_of_end(decision: Decision, *, rows: int = 0) -> Preview:
    """What the end of a decision in force would change."""
    return preview_of_ending(decision.pk, reach_of(decision), rows=rows)
