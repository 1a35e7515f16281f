"""Which decision governs an endpoint, and why: narrower scope first, then the more specific subject.

settle.py says the same in SQL; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cases.verdicts.subject import Subject, SubjectKind


class Verdict(StrEnum):
    UNDECIDED = "undecided"
    ALLOWED = "allowed"
    BLOCKED = "blocked"


class Scope(StrEnum):
    CASE = "case"
    FILE = "file"
    EVERYWHERE = "everywhere"


SCOPE_RANK = {Scope.EVERYWHERE: 1, Scope.FILE: 2, Scope.CASE: 3}
# Above every specificity, so that scope always comes first.
SCOPE_STEP = 10_000
SCOPE_WORDS = {Scope.CASE: "in this case", Scope.FILE: "for this file", Scope.EVERYWHERE: "everywhere"}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for the verdict: a file of a case. `file` is (kind, key)."""

    case: int
    file: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision in force, as far as precedence needs it."""

    id: int
    verdict: Verdict
    subject: Subject
    scope: Scope
    case: int | None = None
    file: tuple[str, str] | None = None

    @property
    def rank(self) -> int:
        """Greater wins. Of all rulings that cover one subject for one asker no two are equal."""
        return SCOPE_RANK[self.scope] * SCOPE_STEP + self.subject.specificity

    def reaches(self, asker: Asker) -> bool:
        match self.scope:
            case Scope.CASE:
                return self.case == asker.case
            case Scope.FILE:
                return self.file == asker.file
            case Scope.EVERYWHERE:
                return True


@dataclass(frozen=True, slots=True)
class Side:
    """The name or the address of an endpoint. `rulings` cover it, the governing one first."""

    subject: Subject
    rulings: tuple[Ruling, ...]

    @property
    def ruling(self) -> Ruling | None:
        return self.rulings[0] if self.rulings else None

    @property
    def verdict(self) -> Verdict:
        return self.rulings[0].verdict if self.rulings else Verdict.UNDECIDED


@dataclass(frozen=True, slots=True)
class Judgement:
    name: Side | None
    address: Side | None

    @property
    def verdict(self) -> Verdict:
        sides = [side for side in (self.name, self.address) if side is not None]
        if any(side.verdict is Verdict.BLOCKED for side in sides):
            return Verdict.BLOCKED
        # The first side governs: an allowed address alone never clears a name.
        return sides[0].verdict if sides else Verdict.UNDECIDED


def judge(*, ip: str | None, name: Subject | None, asker: Asker, rulings: Iterable[Ruling]) -> Judgement:
    """`name` is what stands in the place of the name: a name, unreadable text, or another address."""
    reaching = [ruling for ruling in rulings if ruling.reaches(asker)]
    address = Subject(SubjectKind.ADDRESS, ip) if ip is not None else None
    return Judgement(_side(name, reaching), _side(address, reaching))


def _side(subject: Subject | None, rulings: Sequence[Ruling]) -> Side | None:
    if subject is None:
        return None
    covering = [ruling for ruling in rulings if ruling.subject.covers(subject)]
    return Side(subject, tuple(sorted(covering, key=lambda ruling: ruling.rank, reverse=True)))


def explain(judgement: Judgement) -> str:
    """The judgement in words, each side with what governs it and what that overrides."""
    parts = []
    if judgement.name is not None:
        parts.append(f"Name: {_side_in_words(judgement.name)}.")
    if judgement.address is not None:
        parts.append(f"Address: {_side_in_words(judgement.address)}.")
    return " ".join([*parts, f"So: {judgement.verdict}{_caution(judgement)}."])


def _side_in_words(side: Side) -> str:
    if side.ruling is None:
        return "no decision in force"
    governs = f"{side.verdict} by {side.ruling.subject} {SCOPE_WORDS[side.ruling.scope]}"
    noun = {Verdict.ALLOWED: "allow", Verdict.BLOCKED: "block"}
    over = [
        f"the {noun[other.verdict]} of {other.subject} {SCOPE_WORDS[other.scope]}"
        for other in side.rulings[1:]
        if other.verdict is not side.verdict
    ]
    return f"{governs}, over {' and '.join(over)}" if over else governs


def _caution(judgement: Judgement) -> str:
    """Why an allowed side did not make the endpoint allowed, where a reader would wonder."""
    if judgement.verdict is not Verdict.UNDECIDED or judgement.address is None:
        return ""
    if judgement.address.verdict is Verdict.ALLOWED:
        return "; an allowed address alone never clears a name"
    return ""
