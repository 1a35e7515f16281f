"""One value across all cases, in a fixed number of queries however many endpoints it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cases.models import Case, CaseValue, Endpoint
from cases.observed import is_storable, observe
from cases.value_queryset import CaseValueQuerySet
from cases.verdicts.subject import Subject, SubjectRefused, read_subject

CASES_AT_MOST = 100
ENDPOINTS_AT_MOST = 100
# Looked at before the latest of them are chosen.
_LOOKED_AT_MOST = 2_000
_STRIP_DAYS = 30


@dataclass(frozen=True, slots=True)
class Everywhere:
    """`values` are the value in each case that has it, the last seen first; `of_cases` counts all cases.

    For an address `endpoints` are also those of names seen on it.
    """

    value: str
    kind: str
    values: Sequence[CaseValue]
    of_cases: int
    endpoints: Sequence[Endpoint]
    endpoints_cut: bool
    values_cut: bool = False

    @property
    def subject(self) -> Subject:
        return Subject.of_value(self.value, self.kind)

    @property
    def is_known(self) -> bool:
        return bool(self.values or self.endpoints)

    @property
    def _seen(self) -> list[CaseValue | Endpoint]:
        return [*self.values, *self.endpoints]

    @property
    def in_cases(self) -> int:
        return len({each.case_id for each in self._seen})

    @property
    def only_beside_names(self) -> list[Case]:
        """Cases in which an address was seen under names alone, and is no value of its own."""
        own = {value.case_id for value in self.values}
        found = {each.case_id: each.case for each in self.endpoints if each.case_id not in own}
        return [found[pk] for pk in sorted(found)]

    @property
    def first_seen(self) -> datetime | None:
        return min((each.first_seen for each in self._seen), default=None)

    @property
    def last_seen(self) -> datetime | None:
        return max((each.last_seen for each in self._seen), default=None)

    @property
    def events(self) -> int:
        return sum(value.events for value in self.values)

    @property
    def strip_to(self) -> date | None:
        return max((value.strip_to for value in self.values), default=None)

    @property
    def strip(self) -> list[int]:
        """Of each day the most events that one case saw, as cases may have seen the same ones."""
        last = self.strip_to
        if last is None:
            return []
        events = dict.fromkeys((last - timedelta(days=back) for back in range(_STRIP_DAYS)), 0)
        for value in self.values:
            first = value.strip_to - timedelta(days=len(value.strip) - 1)
            for offset, count in enumerate(value.strip):
                day = first + timedelta(days=offset)
                if day in events:
                    events[day] = max(events[day], count)
        return [events[day] for day in sorted(events)]


def canonical(typed: str) -> tuple[str, str] | None:
    """(value, kind) of what a person types or pastes; None when that is a network, a star or nothing."""
    text = typed.strip()
    if not text or not is_storable(text):
        return None
    try:
        subject = read_subject(text)
    except SubjectRefused:
        seen = observe("", text)
        return None if seen.is_empty else (seen.value, seen.kind)
    return None if subject.is_wide else (subject.text, subject.kind.value)


def everywhere(value: str, kind: str) -> Everywhere:
    known = _in_all_cases(value).select_related("case__owner")
    values = list(known.order_by("-last_seen")[: CASES_AT_MOST + 1])
    if values:
        kind = values[0].kind
    of_value = Endpoint.objects.covered_by(CaseValue(value=value, kind=kind))
    looked_at = of_value.values("pk")[: _LOOKED_AT_MOST + 1]
    latest = Endpoint.objects.filter(pk__in=looked_at).order_by("-last_seen", "pk")
    endpoints = list(latest.select_related("file", "case")[: ENDPOINTS_AT_MOST + 1])
    return Everywhere(
        value=value,
        kind=kind,
        values=values[:CASES_AT_MOST],
        values_cut=len(values) > CASES_AT_MOST,
        of_cases=Case.objects.count(),
        endpoints=endpoints[:ENDPOINTS_AT_MOST],
        endpoints_cut=len(endpoints) > ENDPOINTS_AT_MOST,
    )


def kind_of(value: str) -> str:
    """Empty when no case has the value."""
    return _in_all_cases(value).values_list("kind", flat=True).first() or ""


def _in_all_cases(value: str) -> CaseValueQuerySet:
    """One look into the index for each case, as the case comes first in it."""
    return CaseValue.objects.filter(case__in=Case.objects.values("pk"), value=value)
