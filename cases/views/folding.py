"""The queue folded up to registered domains: one line for the names that share one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, Max, OuterRef

from cases.models import CaseValue, Verdict
from cases.ordering import ORDERS, NoSuchPlace
from cases.value_queryset import FEW, CaseValueQuerySet
from cases.views.rows import Row

DOMAINS = 50
NAMES_AT_MOST = 50
_DECIDED = (Verdict.ALLOWED, Verdict.BLOCKED)
RowsOf = Callable[[Sequence[CaseValue]], list[Row]]


@dataclass(slots=True)
class Group:
    """The names of one registered domain that the filters leave. A single name stands for itself.

    `rows` are the first of its names where it is unfolded.
    """

    domain: str
    by_verdict: dict[str, int] = field(default_factory=dict)
    last_seen: datetime | None = None
    rows: list[Row] = field(default_factory=list)

    @property
    def names(self) -> int:
        return sum(self.by_verdict.values())

    @property
    def undecided(self) -> int:
        return self.by_verdict.get(Verdict.UNDECIDED, 0)

    @property
    def is_one(self) -> bool:
        return self.names == 1

    @property
    def more(self) -> int:
        return self.names - len(self.rows)

    @property
    def verdict(self) -> str:
        """As that of a value: undecided while one is, blocked when one is."""
        order = (Verdict.UNDECIDED, Verdict.BLOCKED, Verdict.ALLOWED)
        return next((verdict.value for verdict in order if self.by_verdict.get(verdict)), Verdict.UNDECIDED)


@dataclass(frozen=True, slots=True)
class Folding:
    """`without` counts the values that have no registered domain, as far as anybody counts."""

    groups: list[Group]
    next_mark: str
    without: int

    @property
    def without_more(self) -> bool:
        return self.without > FEW


def folding_of(values: CaseValueQuerySet, mark: str, rows_of: RowsOf) -> Folding:
    """Domains with something undecided first, each part by name. `mark` says behind which to begin."""
    is_open, after = _read_mark(mark)
    found = _undecided_domains(values, after) if is_open else []
    if len(found) <= DOMAINS:
        found += _decided_domains(values, "" if is_open else after)
    shown = found[:DOMAINS]
    groups = groups_of(values, [domain for _, domain in shown])
    singles = [group.domain for group in groups if group.is_one]
    by_domain = {row.value.domain: row for row in rows_of(list(values.filter(domain__in=singles)))}
    for group in groups:
        if group.is_one:
            group.rows = [by_domain[group.domain]]
    more = len(found) > DOMAINS
    next_mark = f"{int(shown[-1][0])}.{shown[-1][1]}" if more else ""
    return Folding(groups, next_mark, 0 if more else values.filter(domain="").counted(FEW))


def groups_of(values: CaseValueQuerySet, domains: Sequence[str]) -> list[Group]:
    groups = {domain: Group(domain) for domain in domains}
    counted = values.filter(domain__in=domains).order_by().values("domain", "verdict")
    for each in counted.annotate(names=Count("pk"), seen=Max("last_seen")):
        group = groups[each["domain"]]
        group.by_verdict[each["verdict"]] = each["names"]
        group.last_seen = max(each["seen"], group.last_seen or each["seen"])
    return [group for group in groups.values() if group.names]


def unfolded(values: CaseValueQuerySet, domain: str, rows_of: RowsOf) -> Group | None:
    """One group with its first names; None when the filters leave none."""
    for group in groups_of(values, [domain]):
        names = values.filter(domain=domain).page_of_many(ORDERS["name"], None, NAMES_AT_MOST)
        group.rows = rows_of(names)
        return group
    return None


def _undecided_domains(values: CaseValueQuerySet, after: str) -> list[tuple[bool, str]]:
    """A walk along the index of domains, which ends as soon as the page is full."""
    return [(True, domain) for domain in _domains(values.filter(verdict=Verdict.UNDECIDED), after)]


def _decided_domains(values: CaseValueQuerySet, after: str) -> list[tuple[bool, str]]:
    undecided = values.filter(verdict=Verdict.UNDECIDED, domain=OuterRef("domain"))
    found: dict[str, None] = defaultdict()
    for verdict in _DECIDED:
        found |= dict.fromkeys(_domains(values.filter(~Exists(undecided), verdict=verdict), after))
    return [(False, domain) for domain in sorted(found)[: DOMAINS + 1]]


def _domains(values: CaseValueQuerySet, after: str) -> list[str]:
    behind = values.filter(domain__gt=after).order_by("domain").values_list("domain", flat=True)
    return list(behind.distinct()[: DOMAINS + 1])


def _read_mark(mark: str) -> tuple[bool, str]:
    if not mark:
        return True, ""
    is_open, _, domain = mark.partition(".")
    if is_open not in ("0", "1") or not domain or len(domain) > 255 or not domain.isprintable():
        raise NoSuchPlace(mark)
    return is_open == "1", domain
