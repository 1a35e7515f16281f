"""The ledger, newest first, with one entry open beside the list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import whole_number
from footprint.desk.changes import ChangedField, changed_fields
from footprint.desk.ledger_filters import Filters
from footprint.ledger.chain import GENESIS
from footprint.ledger.models import Entry

PAGE = 50
COUNTED_AT_MOST = 10_000
LARGEST_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    entries: list[Entry]
    is_today: bool


@dataclass(frozen=True, slots=True)
class OpenEntry:
    entry: Entry
    fields: list[ChangedField]
    address: str
    previous_hash: str
    hash: str

    @property
    def has_before(self) -> bool:
        return any(field.before is not None for field in self.fields)


@requires(Verb.READ_LEDGER)
@require_safe
def ledger(request: SignedInRequest, seq: int | None = None) -> HttpResponse:
    filters = Filters.read(request.GET)
    before = whole_number(request.GET, "before")
    matching = filters.apply(Entry.objects.all())
    page = list(matching.filter(seq__lt=before)[: PAGE + 1] if before else matching[: PAGE + 1])
    shown = page[:PAGE]
    chosen = _entry(seq, shown) if seq is not None else (shown[0] if shown else None)
    place = filters.query(before=str(before) if before else "")
    context = {
        "nav": "ledger",
        "filters": filters,
        "days": list(_by_day(shown)),
        "chosen": _opened(chosen) if chosen else None,
        # On a phone the list gives way to an entry that was asked for.
        "is_asked_for": seq is not None,
        "shown": len(shown),
        "matching": _count(matching),
        "counted_at_most": COUNTED_AT_MOST,
        "place": place,
        "first_query": filters.query() if before else "",
        "is_first_page": before is None,
        "older_query": filters.query(before=str(shown[-1].seq)) if len(page) > PAGE else "",
        "without_case": filters.query(case=""),
        "without_subject": filters.query(subject=""),
        "without_search": filters.query(q=""),
    }
    return render(request, "desk/ledger.html", context)


def _entry(seq: int, shown: Sequence[Entry]) -> Entry:
    """From the page when it is there, so that opening a row costs no further question."""
    for entry in shown:
        if entry.seq == seq:
            return entry
    found = Entry.objects.filter(seq=seq).first() if seq <= LARGEST_SEQ else None
    if found is None:
        raise Http404("The ledger has no such entry.")
    return found


def _opened(entry: Entry) -> OpenEntry:
    content = entry.content
    previous = Entry.objects.filter(seq=entry.seq - 1).values_list("hash", flat=True).first()
    return OpenEntry(
        entry,
        changed_fields(content.get("before"), content.get("after")),
        str(content.get("address") or ""),
        bytes(previous if previous is not None else GENESIS).hex(),
        bytes(entry.hash).hex(),
    )


def _by_day(entries: Sequence[Entry]) -> Iterator[Day]:
    today = timezone.localdate()
    for day, group in groupby(entries, key=lambda entry: timezone.localtime(entry.at).date()):
        yield Day(day, list(group), day == today)


def _count(entries: QuerySet[Entry]) -> int:
    """Exact up to COUNTED_AT_MOST; above, one more than that."""
    return entries.order_by()[: COUNTED_AT_MOST + 1].count()
