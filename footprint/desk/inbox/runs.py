"""Hunts and runs that proved too little: a lead sees all, others those of their cases and what they asked."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from cases.models import Case
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person
from footprint.desk.inbox.groups import Group, Line, with_total
from hunts.models import Hunt
from hunts.trouble import in_trouble, runs_in_trouble

TROUBLE = timedelta(days=7)


def hunts(person: Person, at_most: int) -> Group:
    if not may(person, Verb.RUN_HUNT):
        return Group("hunts", "")
    found = in_trouble(Hunt.objects.filter(case__state__in=Case.LIVE))
    if not may(person, Verb.MANAGE_SOURCES):
        found = found.filter(Q(opened_by=person) | Q(case__owner=person) | Q(case__assignee=person))
    failing, total = with_total(found.select_related("case", "source").order_by("-pk"), at_most)
    return Group("hunts", "Hunts in trouble", [Line(each, None) for each in failing], total)


def runs(person: Person, at_most: int) -> Group:
    if not may(person, Verb.RUN_HUNT):
        return Group("runs", "")
    found = runs_in_trouble(timezone.now() - TROUBLE)
    if not may(person, Verb.MANAGE_SOURCES):
        theirs = Q(hunt__case__owner=person) | Q(hunt__case__assignee=person)
        found = found.filter(theirs | Q(opened_by=person))
    ended = found.select_related("hunt__case", "hunt__source").order_by("-ended_at")
    trouble, total = with_total(ended, at_most)
    return Group("runs", "Runs in trouble", [Line(each, each.ended_at) for each in trouble], total)
