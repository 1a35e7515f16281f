"""The filters of the queue, as they stand in the address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef
from django.http import QueryDict

from cases.models import Case, CaseFile, CaseValue, Endpoint, Verdict
from cases.querysets import CaseValueQuerySet

LONGEST_SEARCH = 255
# What the address of a list may carry besides its filters.
_PASSING = ("decide", "verdict_as", "unfold", "reason", "after")


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

    @classmethod
    def read(
        cls, query: QueryDict, files: Iterable[CaseFile], *, new_since: datetime | None = None
    ) -> Filters:
        verdict = query.get("verdict", "")
        if verdict and verdict not in Verdict.values:
            raise BadRequest(f"There is no verdict {verdict[:40]!r}.")
        return cls(
            verdict=verdict,
            search=_search_text(query.get("q", "")),
            file=_file(query.get("file", ""), files),
            is_new=bool(query.get("new")),
            new_since=new_since,
            query=kept(query),
        )

    @property
    def is_set(self) -> bool:
        return bool(self.verdict or self.search or self.file or self.is_new)

    def apply(self, values: CaseValueQuerySet, case: Case) -> CaseValueQuerySet:
        if self.verdict:
            values = values.filter(verdict=self.verdict)
        if self.search:
            values = values.filter(value__icontains=self.search)
        if self.is_new and self.new_since:
            values = values.filter(added_at__gt=self.new_since)
        if self.file:
            asked = Endpoint.objects.filter(case=case, file=self.file, value=OuterRef("value"))
            values = values.filter(Exists(asked))
        return values

    def chips(self) -> list[Chip]:
        named = {
            "verdict": ("verdict", self.verdict),
            "q": ("search", self.search),
            "file": ("file", self.file.text if self.file else ""),
            "new": ("new", "since your last visit" if self.is_new else ""),
        }
        return [
            Chip(name, value, self._without(parameter)) for parameter, (name, value) in named.items() if value
        ]

    def _without(self, parameter: str) -> str:
        query = self.query.copy()
        query.pop(parameter, None)
        return query.urlencode()


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


def _search_text(text: str) -> str:
    """Defanged values are found as they were pasted."""
    text = "".join(letter for letter in text if letter.isprintable()).strip()
    return text.replace("[.]", ".").replace("[:]", ":")[:LONGEST_SEARCH]


def _file(text: str, files: Iterable[CaseFile]) -> CaseFile | None:
    if not text:
        return None
    for file in files:
        if str(file.pk) == text:
            return file
    raise BadRequest("This case names no such file.")


def page_mark(value: CaseValue) -> str:
    """Where the next page begins, for the address."""
    microseconds = int(value.first_seen.timestamp() * 1_000_000)
    return f"{int(value.is_open)}.{microseconds}.{value.pk}"


def read_page_mark(text: str) -> tuple[bool, datetime, int]:
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):
        raise BadRequest("This is not a page of the list.")
    is_open, microseconds, pk = (int(part) for part in parts)
    if microseconds > 253_402_300_799_999_999:
        raise BadRequest("This is not a page of the list.")
    seconds, rest = divmod(microseconds, 1_000_000)
    return bool(is_open), datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), pk
