"""Cases that wait: the reader's, then the others with undecided values."""

from __future__ import annotations

from django.urls import reverse

from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person
from footprint.desk.inbox.groups import Group, Line, with_total
from footprint.desk.waiting import WaitingCase, cases_of_others, cases_of_person, waiting_case


def assigned(person: Person, at_most: int) -> Group:
    found, total = with_total(cases_of_person(person), at_most)
    return Group("assigned", "Assigned to you", [_line(waiting_case(each, person)) for each in found], total)


def undecided(person: Person, at_most: int) -> Group:
    """The one that waits longest comes first."""
    if not may(person, Verb.PROPOSE):
        return Group("undecided", "")
    found, total = with_total(cases_of_others(person), at_most)
    return Group("undecided", "Undecided", [_line(waiting_case(each, person)) for each in found], total)


def _line(waiting: WaitingCase) -> Line:
    return Line(waiting, waiting.newest, reverse("inbox-case", args=[waiting.case.pk]))
