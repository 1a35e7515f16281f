"""Receipts of entries that a target can never take all of: a row each, written by the database alone."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from cases.watchlists.models import Publication, Target
from cases.watchlists.querysets import MAY_COME

# A list has one entry of a decision, so the oldest decision that still goes there parts the entries in two.
LEFT_OUT = """
    watchlists_publishedentry e
     WHERE e.watchlist_id = %(list)s AND e.added_in <= %(number)s
       AND (e.removed_in IS NULL OR e.removed_in > %(number)s) AND e.decision_number < %(older_than)s
"""
_THEIRS = "r.target_id = %(target)s AND r.kind = e.kind AND r.value = e.value"
# What is still there keeps its receipt until it is gone.
_UPDATE = f"""
    UPDATE watchlists_receipt r
       SET decision_number = e.decision_number, state = 'refused', words = %(words)s, content = '',
           accepted_at = NULL, since = clock_timestamp()
      FROM {LEFT_OUT} AND {_THEIRS} AND r.key <> ALL(%(there)s::text[])
       AND NOT coalesce(r.state IN ('pending', 'drifted')
                        AND greatest(r.tried_at, r.sent_at) > clock_timestamp() - %(may_come)s, false)
       AND (r.decision_number, r.state, r.words) <> (e.decision_number, 'refused', %(words)s)
"""
_INSERT = f"""
    INSERT INTO watchlists_receipt (target_id, kind, value, decision_number, key, state, words, since,
                                    remote_id, content, drift)
    SELECT %(target)s, e.kind, e.value, e.decision_number, '', 'refused', %(words)s, clock_timestamp(),
           '', '', ''
      FROM {LEFT_OUT} AND NOT EXISTS (SELECT FROM watchlists_receipt r WHERE {_THEIRS})
     ORDER BY e.decision_number
"""


@dataclass(frozen=True, slots=True)
class Beyond:
    """The entries of a version that are older than the newest `most`."""

    publication: Publication
    older_than: int
    most: int

    @property
    def words(self) -> str:
        return f"left out: this target takes the {self.most:,} newest entries"

    @property
    def asked(self) -> dict[str, Any]:
        return {
            "list": self.publication.watchlist_id,
            "number": self.publication.number,
            "older_than": self.older_than,
        }


def note_beyond(target: Target, beyond: Beyond, there: Sequence[str]) -> None:
    """`there`: keys of items that are to go and have not gone yet."""
    asked = beyond.asked | {
        "target": target.pk,
        "words": beyond.words,
        "there": list(there),
        "may_come": MAY_COME,
    }
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, asked)
        cursor.execute(_INSERT, asked)
