"""What stops watchlists: publications held for a second person, targets in trouble."""

from __future__ import annotations

from cases.watchlists.models import Publication, Target
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person
from footprint.desk.inbox.groups import Group, Line, with_total


def held(person: Person, at_most: int) -> Group:
    if not may(person, Verb.MANAGE_WATCHLISTS):
        return Group("held", "")
    found, total = with_total(
        Publication.objects.held().select_related("watchlist", "made_by").order_by("made_at"), at_most
    )
    return Group("held", "Publications held", [Line(each, each.made_at) for each in found], total)


def targets(person: Person, at_most: int) -> Group:
    if not may(person, Verb.MANAGE_WATCHLISTS):
        return Group("targets", "")
    troubled = Target.objects.used().filter(stand=Target.Stand.TROUBLE).select_related("watchlist")
    found, total = with_total(troubled.order_by("-trouble_since"), at_most)
    return Group("targets", "Targets in trouble", [Line(each, each.trouble_since) for each in found], total)
