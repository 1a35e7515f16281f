from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.models import Case, Decision
from cases.proposal_actions import approve
from footprint.accounts.models import Person, Role
from tests.cases.design.subjects import ADDRESS, NAME
from tests.cases.world import decide_on, merge_and_settle, row
from tests.roles import person_with


@pytest.fixture
def seen(case: Case) -> Case:
    merge_and_settle(case, row(ADDRESS, NAME), row(ADDRESS))
    return case


@pytest.fixture
def lea(db: None) -> Person:
    return person_with(Role.LEAD, "lea")


@pytest.fixture
def wide(seen: Case, rui: Person, lea: Person) -> Decision:
    """A wide block in force."""
    decision = decide_on(
        rui, seen, NAME, subject="*.contoso.com", expires_at=timezone.now() + timedelta(days=9)
    )
    return approve(actor=lea, proposal=decision.proposals.get())
