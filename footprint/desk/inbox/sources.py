"""Sources that paused themselves: told to those who keep them."""

from __future__ import annotations

from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person
from footprint.desk.inbox.groups import Group, Line, with_total
from hunts.models import Source


def refusing(person: Person, at_most: int) -> Group:
    found = Source.objects.refusing().select_related("owner")
    if not may(person, Verb.MANAGE_SOURCES):
        found = found.filter(owner=person)
    sources, total = with_total(found, at_most)
    return Group("refusing", "Sources in trouble", [Line(each, each.paused_at) for each in sources], total)
