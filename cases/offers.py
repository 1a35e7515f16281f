"""Wider subjects around a value, from the value itself outwards, with what each covers."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

from django.db import connection

from cases.domains import is_public_suffix
from cases.models import CaseValue
from cases.verdicts.settle import Reach, select_reached
from cases.verdicts.subject import Subject, SubjectKind, suffixes_of

# Most that are counted; beyond it is "at least".
COUNTED_AT_MOST = 10_000
_NAMES_AT_MOST = 6
_PREFIXES = {4: (28, 24, 20, 16), 6: (64, 56, 48, 32)}


@dataclass(frozen=True, slots=True)
class Offer:
    subject: Subject
    endpoints: int
    cases: int
    is_cut: bool

    @property
    def typed(self) -> str:
        return self.subject.typed

    @property
    def words(self) -> str:
        return self.subject.in_words()


def offers_for(value: CaseValue) -> list[Offer]:
    return [_counted(subject) for subject in _subjects(value)]


def _subjects(value: CaseValue) -> list[Subject]:
    exact = value.exact_subject
    if exact.kind is SubjectKind.NAME:
        above = [name for name in suffixes_of(value.value) if not is_public_suffix(name)]
        # The registered domain and what is nearest to the value, where a name is very deep.
        near = above if len(above) <= _NAMES_AT_MOST else [*above[: _NAMES_AT_MOST - 1], above[-1]]
        return [exact, *(Subject(SubjectKind.BELOW, name) for name in near)]
    if exact.kind is SubjectKind.ADDRESS:
        prefixes = _PREFIXES[6 if ":" in value.value else 4]
        networks = [ip_network(f"{value.value}/{prefix}", strict=False) for prefix in prefixes]
        return [exact, *(Subject(SubjectKind.NETWORK, str(network)) for network in networks)]
    return [exact]


def _counted(subject: Subject) -> Offer:
    """Everywhere: the scope is another choice."""
    select, parameters = select_reached(Reach(subject.kind.value, subject.text, None, "", ""))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT count(*), count(DISTINCT e.case_id) FROM cases_endpoint e
                 WHERE e.id IN (SELECT id FROM ({select}) reached LIMIT %s)""",  # noqa: S608  # constants
            [*parameters, COUNTED_AT_MOST],
        )
        endpoints, cases = cursor.fetchone()
    return Offer(subject, endpoints, cases, is_cut=endpoints >= COUNTED_AT_MOST)
