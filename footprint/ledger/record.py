"""Writing the ledger: `with change(actor=…) as ledger:` is the transaction of one action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from footprint.accounts.models import Person
from footprint.ledger.chain import canonical_json, moment_text, next_hash
from footprint.ledger.events import Event


class HeadDeleted(RuntimeError):
    """Nothing can be changed: what is not in the ledger must not happen, and no entry can follow."""


class NestedChange(RuntimeError):
    """An action was called inside another one's transaction; its entries would lock the head too early."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, with the name as it was then. kind: person, clock, run or command."""

    kind: str
    id: str
    name: str

    @classmethod
    def person(cls, person: Person) -> Actor:
        return cls("person", str(person.pk), str(person))

    @classmethod
    def clock(cls, name: str) -> Actor:
        return cls("clock", name, name)

    @classmethod
    def run(cls, number: int) -> Actor:
        return cls("run", str(number), f"run {number}")

    @classmethod
    def command(cls, name: str) -> Actor:
        return cls("command", name, f"command {name}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry speaks of: kind (case, decision, run …), id and its name as it was then."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change came from: the request's id and the client's address, empty outside a request."""

    request_id: str = ""
    address: str = ""


_NOWHERE = Origin()
ORIGIN: ContextVar[Origin] = ContextVar("ORIGIN", default=_NOWHERE)
_UNDERWAY: ContextVar[bool] = ContextVar("_UNDERWAY", default=False)


@dataclass(frozen=True, slots=True)
class _Draft:
    event: Event
    subject: Subject
    case_number: int | None
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    reason: str


@dataclass(slots=True)
class Change:
    actor: Actor
    drafts: list[_Draft] = field(default_factory=list)

    def add(
        self,
        event: Event,
        subject: Subject,
        *,
        case_number: int | None = None,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        reason: str = "",
    ) -> None:
        """Notes an entry; all are appended together as the transaction's last statements."""
        self.drafts.append(_Draft(event, subject, case_number, before, after, reason))


@contextmanager
def change(*, actor: Actor) -> Iterator[Change]:
    if _UNDERWAY.get():
        raise NestedChange
    token = _UNDERWAY.set(True)
    try:
        with transaction.atomic():
            noted = Change(actor)
            yield noted
            if noted.drafts:
                _append(noted)
    finally:
        _UNDERWAY.reset(token)


def _append(noted: Change) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, hash FROM ledger_head WHERE id = 1 FOR UPDATE")
        head = cursor.fetchone()
        if head is None:
            raise HeadDeleted
        seq, previous = head
        # A statement of its own: asked together with the lock, the time could be from before the wait.
        cursor.execute("SELECT clock_timestamp()")
        (at,) = cursor.fetchone()
        previous = bytes(previous)
        # Thousands of entries of a bulk decision as fast as one: nothing is quoted, nothing is planned.
        with cursor.copy(_COPY) as copy:
            for draft in noted.drafts:
                seq += 1
                text = canonical_json(_content(seq, at, noted.actor, draft))
                previous = next_hash(previous, text)
                copy.write_row(_columns(seq, at, noted.actor, draft, text, previous))
        cursor.execute("UPDATE ledger_head SET seq = %s, hash = %s WHERE id = 1", [seq, previous])


_COPY = """
    COPY ledger_entry (seq, at, actor_kind, actor_id, actor_name, event, subject_kind, subject_id,
                       subject_name, case_number, reason, request_id, text, hash) FROM STDIN
"""


def _content(seq: int, at: datetime, actor: Actor, draft: _Draft) -> dict[str, object]:
    origin = ORIGIN.get()
    return {
        "seq": seq,
        "at": moment_text(at),
        "actor": {"kind": actor.kind, "id": actor.id, "name": actor.name},
        "event": draft.event.value,
        "subject": {"kind": draft.subject.kind, "id": draft.subject.id, "name": draft.subject.name},
        "case": draft.case_number,
        "before": draft.before,
        "after": draft.after,
        "reason": draft.reason,
        "request_id": origin.request_id,
        "address": origin.address,
    }


def _columns(
    seq: int, at: datetime, actor: Actor, draft: _Draft, text: str, digest: bytes
) -> tuple[object, ...]:
    return (
        seq,
        at,
        actor.kind,
        actor.id,
        actor.name,
        draft.event.value,
        draft.subject.kind,
        draft.subject.id,
        draft.subject.name,
        draft.case_number,
        draft.reason,
        ORIGIN.get().request_id,
        text,
        digest,
    )
