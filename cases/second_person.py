"""Which changes of decisions need a second person: the facts, gathered for many at once, and the rule."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from django.conf import settings
from django.db import connection

from cases.arrays import array_of_numbers, array_of_texts
from cases.explained import ruling_of
from cases.known.matching import known_hits
from cases.models import Decision, Verdict
from cases.places import in_the_place_of
from cases.verdicts import precedence
from cases.verdicts.four_eyes import (
    NAMED_AT_MOST,
    NONE_OVERRIDDEN,
    ONLY_PROPOSES,
    Facts,
    Limits,
    Overridden,
    why_second_person,
)
from cases.verdicts.overriding import OVERRIDDEN
from cases.verdicts.subject import Subject
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person

_Why = tuple[str, ...]


class ToJudge(Protocol):
    """What the rule reads of a decision; of many exact ones less than a whole decision is made."""

    @property
    def as_subject(self) -> Subject: ...
    @property
    def verdict(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def subject_kind(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def network(self) -> object: ...
    @property
    def made_in_id(self) -> int | None: ...


def why_second_person_of(
    decisions: Sequence[ToJudge], *, ended: Sequence[Decision | None] = (), are_imported: bool = False
) -> list[_Why]:
    """For each decision, to be made or to be ended, the reasons for a second person, in the same order.

    `ended` are the decisions whose places they take, in the same order. A fixed number of queries,
    however many decisions.
    """
    replaced = [each.verdict if each else None for each in ended] or [None] * len(decisions)
    subjects = [decision.as_subject for decision in decisions]
    known_good = _known_good(subjects)
    overridden = _overridden(decisions, subjects)
    limits = limits_in_force()
    common = _common(decisions, subjects, limits)
    found = []
    # The same facts of exact subjects give the same sentences; in a bulk nearly all are alike.
    known: dict[Facts, _Why] = {}
    for number, (decision, subject) in enumerate(zip(decisions, subjects, strict=True)):
        devices, other_cases = common.get(number, (0, 0))
        facts = Facts(
            subject=subject if subject.is_wide else _ANY_EXACT,
            verdict=_VERDICTS[decision.verdict],
            scope=_SCOPES[decision.scope],
            replaces=_VERDICTS.get(replaced[number] or ""),
            known_good=tuple(known_good.get(subject, ())),
            overridden=overridden.get(number, NONE_OVERRIDDEN),
            devices=devices,
            other_cases=other_cases,
            is_imported=are_imported,
        )
        why = known.get(facts)
        if why is None:
            why = known[facts] = why_second_person(facts, limits)
        found.append(why)
    return found


_ANY_EXACT = Subject.of_value("", "text")
# Looked up, which is much faster than made of their texts.
_VERDICTS = {verdict.value: verdict for verdict in precedence.Verdict}
_SCOPES = {scope.value: scope for scope in precedence.Scope}


def limits_in_force() -> Limits:
    configured = settings.FOOTPRINT
    return Limits(
        devices=configured.second_person_devices,
        other_cases=configured.second_person_cases,
        everywhere_blocks=configured.second_person_everywhere_blocks,
    )


def _known_good(subjects: Sequence[Subject]) -> Mapping[Subject, Sequence[str]]:
    """The names of the known-good lists that speak of each subject."""
    return {
        subject: [hit.list_name for hit in hits if hit.is_known_good]
        for subject, hits in known_hits(subjects).items()
    }


def why_not_alone(actor: Person, decision: Decision) -> tuple[str, ...]:
    """Why the actor cannot make the decision, not yet in force, or end it alone. Empty when they can."""
    replaced = in_the_place_of(decision)
    why = why_second_person_of([decision], ended=[replaced if replaced != decision else None])[0]
    return why if may(actor, Verb.DECIDE, decision) else (*why, ONLY_PROPOSES)


_ASKED = """
    unnest(%(numbers)s::int[], %(kinds)s::text[], %(subjects)s::text[], %(networks)s::cidr[],
           %(cases)s::bigint[]) AS asked(n, kind, subject, network, case_id)
"""
_BESIDE = """
    SELECT case_id, devices FROM cases_endpoint WHERE ip = asked.network::inet
    UNION ALL SELECT case_id, devices FROM cases_endpoint WHERE dns_ip = asked.network::inet
"""
# Of exact subjects alone. An address stands beside names too; its devices are those of its endpoints.
# OFFSET 0 keeps the planner to one value of one case: left alone it asks the index of trigrams, in which
# addresses are all alike. Devices that cannot be too many for one person are not told apart.
_COMMON = f"""
    SELECT found.n, max(found.devices), count(DISTINCT found.case_id) FILTER (WHERE found.is_other)
      FROM (
        SELECT asked.n, v.devices::bigint AS devices, v.case_id,
               v.case_id IS DISTINCT FROM asked.case_id AS is_other
          FROM {_ASKED}
          JOIN cases_casevalue v ON reverse(v.value) = reverse(asked.subject) COLLATE "C" AND v.kind = 'name'
         WHERE asked.kind = 'name'
        UNION ALL
        SELECT asked.n, v.devices, v.case_id, v.case_id IS DISTINCT FROM asked.case_id
          FROM {_ASKED}
          CROSS JOIN LATERAL (SELECT DISTINCT e.case_id FROM cases_endpoint e
                               WHERE e.value = asked.subject COLLATE "C") at
          CROSS JOIN LATERAL (SELECT devices, case_id FROM cases_casevalue
                               WHERE case_id = at.case_id AND value = asked.subject COLLATE "C" OFFSET 0) v
         WHERE asked.kind IN ('address', 'text')
        UNION ALL
        SELECT asked.n, CASE WHEN beside.at_most < %(devices)s THEN beside.at_most
                             ELSE (SELECT count(DISTINCT device) FROM ({_BESIDE}) e, unnest(e.devices) device)
                         END, unnest(coalesce(beside.cases, '{{NULL}}')), true
          FROM {_ASKED}
          CROSS JOIN LATERAL (
            SELECT sum(cardinality(e.devices)) AS at_most,
                   array_agg(e.case_id) FILTER (WHERE e.case_id IS DISTINCT FROM asked.case_id) AS cases
              FROM ({_BESIDE}) e
          ) beside
         WHERE asked.kind = 'address'
      ) found
     GROUP BY found.n
"""


def _common(
    decisions: Sequence[ToJudge], subjects: Sequence[Subject], limits: Limits
) -> dict[int, tuple[int, int]]:
    """(devices, other cases) by number. Fewer devices than the limit are "at most"."""
    exact = [(n, each) for n, each in enumerate(decisions) if not subjects[n].is_wide]
    if not exact:
        return {}
    with connection.cursor() as cursor:
        asked = _asked(exact, [each.made_in_id for _, each in exact])
        cursor.execute(_COMMON, asked | {"devices": limits.devices})
        return {n: (devices or 0, cases) for n, devices, cases in cursor.fetchall()}


# The first of each, and how many there are.
_NAMED = f"""
    WITH would_be AS MATERIALIZED (
        SELECT * FROM unnest(%(numbers)s::int[], %(verdicts)s::text[], %(kinds)s::text[],
                             %(subjects)s::text[], %(networks)s::cidr[], %(scopes)s::text[],
                             %(cases)s::bigint[], %(ranks)s::bigint[])
                      AS w(n, verdict, kind, subject, network, scope, case_id, rank)
    ), ordered AS (
        SELECT o.*, row_number() OVER (PARTITION BY o.n ORDER BY o.subject, o.id) AS place,
               count(*) OVER (PARTITION BY o.n) AS total
          FROM ({OVERRIDDEN}) o
    )
    SELECT n, subject_kind, subject, scope, total FROM ordered WHERE place <= {NAMED_AT_MOST}
     ORDER BY n, place
"""


def _overridden(decisions: Sequence[ToJudge], subjects: Sequence[Subject]) -> dict[int, Overridden]:
    """The more specific blocks of a wider scope that wide allows override, in words."""
    wide = [
        (n, each)
        for n, each in enumerate(decisions)
        if subjects[n].is_wide and isinstance(each, Decision) and each.verdict == Verdict.ALLOWED
    ]
    if not wide:
        return {}
    asked = _asked(wide, [each.case_id for _, each in wide]) | {
        "verdicts": [each.verdict for _, each in wide],
        "scopes": [each.scope for _, each in wide],
        "ranks": [ruling_of(each).rank for _, each in wide],
    }
    named: dict[int, list[str]] = defaultdict(list)
    totals: dict[int, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, asked)
        for n, kind, subject, scope, total in cursor.fetchall():
            block = Decision(verdict="blocked", subject_kind=kind, subject=subject, scope=scope)
            named[n].append(f"the {block}")
            totals[n] = total
    return {n: Overridden(tuple(words), totals[n]) for n, words in named.items()}


def _asked(decisions: Sequence[tuple[int, ToJudge]], cases: Sequence[int | None]) -> dict[str, Any]:
    return {
        "numbers": array_of_numbers(n for n, _ in decisions),
        "kinds": array_of_texts(each.subject_kind for _, each in decisions),
        "subjects": array_of_texts(each.subject for _, each in decisions),
        "networks": array_of_texts(str(each.network) if each.network else None for _, each in decisions),
        "cases": array_of_numbers(cases),
    }
