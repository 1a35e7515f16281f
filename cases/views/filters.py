"""The filters of the queue, as they stand in the address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import BadRequest
from django.http import QueryDict

from cases.models import Case, CaseFile, CaseValue, ValueKind, Verdict
from cases.observed import host_of
from cases.ordering import ORDERS, QUEUE_ORDER, Order, read_order
from cases.value_queryset import CaseValueQuerySet
from cases.views.proposed import with_proposal

LONGEST_SEARCH = 255
# Stands in the address for values without a registered domain.
NO_DOMAIN = "-"
_MOST_DEVICES = 10_000_000
# What the address of a list may carry besides its filters.
_PASSING = ("decide", "verdict_as", "unfold", "open", "reason", "after", "select")


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in force; `without` is the query of the address that drops it."""

    name: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Filters:
    verdict: str
    search: str
    file: CaseFile | None
    # Set when only what came since the reader's last visit is wanted; None also on a first visit.
    is_new: bool
    new_since: datetime | None
    query: QueryDict
    kind: str = ""
    port: int | None = None
    devices: int | None = None
    domain: str = ""
    is_proposed: bool = False
    # Names are folded up to their registered domains.
    by_domain: bool = False
    order: Order = QUEUE_ORDER
    # What was typed and cannot be read, by the field's name: shown at the field and not applied.
    mistakes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(
        cls, query: QueryDict, files: Iterable[CaseFile], *, new_since: datetime | None = None
    ) -> Filters:
        mistakes: dict[str, str] = {}
        return cls(
            verdict=_choice(query, "verdict", Verdict.values),
            kind=_choice(query, "kind", ValueKind.values),
            search=_search_text(query.get("q", "")),
            file=_file(query.get("file", ""), files),
            is_new=bool(query.get("new")),
            new_since=new_since,
            port=_number(query, "port", 65_535, "A port is a number from 0 to 65535.", mistakes),
            devices=_number(query, "devices", _MOST_DEVICES, "Give a number of devices.", mistakes),
            domain=_search_text(query.get("domain", "")).lower(),
            is_proposed=bool(query.get("proposed")),
            by_domain=query.get("by") == "domain",
            order=_order(query.get("sort", "")),
            query=kept(query),
            mistakes=mistakes,
        )

    @property
    def is_set(self) -> bool:
        return bool(self.verdict) or self.is_narrow

    @property
    def is_narrow(self) -> bool:
        """Whether more is asked for than a verdict, whose values are counted already."""
        return bool(self.applied.keys() - {"verdict"})

    @property
    def applied(self) -> dict[str, str]:
        """Each filter in force in words, by its name in the address."""
        named = {
            "q": self.search,
            "verdict": self.verdict,
            "kind": self.kind,
            "file": self.file.text if self.file else "",
            "port": "" if self.port is None else str(self.port),
            "devices": "" if self.devices is None else f"{self.devices} or more",
            "domain": "none" if self.domain == NO_DOMAIN else self.domain,
            "proposed": "waiting" if self.is_proposed else "",
            "new": "since your last visit" if self.is_new else "",
        }
        return {name: words for name, words in named.items() if words}

    def apply(self, case: Case) -> CaseValueQuerySet:
        """The values of the case that are asked for."""
        values = CaseValue.objects.filter(case=case)
        if self.verdict:
            values = values.filter(verdict=self.verdict)
        if self.kind:
            values = values.filter(kind=self.kind)
        if self.search:
            values = values.containing(self.search)
        if self.domain:
            values = values.filter(domain="" if self.domain == NO_DOMAIN else self.domain)
        if self.file:
            values = values.filter(file_ids__contains=[self.file.pk])
        if self.port is not None:
            values = values.filter(ports__contains=[self.port])
        if self.devices is not None:
            values = values.filter(devices__gte=self.devices)
        if self.is_new and self.new_since:
            values = values.filter(added_at__gt=self.new_since)
        if self.is_proposed:
            values = with_proposal(values, case)
        return values

    def chips(self) -> list[Chip]:
        return [
            Chip(_CHIP_NAMES.get(name, name), words, self.without(name))
            for name, words in self.applied.items()
        ]

    @property
    def orders(self) -> list[Order]:
        """All that can be chosen from a list."""
        chosen = [] if self.order in ORDERS.values() else [self.order]
        return [*ORDERS.values(), *chosen]

    @property
    def sorts(self) -> dict[str, Sort]:
        return {name.replace("-", "_"): self._sort(order) for name, order in ORDERS.items()}

    def _sort(self, order: Order) -> Sort:
        if order.name != self.order.name:
            return Sort(self.with_(sort=order.key), "")
        aria = "descending" if self.order.is_descending else "ascending"
        return Sort(self.with_(sort=self.order.reverse.key), aria)

    @property
    def unfolded_query(self) -> str:
        return self.without("by", "domain")

    @property
    def folded_query(self) -> str:
        return self.with_(by="" if self.by_domain else "domain", domain="")

    def without(self, *names: str) -> str:
        """The query of the address that drops these."""
        return self.with_(**dict.fromkeys(names, ""))

    def with_(self, **changes: str) -> str:
        """The query of the address with these set; an empty one goes."""
        query = self.query.copy()
        for name, text in changes.items():
            query.pop(name, None)
            if text:
                query[name] = text
        return query.urlencode()


@dataclass(frozen=True, slots=True)
class Sort:
    """A column's way to sort: where its head leads, and `aria` when it is the order of the queue."""

    query: str
    aria: str


_CHIP_NAMES = {"q": "search", "proposed": "proposal"}


def kept(query: QueryDict) -> QueryDict:
    """The filters of an address alone: without what is being decided, unfolded or paged."""
    copy = query.copy()
    for name in _PASSING:
        copy.pop(name, None)
    for name in [name for name in copy if not copy[name]]:
        del copy[name]
    return copy


def kept_text(text: str) -> str:
    """The same for the text of a query that a form sent along."""
    return kept(QueryDict(text[:2000])).urlencode()


def _choice(query: QueryDict, name: str, known: list[str]) -> str:
    text = query.get(name, "")
    if text and text not in known:
        raise BadRequest(f"There is no {name} {text[:40]!r}.")
    return text


def _order(text: str) -> Order:
    order = read_order(text or QUEUE_ORDER.name)
    if order is None:
        raise BadRequest(f"The queue is sorted by one of {', '.join(ORDERS)}.")
    return order


def _search_text(text: str) -> str:
    """Defanged values are found as they were pasted."""
    text = "".join(letter for letter in text if letter.isprintable()).strip()
    for defanged, whole in (("[.]", "."), ("(.)", "."), ("[:]", ":"), ("hxxp", "http")):
        text = text.replace(defanged, whole)
    return (host_of(text) if "://" in text else text)[:LONGEST_SEARCH]


def _number(query: QueryDict, name: str, most: int, message: str, mistakes: dict[str, str]) -> int | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 9 and int(text) <= most:
        return int(text)
    mistakes[name] = message
    return None


def _file(text: str, files: Iterable[CaseFile]) -> CaseFile | None:
    if not text:
        return None
    for file in files:
        if str(file.pk) == text:
            return file
    raise BadRequest("This case names no such file.")
