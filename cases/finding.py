"""Finding values across all cases by what a person types, through the indexes that are there anyway.

A name is found by itself, by what it lies below, by its beginning, then by any part of it; an address also
beside names. Nothing here takes more than a few hundred rows, however many endpoints there are.
"""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network

from django.db import connection

from cases.verdicts.subject import Subject, SubjectKind

# Endpoints looked at for one address or network, before their values are told apart.
_LOOKED_AT_MOST = 500
_CASES_SHOWN = 3
# Greater than every text that begins as the one before it.
_LAST = "\U0010ffff"
_BEGINNING = re.compile(r"(?:[0-9]{1,3}\.){1,3}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class InCase:
    case: int
    title: str
    value_pk: int
    verdict: str


@dataclass(frozen=True, slots=True)
class FoundValue:
    """`cases` are the youngest ones that have it; `more` says there are others."""

    value: str
    kind: str
    cases: tuple[InCase, ...]
    more: bool


def find_values(asked: Subject | None, text: str, at_most: int) -> list[FoundValue]:
    """`asked` is the text as a subject, where it is one. The most exact first."""
    found: dict[str, None] = {}
    for statement, parameters in _ways(asked, text, at_most):
        if len(found) < at_most:
            found.update(dict.fromkeys(_column(statement, parameters)))
    return _with_cases(list(found)[:at_most])


# One value after the other by the index: one with a million endpoints costs as much as one with a single one.
_BEGINS = """
    WITH RECURSIVE step AS (
        (SELECT e.value FROM cases_endpoint e WHERE e.value >= %s AND e.value < %s ORDER BY e.value LIMIT 1)
        UNION ALL
        SELECT (SELECT e.value FROM cases_endpoint e WHERE e.value > step.value AND e.value < %s
                 ORDER BY e.value LIMIT 1) FROM step WHERE step.value IS NOT NULL
    ) SELECT value FROM step WHERE value IS NOT NULL LIMIT %s
"""
_BELOW = """
    WITH RECURSIVE step AS (
        (SELECT v.value FROM cases_casevalue v
          WHERE v.kind = 'name' AND reverse(v.value) >= reverse(%s) || '.'
            AND reverse(v.value) < reverse(%s) || '/'
          ORDER BY reverse(v.value) LIMIT 1)
        UNION ALL
        SELECT (SELECT v.value FROM cases_casevalue v
                 WHERE v.kind = 'name' AND reverse(v.value) > reverse(step.value)
                   AND reverse(v.value) < reverse(%s) || '/'
                 ORDER BY reverse(v.value) LIMIT 1) FROM step WHERE step.value IS NOT NULL
    ) SELECT value FROM step WHERE value IS NOT NULL LIMIT %s
"""
# By the index of trigrams where the part is rare; where it is common, the first rows are found at once.
_PART = f"""
    SELECT DISTINCT value FROM (
        SELECT value FROM cases_casevalue WHERE lower(value) LIKE lower(%s) LIMIT {_LOOKED_AT_MOST}
    ) seen ORDER BY value LIMIT %s
"""
_SHORTEST_PART = 3
_EXACT = "SELECT value FROM cases_endpoint WHERE value = %s LIMIT 1"
_AT_ADDRESS = f"""
    SELECT DISTINCT value FROM (
        (SELECT value FROM cases_endpoint WHERE ip {{}} %s::inet LIMIT {_LOOKED_AT_MOST})
        UNION ALL
        (SELECT value FROM cases_endpoint WHERE dns_ip {{}} %s::inet LIMIT {_LOOKED_AT_MOST})
    ) seen ORDER BY value LIMIT %s
"""
_AT = _AT_ADDRESS.format("=", "=")
_WITHIN = _AT_ADDRESS.format("<<=", "<<=")

_Way = tuple[str, list[str | int]]


def _ways(asked: Subject | None, text: str, at_most: int) -> list[_Way]:
    ways = _ways_by_place(asked, text, at_most)
    part = asked.text if asked is not None and asked.kind == SubjectKind.NAME else text.lower()
    return [*ways, _part(part, at_most)] if len(part) >= _SHORTEST_PART else ways


def _ways_by_place(asked: Subject | None, text: str, at_most: int) -> list[_Way]:
    if asked is None:
        return _of_text(text, at_most)
    match asked.kind:
        case SubjectKind.ADDRESS:
            at: _Way = (_AT, [asked.text, asked.text, at_most])
            # It may be the beginning of a longer one.
            return [(_EXACT, [asked.text]), at, _begins(text, at_most)]
        case SubjectKind.NETWORK:
            return [(_WITHIN, [asked.text, asked.text, at_most])]
        case SubjectKind.BELOW:
            return [(_EXACT, [asked.text]), _below(asked.text, at_most)]
        case _:
            return [(_EXACT, [asked.text]), _below(asked.text, at_most), _begins(asked.text, at_most)]


def _of_text(text: str, at_most: int) -> list[_Way]:
    """No subject: the beginning of an address or of a name, or a text that nobody could read."""
    ways = [_begins(text.lower(), at_most)]
    if text != text.lower():
        ways.append(_begins(text, at_most))
    if network := _beginning_of_addresses(text):
        ways.append((_WITHIN, [network, network, at_most]))
    return ways


def _beginning_of_addresses(text: str) -> str:
    """`10.1.` as the network of all addresses that begin so."""
    if not _BEGINNING.match(text):
        return ""
    octets = text.split(".")[:-1]
    try:
        return str(ip_network(f"{'.'.join(octets + ['0'] * (4 - len(octets)))}/{8 * len(octets)}"))
    except ValueError:
        return ""


def _begins(text: str, at_most: int) -> _Way:
    return _BEGINS, [text, text + _LAST, text + _LAST, at_most]


def _part(text: str, at_most: int) -> _Way:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return _PART, [f"%{escaped}%", at_most]


def _below(name: str, at_most: int) -> _Way:
    return _BELOW, [name, name, name, at_most]


def _column(statement: str, parameters: list[str | int]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]


# A LIMIT for each, so that no planner takes a few values for many and reads them all.
_PLACES = f"""
    SELECT f.value, v.kind, c.case_id, k.title, v.id, v.verdict
      FROM unnest(%s::text[]) WITH ORDINALITY AS f(value, n)
     CROSS JOIN LATERAL (
        WITH RECURSIVE step AS (
            (SELECT e.case_id FROM cases_endpoint e WHERE e.value = f.value ORDER BY e.case_id DESC LIMIT 1)
            UNION ALL
            SELECT (SELECT e.case_id FROM cases_endpoint e
                     WHERE e.value = f.value AND e.case_id < step.case_id
                     ORDER BY e.case_id DESC LIMIT 1) FROM step WHERE step.case_id IS NOT NULL
        ) SELECT case_id FROM step WHERE case_id IS NOT NULL LIMIT {_CASES_SHOWN + 1}
     ) c
     CROSS JOIN LATERAL (
        SELECT id, kind, verdict FROM cases_casevalue WHERE case_id = c.case_id AND value = f.value LIMIT 1
     ) v
      JOIN cases_case k ON k.id = c.case_id
     ORDER BY f.n, c.case_id DESC
"""


def _with_cases(values: list[str]) -> list[FoundValue]:
    kinds: dict[str, str] = {}
    places: dict[str, list[InCase]] = {}
    if not values:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [values])
        for value, kind, *place in cursor.fetchall():
            kinds[value] = kind
            places.setdefault(value, []).append(InCase(*place))
    return [
        FoundValue(value, kinds[value], tuple(each[:_CASES_SHOWN]), len(each) > _CASES_SHOWN)
        for value, each in places.items()
    ]
