"""What the address of the page of all decisions asks for: which state, which filters, in which order."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict
from django.utils import timezone

from cases.models import Decision, Verdict
from cases.querysets import DecisionQuerySet
from cases.verdicts.subject import Subject, SubjectRefused, read_subject
from footprint.accounts.models import Person
from footprint.asked import search_text, whole_number

EXPIRING_DAYS = 30
IN_FORCE, WAITING, EXPIRING, ENDED = "in-force", "waiting", "expiring", "ended"
# The word of the address -> the words on the page.
STATES = {IN_FORCE: "In force", WAITING: "Waiting", EXPIRING: "Expiring", ENDED: "Ended"}
VERDICTS = (Verdict.ALLOWED.value, Verdict.BLOCKED.value)


@dataclass(frozen=True, slots=True)
class Order:
    """By one column, then by number; `is_down` has the greatest first."""

    column: str
    is_down: bool
    words: str

    def apply(self, decisions: DecisionQuerySet) -> DecisionQuerySet:
        sign = "-" if self.is_down else ""
        columns = ("pk",) if self.column == "pk" else (self.column, "pk")
        return decisions.order_by(*(f"{sign}{column}" for column in columns))

    def beyond(self, decisions: DecisionQuerySet, last: int) -> DecisionQuerySet:
        """Those that follow the decision of this number, which may have changed its state meanwhile."""
        way = "lt" if self.is_down else "gt"
        if self.column == "pk":
            return decisions.filter(**{f"pk__{way}": last})
        value = Decision.objects.filter(pk=last).values_list(self.column, flat=True).first()
        if value is None:
            raise BadRequest("This is not a page of the list.")
        later = Q(**{f"{self.column}__{way}": value}) | Q(**{f"pk__{way}": last})
        return decisions.filter(later, **{f"{self.column}__{way}e": value})


ORDERS = {
    "": Order("pk", True, "newest first"),
    "oldest": Order("pk", False, "oldest first"),
    "subject": Order("subject", False, "by subject"),
    "ends": Order("expires_at", False, "what ends first, without those that have no end"),
}
_NEWEST_ENDED = Order("ended_at", True, "what ended last comes first")


@dataclass(frozen=True)
class DecisionFilters:
    state: str
    verdict: str
    scope: str
    kind: str
    by: int | None
    case: int | None
    search: str
    sort: str

    @classmethod
    def read(cls, query: QueryDict) -> DecisionFilters:
        return cls(
            state=_one_of(query, "state", STATES) or IN_FORCE,
            verdict=_one_of(query, "verdict", VERDICTS),
            scope=_one_of(query, "scope", Decision.Scope.values),
            kind=_one_of(query, "kind", Decision.SubjectKind.values),
            by=whole_number(query, "by"),
            case=whole_number(query, "case"),
            search=search_text(query, "q"),
            sort=_one_of(query, "sort", ORDERS),
        )

    @property
    def is_set(self) -> bool:
        return bool(self.verdict or self.scope or self.kind or self.by or self.case or self.search)

    @cached_property
    def asked(self) -> Subject | None:
        """The search as a subject, where it is one."""
        try:
            return read_subject(self.search) if self.search else None
        except SubjectRefused:
            return None

    @property
    def order(self) -> Order:
        if not self.sort and self.state == EXPIRING:
            return ORDERS["ends"]
        if not self.sort and self.state == ENDED:
            return _NEWEST_ENDED
        return ORDERS[self.sort]

    def apply(self, decisions: DecisionQuerySet) -> DecisionQuerySet:
        found = of_state(decisions, self.state)
        plain = {
            "verdict": self.verdict,
            "scope": self.scope,
            "subject_kind": self.kind,
            "proposer": self.by,
            "made_in": self.case,
        }
        found = found.filter(**{name: value for name, value in plain.items() if value})
        if self.order.column == "expires_at":
            found = found.filter(expires_at__isnull=False)
        return found.about(self.asked, self.search) if self.search else found

    def query(self, **changed: str) -> str:
        """These filters as a query string, with some of them changed; an empty text drops one."""
        query = QueryDict(mutable=True)
        query.update({name: text for name, text in {**self._texts(), **changed}.items() if text})
        return query.urlencode()

    def _texts(self) -> dict[str, str]:
        return {
            "state": "" if self.state == IN_FORCE else self.state,
            "verdict": self.verdict,
            "scope": self.scope,
            "kind": self.kind,
            "by": str(self.by or ""),
            "case": str(self.case or ""),
            "q": self.search,
            "sort": self.sort,
        }

    def who_choices(self) -> list[tuple[int, str]]:
        """The people who ever proposed or made a decision."""
        made = Decision.objects.filter(proposer=OuterRef("pk"))
        people = Person.objects.filter(Exists(made)).order_by("first_name", "last_name", "username")
        return [(person.pk, str(person)) for person in people]


def of_state(decisions: DecisionQuerySet, state: str) -> DecisionQuerySet:
    match state:
        case "in-force":
            return decisions.in_force()
        case "waiting":
            return decisions.filter(state=Decision.State.PROPOSED)
        case "expiring":
            soon = timezone.now() + timedelta(days=EXPIRING_DAYS)
            return decisions.in_force().filter(expires_at__lte=soon)
        case _:
            return decisions.filter(ended_at__isnull=False)


def _one_of(query: QueryDict, name: str, known: Container[str]) -> str:
    text = query.get(name, "")
    if text and text not in known:
        raise BadRequest(f"There is no {name} {text[:40]!r}.")
    return text
