"""What a decision would change, before it is made or withdrawn: settle.py's rules, read only.

A decision that is made governs a side of an endpoint when its rank is not below that of the one which
governs now, so that looking costs a join. What governs after a withdrawal has to be found anew.
"""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from cases.arrays import array_of_numbers
from cases.verdicts.precedence import Ruling
from cases.verdicts.preview_sql import ANY_OLD, ENDING, MAKING, MAKING_ANEW, OF_OLD, OLD
from cases.verdicts.settle import Reach, select_reached
from cases.verdicts.subject import SubjectKind

ROWS_SHOWN = 20
# So many endpoints whose row tells an old verdict are judged anew for a preview: about a second.
MOST_ANEW = 10_000
_OLD = "old"


@dataclass(frozen=True, slots=True)
class Move:
    """Endpoints of a file that would change their verdict."""

    case_id: int
    file_id: int
    before: str
    after: str
    endpoints: int


@dataclass(frozen=True, slots=True)
class MovingValue:
    """A row of a queue whose endpoints would change."""

    case_id: int
    value: str
    before: str
    after: str
    endpoints: int


@dataclass(slots=True)
class Preview:
    """`standing` tells what it was counted on: which endpoints, and which decisions in which version."""

    moves: list[Move] = field(default_factory=list)
    values: int = 0
    rows: list[MovingValue] = field(default_factory=list)
    standing: dict[str, str] = field(default_factory=dict)

    @property
    def endpoints(self) -> int:
        return sum(move.endpoints for move in self.moves)

    @property
    def is_old(self) -> bool:
        """Counted on verdicts that are still being settled, because they were too many to judge anew."""
        return _OLD in self.standing

    @property
    def by_verdicts(self) -> list[tuple[str, str, int]]:
        """(before, after, endpoints)."""
        counts: Counter[tuple[str, str]] = Counter()
        for move in self.moves:
            counts[move.before, move.after] += move.endpoints
        return [(before, after, count) for (before, after), count in sorted(counts.items())]

    @property
    def cases(self) -> list[tuple[int, int]]:
        """(case, endpoints), most first."""
        counts: Counter[int] = Counter()
        for move in self.moves:
            counts[move.case_id] += move.endpoints
        return counts.most_common()

    @property
    def files(self) -> list[tuple[int, int]]:
        """(file, endpoints), most first."""
        counts: Counter[int] = Counter()
        for move in self.moves:
            counts[move.file_id] += move.endpoints
        return counts.most_common()

    @property
    def digest(self) -> str:
        """Equal for equal previews."""
        return hashlib.sha256(json.dumps(self.as_kept(), sort_keys=True).encode()).hexdigest()

    def as_kept(self) -> dict[str, Any]:
        moves = sorted((m.case_id, m.file_id, m.before, m.after, m.endpoints) for m in self.moves)
        return {
            "moves": [list(move) for move in moves],
            "values": self.values,
            "standing": dict(self.standing),
        }

    @classmethod
    def from_kept(cls, kept: dict[str, Any]) -> Preview:
        moves = [Move(*move) for move in kept.get("moves", [])]
        return cls(moves, kept.get("values", 0), standing=kept.get("standing", {}))

    def in_words(self) -> dict[str, object]:
        """For the ledger, as Settled has it."""
        return {
            "endpoints": {f"{before} to {after}": count for before, after, count in self.by_verdicts},
            "values": self.values,
            "cases": len(self.cases),
        }


def preview_of_making(rulings: Sequence[Ruling], *, rows: int = 0) -> list[Preview]:
    """For each ruling alone, in one statement. `rows` of one ruling at most are shown.

    What is in force counts, also where the verdicts that follow from it are still being settled.
    """
    asked = {
        "numbers": list(range(len(rulings))),
        "verdicts": [ruling.verdict.value for ruling in rulings],
        "kinds": [ruling.subject.kind.value for ruling in rulings],
        "subjects": [ruling.subject.text for ruling in rulings],
        "networks": [
            ruling.subject.text if ruling.subject.kind in {SubjectKind.ADDRESS, SubjectKind.NETWORK} else None
            for ruling in rulings
        ],
        "scopes": [ruling.scope.value for ruling in rulings],
        "cases": [ruling.case for ruling in rulings],
        "file_kinds": [ruling.file[0] if ruling.file else "" for ruling in rulings],
        "file_keys": [ruling.file[1] if ruling.file else "" for ruling in rulings],
        "ranks": [ruling.rank for ruling in rulings],
        "rows": rows,
    }
    old = _old_among(asked)
    if len(old) > MOST_ANEW:
        previews = _read(MAKING, asked, len(rulings))
        for n in _covering_old(asked):
            previews[n].standing[_OLD] = "yes"
        return previews
    if old:
        return _read(MAKING_ANEW, asked | {"ids": array_of_numbers(old), "without": None}, len(rulings))
    return _read(MAKING, asked, len(rulings))


def _old_among(asked: dict[str, Any]) -> list[int]:
    """Covered endpoints whose row does not tell the verdict of this moment; one more than is looked at."""
    with connection.cursor() as cursor:
        cursor.execute(ANY_OLD)
        if cursor.fetchone() == (False,):
            return []
        cursor.execute(OLD, asked | {"most": MOST_ANEW + 1})
        return [pk for (pk,) in cursor.fetchall()]


def _covering_old(asked: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(OF_OLD, asked)
        return [n for (n,) in cursor.fetchall()]


def preview_of_ending(decision_id: int, reach: Reach, *, rows: int = 0) -> Preview:
    """What the end of a decision in force would change."""
    select, parameters = select_reached(reach)
    governed = f"""
        SELECT coalesce(array_agg(e.id), '{{}}') FROM cases_endpoint e
         WHERE e.id IN ({select}) AND %s IN (e.name_decision_id, e.address_decision_id)
    """
    with connection.cursor() as cursor:
        cursor.execute(governed, [*parameters, decision_id])
        (ids,) = cursor.fetchone()
    return _read(ENDING, {"ids": ids, "without": decision_id, "rows": rows}, 1)[0]


def _read(query: str, asked: dict[str, Any], number: int) -> list[Preview]:
    previews = [Preview() for _ in range(number)]
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        for n, what, case_id, file_id, value, before, after, count in cursor.fetchall():
            match what:
                case "move":
                    previews[n].moves.append(Move(case_id, file_id, before, after, count))
                case "row":
                    previews[n].rows.append(MovingValue(case_id, value, before, after, count))
                case "values":
                    previews[n].values = count
                case _:
                    previews[n].standing[what] = f"{value} of {count}"
    return previews
