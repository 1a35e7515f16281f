"""What a second person asks of a proposal: may I, and what would it change now?"""

from __future__ import annotations

from cases.deciding import preview_of, preview_of_end
from cases.models import Proposal
from cases.verdicts import precedence
from cases.verdicts.four_eyes import needs_lead
from cases.verdicts.preview import Preview
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person

BEING_SETTLED = "What it covers is still being settled after another decision. Look again once that is done."


def preview_now(proposal: Proposal, *, rows: int = 0) -> Preview:
    """What approving would change at this moment."""
    if proposal.is_withdrawal:
        return preview_of_end(proposal.decision, rows=rows)
    return preview_of(proposal.decision, rows=rows)


def why_not_for(person: Person, proposal: Proposal) -> str:
    """Why this person cannot approve or reject; empty when they can."""
    if proposal.proposer_id == person.pk:
        return "You proposed this yourself; somebody else has to look at it."
    if not may(person, Verb.APPROVE, proposal):
        return "Approving takes a reviewer."
    scope = precedence.Scope(proposal.decision.scope)
    if needs_lead(proposal.decision.as_subject, scope) and not may(person, Verb.APPROVE_WIDE, proposal):
        return "It is wide and counts everywhere: approving it takes a lead."
    return ""
