"""What a person means by a few letters: cases, values, decisions, files, hunts, sources, watchlists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from django.db.models import Count, Model, Q, QuerySet
from django.urls import reverse

from cases.finding import FoundValue, find_values
from cases.models import Case, CaseFile, Decision, Verdict
from cases.verdicts.precedence import SCOPE_WORDS, Scope
from cases.verdicts.subject import Subject, SubjectRefused, read_subject
from cases.watchlists.models import Watchlist
from hunts.models import Hunt, Source

_LONGEST_NUMBER = 9
_Thing = TypeVar("_Thing", bound=Model)


@dataclass(frozen=True, slots=True)
class Hit:
    """`value` is shown letter by letter; `words` are people's. `beside` tells more of it."""

    href: str
    value: str = ""
    words: str = ""
    beside: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """`more` is where the rest is, when there is any."""

    title: str
    icon: str
    hits: Sequence[Hit]
    more: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed. `subject` is set where it is a name, an address, a network or a URL, also defanged."""

    text: str
    subject: Subject | None
    number: int | None

    @classmethod
    def read(cls, text: str) -> Asked:
        try:
            subject = read_subject(text)
        except SubjectRefused:
            subject = None
        return cls(text, subject, _number(text))


def find(text: str, at_most: int) -> list[Group]:
    """The groups in which something was found, `at_most` hits of each."""
    asked = Asked.read(text)
    groups = (find_group(asked, at_most) for find_group in _GROUPS)
    return [group for group in groups if group.hits]


def _cases(asked: Asked, at_most: int) -> Group:
    named = Case.objects.filter(title__icontains=asked.text)
    found = _numbered(Case.objects.all(), asked, at_most) | _by_pk(named, at_most)
    return _group(
        "Cases",
        "cases",
        [_case_hit(case) for case in found.values()],
        at_most,
        _asking("cases", q=asked.text),
    )


def _case_hit(case: Case) -> Hit:
    beside = f"case {case.pk}, {case.get_state_display()}"
    return Hit(reverse("case", args=[case.pk]), words=case.title, beside=beside)


def _values(asked: Asked, at_most: int) -> Group:
    found = find_values(asked.subject, asked.text, at_most + 1)
    more = _asking("search", q=asked.text, group="values")
    return _group("Names and addresses", "fact", [_value_hit(each) for each in found], at_most, more)


def _value_hit(found: FoundValue) -> Hit:
    youngest = found.cases[0]
    others = len(found.cases) - 1
    beside = f"in {youngest.title}"
    if others:
        beside += (
            f" and {others}{'+' if found.more else ''} other case{'s' if others > 1 or found.more else ''}"
        )
    return Hit(
        _asking("value", value=found.value)
        if others
        else reverse("case-value", args=[youngest.case, youngest.value_pk]),
        value=found.value,
        beside=beside,
        verdict=youngest.verdict,
    )


def _decisions(asked: Asked, at_most: int) -> Group:
    """What covers it comes first, then what contains the text."""
    standing = Decision.objects.in_force_or_proposed().select_related("case", "proposer")
    found: dict[int, Decision] = {}
    if asked.subject is not None:
        found |= _by_pk(standing.on(asked.subject), at_most)
        found |= _by_pk(standing.covering_subject(asked.subject), at_most)
    found |= _by_pk(standing.about(asked.subject, asked.text), at_most)
    found = _numbered(Decision.objects.select_related("case", "proposer"), asked, at_most) | found
    hits = [_decision_hit(decision) for decision in found.values()]
    return _group("Decisions", "decisions", hits, at_most, _asking("decisions", q=asked.text))


def _by_pk(things: QuerySet[_Thing], at_most: int) -> dict[int, _Thing]:
    return {thing.pk: thing for thing in things.order_by("-pk")[: at_most + 1]}


def _numbered(things: QuerySet[_Thing], asked: Asked, at_most: int) -> dict[int, _Thing]:
    """The one with the number that was typed: before all else, however much else matches."""
    return {} if asked.number is None else _by_pk(things.filter(pk=asked.number), at_most)


def _decision_hit(decision: Decision) -> Hit:
    where = SCOPE_WORDS[Scope(decision.scope)]
    if decision.scope == Decision.Scope.CASE:
        where = f"in case {decision.case_id}"
    is_proposed = decision.state == Decision.State.PROPOSED
    if is_proposed:
        where = f"{'allow' if decision.verdict == Verdict.ALLOWED else 'block'} {where}"
    elif decision.state != Decision.State.IN_FORCE:
        where += f", {decision.get_state_display()}"
    return Hit(
        reverse("decision", args=[decision.pk]),
        value=decision.subject_typed,
        beside=f"{where}: {decision.reason}",
        verdict="proposed" if is_proposed else decision.verdict,
    )


def _files(asked: Asked, at_most: int) -> Group:
    named = CaseFile.objects.filter(key__contains=_ascii_lower(asked.text))
    counted = named.values("kind", "key").annotate(cases=Count("case")).order_by("-cases", "key")
    hits = [
        Hit(
            _asking("cases", q=each["key"]),
            value=each["key"],
            beside=f"named by {each['cases']} case{'s' if each['cases'] > 1 else ''}",
        )
        for each in counted[: at_most + 1]
    ]
    return _group("Files", "file", hits, at_most, _asking("cases", q=asked.text))


def _hunts(asked: Asked, at_most: int) -> Group:
    named = Q(source__title__icontains=asked.text) | Q(source__slug__icontains=asked.text)
    hunts = Hunt.objects.select_related("case", "source")
    found = _numbered(hunts, asked, at_most) | _by_pk(hunts.filter(named), at_most)
    hits = [
        Hit(
            reverse("case-runs", args=[hunt.case_id]),
            words=f"Hunt {hunt.pk}: {hunt.case.title}",
            beside=f"asks {hunt.source.title}",
        )
        for hunt in found.values()
    ]
    return _group("Hunts", "hunts", hits, at_most, reverse("hunts"))


def _sources(asked: Asked, at_most: int) -> Group:
    named = Q(title__icontains=asked.text) | Q(slug__icontains=asked.text)
    hits = [
        Hit(reverse("source", args=[source.slug]), words=source.title, beside=source.get_kind_display())
        for source in Source.objects.filter(named).order_by("title")[: at_most + 1]
    ]
    return _group("Sources", "sources", hits, at_most, reverse("sources"))


def _watchlists(asked: Asked, at_most: int) -> Group:
    named = Q(title__icontains=asked.text) | Q(slug__icontains=asked.text)
    hits = [
        Hit(reverse("watchlist", args=[each.slug]), words=each.title, beside=each.slug)
        for each in Watchlist.objects.filter(named)[: at_most + 1]
    ]
    return _group("Watchlists", "watchlists", hits, at_most, reverse("watchlists"))


_GROUPS: tuple[Callable[[Asked, int], Group], ...] = (
    _cases,
    _values,
    _decisions,
    _files,
    _hunts,
    _sources,
    _watchlists,
)


def find_all_values(text: str, at_most: int) -> list[Group]:
    """The names and addresses alone, for whoever wants more of them."""
    group = _values(Asked.read(text), at_most)
    return [group] if group.hits else []


def _group(title: str, icon: str, hits: Sequence[Hit], at_most: int, more: str) -> Group:
    return Group(title, icon, hits[:at_most], more if len(hits) > at_most else "")


def _asking(route: str, **query: str) -> str:
    return f"{reverse(route)}?{urlencode(query)}"


def _number(text: str) -> int | None:
    """12, #12 or case 12."""
    last = text.removeprefix("#").rpartition(" ")[2]
    return int(last) if last.isascii() and last.isdecimal() and len(last) <= _LONGEST_NUMBER else None


def _ascii_lower(text: str) -> str:
    """As file names are compared: `=~` of KQL folds ASCII alone."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
