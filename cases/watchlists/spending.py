"""The budget of changes that a service gives for a month, shared by all targets of one place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest
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
    return changes_spent_at([target]).get(target.pk)


def changes_spent_at(targets: Iterable[Target]) -> dict[int, int]:
    """Of this month, by target; without those where changes are not counted. One query."""
    places = {each.pk: budget_place(each.as_described) for each in targets if each.kind == SENTINEL}
    if not places:
        return {}
    spent = Spending.objects.filter(place__in=set(places.values()), month=_month())
    found = dict(spent.values_list("place", "changes"))
    return {pk: found.get(place, 0) for pk, place in places.items()}


class Reserved(NamedTuple):
    place: str
    month: date
    cost: int


def reserve(target: Target, cost: int) -> Reserved | None:
    """Before they are sent: a worker that is lost has spent too much rather than too little."""
    reserved = Reserved(budget_place(target.as_described), _month(), cost)
    if target.kind != SENTINEL:
        return reserved._replace(cost=0)
    if cost > CHANGES_A_MONTH:
        return None
    asked: dict[str, Any] = {
        **reserved._asdict(),
        "most": CHANGES_A_MONTH,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, asked)
        return reserved if cursor.fetchone() is not None else None


def give_back(reserved: Reserved) -> None:
    """Of what was not carried out after all."""
    if reserved.cost:
        spent = Spending.objects.filter(place=reserved.place, month=reserved.month)
        spent.update(changes=Greatest(F("changes") - reserved.cost, 0))


def _month() -> date:
    return timezone.now().date().replace(day=1)
