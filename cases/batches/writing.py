"""Decisions written and ended many at a time, column by column as the model has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F

from cases.arrays import array_of_numbers, array_of_texts
from cases.models import Decision
from footprint.accounts.models import Person


@dataclass(frozen=True, slots=True)
class ToMake:
    """What is one decision's own; everything else it has in common with the others."""

    kind: str
    subject: str
    supersedes: int | None = None


_OWN = {
    "subject_kind": "own.kind",
    "subject": "own.subject",
    "network": "CASE WHEN own.kind = 'address' THEN own.subject::cidr END",
    "supersedes_id": "own.supersedes",
}
_INSERT = """
    INSERT INTO cases_decision ({columns})
    SELECT {expressions} FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS own(kind, subject, supersedes)
    RETURNING subject_kind, subject, id
"""


def insert_decisions(like: Decision, many: Sequence[ToMake]) -> dict[tuple[str, str], int]:
    """Exact decisions that are otherwise as `like`; returns the id of each by its kind and subject."""
    if not many:
        return {}
    columns, expressions, parameters = _columns(_OWN, like)
    parameters += [
        array_of_texts(each.kind for each in many),
        array_of_texts(each.subject for each in many),
        array_of_numbers(each.supersedes for each in many),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.format(columns=columns, expressions=expressions), parameters)
        return {(kind, subject): pk for kind, subject, pk in cursor.fetchall()}


def _columns(own: Mapping[str, str], like: Decision) -> tuple[str, str, list[Any]]:
    columns, expressions, parameters = list[str](), list[str](), list[Any]()
    for column in Decision._meta.local_concrete_fields:
        name = column.column or ""
        if column.primary_key:
            continue
        columns.append(name)
        if name in own:
            expressions.append(own[name])
            continue
        expressions.append(f"%s::{column.db_type(connection)}")
        parameters.append(column.get_db_prep_save(getattr(like, column.attname), connection))
    return ", ".join(columns), ", ".join(expressions), parameters


def end_decisions(
    decisions: Iterable[Decision], state: Decision.State, by: Person | None, at: datetime
) -> None:
    """In the table and on the objects."""
    ended = list(decisions)
    Decision.objects.filter(pk__in=[each.pk for each in ended]).update(
        state=state, ended_at=at, ended_by=by, version=F("version") + 1
    )
    for each in ended:
        each.state, each.ended_at, each.ended_by = state, at, by
        each.version += 1
