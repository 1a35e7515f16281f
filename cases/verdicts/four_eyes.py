"""When a change of decisions needs a second person, and why, in words. Facts in, sentences out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cases.verdicts.precedence import Scope, Verdict
from cases.verdicts.subject import Subject

ONLY_PROPOSES = "A reviewer decides; whoever proposes never does."


# So many are named in a sentence.
NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Overridden:
    """`first` are named; `total` counts all of them."""

    first: Sequence[str] = ()
    total: int = 0


NONE_OVERRIDDEN = Overridden()


@dataclass(frozen=True, slots=True)
class Limits:
    """How common a value may be before one person is not enough."""

    devices: int = 25
    other_cases: int = 3
    everywhere_blocks: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a decision that is made, or of one that ends.

    `replaces` is the verdict of the decision whose place it takes, where there is one. `overridden` are
    the more specific blocks of a wider scope that it would override; `devices` and `other_cases` are the
    value's, for exact subjects only. `is_imported` is true of a decision that comes with a list.
    """

    subject: Subject
    verdict: Verdict
    scope: Scope
    replaces: Verdict | None = None
    known_good: Sequence[str] = ()
    overridden: Overridden = NONE_OVERRIDDEN
    devices: int = 0
    other_cases: int = 0
    is_imported: bool = False

    @property
    def verdicts(self) -> set[Verdict]:
        return {self.verdict, self.replaces} if self.replaces else {self.verdict}


def why_second_person(facts: Facts, limits: Limits) -> tuple[str, ...]:
    """Empty when one person is enough."""
    return tuple(
        sentence
        for sentence in (
            _wide(facts),
            _known_good(facts),
            _overrides(facts),
            _devices(facts, limits),
            _other_cases(facts, limits),
            _everywhere_block(facts, limits),
            _replaces_block(facts),
        )
        if sentence
    )


def needs_lead(subject: Subject, scope: Scope) -> bool:
    """Whether only a lead may approve it."""
    return subject.is_wide and scope is Scope.EVERYWHERE


def _wide(facts: Facts) -> str:
    return f"It is wide: {facts.subject.in_words()}." if facts.subject.is_wide else ""


def _known_good(facts: Facts) -> str:
    if not facts.known_good or Verdict.BLOCKED not in facts.verdicts:
        return ""
    return f"It contradicts what is known good: {_named(facts.known_good)}."


def _overrides(facts: Facts) -> str:
    overridden = facts.overridden
    return f"It overrides {_named(overridden.first, overridden.total)}." if overridden.total else ""


def _devices(facts: Facts, limits: Limits) -> str:
    return f"{facts.devices:,} devices talk to it." if facts.devices >= limits.devices else ""


def _other_cases(facts: Facts, limits: Limits) -> str:
    return f"{facts.other_cases:,} other cases have it." if facts.other_cases >= limits.other_cases else ""


def _everywhere_block(facts: Facts, limits: Limits) -> str:
    if not limits.everywhere_blocks or facts.scope is not Scope.EVERYWHERE:
        return ""
    return "It blocks everywhere." if Verdict.BLOCKED in facts.verdicts else ""


def _replaces_block(facts: Facts) -> str:
    """Whoever imports a list does not look at each block that it would end."""
    if not facts.is_imported or facts.scope is not Scope.EVERYWHERE:
        return ""
    return "It replaces a block in force everywhere." if facts.replaces is Verdict.BLOCKED else ""


def _named(things: Sequence[str], total: int | None = None) -> str:
    more = (len(things) if total is None else total) - NAMED_AT_MOST
    shown = ", ".join(things[:NAMED_AT_MOST])
    return f"{shown} and {more:,} more" if more > 0 else shown
