"""What is new about something decided: one line for each file of a case, and one for its values."""

from __future__ import annotations

from django.urls import reverse

from cases.reviews import reviews_waiting_for
from footprint.accounts.models import Person
from footprint.desk.inbox.groups import Group, Line


def reviews_due(person: Person, at_most: int) -> Group:
    found, total = reviews_waiting_for(person, at_most)
    lines = [Line(each, each.raised_at, reverse("inbox-case", args=[each.case.pk])) for each in found]
    return Group("reviews", "Review due", lines, total, note="No verdict changes by confirming.")
