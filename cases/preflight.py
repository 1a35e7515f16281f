"""What to think about before a decision: who else uses the subject, what stands beside it, what is known.

It warns and never decides. Whatever could grow without bounds is counted up to a cap and then said to be
"at least" that much, so that the answer comes while the form opens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Reverse

from cases.explained import ruling_of
from cases.known.matching import KnownHit, known_hits
from cases.models import Case, Decision, Verdict
from cases.verdicts import precedence
from cases.verdicts.precedence import Ruling, Scope
from cases.verdicts.ranges import Range, ranges_of
from cases.verdicts.settle import Reach, select_reached
from cases.verdicts.subject import Subject, SubjectKind, networks_around, suffixes_of

# So many endpoints are looked at; beyond them every number is "at least".
ENDPOINTS_AT_MOST = 2_000
NAMED_AT_MOST = 6
DECISIONS_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Prevalence:
    """Where the subject was seen, in all cases; `is_cut` when there is more than was counted."""

    endpoints: int
    cases: int
    files: int
    devices: int
    is_cut: bool
    devices_cut: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """What else stands on the same endpoints: names on an address, or addresses of a name.

    `neighbours` are the other names seen on those addresses: a block of an address takes them along.
    """

    named: tuple[str, ...] = ()
    total: int = 0
    allowed: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()
    neighbours_total: int = 0
    is_cut: bool = False

    @property
    def more(self) -> int:
        return self.total - len(self.named)

    @property
    def neighbours_more(self) -> int:
        return self.neighbours_total - len(self.neighbours)


@dataclass(frozen=True, slots=True)
class Against:
    """A decision in force that says otherwise about the subject, a part of it or what is around it."""

    decision: Decision
    # Whether that one goes on governing where both apply.
    wins: bool
    relation: str


@dataclass(frozen=True, slots=True)
class Preflight:
    subject: Subject
    verdict: str
    scope: str
    ranges: Sequence[Range]
    hits: Sequence[KnownHit]
    prevalence: Prevalence
    beside: Beside
    against: Sequence[Against] = field(default_factory=tuple)
    against_more: int = 0
    against_is_cut: bool = False

    @property
    def is_block(self) -> bool:
        return self.verdict == Verdict.BLOCKED

    @property
    def warning_hits(self) -> list[KnownHit]:
        """A block of what is good or shared, an allow of what is bad."""
        warning = _WARN_BLOCK if self.is_block else _WARN_ALLOW
        return [hit for hit in self.hits if hit.category in warning]

    @property
    def other_hits(self) -> list[KnownHit]:
        warning = self.warning_hits
        return [hit for hit in self.hits if hit not in warning]


# Reserved ranges warn by themselves, whether a list has them or not.
_WARN_BLOCK = frozenset({"good", "shared"})
_WARN_ALLOW = frozenset({"bad"})


def preflight(*, case: Case, subject: Subject, verdict: str, scope: str) -> Preflight:
    """`scope` is case, file or everywhere; the numbers speak of all cases whatever it is."""
    house = settings.FOOTPRINT
    prevalence, beside = seen(subject)
    against, more, is_cut = _against(case, subject, verdict, scope)
    return Preflight(
        subject=subject,
        verdict=verdict,
        scope=scope,
        ranges=ranges_of(subject, own_networks=house.own_ranges, own_names=house.own_domains),
        hits=known_hits([subject]).get(subject, []),
        prevalence=prevalence,
        beside=beside,
        against=against,
        against_more=more,
        against_is_cut=is_cut,
    )


_SEEN = """
    WITH reached AS MATERIALIZED (
        SELECT e.id, e.case_id, e.file_id, e.value, e.value_kind, e.ip, e.dns, e.verdict, e.devices, e.more
          FROM cases_endpoint e
         WHERE e.id IN (SELECT id FROM ({select}) reach(id) LIMIT {cap} + 1)
    ), names AS MATERIALIZED (
        SELECT value, count(*) AS endpoints, bool_or(verdict = 'allowed') AS allowed
          FROM reached WHERE dns <> '' AND value_kind = 'name' GROUP BY value
    ), addresses AS MATERIALIZED (
        SELECT ip, count(*) AS endpoints FROM reached WHERE ip IS NOT NULL GROUP BY ip
    )
    SELECT (SELECT count(*) FROM reached), (SELECT count(DISTINCT case_id) FROM reached),
           (SELECT count(DISTINCT (f.kind, f.key)) FROM reached r JOIN cases_casefile f ON f.id = r.file_id),
           (SELECT count(DISTINCT device) FROM reached, unnest(devices) AS device),
           (SELECT bool_or('devices' = ANY(more)) FROM reached),
           (SELECT count(*) FROM names),
           (SELECT array_agg(value) FROM (
               SELECT value FROM names ORDER BY endpoints DESC, value LIMIT {named}) most),
           (SELECT array_agg(value) FROM (
               SELECT value FROM names WHERE allowed ORDER BY endpoints DESC, value LIMIT {named}) most),
           (SELECT count(*) FROM addresses),
           (SELECT array_agg(host(ip)) FROM (
               SELECT ip FROM addresses ORDER BY endpoints DESC, ip LIMIT {named}) most)
"""


def seen(subject: Subject) -> tuple[Prevalence, Beside]:
    """Where the subject was seen in all cases, and what stands beside it there."""
    select, parameters = select_reached(Reach(subject.kind, subject.text, None, "", ""))
    query = _SEEN.format(select=select, cap=ENDPOINTS_AT_MOST, named=NAMED_AT_MOST)
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        endpoints, cases, files, devices, devices_cut, names, named, allowed, addresses, at = (
            cursor.fetchone()
        )
    is_cut = endpoints > ENDPOINTS_AT_MOST
    prevalence = Prevalence(
        min(endpoints, ENDPOINTS_AT_MOST), cases, files, devices, is_cut, is_cut or bool(devices_cut)
    )
    if subject.kind in _ADDRESSES:
        return prevalence, Beside(tuple(named or ()), names, tuple(allowed or ()), is_cut=is_cut)
    return prevalence, _neighbours(subject, tuple(at or ()), addresses, is_cut)


_ADDRESSES = frozenset({SubjectKind.ADDRESS, SubjectKind.NETWORK})

_NEIGHBOURS = """
    WITH near AS MATERIALIZED (
        SELECT e.value FROM unnest(%(addresses)s::inet[]) AS asked(ip)
         CROSS JOIN LATERAL (
               SELECT value FROM cases_endpoint WHERE ip = asked.ip AND value_kind = 'name' AND dns <> ''
                LIMIT {cap}) e
    ), names AS (
        SELECT value, count(*) AS endpoints FROM near
         WHERE value <> %(name)s AND NOT (%(wide)s AND right(value, length(%(name)s) + 1) = '.' || %(name)s)
         GROUP BY value
    )
    SELECT (SELECT count(*) FROM names),
           (SELECT array_agg(value) FROM (
               SELECT value FROM names ORDER BY endpoints DESC, value LIMIT {named}) most)
"""


def _neighbours(subject: Subject, addresses: tuple[str, ...], total: int, is_cut: bool) -> Beside:
    if not addresses:
        return Beside()
    query = _NEIGHBOURS.format(cap=ENDPOINTS_AT_MOST // NAMED_AT_MOST, named=NAMED_AT_MOST)
    asked: dict[str, Any] = {
        "addresses": list(addresses),
        "name": subject.text,
        "wide": subject.kind is SubjectKind.BELOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        count, named = cursor.fetchone()
    return Beside(addresses, total, (), tuple(named or ()), count, is_cut)


def _against(case: Case, subject: Subject, verdict: str, scope: str) -> tuple[list[Against], int, bool]:
    """The decisions of the other verdict that meet the subject, those that go on winning first.

    With them how many more there are, and whether that is "at least".
    """
    other = Verdict.ALLOWED if verdict == Verdict.BLOCKED else Verdict.BLOCKED
    read = Decision.objects.in_force().annotate(backwards=Reverse("subject"))
    found = read.filter(_overlapping(subject), verdict=other)
    if scope != Decision.Scope.EVERYWHERE:
        found = found.covering(case)
    rank = Ruling(0, precedence.Verdict(verdict), subject, Scope(scope)).rank
    listed = list(found.select_related("proposer", "approver", "made_in").order_by("-pk")[: _LOOKED_AT + 1])
    against = [_one_against(decision, subject, rank) for decision in listed[:_LOOKED_AT]]
    against.sort(key=lambda each: (not each.wins, each.relation != "the same", -each.decision.pk))
    return against[:DECISIONS_AT_MOST], max(0, len(listed) - DECISIONS_AT_MOST), len(listed) > _LOOKED_AT


_LOOKED_AT = 50


def _one_against(decision: Decision, subject: Subject, rank: int) -> Against:
    theirs = decision.as_subject
    relation = "the same" if theirs == subject else "inside it" if subject.covers(theirs) else "around it"
    return Against(decision, ruling_of(decision).rank > rank, relation)


def _overlapping(subject: Subject) -> Q:
    """Decisions about the subject, around it and inside it; each part goes through an index."""
    same = Q(subject_kind=subject.kind.value, subject=subject.text)
    if subject.kind in {SubjectKind.NAME, SubjectKind.BELOW}:
        around = Q(subject_kind="below", subject__in=suffixes_of(subject.text))
        if subject.kind is SubjectKind.NAME:
            return same | around
        backwards = subject.text[::-1]
        below = Q(
            subject_kind__in=("name", "below"), backwards__gte=f"{backwards}.", backwards__lt=f"{backwards}/"
        )
        return same | around | Q(subject_kind="name", subject=subject.text) | below
    if subject.kind is SubjectKind.TEXT:
        return same
    around = Q(subject_kind="network", network__in=networks_around(subject.text))
    if subject.kind is SubjectKind.ADDRESS:
        return same | around
    return same | around | Q(network__net_contained=subject.text)
