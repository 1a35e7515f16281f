"""What a second person does with a proposal, and its proposer: one transaction each, ledger included."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from cases.batches.renewing import own_proposals_renewed
from cases.clock import database_now
from cases.deciding import (
    checked_reason,
    end_proposal,
    put_in_force,
    refuse_closed,
    withdraw_now,
)
from cases.models import Decision, Proposal
from cases.proposals import BEING_SETTLED, preview_now, why_not_for
from cases.refusals import CannotApprove, ProposalMoved
from cases.verdicts.preview import Preview
from cases.verdicts.settle import take_verdict_lock
from footprint.accounts.models import Person
from footprint.ledger.record import Actor, Change, change


def approve(*, actor: Person, proposal: Proposal, seen: str = "") -> Decision:
    """Puts the proposed decision in force, or withdraws the one that was proposed to be withdrawn.

    `seen` is the digest of the preview that the actor saw; when they looked at none, what the proposer
    saw counts. ProposalMoved when it is another by now. Then, and with CannotApprove, nothing is written.
    """
    with change(actor=Actor.person(actor)) as ledger:
        take_verdict_lock()
        waiting = _waiting(proposal)
        why = why_not_for(actor, waiting)
        if why:
            raise CannotApprove(why)
        preview = preview_now(waiting)
        if preview.is_old:
            raise CannotApprove(BEING_SETTLED)
        if preview.digest != (seen or waiting.digest):
            raise ProposalMoved(waiting, preview)
        waiting.judged_on, waiting.digest = preview.as_kept(), preview.digest
        end_proposal(ledger, waiting, Proposal.State.APPROVED, actor, "")
        if waiting.is_withdrawal:
            _refuse_gone(waiting)
            refuse_closed(waiting.decision.case)
            withdraw_now(
                ledger,
                waiting.decision,
                actor,
                waiting.reason,
                preview,
                proposer=waiting.decision.proposer_id,
                withdrawal_proposed_by=waiting.proposer_id,
            )
        else:
            with _siblings_renewed(ledger, waiting):
                _make(ledger, waiting.decision, actor, preview)
    return waiting.decision


def reject(*, actor: Person, proposal: Proposal, reason: str) -> Proposal:
    with change(actor=Actor.person(actor)) as ledger:
        take_verdict_lock()
        waiting = _waiting(proposal)
        why = why_not_for(actor, waiting)
        if why:
            raise CannotApprove(why)
        return _close(ledger, waiting, Proposal.State.REJECTED, actor, checked_reason(reason))


def take_back(*, actor: Person, proposal: Proposal) -> Proposal:
    """The proposer changed their mind."""
    with change(actor=Actor.person(actor)) as ledger:
        take_verdict_lock()
        waiting = _waiting(proposal)
        if waiting.proposer_id != actor.pk:
            raise CannotApprove(f"{waiting.proposer} proposed this; only they can take it back.")
        return _close(ledger, waiting, Proposal.State.TAKEN_BACK, actor, "Taken back")


def _waiting(proposal: Proposal) -> Proposal:
    found = Proposal.objects.with_decision().select_for_update(of=("self",)).get(pk=proposal.pk)
    if not found.is_waiting:
        by = f" by {found.ended_by}" if found.ended_by else ""
        raise CannotApprove(f"This proposal is {found.get_state_display()} already{by}.")
    return found


def _refuse_gone(proposal: Proposal) -> None:
    if not Decision.objects.in_force().filter(pk=proposal.decision_id).exists():
        raise CannotApprove("The decision is no longer in force.")


def _make(ledger: Change, decision: Decision, approver: Person, preview: Preview) -> None:
    refuse_closed(decision.case)
    decision.made_at = database_now()
    if decision.is_past(decision.made_at):
        raise CannotApprove("The proposed expiry is over; reject it, and it can be proposed anew.")
    decision.state = Decision.State.IN_FORCE
    decision.approver = approver
    decision.version += 1
    put_in_force(ledger, decision, approver, preview)


def _siblings_renewed(ledger: Change, proposal: Proposal) -> AbstractContextManager[None]:
    """What was decided in bulk can still be answered as a whole after one of it was answered alone."""
    decision = proposal.decision
    if decision.batch is None:
        return nullcontext()
    subjects = [(decision.subject_kind, decision.subject)]
    return own_proposals_renewed(ledger, decision.batch, subjects, answered=[proposal.pk])


def _close(ledger: Change, proposal: Proposal, state: Proposal.State, by: Person, because: str) -> Proposal:
    if not proposal.is_withdrawal:
        decision = proposal.decision
        taken_back = state == Proposal.State.TAKEN_BACK
        decision.state = Decision.State.WITHDRAWN if taken_back else Decision.State.REJECTED
        decision.ended_at = database_now()
        decision.ended_by = by
        decision.version += 1
        decision.save(update_fields=["state", "ended_at", "ended_by", "version"])
    end_proposal(ledger, proposal, state, by, because)
    return proposal
