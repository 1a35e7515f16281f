"""What each output would make of a decision that nobody has made yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Q

from cases.domains import is_public_suffix
from cases.models import Case, CaseValue, Decision
from cases.verdicts.subject import Subject, SubjectKind, suffixes_of
from cases.watchlists.formats import REGISTRY, How, ListEntry, Published
from cases.watchlists.models import Consumer, Watchlist

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Inexact:
    """A format that would say the decision wider or narrower, or leave it out. `consumers` fetch it."""

    label: str
    how: How
    why: str
    consumers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outputs:
    """The watchlists it would be on, and the formats that cannot say it exactly, those in use first."""

    watchlists: Sequence[Watchlist]
    inexact: Sequence[Inexact]
    exact: int

    @property
    def in_use(self) -> list[Inexact]:
        return [each for each in self.inexact if each.consumers]

    @property
    def not_in_use(self) -> list[Inexact]:
        return [each for each in self.inexact if not each.consumers]


def outputs_of(case: Case, subject: Subject, verdict: str, scope: str) -> Outputs:
    lists = list(_taking(case, subject, verdict, scope))
    consumers: dict[str, list[str]] = defaultdict(list)
    for format, name in Consumer.objects.filter(watchlist__in=lists, revoked_at__isnull=True).values_list(
        "format", "name"
    ):
        consumers[format].append(name)
    entry = _entry(case, subject, verdict)
    said = {format: format(_published(verdict)).say(entry) for format in REGISTRY.values()}
    inexact = [
        Inexact(format.label, how, why, tuple(consumers[format.slug]))
        for format, (_, how, why) in said.items()
        if how is not How.EXACT
    ]
    inexact.sort(key=lambda each: not each.consumers)
    return Outputs(lists, inexact, len(said) - len(inexact))


def _taking(case: Case, subject: Subject, verdict: str, scope: str) -> Sequence[Watchlist]:
    taking = Watchlist.objects.filter(
        verdict=verdict, subject_kinds__contains=[subject.kind.value], scopes__contains=[scope]
    )
    if scope == Decision.Scope.EVERYWHERE:
        return list(taking)
    return list(taking.filter(Q(cases=case)).distinct())


def _published(verdict: str) -> Published:
    return Published("", "", "", verdict, 1, _ANY_TIME)


def _entry(case: Case, subject: Subject, verdict: str) -> ListEntry:
    return ListEntry(
        kind=subject.kind.value,
        value=subject.text,
        verdict=verdict,
        reason="",
        decided_by="",
        decided_at=_ANY_TIME,
        expires_at=None,
        case=case.pk,
        decision=0,
        may_widen=verdict == "blocked" and subject.kind is SubjectKind.NAME and _may_widen(subject.text),
    )


def _may_widen(name: str) -> bool:
    """As publishing finds it, but for decisions on names below that nobody has seen."""
    if is_public_suffix(name) or any(own.endswith(f".{name}") for own in settings.FOOTPRINT.own_domains):
        return False
    allows = Decision.objects.in_force().filter(
        verdict="allowed", subject_kind="below", subject__in=suffixes_of(name)
    )
    is_one_known = CaseValue.objects.names_below(name).exclude(verdict="blocked").exists()
    return not is_one_known and not allows.exists()
