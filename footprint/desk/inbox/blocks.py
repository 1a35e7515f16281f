"""Values that were seen after their block, one line for each case."""

from __future__ import annotations

from django.urls import reverse

from cases.watchlists.after_block import WORDS, seen_after_block
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person
from footprint.desk.inbox.groups import Group, Line


def after_block(person: Person, at_most: int) -> Group:
    if not may(person, Verb.PROPOSE):
        return Group("after_block", "")
    found = seen_after_block()
    lines = [Line(each, each.seen_at, reverse("inbox-case", args=[each.case.pk])) for each in found]
    return Group("after_block", "Seen after block", lines[:at_most], len(lines), note=WORDS)
