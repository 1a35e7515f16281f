"""Decisions beside what other rooms know of them: `{% load deciding %}`."""

from __future__ import annotations

from django import template

from cases.models import Decision
from footprint.desk import published

register = template.Library()


@register.simple_tag
def lists_with(decision: Decision) -> list[published.Listed]:
    """The watchlists that have the decision, had it, or will have it."""
    return published.lists_with(decision)
