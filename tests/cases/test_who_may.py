"""Who may do what to a decision: one row a verb."""

from __future__ import annotations

import pytest

from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person, Role

WHO = {
    Verb.READ_CASES: set(Role),
    Verb.PROPOSE: {Role.ANALYST, Role.REVIEWER, Role.LEAD},
    Verb.DECIDE: {Role.REVIEWER, Role.LEAD},
    Verb.APPROVE: {Role.REVIEWER, Role.LEAD},
    Verb.APPROVE_WIDE: {Role.LEAD},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", WHO)
def test_who_may(verb: Verb, role: Role):
    assert may(Person(username="x", role=role), verb) == (role in WHO[verb])


@pytest.mark.parametrize("verb", WHO)
def test_who_is_no_longer_active_may_nothing(verb: Verb):
    assert not may(Person(username="x", role=Role.LEAD, is_active=False), verb)
