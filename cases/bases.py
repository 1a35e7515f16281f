"""What a person who looks at a value sees in force: the basis of deciding by compare-and-set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network
from typing import TypeVar

from cases.models import Case, Decision
from cases.observed import read_address
from cases.querysets import DecisionQuerySet
from cases.refusals import DecidedMeanwhile
from cases.verdicts.subject import networks_around, suffixes_of

# (kind, subject) of a decision; exact ones have no kind here, because their texts never collide.
_Key = tuple[str, str]
_Thing = TypeVar("_Thing")


def bases_of(case: Case, values: Sequence[str]) -> dict[str, str]:
    """By value, the ids of the decisions in force that cover it and reach the case, in order, as one text."""
    found = covering_values(values).in_force().covering(case).order_by("pk")
    covering = by_value(values, found.values_list("subject_kind", "subject", "pk"))
    return {value: ",".join(map(str, sorted(ids))) for value, ids in covering.items()}


def by_value(values: Iterable[str], things: Iterable[tuple[str, str, _Thing]]) -> dict[str, list[_Thing]]:
    """For each value the things whose subject, given as kind and text, covers it."""
    at: dict[_Key, list[_Thing]] = defaultdict(list)
    prefixes: set[tuple[int, int]] = set()
    for kind, subject, thing in things:
        at[_key_of(kind, subject)].append(thing)
        if kind == "network":
            network = ip_network(subject)
            prefixes.add((network.version, network.prefixlen))
    return {
        value: [thing for key in _keys_over(value, prefixes) for thing in at.get(key, ())] for value in values
    }


def basis_of(case: Case, value: str) -> str:
    return bases_of(case, [value])[value]


def covering_values(values: Sequence[str]) -> DecisionQuerySet:
    """The decisions, of any state, whose subject covers one of the values."""
    addresses = [value for value in values if read_address(value)]
    names = sorted(set(values) - set(addresses))
    return Decision.objects.matching(names, addresses)


def subjects_over(value: str) -> list[str]:
    """The texts of all subjects that may cover the value, which have an index of their own."""
    above = networks_around(value) if read_address(value) else suffixes_of(value)
    return [value, *above]


def check_basis(case: Case, value: str, basis: str) -> None:
    if basis_of(case, value) == basis:
        return
    decisions = covering_values([value]).covering(case).select_related("proposer", "approver", "ended_by")
    seen = [int(pk) for pk in basis.split(",") if pk.isascii() and pk.isdigit() and len(pk) < 19]
    current = decisions.in_force().exclude(pk__in=seen).order_by("-made_at", "-pk").first()
    raise DecidedMeanwhile(current, decisions.last_changed())


def _key_of(kind: str, subject: str) -> _Key:
    return (kind, subject) if kind in {"below", "network"} else ("", subject)


def _keys_over(value: str, prefixes: set[tuple[int, int]]) -> Iterator[_Key]:
    yield "", value
    if not read_address(value):
        yield from (("below", suffix) for suffix in suffixes_of(value))
        return
    version = 6 if ":" in value else 4
    for of_version, length in prefixes:
        if of_version == version:
            yield "network", str(ip_network(f"{value}/{length}", strict=False))
