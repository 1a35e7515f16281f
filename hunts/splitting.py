"""What is asked in place of a question that is too much for one query. Pure: no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

_HEX = "0123456789abcdef"
# 4,096 parts of a day: what is still too much then is given up.
LONGEST_PART = 3


@dataclass(frozen=True, slots=True)
class Piece:
    first_day: date
    last_day: date
    part: str = ""


def pieces_of(piece: Piece, *, into_parts: bool = True, longest: int = LONGEST_PART) -> list[Piece]:
    """Half the days each; of a single day the sixteen parts. Nothing where it goes no further."""
    first, last = piece.first_day, piece.last_day
    if first < last:
        middle = first + (last - first) // 2
        return [Piece(first, middle), Piece(middle + timedelta(days=1), last)]
    if not into_parts or len(piece.part) >= longest:
        return []
    return [Piece(first, last, piece.part + digit) for digit in _HEX]
