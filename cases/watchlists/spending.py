"""The budget of changes that a service gives for a month, shared by all targets of one place."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from cases.watchlists.models import Spending, Target
from cases.watchlists.targets.open import SENTINEL, budget_place
from cases.watchlists.targets.sentinel import CHANGES_A_MONTH

_RESERVE = """
    INSERT INTO watchlists_spending AS s (place, month, changes) VALUES (%(place)s, %(month)s, %(cost)s)
    ON CONFLICT (place, month) DO UPDATE SET changes = s.changes + excluded.changes
     WHERE s.changes + excluded.changes <= %(most)s
    RETURNING changes
"""


def changes_left(target: Target) -> int | None:
    """None where changes are not counted."""
    spent = changes_spent(target)
    return None if spent is None else max(0, CHANGES_A_MONTH - spent)


def changes_spent(target: Target) -> int | None:
    if target.kind != SENTINEL:
        return None
    place = budget_place(target.as_described)
    found = Spending.objects.filter(place=place, month=_month()).values_list("changes", flat=True).first()
    return found or 0


def reserve(target: Target, cost: int) -> bool:
    """Before they are sent: a worker that is lost has spent too much rather than too little."""
    if target.kind != SENTINEL:
        return True
    if cost > CHANGES_A_MONTH:
        return False
    asked: dict[str, Any] = {
        "place": budget_place(target.as_described),
        "month": _month(),
        "cost": cost,
        "most": CHANGES_A_MONTH,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, asked)
        return cursor.fetchone() is not None


def _month() -> date:
    return timezone.now().date().replace(day=1)
