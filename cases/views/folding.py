"""The queue folded up to registered domains: one line for the names that share one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, Max, OuterRef

from cases.domain_walk import DomainCount, counts_of_domains, domains_after
from cases.models import Case, CaseValue, Verdict
from cases.ordering import ORDERS, NoSuchPlace
from cases.value_queryset import FEW, CaseValueQuerySet
from cases.views.filters import Filters
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
    # Unknown for some with more names than are counted; their verdicts are those of `cut`.
    last_seen: datetime | None = None
    cut: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)

    def add(self, count: DomainCount) -> None:
        is_first = not self.by_verdict
        self.by_verdict[count.verdict] = count.names
        if count.is_cut:
            self.cut.add(count.verdict)
        if is_first:
            self.last_seen = count.last_seen
        elif self.last_seen is not None:
            self.last_seen = max(self.last_seen, count.last_seen) if count.last_seen else None

    @property
    def names(self) -> int:
        return sum(self.by_verdict.values())

    @property
    def undecided(self) -> int:
        return self.by_verdict.get(Verdict.UNDECIDED, 0)

    @property
    def is_cut(self) -> bool:
        return bool(self.cut)

    @property
    def undecided_cut(self) -> bool:
        return Verdict.UNDECIDED in self.cut

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


@dataclass(frozen=True, slots=True)
class Names:
    """What the filters leave of a case. Where they ask for no more than a verdict, indexes are walked."""

    case_id: int
    verdicts: tuple[str, ...]
    is_narrow: bool
    values: CaseValueQuerySet

    @classmethod
    def of(cls, case: Case, filters: Filters) -> Names:
        verdicts = (filters.verdict,) if filters.verdict else tuple(Verdict.values)
        values = filters.apply(case)
        return cls(case.pk, verdicts, filters.is_narrow, values)

    def domains_of(self, verdict: str, after: str) -> list[str]:
        """The next ones with a name of this verdict; with a decided one those that have nothing undecided."""
        if verdict not in self.verdicts:
            return []
        has_undecided = Verdict.UNDECIDED in self.verdicts and verdict != Verdict.UNDECIDED
        if not self.is_narrow:
            most = DOMAINS + 1
            return domains_after(self.case_id, verdict, after, most, without_undecided=has_undecided)
        behind = self.values.filter(verdict=verdict, domain__gt=after)
        if has_undecided:
            undecided = self.values.filter(verdict=Verdict.UNDECIDED, domain=OuterRef("domain"))
            behind = behind.filter(~Exists(undecided))
        found = behind.order_by("domain").values_list("domain", flat=True)
        return list(found.distinct()[: DOMAINS + 1])

    def counts_of(self, domains: Sequence[str]) -> list[DomainCount]:
        if not self.is_narrow:
            return counts_of_domains(self.case_id, domains, self.verdicts)
        counted = self.values.filter(domain__in=domains).order_by().values_list("domain", "verdict")
        return [DomainCount(*each) for each in counted.annotate(names=Count("pk"), seen=Max("last_seen"))]


def folding_of(names: Names, mark: str, rows_of: RowsOf) -> Folding:
    """Domains with something undecided first, each part by name. `mark` says behind which to begin."""
    is_open, after = _read_mark(mark)
    found = [(True, each) for each in names.domains_of(Verdict.UNDECIDED, after)] if is_open else []
    if len(found) <= DOMAINS:
        found += [(False, each) for each in _decided_domains(names, "" if is_open else after)]
    shown = found[:DOMAINS]
    groups = groups_of(names, [domain for _, domain in shown])
    singles = [group.domain for group in groups if group.is_one]
    by_domain = {row.value.domain: row for row in rows_of(list(names.values.filter(domain__in=singles)))}
    for group in groups:
        if group.is_one:
            group.rows = [by_domain[group.domain]]
    more = len(found) > DOMAINS
    next_mark = f"{int(shown[-1][0])}.{shown[-1][1]}" if more else ""
    return Folding(groups, next_mark, 0 if more else names.values.filter(domain="").counted(FEW))


def groups_of(names: Names, domains: Sequence[str]) -> list[Group]:
    groups = {domain: Group(domain) for domain in domains}
    for count in names.counts_of(domains):
        groups[count.domain].add(count)
    return [group for group in groups.values() if group.names]


def unfolded(names: Names, domain: str, rows_of: RowsOf) -> Group | None:
    """One group with its first names; None when the filters leave none."""
    for group in groups_of(names, [domain]):
        first = names.values.filter(domain=domain).page_of_many(ORDERS["name"], None, NAMES_AT_MOST)
        group.rows = rows_of(first)
        return group
    return None


def _decided_domains(names: Names, after: str) -> list[str]:
    """Without those that have something undecided, which come before."""
    found = {domain for verdict in _DECIDED for domain in names.domains_of(verdict, after)}
    return sorted(found)[: DOMAINS + 1]


def _read_mark(mark: str) -> tuple[bool, str]:
    if not mark:
        return True, ""
    is_open, _, domain = mark.partition(".")
    if is_open not in ("0", "1") or not domain or len(domain) > 255 or not domain.isprintable():
        raise NoSuchPlace(mark)
    return is_open == "1", domain
