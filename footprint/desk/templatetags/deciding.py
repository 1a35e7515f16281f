"""Decisions beside what other rooms know of them: `{% load deciding %}`."""

from __future__ import annotations

from django import template

from cases.models import Case, CaseValue, Decision
from cases.verdicts.subject import Subject
from cases.views.preflight import Checked, checked
from cases.watchlists.after_block import Effect, effects_of
from cases.watchlists.enforcement import Outside, outside_of
from footprint.desk import published

register = template.Library()


@register.simple_tag
def lists_with(decision: Decision) -> list[published.Listed]:
    """The watchlists that have the decision, had it, or will have it."""
    return published.lists_with(decision)


@register.simple_tag
def outside(decision: Decision) -> Outside:
    """Where the decision is in force outside, and since when."""
    return outside_of(decision)


@register.simple_tag
def block_effect(case: Case, value: CaseValue) -> Effect | None:
    """Of the blocks on the value; None where it is not blocked."""
    return effects_of(case, [value.value]).get(value.value) if value.blocked else None


@register.simple_tag
def preflight(case: Case, subject: Subject, verdict: str, scope: str) -> Checked:
    """What to think about before the decision; a scope that was not chosen well is taken as everywhere."""
    return checked(case, subject, verdict, scope if scope in Decision.Scope.values else "everywhere")
