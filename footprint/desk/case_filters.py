"""What the list of cases is asked for: the address says it, and a page of it begins after a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.db.models import Exists, F, Func, OuterRef, Q
from django.http import QueryDict

from cases.models import Case, CaseFile, Severity
from cases.querysets import CaseQuerySet
from footprint.accounts.models import Person
from footprint.asked import search_text, whole_number

ANY = "all"
SORTS = {"newest": "youngest first", "oldest": "oldest first", "severity": "most severe first"}
STATES = {"": "Open", "watching": "Watching", "closed": "Closed", ANY: "All"}
WHOSE = {"": "Everyone's", "mine": "Mine", "assigned": "Assigned to me"}
SEVERITIES = {severity.label: severity for severity in Severity}
TAGS_OFFERED = 50


@dataclass(frozen=True, slots=True)
class Filters:
    whose: str
    state: str
    severity: str
    tag: str
    search: str
    sort: str

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        return cls(
            whose=_one_of(WHOSE, query.get("whose", "")),
            state=_one_of(STATES, query.get("state", "")),
            severity=_one_of(["", *SEVERITIES], query.get("severity", "")),
            tag=search_text(query, "tag").lower(),
            search=search_text(query, "q"),
            sort=_one_of(SORTS, query.get("sort", "")) or "newest",
        )

    @property
    def narrows(self) -> bool:
        """Whether more than whose and which state is asked for."""
        return bool(self.search or self.tag or self.severity)

    def apply(self, cases: CaseQuerySet, person: Person) -> CaseQuerySet:
        if self.state != ANY:
            cases = cases.filter(state=self.state or Case.State.OPEN)
        if self.whose:
            cases = cases.filter(**{"owner" if self.whose == "mine" else "assignee": person})
        if self.severity:
            cases = cases.filter(severity=SEVERITIES[self.severity])
        if self.tag:
            cases = cases.filter(tags__contains=[self.tag])
        if self.search:
            named = CaseFile.objects.filter(case=OuterRef("pk"), text__icontains=self.search)
            cases = cases.filter(Q(title__icontains=self.search) | Exists(named))
        return cases

    def page(self, cases: CaseQuerySet, query: QueryDict, size: int) -> list[Case]:
        """One case more than fit, which tells that there is another page."""
        before = whole_number(query, "before")
        if before is not None:
            cases = cases.filter(self._after(before))
        orders = {"newest": ["-pk"], "oldest": ["pk"], "severity": ["-severity", "-pk"]}
        return list(cases.order_by(*orders[self.sort])[: size + 1])

    def _after(self, pk: int) -> Q:
        if self.sort == "newest":
            return Q(pk__lt=pk)
        if self.sort == "oldest":
            return Q(pk__gt=pk)
        severity = Case.objects.filter(pk=pk).values_list("severity", flat=True).first()
        if severity is None:
            raise BadRequest("This is not a page of the list.")
        return Q(severity__lt=severity) | Q(severity=severity, pk__lt=pk)

    def query(self, **changed: str) -> str:
        """These filters as a query string, with some of them changed; an empty text drops one."""
        texts = {
            "whose": self.whose,
            "state": self.state,
            "severity": self.severity,
            "tag": self.tag,
            "q": self.search,
            "sort": "" if self.sort == "newest" else self.sort,
        }
        query = QueryDict(mutable=True)
        query.update({name: text for name, text in {**texts, **changed}.items() if text})
        return query.urlencode()

    @property
    def whose_links(self) -> list[tuple[str, str, bool]]:
        """(words, query, whether it is this one), for a bar of links."""
        return [(words, self.query(whose=key), key == self.whose) for key, words in WHOSE.items()]

    @property
    def state_links(self) -> list[tuple[str, str, bool]]:
        return [(words, self.query(state=key), key == self.state) for key, words in STATES.items()]

    @property
    def sorts(self) -> list[tuple[str, str]]:
        return list(SORTS.items())

    @property
    def severities(self) -> list[str]:
        return list(SEVERITIES)

    @property
    def sorted_words(self) -> str:
        return SORTS[self.sort]


def tags_in_use() -> Sequence[str]:
    """The ones that most cases carry, by name."""
    each = Case.objects.annotate(tag=Func(F("tags"), function="unnest")).order_by()
    return sorted(each.values_list("tag", flat=True).distinct()[:TAGS_OFFERED])


def _one_of(known: Sequence[str] | dict[str, str], asked: str) -> str:
    if asked not in known and asked:
        raise BadRequest(f"The list of cases knows no “{asked[:40]}”.")
    return asked
