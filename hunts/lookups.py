"""The life of a look-up: asked by a person, claimed under a lease, answered or failed, kept with its case."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, timedelta

import idna
import structlog
from django.db import OperationalError as DatabaseGone
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from cases.models import Case
from cases.observed import observe, visible
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Subject, change
from footprint.waking import wake
from hunts import limiter
from hunts.actions import CaseIsClosed, LookBack
from hunts.adapters import adapter_for
from hunts.kql.cells import UnreadableCell, read_count, read_moment, read_set, read_text
from hunts.kql.files import AskedFile, FileKind
from hunts.kql.footprint import Dialect, Query
from hunts.kql.lookups import machines_by_hash_query, machines_query, talkers_query
from hunts.kql.quote import UnquotableText, quote
from hunts.kql.window import Window
from hunts.limiter import Holder, NoTurn, turn
from hunts.models import LookUp, Source
from hunts.querysets import LookUpQuerySet
from hunts.source_actions import pause_source
from hunts.sources.base import Adapter, Answer
from hunts.sources.errors import Interrupted, Refused, SourceError, Throttled, TimedOut, Unavailable

__all__ = ["CannotLookUp", "ask_look_up", "hint_look_up", "hint_look_ups", "look_up"]

log = structlog.get_logger(__name__)

ROWS_KEPT = 200
TIMEOUT_SECONDS = 120.0
LEASE_SECONDS = 300
RETRY_SECONDS = 15
MOST_ATTEMPTS = 3
# Somebody may press the button again; what is underway or this fresh is the answer.
FRESH = timedelta(minutes=1)
_MAY_PASS = (Unavailable, TimedOut, Throttled, Interrupted)
_WIDE = frozenset({Source.Kind.LOG_ANALYTICS, Source.Kind.DEFENDER_XDR})
_HASH_COLUMNS = {"sha1": "SHA1", "sha256": "SHA256"}


class CannotLookUp(Exception):
    """The message says why, for the person who asked."""


def ask_look_up(*, actor: Person, case: Case, question: str, subject_kind: str, subject: str) -> LookUp:
    """Keeps the question at the source of the case's newest hunt; the caller sends the hint after commit."""
    with change(actor=Actor.person(actor)) as ledger:
        locked = Case.objects.select_for_update().get(pk=case.pk)
        if not locked.is_live:
            raise CaseIsClosed
        hunt = locked.hunts.select_related("source").order_by("-pk").first()
        if hunt is None:
            raise CannotLookUp("This case has no hunt, so there is no source to ask.")
        if hunt.source.is_paused:
            raise CannotLookUp(f"{hunt.source} is paused; nothing is asked there until it is resumed.")
        try:
            quote(subject)
        except UnquotableText as error:
            raise CannotLookUp(str(error)) from error
        same = LookUp.objects.filter(
            case=locked, question=question, subject_kind=subject_kind, subject=subject
        )
        fresh = same.filter(Q(state__in=["waiting", "asking"]) | Q(asked_at__gt=timezone.now() - FRESH))
        if (found := fresh.order_by("-pk").first()) is not None:
            return found
        today = timezone.now().astimezone(UTC).date()
        look = LookUp.objects.create(
            case=locked,
            source=hunt.source,
            question=question,
            subject_kind=subject_kind,
            subject=subject,
            first_day=LookBack(hunt.look_back_days, hunt.since).first_day(today),
            last_day=today,
            asked_by=actor,
        )
        ledger.add(
            Event.LOOK_UP_ASKED,
            Subject("look-up", str(look.pk), visible(f"{look.get_question_display()}: {subject}")[:200]),
            case_number=locked.pk,
            after={
                "source": hunt.source.slug,
                "question": question,
                "subject": visible(subject),
                "days": [look.first_day.isoformat(), look.last_day.isoformat()],
            },
        )
    return look


def hint_look_up(look_up_id: int) -> bool:
    """Wakes a worker up; the sweep does what a lost message leaves. Whether the broker took it."""
    return wake("hunts.tasks.look_up", look_up_id)


def hint_look_ups() -> None:
    """What waits, or was left by a lost worker. A message more than needed claims nothing."""
    for pk in _to_be_asked().order_by("pk").values_list("pk", flat=True):
        if not hint_look_up(pk):
            return


def look_up(look_up_id: int) -> None:
    """Asks it if it is there to be had; returns quietly when someone else has it."""
    claimed = (
        _to_be_asked()
        .filter(pk=look_up_id)
        .update(
            state=LookUp.State.ASKING,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            lease_until=Now() + timedelta(seconds=LEASE_SECONDS),
            not_before=None,
        )
    )
    if not claimed:
        return
    look = LookUp.objects.select_related("source").get(pk=look_up_id)
    if look.attempts > MOST_ATTEMPTS:
        _finish(look, state=LookUp.State.FAILED, said="It was begun three times and never ended; given up.")
        return
    try:
        _ask(look)
    except NoTurn as error:
        # Nothing was asked, so it costs no attempt.
        _wait(look, error.said, error.wait_seconds, attempts=F("attempts") - 1)
    except SourceError as error:
        _take_failure(look, error)
    except (UnreadableCell, UnquotableText, ValueError, DatabaseGone) as error:
        _finish(look, state=LookUp.State.FAILED, said=f"The answer could not be read. {error}"[:500])


def _to_be_asked() -> LookUpQuerySet:
    """At sources that may be asked. No join: of two claims at once, the later must see the row anew."""
    return LookUp.objects.to_be_asked().filter(Exists(Source.objects.active().filter(pk=OuterRef("source"))))


def _ask(look: LookUp) -> None:
    window = Window.days(look.first_day, look.last_day)
    adapter = adapter_for(look.source)
    query = query_of(look, window, adapter.dialect)
    answer = _answer(look, adapter, query, window)
    rows = _rows(query, answer)
    _finish(
        look,
        state=LookUp.State.DONE,
        said=answer.partial or "",
        rows=[row for row in rows[:ROWS_KEPT] if _is_meant(look, row)],
        more=len(rows) > ROWS_KEPT or answer.partial is not None,
        seconds=answer.seconds,
    )


def _answer(look: LookUp, adapter: Adapter, query: Query, window: Window) -> Answer:
    """In turn with the slices of all workers."""
    name = f"look-up {look.pk}, claim {look.fence}"
    # Nothing renews it, so it is had for the whole question.
    holder = Holder(look.source, name, seconds=TIMEOUT_SECONDS)
    with turn(holder, threading.Event()):
        # Kept before it is sent, so that a question that fails can be read too.
        held = LookUp.objects.filter(pk=look.pk, fence=look.fence)
        held.update(kql=query.text, questions=F("questions") + 1)
        return adapter.ask(query, window, timeout=TIMEOUT_SECONDS)


def query_of(look: LookUp, window: Window, dialect: Dialect) -> Query:
    kind = look.subject_kind
    if look.question == LookUp.Question.TALKERS:
        is_address = kind == LookUp.SubjectKind.ADDRESS
        spellings = _spellings(look.subject, is_address=is_address)
        return talkers_query(spellings, window, dialect, ROWS_KEPT, is_address=is_address)
    if kind in _HASH_COLUMNS and look.source.kind in _WIDE:
        return machines_by_hash_query(_HASH_COLUMNS[kind], look.subject, window, dialect, ROWS_KEPT)
    file_kind = FileKind.NAME if kind == LookUp.SubjectKind.FILE else FileKind(kind)
    return machines_query(
        AskedFile(file_kind, look.subject, look.subject.lower()), window, dialect, ROWS_KEPT
    )


def is_wide(look: LookUp) -> bool:
    """Whether all tables were asked; otherwise only what network events say."""
    return look.subject_kind in _HASH_COLUMNS and look.source.kind in _WIDE


def _spellings(subject: str, *, is_address: bool) -> Sequence[str]:
    """The ways a value may have been recorded: IPv4 within IPv6, an internationalised name."""
    if is_address:
        return [subject] if ":" in subject else [subject, f"::ffff:{subject}"]
    try:
        return [subject, idna.decode(subject)] if "xn--" in subject else [subject]
    except idna.IDNAError:
        return [subject]


def _is_meant(look: LookUp, row: dict[str, object]) -> bool:
    """A name was looked for anywhere in a text; only rows that are about this very name are kept."""
    if look.question != LookUp.Question.TALKERS or look.subject_kind != LookUp.SubjectKind.NAME:
        return True
    return observe(str(row["Address"]), str(row["Name"])).dns == look.subject


def _rows(query: Query, answer: Answer) -> list[dict[str, object]]:
    places = [answer.columns.index(name) for name in query.columns]
    return [_row(query.columns, [cells[place] for place in places]) for cells in answer.rows]


def _row(columns: Sequence[str], cells: Sequence[object]) -> dict[str, object]:
    row: dict[str, object] = {}
    for name, cell in zip(columns, cells, strict=True):
        if name in ("FirstSeen", "LastSeen"):
            row[name] = read_moment(cell).isoformat()
        elif name == "Events":
            row[name] = read_count(cell)
        elif name == "Actions":
            row[name] = read_set(cell, 10)
        else:
            # NUL cannot be kept in the database.
            row[name] = read_text(cell).replace("\0", "\u2400")
    return row


def _take_failure(look: LookUp, error: SourceError) -> None:
    said = error.words
    log.warning("look_up_failed", look_up=look.pk, error=type(error).__name__, said=said)
    if isinstance(error, Refused):
        pause_source(actor=Actor.clock("look-up"), source=look.source, because=said)
    if not isinstance(error, _MAY_PASS) or look.attempts >= MOST_ATTEMPTS:
        _finish(look, state=LookUp.State.FAILED, said=said)
        return
    wait: float = RETRY_SECONDS
    if isinstance(error, Throttled):
        wait = error.retry_after
        limiter.pause(look.source, wait)
    _wait(look, said, wait)


def _wait(look: LookUp, said: str, seconds: float, **changes: object) -> None:
    _held(look).update(
        state=LookUp.State.WAITING,
        said=said,
        lease_until=None,
        not_before=Now() + timedelta(seconds=seconds),
        **changes,
    )


def _finish(look: LookUp, **changes: object) -> None:
    _held(look).update(lease_until=None, ended_at=Now(), **changes)


def _held(look: LookUp) -> LookUpQuerySet:
    """Whoever holds an older fence writes nothing."""
    return LookUp.objects.filter(pk=look.pk, fence=look.fence, state=LookUp.State.ASKING)
