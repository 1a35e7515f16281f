"""Decisions that soon end and are the reader's."""

from __future__ import annotations

from django.urls import reverse

from cases.waiting import Expiring, decisions_expiring_for
from footprint.accounts.models import Person
from footprint.desk.inbox.groups import Group, Line, with_total


def expiring(person: Person, at_most: int) -> Group:
    """Nothing new: its time was known when it was made, so no line is ever marked as come since."""
    found, total = with_total(decisions_expiring_for(person), at_most)
    lines = [
        Line(Expiring(each, each.proposer_id == person.pk), None, reverse("inbox-decision", args=[each.pk]))
        for each in found
    ]
    return Group("expiring", "Expires soon", lines, total)
