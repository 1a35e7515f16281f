"""What the address of the ledger page asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from footprint.accounts.models import Person
from footprint.asked import search_text, whole_number
from footprint.ledger.events import PHRASES, Event
from footprint.ledger.models import Entry

PROGRAMS = (("clock", "The clock"), ("run", "Runs"), ("command", "Commands"), ("token", "Tokens of feeds"))


@dataclass(frozen=True, slots=True)
class Filters:
    """`who` is a kind of actor, or a kind and an id; `what` an event; `subject` as in "decision:12"."""

    case: int | None
    subject: str
    search: str
    who: str
    what: str
    since: date | None
    until: date | None

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        return cls(
            whole_number(query, "case"),
            search_text(query, "subject"),
            search_text(query, "q"),
            search_text(query, "who"),
            search_text(query, "what"),
            _day(query, "since"),
            _day(query, "until"),
        )

    @property
    def is_set(self) -> bool:
        return bool(self._texts())

    def apply(self, entries: QuerySet[Entry]) -> QuerySet[Entry]:
        if self.case is not None:
            entries = entries.filter(case_number=self.case)
        if self.subject:
            kind, _, identity = self.subject.partition(":")
            entries = entries.filter(subject_kind=kind, subject_id=identity)
        if self.search:
            entries = entries.filter(subject_name__icontains=self.search)
        if self.who:
            kind, _, identity = self.who.partition(":")
            entries = entries.filter(actor_kind=kind)
            entries = entries.filter(actor_id=identity) if identity else entries
        if self.what:
            entries = entries.filter(event=self.what)
        return self._within(entries)

    def _within(self, entries: QuerySet[Entry]) -> QuerySet[Entry]:
        """Days of the reader, turned into numbers of entries: those are what pages are made of."""
        if self.since is not None:
            first = _first_at(_begin(self.since))
            entries = entries.filter(seq__gte=first) if first is not None else entries.none()
        if self.until is not None:
            beyond = _first_at(_begin(self.until + timedelta(days=1)))
            entries = entries.filter(seq__lt=beyond) if beyond is not None else entries
        return entries

    def query(self, **changed: str) -> str:
        """These filters as a query string, with some of them changed; an empty text drops one."""
        query = QueryDict(mutable=True)
        query.update({name: text for name, text in {**self._texts(), **changed}.items() if text})
        return query.urlencode()

    def _texts(self) -> dict[str, str]:
        texts = {
            "case": "" if self.case is None else str(self.case),
            "subject": self.subject,
            "q": self.search,
            "who": self.who,
            "what": self.what,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: text for name, text in texts.items() if text}

    def who_choices(self) -> list[tuple[str, str]]:
        people = Person.objects.order_by("first_name", "last_name", "username")
        return [*((f"person:{person.pk}", str(person)) for person in people), *PROGRAMS]

    def what_choices(self) -> list[tuple[str, list[tuple[str, str]]]]:
        return [(room, list(events)) for room, events in _by_room(Event)]


def _by_room(events: Iterable[Event]) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    def room(event: Event) -> str:
        return " ".join(event.value.split(":")[:2]).replace("_", " ")

    for name, group in groupby(sorted(events, key=lambda event: (room(event), event.value)), key=room):
        yield name, [(event.value, PHRASES[event]) for event in group]


def _day(query: QueryDict, name: str) -> date | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"“{name}” is not a day.") from error
    if not 2000 <= day.year < 9999:
        raise BadRequest(f"“{name}” is too far away.")
    return day


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _first_at(moment: datetime) -> int | None:
    found = Entry.objects.filter(at__gte=moment).order_by("at", "seq")
    return found.values_list("seq", flat=True).first()
