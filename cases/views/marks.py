"""The small facts beside a value that make a reader look twice, most urgent first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from cases.known.matching import KnownHit
from cases.models import Case, CaseValue, Decision
from cases.reviews import ValueReviews

# Tags as words only: what a row is short of is room.
_NOUN = {"allowed": "allow", "blocked": "block"}


class Rank(IntEnum):
    """In this order marks are shown; what finds no room hides behind a number."""

    NEW = 1
    ALARM = 2
    REVIEW = 3
    LOOKALIKE = 4
    KNOWN = 5
    ELSEWHERE = 6
    PROPOSED = 7
    UNENFORCED = 8
    NATURE = 9


@dataclass(frozen=True, slots=True)
class Mark:
    """`css` is one of the tag classes, `glyph` a verdict's shape before the words, or empty."""

    rank: Rank
    css: str
    words: str
    title: str = ""
    glyph: str = ""


# Popular names are most names, and reserved addresses speak for themselves: no mark for those.
_MARKED = frozenset({"good", "bad", "shared", "scanner"})


def marks_of_lists(hits: Sequence[KnownHit]) -> list[Mark]:
    """What the known lists say of the value, in one mark: the most telling hit, all of them as its title."""
    telling = next((hit for hit in hits if hit.category in _MARKED), None)
    if telling is None:
        return []
    return [
        Mark(
            Rank.ALARM if telling.is_known_bad else Rank.KNOWN,
            "tag tag-alarm" if telling.is_known_bad else "tag tag-known",
            f"{telling.category_words}: {telling.list_name}",
            "; ".join(f"{hit.list_name}: {hit.matched}" for hit in hits),
        )
    ]


def marks_of_reviews(reviews: ValueReviews | None) -> list[Mark]:
    """What is new about the value since it was decided."""
    if reviews is None:
        return []
    return [Mark(Rank.REVIEW, "tag tag-wait", "review due", reviews.in_words)]


Marker = Callable[[Case, Sequence[CaseValue]], Mapping[str, list[Mark]]]


def marks_of_others(case: Case, values: Sequence[CaseValue]) -> Mapping[str, list[Mark]]:
    """What the markers that the settings name say of a page's values, by value."""
    found: dict[str, list[Mark]] = defaultdict(list)
    for marker in _markers():
        for value, marks in marker(case, values).items():
            found[value] += marks
    return found


@cache
def _markers() -> tuple[Marker, ...]:
    return tuple(import_string(name) for name in settings.ROW_MARKERS)


def marks_of_decisions(case: Case, decisions: Sequence[Decision], decider: Decision | None) -> list[Mark]:
    """What other cases say of the value, and what waits for a second person and would count here."""
    named = {(file.kind, file.key) for file in case.files.all()}
    found = [
        Mark(
            Rank.PROPOSED,
            "tag tag-wait",
            f"{_NOUN[decision.verdict]} proposed, waits",
            f"by {decision.proposer}: {decision.reason}",
            "proposed",
        )
        for decision in decisions
        if decision.state == Decision.State.PROPOSED
        and (
            decision.scope == Decision.Scope.EVERYWHERE
            or decision.case_id == case.pk
            or (decision.file_kind, decision.file_key) in named
        )
    ]
    elsewhere = [
        decision
        for decision in decisions
        if decision.state == Decision.State.IN_FORCE
        and decision.scope != Decision.Scope.EVERYWHERE
        and decision.case_id != case.pk
        and decision != decider
    ]
    for verdict in ("blocked", "allowed"):
        same = [decision for decision in elsewhere if decision.verdict == verdict]
        if same:
            found.append(_elsewhere(verdict, same))
    return found


def _elsewhere(verdict: str, decisions: Sequence[Decision]) -> Mark:
    latest = decisions[-1]
    if len(decisions) == 1 and latest.case_id:
        words = f"{verdict} in case {latest.case_id}"
    elif len(decisions) == 1:
        words = f"{verdict} for {latest.file_key}"
    else:
        words = f"{verdict} {len(decisions)}× elsewhere"
    return Mark(Rank.ELSEWHERE, "tag", words, f"by {latest.by_whom}: {latest.reason}", verdict)
